// Brings the notebooks' widgets to life on a page without a kernel. The page holds the widgets' state and, where each
// is shown, a script that names its model, beside the picture that stays if anything here fails. Large buffers of the
// state are scripts of their own (see widgets.py), which pages share.
// Links and any number of anywidgets work; of ipywidgets those in VIEWS. A classic script, as file:// allows no module.
"use strict";

(() => {
  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";

  const isChinese = document.documentElement.lang.startsWith("zh");
  const WORDS = isChinese
    ? {
        loading: "正在加载……",
        failed: "这个控件未能加载。请重新加载本页。",
        needsKernel: (name) => `这个控件（${name}）要连接内核才能使用：请在 JupyterLab 或 Colab 中打开本页的笔记本。`,
        progress: "进度",
        minus: "负 ",
      }
    : {
        loading: "Loading…",
        failed: "This widget could not be loaded. Please reload the page.",
        needsKernel: (name) => `This widget (${name}) needs a live kernel: open this page's notebook in JupyterLab or Colab.`,
        progress: "Progress",
        minus: "minus ",
      };

  // ------------------------------------------------------------------------------------------------ buffers

  function decoded(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new DataView(bytes.buffer);
  }

  const arrived = new Map(); // file name of a buffer's script -> base64
  const loads = new Map(); // address of the script -> promise of the buffer

  /** What a buffer's script calls. */
  window.widgetBuffer = (name, base64) => arrived.set(name, base64);

  /** Equal buffers have equal addresses, so that none is loaded twice. */
  function loaded(address) {
    if (!loads.has(address)) loads.set(address, load(address));
    return loads.get(address);
  }

  async function load(address) {
    const script = element("script", "");
    script.src = address;
    document.head.append(script);
    await new Promise((resolve) => (script.onload = script.onerror = resolve));
    const name = address.split("/").at(-1);
    if (!arrived.has(name)) throw new Error(`no buffer came from ${script.src}`);
    const buffer = decoded(arrived.get(name));
    arrived.delete(name);
    return buffer;
  }

  // ------------------------------------------------------------------------------------------------ models

  /** What a widget's view works with, as anywidget defines it: get, set, save_changes, on, off, send. */
  class Model {
    #listeners = new Map(); // "change" or "change:NAME" -> Set of callbacks
    #outside; // buffers that are not in the page
    #complete;

    constructor({ model_name: name, state, buffers = [] }) {
      this.name = name;
      this.state = state;
      this.#outside = buffers.filter(({ script }) => script);
      for (const { path, data } of buffers) if (data) this.#place(path, decoded(data));
    }

    #place(path, buffer) {
      const parent = path.slice(0, -1).reduce((part, key) => part[key], this.state);
      parent[path.at(-1)] = buffer;
    }

    /** Resolves when the state has all its buffers; the loading begins with the first call. */
    complete() {
      const fill = async ({ path, script }) => this.#place(path, await loaded(script));
      return (this.#complete ??= Promise.all(this.#outside.map(fill)));
    }

    get(key) {
      return this.state[key];
    }

    set(key, value) {
      const changes = Object.entries(typeof key === "object" ? key : { [key]: value });
      const changed = changes.filter(([name, next]) => !Object.is(this.state[name], next));
      for (const [name, next] of changed) this.state[name] = next;
      for (const [name, next] of changed) this.#emit(`change:${name}`, next);
      if (changed.length) this.#emit("change");
    }

    save_changes() {} // there is no kernel to save to

    send() {}

    on(events, callback) {
      for (const event of events.split(/\s+/)) {
        if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
        this.#listeners.get(event).add(callback);
      }
    }

    off(events, callback) {
      for (const event of events?.split(/\s+/) ?? this.#listeners.keys()) {
        if (callback) this.#listeners.get(event)?.delete(callback);
        else this.#listeners.delete(event);
      }
    }

    #emit(event, ...values) {
      for (const callback of [...(this.#listeners.get(event) ?? [])]) callback(this, ...values);
    }
  }

  const models = new Map(); // id -> Model

  /** The model that a trait such as "IPY_MODEL_0123" refers to; undefined if the page does not hold it. */
  const referred = (reference) => models.get(String(reference).replace("IPY_MODEL_", ""));

  /** jslink and jsdlink: two traits hold the same value, which the target takes from the source at first. */
  function link(model) {
    const [[source, from], [target, to]] = ["source", "target"].map((end) => {
      const [reference, trait] = model.get(end);
      return [referred(reference), trait];
    });
    if (!source || !target) return;
    const forward = () => target.set(to, source.get(from));
    source.on(`change:${from}`, forward);
    if (model.name === "LinkModel") target.on(`change:${to}`, () => source.set(from, target.get(to)));
    forward();
  }

  // ------------------------------------------------------------------------------------------------ views

  /** Calls back now, and whenever one of these traits changes. */
  function follow(model, traits, callback) {
    model.on(traits.map((trait) => `change:${trait}`).join(" "), callback);
    callback();
  }

  function element(name, className, ...children) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...children);
    return made;
  }

  /** A number as the slider's readout_format says; of that language only whole and fixed-point numbers. */
  function formatted(value, format) {
    const digits = format === "d" ? 0 : /^\.(\d+)f$/.exec(format)?.[1];
    return digits === undefined ? String(value) : value.toFixed(digits).replace("-", "−");
  }

  /** What a screen reader says as it is meant: signs it passes over become words, small digits plain ones. */
  const spoken = (text) => text.normalize("NFKC").replace("−", WORDS.minus);

  let sliders = 0;

  function slider(model, el) {
    const input = element("input", "");
    const label = element("label", "widget-label");
    const output = element("output", "widget-readout");
    input.type = "range";
    input.id = label.htmlFor = `widget-slider-${++sliders}`;
    output.htmlFor = input.id;
    output.setAttribute("aria-live", "off"); // the slider itself announces its value
    el.append(label, input, output);
    follow(model, ["description", "min", "max", "step", "value", "disabled", "readout"], () => {
      const name = (label.textContent = model.get("description"));
      if (spoken(name) !== name) input.setAttribute("aria-label", spoken(name));
      // The value last: the browser keeps it within the ends, and on the steps between them, that it knows.
      for (const trait of ["min", "max", "disabled"]) input[trait] = model.get(trait);
      input.step = model.get("step") ?? "any";
      input.value = model.get("value");
      output.value = formatted(model.get("value"), model.get("readout_format"));
      output.hidden = !model.get("readout");
      input.setAttribute("aria-valuetext", spoken(output.value));
    });
    const read = () => model.set("value", input.valueAsNumber);
    input.addEventListener(model.get("continuous_update") ? "input" : "change", read);
  }

  /** Each child has its place at once. Resolves when the first of those that have to wait is drawn. */
  function box(model, el) {
    const views = model.get("children").map((child) => view(referred(child)));
    el.append(...views.map((child) => child.el));
    const waiting = views.map(({ drawn }) => drawn).filter(Boolean);
    return waiting.length ? Promise.any(waiting) : undefined;
  }

  /** Text, or for HTML what the notebook's author wrote, after the widget's description. */
  function text(model, el) {
    const [label, content] = [element("span", "widget-label"), element("div", "widget-content")];
    el.append(label, content);
    follow(model, ["description", "value"], () => {
      label.textContent = model.get("description");
      label.hidden = !label.textContent;
      content[model.name === "HTMLModel" ? "innerHTML" : "textContent"] = model.get("value");
    });
  }

  /** A bar; no label where its description is empty, but always a name for those who hear it. */
  function progress(model, el) {
    const [label, bar] = [element("span", "widget-label"), element("progress", "")];
    el.append(label, bar);
    follow(model, ["description", "min", "max", "value"], () => {
      label.textContent = model.get("description");
      label.hidden = !label.textContent;
      bar.setAttribute("aria-label", label.textContent || WORDS.progress);
      bar.max = model.get("max") - model.get("min");
      bar.value = model.get("value") - model.get("min");
    });
  }

  const modules = new Map(); // source -> promise of the module
  const definitions = new Map(); // model -> promise of what its module's default export is or returns

  function imported(source) {
    if (!modules.has(source)) {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      modules.set(source, import(url).finally(() => URL.revokeObjectURL(url)));
    }
    return modules.get(source);
  }

  const styles = new Set();

  function addStyle(css) {
    if (!css || styles.has(css)) return;
    styles.add(css);
    document.head.append(element("style", "", css));
  }

  /** Set up once for each model, then rendered once for each of its views. */
  async function defined(model) {
    const [{ default: exported }] = await Promise.all([imported(model.get("_esm")), model.complete()]);
    const definition = typeof exported === "function" ? await exported() : exported;
    await definition.initialize?.({ model });
    return definition;
  }

  async function anywidget(model, el) {
    el.append(element("p", "widget-note", WORDS.loading));
    el.setAttribute("aria-busy", "true");
    try {
      if (!definitions.has(model)) definitions.set(model, defined(model));
      const definition = await definitions.get(model);
      addStyle(model.get("_css"));
      el.replaceChildren();
      await definition.render?.({ model, el });
    } catch (error) {
      el.replaceChildren(element("p", "widget-note", WORDS.failed));
      console.error("A widget of this page cannot be shown live:", error);
      throw error;
    } finally {
      el.removeAttribute("aria-busy");
    }
  }

  // model name -> [the class of its element, what fills it]
  const VIEWS = {
    FloatSliderModel: ["widget-slider", slider],
    IntSliderModel: ["widget-slider", slider],
    FloatProgressModel: ["widget-text", progress],
    IntProgressModel: ["widget-text", progress],
    BoxModel: ["widget-box", box],
    HBoxModel: ["widget-box widget-hbox", box],
    VBoxModel: ["widget-box widget-vbox", box],
    LabelModel: ["widget-text", text],
    HTMLModel: ["widget-text", text],
    AnyModel: ["widget-any", anywidget],
  };

  /** A layout's traits are CSS properties, a style's likewise as far as they mean anything here. */
  function dress(model, el) {
    el.classList.add(...(model.get("_dom_classes") ?? []));
    const [layout, style] = [referred(model.get("layout")), referred(model.get("style"))];
    for (const [trait, value] of Object.entries(layout?.state ?? {}))
      if (value !== null && !trait.startsWith("_")) el.style.setProperty(trait.replaceAll("_", "-"), value);
    const width = style?.get("description_width");
    if (width && width !== "initial") el.style.setProperty("--description-width", width);
  }

  /** A new view of a model: its element and, unless it is filled at once, a promise that it has something to show. */
  function view(model) {
    const name = model?.name ?? "?";
    if (!(name in VIEWS)) return { el: element("p", "widget-note widget-missing", WORDS.needsKernel(name)) };
    const [className, fill] = VIEWS[name];
    const el = element("div", className);
    dress(model, el);
    return { el, drawn: fill(model, el) };
  }

  // ------------------------------------------------------------------------------------------------ the page

  /** Shows the widget that a view script names, in place of the picture before it if there is one. */
  async function mount(script) {
    const { model_id: id } = JSON.parse(script.textContent);
    const { el, drawn } = view(models.get(id));
    if (el.style.visibility === "hidden") return; // such as a bar that went when the training was done
    const [picture, place] = [script.previousElementSibling, element("div", "live-widget", el)];
    if (!picture) script.after(place);
    try {
      await drawn;
    } catch {
      return; // the view has told why
    }
    if (picture) script.after(place);
    if (!el.matches(".widget-missing")) picture?.classList.add("widget-picture");
  }

  async function start() {
    for (const script of document.querySelectorAll(`script[type="${STATE}"]`))
      for (const [id, entry] of Object.entries(JSON.parse(script.textContent).state)) models.set(id, new Model(entry));
    for (const model of models.values()) if (/^(Directional)?LinkModel$/.test(model.name)) link(model);
    for (const script of document.querySelectorAll(`script[type="${VIEW}"]`))
      mount(script).catch((error) => console.error("A widget of this page cannot be shown live:", error));
  }

  start().catch((error) => console.error("The widgets of this page cannot be shown live:", error));
})();

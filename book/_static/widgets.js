// Brings the notebooks' widgets to life on a page without a kernel. The page holds the widgets' state and, where each
// is shown, a script that names its model, beside the picture that stays if anything here fails.
// Links and any number of anywidgets work; of ipywidgets those in VIEWS. A classic script, as file:// allows no module.
"use strict";

(() => {
  const STATE = "application/vnd.jupyter.widget-state+json";
  const VIEW = "application/vnd.jupyter.widget-view+json";

  const isChinese = document.documentElement.lang.startsWith("zh");
  const needsKernel = (name) =>
    isChinese
      ? `这个控件（${name}）要连接内核才能使用：请在 JupyterLab 或 Colab 中打开本页的 notebook。`
      : `This widget (${name}) needs a live kernel: open this page's notebook in JupyterLab or Colab.`;

  // ------------------------------------------------------------------------------------------------ models

  /** What a widget's view works with, as anywidget defines it: get, set, save_changes, on, off, send. */
  class Model {
    #listeners = new Map(); // "change" or "change:NAME" -> Set of callbacks

    constructor({ model_name: name, state, buffers = [] }) {
      this.name = name;
      this.state = state;
      for (const { path, data } of buffers) {
        const parent = path.slice(0, -1).reduce((part, key) => part[key], state);
        parent[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
      }
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
      label.textContent = model.get("description");
      // The value last: the browser keeps it within the ends, and on the steps between them, that it knows.
      for (const trait of ["min", "max", "disabled"]) input[trait] = model.get(trait);
      input.step = model.get("step") ?? "any";
      input.value = model.get("value");
      output.value = formatted(model.get("value"), model.get("readout_format"));
      output.hidden = !model.get("readout");
      input.setAttribute("aria-valuetext", output.value);
    });
    const read = () => model.set("value", input.valueAsNumber);
    input.addEventListener(model.get("continuous_update") ? "input" : "change", read);
  }

  async function box(model, el) {
    for (const child of model.get("children")) el.append(await view(referred(child)));
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
      bar.setAttribute("aria-label", label.textContent || (isChinese ? "进度" : "Progress"));
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
    const { default: exported } = await imported(model.get("_esm"));
    const definition = typeof exported === "function" ? await exported() : exported;
    await definition.initialize?.({ model });
    return definition;
  }

  async function anywidget(model, el) {
    addStyle(model.get("_css"));
    if (!definitions.has(model)) definitions.set(model, defined(model));
    await (await definitions.get(model)).render?.({ model, el });
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

  /** The element of a new view of a model, filled. */
  async function view(model) {
    if (!(model?.name in VIEWS)) return element("p", "widget-missing", needsKernel(model?.name ?? "?"));
    const [className, fill] = VIEWS[model.name];
    const el = element("div", className);
    dress(model, el);
    await fill(model, el);
    return el;
  }

  // ------------------------------------------------------------------------------------------------ the page

  /** Shows the widget that a view script names, in place of the picture before it if there is one. */
  async function mount(script) {
    const { model_id: id } = JSON.parse(script.textContent);
    const shown = await view(models.get(id));
    if (shown.style.visibility === "hidden") return; // such as a bar that went when the training was done
    script.after(element("div", "live-widget", shown));
    if (!shown.matches(".widget-missing")) script.previousElementSibling?.classList.add("widget-picture");
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

// What all explorers share: computing, drawing, and the looks. scripts.py joins this file with a view's own into one
// ES module, as anywidget loads it from a Blob and a static page from the widgets' state: it imports and fetches nothing.

// ---------------------------------------------------------------------------- computing

/** The bytes of a widget's buffer, a DataView or any typed array, copied to where they are aligned. */
export function bytesOf(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

/** IEEE half to single precision, exactly: the same bits further left, with the exponent's bias mended by 2^112. */
export function fromFloat16(half) {
  const single = new Float32Array(half.length);
  const bits = new Uint32Array(single.buffer);
  for (let i = 0; i < half.length; i++) bits[i] = ((half[i] & 0x8000) << 16) | ((half[i] & 0x7fff) << 13);
  for (let i = 0; i < half.length; i++) single[i] *= 2 ** 112;
  return single;
}

const ACTIVATIONS = {
  identity: (y) => y,
  relu: (y) => (y > 0 ? y : 0),
  tanh: Math.tanh,
};

/**
 * The function that applies packed layers (pack_layers in explorer.py). Its result is overwritten by the next call.
 * Every layer's output is rounded to float32, as PyTorch's is; its sums are float64, so at least as exact.
 */
export function makeNetwork(spec, buffer) {
  const layers = spec.map((layer) => {
    const count = layer.in * layer.out;
    const weight =
      layer.dtype === "float16"
        ? fromFloat16(new Uint16Array(buffer, layer.offset, count))
        : new Float32Array(buffer, layer.offset, count);
    const bias = new Float32Array(buffer, layer.bias, layer.out);
    return { weight, bias, activation: ACTIVATIONS[layer.activation], output: new Float32Array(layer.out) };
  });
  return (input) => {
    let x = Float32Array.from(input);
    for (const { weight, bias, activation, output } of layers) {
      for (let row = 0, k = 0; row < output.length; row++) {
        let sum = bias[row];
        for (let column = 0; column < x.length; column++) sum += weight[k++] * x[column];
        output[row] = activation(sum);
      }
      x = output;
    }
    return x;
  };
}

// ---------------------------------------------------------------------------- drawing

/** Pictures side by side, from their bytes; CSS scales them, so their pixels are the model's. */
export function drawDigits(canvas, bytes) {
  const count = bytes.length / 784;
  if (canvas.width !== 28 * count || canvas.height !== 28) [canvas.width, canvas.height] = [28 * count, 28];
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  const pixels = new Uint32Array(image.data.buffer); // alpha, blue, green, red: browsers run on little-endian machines
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < 784; i++) pixels[i] = 0xff000000 | (bytes[784 * n + i] * 0x010101);
    context.putImageData(image, 28 * n, 0);
  }
}

/** A picture from network values on [-1, 1]. */
export function drawDigit(canvas, values) {
  const bytes = new Uint8Array(784);
  for (let i = 0; i < 784; i++) bytes[i] = Math.round((values[i] + 1) * 127.5);
  drawDigits(canvas, bytes);
}

/** Gives a canvas the screen's pixels under `shown`; returns its context, cleared and scaled to CSS pixels. */
export function fit(canvas, shown = canvas) {
  const ratio = window.devicePixelRatio || 1;
  const pixels = [Math.round(shown.clientWidth * ratio), Math.round(shown.clientHeight * ratio)];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, shown.clientWidth, shown.clientHeight);
  return context;
}

// ---------------------------------------------------------------------------- words and looks

/** Of words in both languages, { en, zh }, those of the page's. */
export function inPageLanguage(words) {
  return document.documentElement.lang.startsWith("zh") ? words.zh : words.en;
}

// Colours follow the page: JupyterLab's variables where they exist, otherwise the text around the widget.
export const STYLE = `
.genlib-view { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; padding: 4px;
  color: var(--jp-ui-font-color1, inherit); }
.genlib-view canvas { display: block; box-sizing: border-box; border-radius: 4px;
  border: 1px solid rgba(128, 128, 128, 0.6); }
.genlib-view canvas.genlib-pixels { aspect-ratio: 1; image-rendering: pixelated; background: #000; }
:is(.genlib-view, .genlib-bar) :focus-visible { outline: 3px solid #3b82f6; outline-offset: 1px; }
.genlib-digit { flex: 1 1 252px; max-width: 340px; min-width: 0; }
.genlib-digit canvas { width: 100%; }
.genlib-space { flex: 1 1 280px; min-width: 0; }
.genlib-space canvas { width: 100%; height: 360px; cursor: grab; touch-action: pan-y pinch-zoom; user-select: none; }
.genlib-hint { margin: 6px 0 0; font-size: 0.8em; line-height: 1.4; }
.genlib-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.genlib-bar { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 4px; }
.genlib-button { min-height: 2.2em; padding: 0.2em 0.9em; border: 1px solid rgba(128, 128, 128, 0.8);
  border-radius: 6px; background: transparent; color: inherit; font: inherit; cursor: pointer; }
.genlib-button:hover:enabled { background: rgba(128, 128, 128, 0.2); }
.genlib-button:disabled { opacity: 0.5; cursor: default; }
.genlib-range { display: flex; flex: 1 1 220px; gap: 8px; align-items: center; min-width: 0; margin: 0; }
.genlib-range input { flex: 1; min-width: 4rem; height: 1.75rem; }
.genlib-range output { min-width: 2.5em; font-variant-numeric: tabular-nums; }
.genlib-sliders.genlib-sliders { display: grid; gap: 0 16px; padding-inline: 4px; overflow: visible;
  /* side by side where all find room, else below one another */
  grid-template-columns: repeat(auto-fit, minmax(min(100%, max(170px, (560px - 100%) * 999)), 1fr)); }
.genlib-sliders.genlib-long { grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.genlib-sliders > * { width: auto; min-width: 0; }
.genlib-sliders .widget-label { white-space: pre; tab-size: 2em; font-variant-numeric: tabular-nums; }
.genlib-long .widget-label { min-width: 8.5em; }
`;

/** A letter with a number below it. */
export function subscripted(letter, number) {
  return letter + String(number).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]);
}

/** An element with attributes and children; a null attribute is left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** An element of a drawing with attributes and children. */
export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Rounded to tenths: of a pixel, what can be seen. */
export const tenth = (v) => Math.round(10 * v) / 10;

/** A number as text, with a true minus sign. */
export const minus = (text) => String(text).replace("-", "−");

/** A number as it is said: screen readers pass over a minus sign. */
export const aloud = (text) => String(text).replace("-", inPageLanguage({ en: "minus ", zh: "负 " }));

/** A line that is heard, not seen, and the function that has it say something once the reader has come to rest. */
export function makeAnnouncer() {
  const line = element("div", { class: "genlib-spoken", role: "status" });
  let waiting;
  const say = (text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (line.textContent = text), 500);
  };
  return [line, say];
}

/** A canvas of 28 x 28 pixels for drawDigit. */
export function makePixels(attributes = {}) {
  return element("canvas", { class: "genlib-pixels", width: 28, height: 28, role: "img", ...attributes });
}

/**
 * A labelled range, and beside it its value as shown(value) has it; a screen reader hears said(value).
 * Returns its block of the page, the input, and show(value).
 */
export function makeSlider(label, { min, max, step, shown = String, said = shown }) {
  const input = element("input", { type: "range", min, max, step, "data-lm-suppress-shortcuts": "" });
  const value = element("output", { "aria-live": "off" }); // the range itself announces its value
  const block = element("label", { class: "genlib-range" }, element("span", {}, label), input, value);
  const show = (next) => {
    input.value = next;
    value.textContent = shown(next);
    input.setAttribute("aria-valuetext", said(next));
  };
  return { block, input, show };
}

/** Calls back whenever the page changes its colours or `sized` its size. Returns the function that ends this. */
export function onLooks(sized, callback) {
  const size = new ResizeObserver(callback);
  size.observe(sized);
  const observer = new MutationObserver(callback);
  const attributes = ["class", "style", "data-theme", "data-mode", "data-jp-theme-name", "data-jp-theme-light"];
  for (const node of [document.documentElement, document.body])
    observer.observe(node, { attributes: true, attributeFilter: attributes });
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", callback);
  return () => {
    size.disconnect();
    observer.disconnect();
    scheme.removeEventListener("change", callback);
  };
}

/** The function that runs `task` once after however many calls: a click moves every slider, but draws once. */
export function once(task) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      task();
    });
  };
}


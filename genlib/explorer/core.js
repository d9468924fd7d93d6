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

/** 8-bit floats (e4m3: four bits of exponent, three of mantissa) to single precision, exactly. */
export function fromFloat8(bytes) {
  const values = Float32Array.from({ length: 256 }, (_, byte) => {
    const [sign, exponent, mantissa] = [byte & 0x80 ? -1 : 1, (byte >> 3) & 15, byte & 7];
    return sign * (exponent ? (8 + mantissa) * 2 ** (exponent - 10) : mantissa * 2 ** -9);
  });
  return Float32Array.from(bytes, (byte) => values[byte]);
}

const DTYPES = {
  float8: (buffer, offset, count) => fromFloat8(new Uint8Array(buffer, offset, count)),
  float16: (buffer, offset, count) => fromFloat16(new Uint16Array(buffer, offset, count)),
  float32: (buffer, offset, count) => new Float32Array(buffer, offset, count),
};

const ACTIVATIONS = {
  identity: (y) => y,
  relu: (y) => (y > 0 ? y : 0),
  tanh: Math.tanh,
};

/** Each output a weighted sum of all of x. */
function dense({ weight, bias, activation, output }, x) {
  for (let row = 0, k = 0; row < output.length; row++) {
    let sum = bias[row];
    for (let column = 0; column < x.length; column++) sum += weight[k++] * x[column];
    output[row] = activation(sum);
  }
  return output;
}

/** A convolution of 3 x 3, padded by 1, of square pictures, one after another in x. */
function convolution({ weight, bias, activation, stride, in: channels, out }, x) {
  const side = Math.sqrt(x.length / channels);
  const small = Math.ceil(side / stride);
  const output = new Float32Array(out * small * small);
  const sums = new Float64Array(small * small);
  for (let o = 0; o < out; o++) {
    sums.fill(bias[o]);
    for (let i = 0; i < channels; i++)
      for (let k = 0; k < 9; k++) {
        const [w, dy, dx] = [weight[(o * channels + i) * 9 + k], Math.floor(k / 3) - 1, (k % 3) - 1];
        for (let r = 0; r < small; r++) {
          const y = r * stride + dy;
          if (y < 0 || y >= side) continue;
          const row = (i * side + y) * side + dx;
          const last = Math.min(small, Math.ceil((side - dx) / stride));
          for (let c = dx < 0 ? 1 : 0; c < last; c++) sums[r * small + c] += w * x[row + c * stride];
        }
      }
    for (let p = 0; p < sums.length; p++) output[o * sums.length + p] = activation(sums[p]);
  }
  return output;
}

/**
 * The function that applies packed layers (pack_layers in core.py). Its result is overwritten by the next call.
 * Every layer's output is rounded to float32, as PyTorch's is; its sums are float64, so at least as exact.
 */
export function makeNetwork(spec, buffer) {
  const layers = spec.map((layer) => ({
    ...layer,
    weight: DTYPES[layer.dtype](buffer, layer.offset, layer.in * layer.out * (layer.stride ? 9 : 1)),
    bias: new Float32Array(buffer, layer.bias, layer.out),
    activation: ACTIVATIONS[layer.activation],
    apply: layer.stride ? convolution : dense,
    output: new Float32Array(layer.out),
  }));
  return (input) => layers.reduce((x, layer) => layer.apply(layer, x), Float32Array.from(input));
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
.genlib-choice { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; border: 0; }
.genlib-choice legend { float: left; width: auto; margin: 0 1em 0 0; padding: 3px 0; font: inherit; font-weight: bold; }
.genlib-choice label { display: flex; gap: 0.4em; align-items: center; min-height: 28px; margin: 0; cursor: pointer; }
.genlib-choice input { width: 1.1em; height: 1.1em; margin: 0; accent-color: #0072b2; }
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

let groups = 0; // radio buttons belong together by name, on a page with several explorers too

/**
 * Radio buttons in a row under a name: words is { value: its label }, chosen(value) is called when the reader chooses.
 * Returns their block of the page, and show(value).
 */
export function makeChoice(legend, words, chosen) {
  const name = `genlib-choice-${++groups}`;
  const inputs = Object.keys(words).map((value) =>
    element("input", { type: "radio", name, value, "data-lm-suppress-shortcuts": "" }),
  );
  for (const input of inputs) input.addEventListener("change", () => chosen(input.value));
  const labels = inputs.map((input) => element("label", {}, input, words[input.value]));
  const block = element("fieldset", { class: "genlib-choice" }, element("legend", {}, legend), ...labels);
  const show = (value) => inputs.forEach((input) => (input.checked = input.value === String(value)));
  return { block, show };
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


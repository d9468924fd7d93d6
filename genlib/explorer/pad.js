// The playground's pad: a digit is drawn, or taken from the test set, and brought into MNIST's form. What the two models
// are to look at is the trait `subject`: { images: [bytes], t } of one picture, or of two and the way from one to the other.

import { drawDigits, element, inPageLanguage, makePixels, makeSlider, once, STYLE } from "./core.js";
import { bytesOf } from "./core.js";

const WORDS = {
  en: {
    pad: "Drawing area: draw a digit with the mouse, a pen or a finger. By keyboard, choose one of the test digits below.",
    seen: "As the models see it: in a box of 20 × 20 pixels, its centre of mass in the middle of 28 × 28.",
    clear: "Clear",
    undo: "Undo",
    samples: "Or start from a test digit:",
    sample: (label) => `Test digit ${label}`,
    keep: (name) => `Keep as ${name}`,
    kept: (name) => `Digit kept as ${name}`,
    none: (name) => `Nothing kept as ${name} yet`,
    between: "From A to B",
    way: (t) => `${Math.round(100 * t)} percent of the way from A to B`,
  },
  zh: {
    pad: "画板：用鼠标、触控笔或手指写一个数字。只用键盘时，请选下面的某个测试数字。",
    seen: "模型看到的样子：缩放到 20 × 20 像素的方框内，重心放在 28 × 28 的中央。",
    clear: "清除",
    undo: "撤销",
    samples: "或者从一个测试数字开始：",
    sample: (label) => `测试数字 ${label}`,
    keep: (name) => `存为 ${name}`,
    kept: (name) => `已存为 ${name} 的数字`,
    none: (name) => `${name} 还没有数字`,
    between: "从 A 到 B",
    way: (t) => `从 A 到 B，位于 ${Math.round(100 * t)}% 处`,
  },
};

const PAD_STYLE = `
.genlib-pad canvas.genlib-ink { width: 280px; max-width: 100%; height: auto; aspect-ratio: 1; background: #000;
  cursor: crosshair; touch-action: none; }
.genlib-pad canvas.genlib-pixels { width: 112px; }
.genlib-pad > div { display: flex; flex: 1 1 240px; flex-direction: column; gap: 10px; min-width: 0; }
.genlib-pad > .genlib-drawing { flex: 0 1 280px; }
.genlib-pad .genlib-range { flex: none; }
.genlib-pad .genlib-row { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.genlib-pad button.genlib-thumb { padding: 0; border: 0; background: none; cursor: pointer; }
.genlib-pad canvas.genlib-pixels.genlib-small { width: 42px; }
.genlib-pad canvas.genlib-pixels.genlib-vacant { background: none; border-style: dashed; }
.genlib-pad .genlib-row:has(> .genlib-thumb) { display: grid; grid-template-columns: repeat(5, max-content); }
.genlib-pad p { margin: 0; font-size: 0.9em; line-height: 1.4; }
`;

const SIDE = 280; // of the drawing area
const CENTRE = 14.5; // of mass in MNIST, as measured on it: the middle of pixel 14, counted from 0
const PEN = 22; // leaves MNIST's width of stroke when a digit fills most of the area

/**
 * A picture as LeCun et al. (1998) made MNIST's: scaled to fit 20 x 20 with its proportions kept, then moved so that
 * the centre of mass is in the middle of 28 x 28, at MNIST's CENTRE. `gray`: width x height numbers from 0 to 255. Each new pixel is the
 * mean over its area. Returns 784 bytes, or null if there is no ink.
 */
export function normalizeDigit(gray, width, height) {
  // sums[y * (width + 1) + x]: the ink above y and left of x
  const sums = new Float64Array((width + 1) * (height + 1));
  let [left, right, top, bottom] = [width, 0, height, 0];
  let [mass, momentX, momentY] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      const ink = gray[y * width + x];
      row += ink;
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
      mass += ink;
      momentX += ink * (x + 0.5);
      momentY += ink * (y + 0.5);
      if (ink < 128) continue; // the soft edge of a stroke is outside the box
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  if (right === 0) return null;

  /** The ink above y and left of x, for any numbers within the picture. */
  function inkBefore(x, y) {
    [x, y] = [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
    const [x0, y0] = [Math.min(width - 1, Math.floor(x)), Math.min(height - 1, Math.floor(y))];
    const at = y0 * (width + 1) + x0;
    const [a, b] = [sums[at], sums[at + 1]];
    const [c, d] = [sums[at + width + 1], sums[at + width + 2]];
    return (1 - (y - y0)) * (a + (x - x0) * (b - a)) + (y - y0) * (c + (x - x0) * (d - c));
  }

  const step = Math.max(right - left, bottom - top) / 20; // a new pixel's side in old ones
  const [centreX, centreY] = [momentX / mass, momentY / mass];
  const edges = Array.from({ length: 29 }, (_, i) => (i - CENTRE) * step);
  const corners = edges.map((dy) => edges.map((dx) => inkBefore(centreX + dx, centreY + dy)));
  return Uint8Array.from({ length: 784 }, (_, i) => {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    const ink = corners[y + 1][x + 1] - corners[y + 1][x] - corners[y][x + 1] + corners[y][x];
    return Math.round(Math.max(0, Math.min(255, ink / step ** 2)));
  });
}

/** Draws a line of width `pen` with round ends into `gray`, side x side numbers from 0 to 255. */
export function addLine(gray, side, [ax, ay], [bx, by], pen) {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - pen / 2 - 1));
  const last = (a, b) => Math.min(side - 1, Math.ceil(Math.max(a, b) + pen / 2 + 1));
  for (let y = first(ay, by); y <= last(ay, by); y++) {
    for (let x = first(ax, bx); x <= last(ax, bx); x++) {
      const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
      const t = square && Math.max(0, Math.min(1, (px * dx + py * dy) / square));
      const inside = pen / 2 + 0.5 - Math.hypot(px - t * dx, py - t * dy); // in pixels, with a soft edge one pixel wide
      gray[y * side + x] = Math.max(gray[y * side + x], 255 * Math.max(0, Math.min(1, inside)));
    }
  }
}

/** Fills `gray`, side x side, with a picture of 28 x 28, linearly between the middles of its pixels. */
export function enlarge(bytes, gray, side) {
  const places = Array.from({ length: side }, (_, i) => Math.max(0, Math.min(27, ((i + 0.5) * 28) / side - 0.5)));
  for (const [y, v] of places.entries()) {
    const [above, below] = [28 * Math.floor(v), 28 * Math.ceil(v)];
    for (const [x, u] of places.entries()) {
      const [left, right] = [Math.floor(u), Math.ceil(u)];
      const across = (row) => bytes[row + left] + (u - left) * (bytes[row + right] - bytes[row + left]);
      gray[y * side + x] = across(above) + (v - Math.floor(v)) * (across(below) - across(above));
    }
  }
}

export default {
  render({ model, el }) {
    const text = inPageLanguage(WORDS);
    const samples = new Uint8Array(bytesOf(model.get("samples")));
    const labels = model.get("sample_labels");
    const sample = (i) => samples.subarray(784 * i, 784 * (i + 1));

    // -- what is drawn: strokes over a test digit or over nothing
    let base = null; // bytes
    let strokes = [];
    const ink = element("canvas", { class: "genlib-ink", width: SIDE, height: SIDE, role: "img", "aria-label": text.pad });
    const context = ink.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    const pixels = new Uint32Array(image.data.buffer); // alpha, blue, green, red, as in core.js
    const gray = new Uint8ClampedArray(SIDE * SIDE); // what the canvas shows; it is never read back, as browsers may lie

    function paint() {
      if (base) enlarge(base, gray, SIDE);
      else gray.fill(0);
      for (const stroke of strokes) {
        for (const [i, point] of stroke.entries()) addLine(gray, SIDE, stroke[Math.max(0, i - 1)], point, PEN);
      }
      show();
    }

    function show() {
      for (let i = 0; i < gray.length; i++) pixels[i] = 0xff000000 | (gray[i] * 0x010101);
      context.putImageData(image, 0, 0);
    }

    function bytesOnPad() {
      if (base && strokes.length === 0) return base; // a test digit is in MNIST's form already
      return normalizeDigit(gray, SIDE, SIDE);
    }

    function look(images, t = 0) {
      model.set("subject", { images: images.map((bytes) => Array.from(bytes)), t });
      model.save_changes();
    }

    const looked = once(() => {
      show();
      const bytes = bytesOnPad();
      look(bytes ? [bytes] : []);
    });
    function changed() {
      paint();
      looked();
    }
    const down = new Map(); // the stroke of each pointer that is down: fingers draw side by side
    function extend(pointer, point) {
      let stroke = down.get(pointer);
      if (!strokes.includes(stroke)) strokes.push((stroke = [])); // it begins, or was cleared meanwhile
      down.set(pointer, stroke);
      addLine(gray, SIDE, stroke.at(-1) ?? point, point, PEN);
      stroke.push(point);
      looked();
    }

    function place(event) {
      const box = ink.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    }
    ink.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      ink.setPointerCapture(event.pointerId);
      extend(event.pointerId, place(event));
    });
    ink.addEventListener("pointermove", (event) => {
      if (!down.has(event.pointerId)) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const one of passed.length ? passed : [event]) extend(event.pointerId, place(one));
    });
    ink.addEventListener("lostpointercapture", (event) => down.delete(event.pointerId));

    // -- what can be pressed
    const button = (label, act, ...children) => {
      const made = element("button", { type: "button", class: "genlib-button" }, ...(children.length ? children : [label]));
      made.setAttribute("aria-label", label);
      made.addEventListener("click", act);
      return made;
    };
    const clear = button(text.clear, () => {
      base = null;
      strokes = [];
      changed();
    });
    const undo = button(text.undo, () => {
      if (strokes.length) strokes.pop();
      else base = null;
      changed();
    });
    const starts = labels.map((label, i) => {
      const picture = element("canvas", { class: "genlib-pixels genlib-small" });
      drawDigits(picture, sample(i));
      const act = () => {
        base = sample(i);
        strokes = [];
        changed();
      };
      const made = button(text.sample(label), act, picture);
      made.classList.replace("genlib-button", "genlib-thumb");
      return made;
    });

    // -- two digits to go between
    const kept = {}; // A and B: bytes
    const slots = ["A", "B"].map((name) => {
      const picture = makePixels({ class: "genlib-pixels genlib-small genlib-vacant", "aria-label": text.none(name) });
      const keep = button(text.keep(name), () => {
        kept[name] = bytesOnPad();
        drawDigits(picture, kept[name]);
        picture.classList.remove("genlib-vacant");
        picture.setAttribute("aria-label", text.kept(name));
        slider.input.disabled = !(kept.A && kept.B);
      });
      return { picture, keep };
    });
    const shown = (t) => Number(t).toFixed(2);
    const slider = makeSlider(text.between, { min: 0, max: 1, step: 0.01, shown, said: text.way });
    slider.input.disabled = true;
    slider.input.addEventListener("input", () => look([kept.A, kept.B], slider.input.valueAsNumber));

    // -- how it looks
    const seen = makePixels({ "aria-label": text.seen });
    const draw = () => {
      const { images, t } = model.get("subject");
      slider.show(images.length === 2 ? t : 0);
      if (images.length < 2) drawDigits(seen, images[0] ?? new Uint8Array(784));
      clear.disabled = undo.disabled = !base && strokes.length === 0;
      for (const { keep } of slots) keep.disabled = images.length === 0;
    };
    const row = (...children) => element("div", { class: "genlib-row" }, ...children);
    const drawing = element("div", { class: "genlib-drawing" }, ink, row(clear, undo));
    const beside = element("div", {}, row(seen, element("p", { style: "flex: 1 1 8em" }, text.seen)));
    beside.append(element("p", {}, text.samples), row(...starts));
    beside.append(row(...slots.flatMap(({ picture, keep }) => [keep, picture])), slider.block);
    el.append(element("style", {}, STYLE + PAD_STYLE), element("div", { class: "genlib-view genlib-pad" }, drawing, beside));

    base = model.get("subject").images[0] ?? null;
    paint();
    draw();
    model.on("change:subject", draw);
    return () => model.off("change:subject", draw);
  },
};

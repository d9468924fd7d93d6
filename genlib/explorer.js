// The browser's half of explorer.py: decodes a model's codes and draws them. One ES module for every
// explorer, as anywidget loads it from a Blob and a static page from the widgets' state: it imports
// nothing and fetches nothing. First what all views share, then the views, then the table of them.

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

/** Network values on [-1, 1] as a gray 28 x 28 picture; CSS scales it, so its pixels are the model's. */
export function drawDigit(canvas, values) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  for (let i = 0; i < values.length; i++) {
    image.data.fill(Math.round((values[i] + 1) * 127.5), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Gives a canvas the screen's pixels under `shown`; returns its context, cleared and scaled to CSS pixels. */
function fit(canvas, shown = canvas) {
  const ratio = window.devicePixelRatio || 1;
  const pixels = [Math.round(shown.clientWidth * ratio), Math.round(shown.clientHeight * ratio)];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1]) [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, shown.clientWidth, shown.clientHeight);
  return context;
}

const CHIP = 7; // radius of a point in CSS pixels

/** A point's picture, drawn once per digit: its label on its colour, in the ink that can be read on it. */
function makeChip(digit, color) {
  const ratio = window.devicePixelRatio || 1; // the screen's own, as scaling thousands of pictures takes time
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(2 * CHIP * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.translate(CHIP, CHIP);
  context.fillStyle = color;
  context.strokeStyle = "rgba(128, 128, 128, 0.9)"; // an edge, for pale chips on white and dark ones on black
  context.lineWidth = 0.6;
  context.beginPath();
  context.arc(0, 0, CHIP - 0.5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
  context.fillStyle = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff"; // WCAG: equal contrast at 0.18
  context.font = "bold 10px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(digit), 0, 0.7);
  return canvas;
}

/** From [-1, 1]^3 to a canvas: a turn about the upright third axis, a tilt towards the viewer, some perspective. */
function makeProjection({ yaw, pitch, zoom }, width, height) {
  const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const size = 0.27 * zoom * Math.min(width, height);
  return ([a, b, c]) => {
    const away = a * sinYaw + b * cosYaw;
    const near = c * sinPitch - away * cosPitch;
    const scale = size / (1 - 0.12 * near);
    const [right, up] = [a * cosYaw - b * sinYaw, c * cosPitch + away * sinPitch];
    return { x: width / 2 + scale * right, y: height / 2 - scale * up, near };
  };
}

// ---------------------------------------------------------------------------- words and looks

const WORDS = {
  en: {
    digit: (code, label) => `Decoded digit at ${code}. Nearest encoded digit: ${label}.`,
    space: "Encoded digits in the latent space",
    hint: "Drag or arrow keys: turn. Click a point, or press its digit: take its code. + − zoom, Home resets.",
  },
  zh: {
    digit: (code, label) => `${code} 处解码出的数字。最近的已编码数字：${label}。`,
    space: "潜在空间中已编码的数字",
    hint: "拖动或按方向键：旋转。点击某点或按数字键：取其编码。+ − 缩放，Home 复位。",
  },
};

/** The words for the language of the page. */
export function words() {
  return document.documentElement.lang.startsWith("zh") ? WORDS.zh : WORDS.en;
}

// Colours follow the page: JupyterLab's variables where they exist, otherwise the text around the widget.
const STYLE = `
.genlib-view { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; padding: 4px;
  color: var(--jp-ui-font-color1, inherit); }
.genlib-view canvas { display: block; box-sizing: border-box; border-radius: 4px;
  border: 1px solid rgba(128, 128, 128, 0.6); }
.genlib-view canvas:focus-visible { outline: 3px solid #3b82f6; outline-offset: 1px; }
.genlib-digit { flex: 1 1 168px; max-width: 252px; min-width: 0; }
.genlib-digit canvas { width: 100%; aspect-ratio: 1; image-rendering: pixelated; background: #000; }
.genlib-space { flex: 2 1 280px; min-width: 0; }
.genlib-space canvas { width: 100%; height: 360px; cursor: grab; touch-action: pan-y pinch-zoom; user-select: none; }
.genlib-hint { margin: 6px 0 0; font-size: 0.8em; line-height: 1.4; }
.genlib-sliders.genlib-sliders { display: grid; gap: 0 16px; overflow: visible;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); }
.genlib-sliders.genlib-long { grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.genlib-sliders > * { width: auto; min-width: 0; }
.genlib-sliders .widget-label { white-space: pre; font-variant-numeric: tabular-nums; }
.genlib-fold summary { cursor: pointer; padding: 4px; }
.genlib-fold:has(details:not([open])) + .genlib-sliders { display: none; }
:root:lang(zh) .genlib-fold [lang="en"], :root:not(:lang(zh)) .genlib-fold [lang="zh"] { display: none; }
`;

/** An element with attributes and children; a null attribute is left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Calls back whenever the page changes its colours. Returns the function that ends this. */
function onTheme(callback) {
  const observer = new MutationObserver(callback);
  const attributes = ["class", "style", "data-theme", "data-mode", "data-jp-theme-name", "data-jp-theme-light"];
  for (const node of [document.documentElement, document.body])
    observer.observe(node, { attributes: true, attributeFilter: attributes });
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", callback);
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", callback);
  };
}

/** The function that runs `task` once after however many calls: a click moves every slider, but draws once. */
function once(task) {
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

// ---------------------------------------------------------------------------- the scatter

const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1 ? 1 : -1, i & 2 ? 1 : -1, i & 4 ? 1 : -1]);

/**
 * Labelled points in a box that can be turned. `points`: [-1, 1]^3; `names`: of up to three axes.
 * onPick(index) is called for a point that the reader chooses. Returns move(position) for the mark, and
 * redraw(), to be called when the looks or the size of the page have changed.
 */
function makeScatter(canvas, { points, labels, colors, names, onPick }) {
  const spatial = names.length > 2;
  const front = spatial ? { yaw: -0.6, pitch: 0.35, zoom: 1 } : { yaw: 0, pitch: Math.PI / 2, zoom: 1.4 };
  const camera = { ...front };
  const chips = colors.map((color, digit) => makeChip(digit, color));
  // The corners of the box spanned by the axes there are: 8, 4 or 2 of them.
  const corners = CORNERS.filter((corner) => corner.every((v, axis) => v < 0 || axis < names.length)).map((corner) =>
    corner.map((v, axis) => (axis < names.length ? v : 0)),
  );
  let mark = [0, 0, 0];
  let hovered = -1;
  let last = -1; // the point picked last: a digit key goes on from there
  let projected = [];
  let order = []; // from back to front
  // The box and its points change only when they are turned; a moving slider draws its mark over their picture.
  const still = document.createElement("canvas");
  let stale = true;
  let at; // the projection of that picture

  function line(context, from, to) {
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }

  function ring(context, { x, y }, radius, color, width) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }

  /** Near the positive end of an axis, outside the box: at its left edge, or at the edges of its floor in front. */
  function nameAt(axis) {
    if (axis === 2) {
      const [leftmost] = corners.filter((corner) => corner[2] > 0).sort((a, b) => at(a).x - at(b).x);
      return [1.2 * leftmost[0], 1.2 * leftmost[1], 0.9];
    }
    const beside = names.length > 1 ? 1.2 : 0.2;
    const edge = (side) => Object.assign([0, 0, corners[0][2]], { [axis]: 0.7, [1 - axis]: side * beside });
    return at(edge(1)).near > at(edge(-1)).near + 1e-9 ? edge(1) : edge(-1);
  }

  function paintStill(ink) {
    const context = fit(still, canvas);
    at = makeProjection(camera, canvas.clientWidth, canvas.clientHeight);
    context.strokeStyle = context.fillStyle = ink;
    context.globalAlpha = 0.15; // each edge is drawn from both its ends
    const isEdge = (a, b) => a.filter((v, axis) => v !== b[axis]).length === 1;
    for (const a of corners) for (const b of corners) if (isEdge(a, b)) line(context, at(a), at(b));
    projected = points.map(at);
    order = projected.map((_, i) => i).sort((i, j) => projected[i].near - projected[j].near);
    for (const i of order) {
      const { x, y, near } = projected[i];
      context.globalAlpha = Math.min(1, Math.max(0.5, 0.8 + 0.3 * near)); // what is far fades
      context.drawImage(chips[labels[i]], x - CHIP, y - CHIP, 2 * CHIP, 2 * CHIP);
    }
    context.globalAlpha = 1;
    context.font = "italic 16px serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    names.forEach((name, axis) => {
      const { x, y } = at(nameAt(axis));
      context.fillText(name, x, y);
    });
    stale = false;
  }

  function paint() {
    if (canvas.clientWidth === 0) return; // not laid out yet: the ResizeObserver will come again
    const ink = getComputedStyle(canvas).color;
    if (stale) paintStill(ink);
    const context = fit(canvas);
    context.drawImage(still, 0, 0, canvas.clientWidth, canvas.clientHeight);
    if (hovered >= 0) ring(context, projected[hovered], CHIP + 1, ink, 1.5);
    const here = at(mark);
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = 1;
    if (spatial) {
      const floor = at([mark[0], mark[1], -1]); // a plumb line tells the height
      context.setLineDash([3, 3]);
      line(context, here, floor);
      context.setLineDash([]);
      context.beginPath();
      context.arc(floor.x, floor.y, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
    ring(context, here, CHIP + 3, "#fff", 6);
    ring(context, here, CHIP + 3, "#d00", 3);
  }

  /** The foremost of the points under a pointer, or the nearest one within its reach, or -1. */
  function pointAt(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop];
    const distance = (i) => Math.hypot(projected[i].x - x, projected[i].y - y);
    for (let k = order.length - 1; k >= 0; k--) if (distance(order[k]) <= CHIP) return order[k];
    const nearest = order.reduce((best, i) => (best < 0 || distance(i) < distance(best) ? i : best), -1);
    const reach = event.pointerType === "touch" ? 22 : CHIP + 3; // a finger is wider than an arrow
    return nearest >= 0 && distance(nearest) <= reach ? nearest : -1;
  }

  function turn(yaw, pitch) {
    camera.yaw += yaw;
    camera.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, camera.pitch + pitch));
    redraw();
  }

  function pick(index) {
    last = index;
    onPick(index);
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, far: 0 };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      drag = { x: event.clientX, y: event.clientY, far: drag.far + Math.hypot(dx, dy) };
      if (drag.far > 4) turn(-0.01 * dx, 0.01 * dy);
    } else {
      const index = pointAt(event);
      canvas.style.cursor = index < 0 ? "" : "pointer";
      if (index !== hovered) {
        hovered = index;
        draw();
      }
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const index = drag && drag.far <= 4 ? pointAt(event) : -1; // a press that hardly moved is a click
    drag = null;
    if (index >= 0) pick(index);
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", () => {
    hovered = -1;
    draw();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const turns = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    const zooms = { "+": 1.15, "=": 1.15, "-": 1 / 1.15 };
    if (event.key in turns) turn(...turns[event.key]);
    else if (event.key in zooms) camera.zoom = Math.min(6, Math.max(0.5, camera.zoom * zooms[event.key]));
    else if (event.key === "Home") Object.assign(camera, front);
    else if (/^[0-9]$/.test(event.key)) {
      const next = labels.map((_, i) => (last + 1 + i) % labels.length).find((i) => labels[i] === Number(event.key));
      if (next !== undefined) pick(next);
    } else return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has meanings of its own for these keys
    redraw();
  });

  const draw = once(paint);
  const redraw = () => {
    stale = true;
    draw();
  };
  return {
    move(position) {
      mark = position;
      draw();
    },
    redraw,
  };
}

// ---------------------------------------------------------------------------- the views

/** Sets up "latent": the decoded digit beside the codes in space. Returns its render function. */
function latent(model) {
  const decode = makeNetwork(model.get("layers"), bytesOf(model.get("weights"))); // one, however many views
  const labels = Array.from(new Uint8Array(bytesOf(model.get("labels"))));
  const flat = new Int16Array(bytesOf(model.get("codes")));
  const size = flat.length / labels.length;
  const scale = model.get("scale");
  const codes = labels.map((_, i) => Array.from(flat.subarray(i * size, (i + 1) * size), (v) => v / scale));
  const traits = Array.from({ length: size }, (_, i) => `z${i + 1}`);
  const axes = model.get("axes");
  const ranges = model.get("ranges");
  const names = axes.map((i) => "z" + String(i + 1).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]));

  /** A code's place in the scatter; axes that do not exist stay at 0. */
  const place = (z) =>
    [0, 1, 2].map((k) => (k < axes.length ? (2 * (z[axes[k]] - ranges[k][0])) / (ranges[k][1] - ranges[k][0]) - 1 : 0));

  const squaredDistance = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

  function nearestLabel(z) {
    const distances = codes.map((code) => squaredDistance(code, z));
    return labels[distances.indexOf(Math.min(...distances))];
  }

  return (el) => {
    const text = words();
    const digit = element("canvas", { width: 28, height: 28, role: "img" });
    const space = element("canvas", {
      tabindex: 0,
      role: "application", // so that a screen reader hands on the arrow keys
      "aria-label": `${text.space}: ${names.join(", ")}. ${text.hint}`,
      "data-lm-suppress-shortcuts": "", // JupyterLab, likewise
    });
    const hint = element("p", { class: "genlib-hint", "aria-hidden": "true" }, text.hint);
    const left = element("div", { class: "genlib-digit" }, digit);
    const right = element("div", { class: "genlib-space" }, space, hint);
    el.append(element("style", {}, STYLE), element("div", { class: "genlib-view" }, left, right));

    const onPick = (index) => {
      traits.forEach((trait, i) => model.set(trait, codes[index][i]));
      model.save_changes();
    };
    const colors = model.get("colors");
    const scatter = makeScatter(space, { points: codes.map(place), labels, colors, names, onPick });

    const draw = () => {
      const z = traits.map((trait) => model.get(trait));
      drawDigit(digit, decode(z));
      scatter.move(place(z));
      const code = names.map((name, k) => `${name} = ${Number(z[axes[k]].toFixed(4))}`).join(", ");
      digit.setAttribute("aria-label", text.digit(code, nearestLabel(z)));
    };
    const update = once(draw);
    const events = traits.map((trait) => `change:${trait}`);
    for (const event of events) model.on(event, update);
    const observer = new ResizeObserver(scatter.redraw);
    observer.observe(space);
    const endTheme = onTheme(scatter.redraw);
    draw();
    return () => {
      for (const event of events) model.off(event, update);
      observer.disconnect();
      endTheme();
    };
  };
}

const VIEWS = { latent }; // kind -> (model) -> (el) -> clean-up

/** What anywidget calls, once per model: the decoder is made once, then each view of the model drawn with it. */
export default () => {
  let view;
  return {
    initialize({ model }) {
      view = VIEWS[model.get("kind")](model);
    },
    render({ el }) {
      return view(el);
    },
  };
};

// Labelled points in a box that can be turned: the scatter of every explorer that shows codes in space.

import { bytesOf, element, fit, inPageLanguage, once, subscripted } from "./core.js";

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

const SCATTER_WORDS = {
  en: {
    space: "Codes of digits in the latent space",
    gap: " ",
    turn: "Drag or arrow keys: turn. + − zoom, Home resets.",
    pick: "Click a point, or press its digit: take its code.",
  },
  zh: {
    space: "隐空间中各数字的编码",
    gap: "",
    turn: "拖动或按方向键：旋转。+ − 缩放，Home 复位。",
    pick: "点击某个点，或按它的数字键：取用它的编码。",
  },
};

const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [i & 1 ? 1 : -1, i & 2 ? 1 : -1, i & 4 ? 1 : -1]);

/** What makeScatter takes, of a model with core.py's ScatterTraits; `sets` of codes if they change. */
export function pointsOf(model, sets = 1) {
  const labels = Array.from(new Uint8Array(bytesOf(model.get("labels"))));
  const packed = new Int16Array(bytesOf(model.get("codes")));
  const size = packed.length / labels.length / sets;
  const all = Array.from({ length: sets * labels.length }, (_, i) =>
    Array.from(packed.subarray(i * size, (i + 1) * size), (v) => v / model.get("scale")),
  );
  const codes = Array.from({ length: sets }, (_, i) => all.slice(i * labels.length, (i + 1) * labels.length));
  const [colors, axes, ranges] = ["colors", "axes", "ranges"].map((trait) => model.get(trait));
  return { codes: codes[0], sets: codes, labels, colors, axes, ranges };
}

/**
 * Labelled codes in a box that can be turned, along up to three of their `axes`, between the ends in `ranges`.
 * onPick(index), if given, is called for a point that the reader chooses. Returns its `block` of the page;
 * show(codes), for other codes of the same labels; move(code), for the mark, and join(a, b), for a line between
 * two codes (null: none); and redraw(), to be called when the looks or the size of the page have changed.
 */
export function makeScatter({ codes, labels, colors, axes, ranges, onPick }) {
  const text = inPageLanguage(SCATTER_WORDS);
  const help = onPick ? text.turn + text.gap + text.pick : text.turn;
  const names = axes.map((axis) => subscripted("z", axis + 1));
  const canvas = element("canvas", {
    tabindex: 0,
    role: "application", // so that a screen reader hands on the arrow keys
    "aria-label": `${text.space}: ${names.join(", ")}. ${help}`,
    "data-lm-suppress-shortcuts": "", // JupyterLab, likewise
  });
  const hint = element("p", { class: "genlib-hint", "aria-hidden": "true" }, help);
  const block = element("div", { class: "genlib-space" }, canvas, hint);

  /** A code's place in [-1, 1]^3; axes that do not exist stay at 0. */
  const place = (code) =>
    [0, 1, 2].map((k) =>
      k < axes.length ? (2 * (code[axes[k]] - ranges[k][0])) / (ranges[k][1] - ranges[k][0]) - 1 : 0,
    );

  let points = codes.map(place);
  const spatial = names.length > 2;
  const front = spatial ? { yaw: -0.6, pitch: 0.35, zoom: 1 } : { yaw: 0, pitch: Math.PI / 2, zoom: 1.4 };
  const camera = { ...front };
  const chips = colors.map((color, digit) => makeChip(digit, color));
  // The corners of the box spanned by the axes there are: 8, 4 or 2 of them.
  const corners = CORNERS.filter((corner) => corner.every((v, axis) => v < 0 || axis < names.length)).map((corner) =>
    corner.map((v, axis) => (axis < names.length ? v : 0)),
  );
  let mark = null;
  let ends = [];
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
      context.globalAlpha = Math.min(1, Math.max(0.75, 0.9 + 0.15 * near)); // what is far fades, and can still be read
      context.drawImage(chips[labels[i]], x - CHIP, y - CHIP, 2 * CHIP, 2 * CHIP);
    }
    context.globalAlpha = 1;
    context.font = "italic 16px serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    names.forEach((name, axis) => {
      const { x, y } = at(nameAt(axis));
      context.fillText(name, Math.max(12, Math.min(canvas.clientWidth - 12, x)), y);
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
    if (ends.length) paintLine(context, ink);
    if (mark) paintMark(context, ink);
  }

  function paintLine(context, ink) {
    const [a, b] = ends.map(at);
    context.strokeStyle = ink;
    context.lineWidth = 2;
    line(context, a, b);
    for (const [name, { x, y }] of [["A", a], ["B", b]]) {
      context.fillStyle = "#d00";
      context.beginPath();
      context.arc(x, y, CHIP + 2, 0, 2 * Math.PI);
      context.fill();
      context.fillStyle = "#fff";
      context.font = "bold 12px sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(name, x, y + 1);
    }
  }

  function paintMark(context, ink) {
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
      const index = onPick ? pointAt(event) : -1;
      canvas.style.cursor = index < 0 ? "" : "pointer";
      if (index !== hovered) {
        hovered = index;
        draw();
      }
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    const index = onPick && drag && drag.far <= 4 ? pointAt(event) : -1; // a press that hardly moved is a click
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
    else if (onPick && /^[0-9]$/.test(event.key)) {
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
    block,
    show(next) {
      points = next.map(place);
      redraw();
    },
    move(code) {
      mark = code && place(code);
      draw();
    },
    join(...codes) {
      ends = codes.every(Boolean) ? codes.map(place) : [];
      draw();
    },
    redraw,
  };
}

// Gaussian curves that can be taken by hand: the middle moves the curve, a flank makes it wider or narrower.

import { aloud, drawn, inPageLanguage } from "./core.js";

export const GRIP_STYLE = `
.genlib-view .genlib-grip { fill: none; stroke: transparent; stroke-width: 26; cursor: grab; touch-action: pan-y; }
.genlib-view .genlib-handle { cursor: grab; touch-action: pan-y; outline: none; }
.genlib-view .genlib-handle.genlib-flank { cursor: ew-resize; }
.genlib-view .genlib-handle circle:first-child { fill: transparent; }
.genlib-view .genlib-handle circle:last-child { stroke: currentColor; stroke-width: 2; }
.genlib-view .genlib-handle:focus-visible circle:first-child { stroke: #3b82f6; stroke-width: 3; }
.genlib-view .genlib-held { cursor: grabbing; }
`;

const GRIP_WORDS = {
  en: {
    mu: (letter, value) => `${letter}: mean ${value}`,
    sigma: (letter, value) => `${letter}: standard deviation ${value}`,
  },
  zh: { mu: (letter, value) => `${letter}：均值 ${value}`, sigma: (letter, value) => `${letter}：标准差 ${value}` },
};

const GRIP_KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/**
 * What the Gaussians of a plot are held by: each has a broad, invisible line along its curve and two handles, at its
 * mean and on its flank. curves: what makeGrip takes, one each. toValue(event): the x under a pointer.
 * Returns { nodes, places }: what to append, and of each curve place(d, one, at, up), which takes the curve's path, its
 * { mu, sigma }, and functions to pixels of x and y.
 */
export function makeGrips(curves, toValue) {
  const hand = { held: null }; // { pointer, of, part, grab }: one pointer in the whole plot; others change nothing
  const grips = curves.map((curve) => makeGrip(curve, toValue, hand));
  // The handles come after all lines, or where curves meet, the line of one would cover the handles of another.
  const nodes = [...grips.map(({ line }) => line), ...grips.flatMap(({ handles }) => handles)];
  return { nodes, places: grips.map(({ place }) => place) };
}

/**
 * letter: the distribution's. limits: { mu: [low, high], sigma: [low, high] }, step: of both. change(part, value):
 * called with "mu" or "sigma". labels: { mu, sigma }, for screen readers. color: of the handles.
 */
function makeGrip({ letter, limits, step, change, labels, color }, toValue, hand) {
  const says = inPageLanguage(GRIP_WORDS);
  const line = drawn("path", { class: "genlib-grip" });
  const handles = Object.fromEntries(
    ["mu", "sigma"].map((part) => {
      const attributes = { tabindex: 0, role: "slider", "data-lm-suppress-shortcuts": "", "aria-label": labels[part] };
      const name = `genlib-handle${part === "sigma" ? " genlib-flank" : ""}`;
      const circles = [drawn("circle", { r: 13 }), drawn("circle", { r: 5, fill: color })];
      return [part, drawn("g", { class: name, ...attributes }, ...circles)];
    }),
  );
  let now; // { mu, sigma } as last placed
  const tell = (part, value) => {
    const [low, high] = limits[part];
    const rounded = Math.round(Math.min(high, Math.max(low, value)) / step) * step;
    const next = Number(rounded.toFixed(6));
    if (next !== now[part]) change(part, next);
  };

  const take = (event, part) => {
    if (hand.held || event.button > 0) return;
    const distance = toValue(event) - now.mu;
    const grab = part === "mu" ? distance : Math.max(Math.abs(distance), 0.05) / now.sigma;
    const of = event.currentTarget;
    of.setPointerCapture(event.pointerId);
    of.classList.add("genlib-held");
    hand.held = { pointer: event.pointerId, of, part, grab };
    handles[part].focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  };
  const isHeld = ({ pointerId, currentTarget }) => hand.held?.pointer === pointerId && hand.held.of === currentTarget;
  const move = (event) => {
    if (!isHeld(event)) return;
    const [{ part, grab }, x] = [hand.held, toValue(event)];
    tell(part, part === "mu" ? x - grab : Math.abs(x - now.mu) / grab);
  };
  const drop = (event) => {
    if (!isHeld(event)) return;
    hand.held.of.classList.remove("genlib-held");
    hand.held = null;
  };
  const partAt = (event) => (Math.abs(toValue(event) - now.mu) < now.sigma / 2 ? "mu" : "sigma");
  for (const [node, part] of [[line, partAt], [handles.mu, () => "mu"], [handles.sigma, () => "sigma"]]) {
    node.addEventListener("pointerdown", (event) => take(event, part(event)));
    node.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(end, drop);
  }
  for (const [part, node] of Object.entries(handles))
    node.addEventListener("keydown", (event) => {
      const [low, high] = limits[part];
      const ends = { Home: low, End: high };
      if (event.key in GRIP_KEYS) tell(part, now[part] + GRIP_KEYS[event.key] * step);
      else if (event.key in ends) tell(part, ends[event.key]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });

  const place = (d, one, at, up) => {
    now = one;
    line.setAttribute("d", d);
    for (const [part, node] of Object.entries(handles)) {
      const x = part === "mu" ? one.mu : one.mu + one.sigma;
      node.setAttribute("transform", `translate(${at(x)},${up(x)})`);
      const [low, high] = limits[part];
      const value = Number(one[part].toFixed(4));
      const values = { min: low, max: high, now: value, text: says[part](letter, aloud(value)) };
      for (const [name, shown] of Object.entries(values)) node.setAttribute(`aria-value${name}`, shown);
    }
  };
  return { line, handles: [handles.mu, handles.sigma], place };
}

// Gaussian curves that can be taken by hand: the middle moves the curve, a flank makes it wider or narrower.

import { drawn } from "./core.js";

export const GRIP_STYLE = `
.genlib-view .genlib-grip { fill: none; stroke: transparent; stroke-width: 26; cursor: grab; touch-action: pan-y; }
.genlib-view .genlib-handle { cursor: grab; touch-action: pan-y; outline: none; }
.genlib-view .genlib-handle.genlib-flank { cursor: ew-resize; }
.genlib-view .genlib-handle circle:first-child { fill: transparent; }
.genlib-view .genlib-handle circle:last-child { stroke: currentColor; stroke-width: 2; }
.genlib-view .genlib-handle:focus-visible circle:first-child { stroke: #3b82f6; stroke-width: 3; }
.genlib-view .genlib-held { cursor: grabbing; }
`;

const GRIP_KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/**
 * What a Gaussian is held by: a broad, invisible line along the curve and two handles, at its mean and on its flank.
 * limits: { mu: [low, high], sigma: [low, high] }, step: of both. toValue(event): the x under a pointer. change(part,
 * value): called with "mu" or "sigma". labels: { mu, sigma }, for screen readers. color: of the handles.
 * Returns { nodes, place(d, one, at, up) }: nodes to append; the curve's path, its mu and sigma, and pixels of x and y.
 */
export function makeGrip({ limits, step, toValue, change, labels, color }) {
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

  let held; // { pointer, part, grab }: one pointer at a time, and others change nothing
  const take = (event, part) => {
    if (held || event.button > 0) return;
    const distance = toValue(event) - now.mu;
    const grab = part === "mu" ? distance : Math.max(Math.abs(distance), 0.05) / now.sigma;
    held = { pointer: event.pointerId, part, grab, of: event.currentTarget };
    held.of.setPointerCapture(event.pointerId);
    held.of.classList.add("genlib-held");
    handles[part].focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  };
  const move = (event) => {
    if (held?.pointer !== event.pointerId) return;
    const x = toValue(event);
    tell(held.part, held.part === "mu" ? x - held.grab : Math.abs(x - now.mu) / held.grab);
  };
  const drop = (event) => {
    if (held?.pointer !== event.pointerId) return;
    held.of.classList.remove("genlib-held");
    held = undefined;
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
      const values = { min: low, max: high, now: Number(one[part].toFixed(4)) };
      for (const [name, value] of Object.entries(values)) node.setAttribute(`aria-value${name}`, value);
    }
  };
  return { nodes: [line, handles.mu, handles.sigma], place };
}

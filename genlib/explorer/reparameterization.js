// Two estimates of a gradient: dots that slide with mu and show their slopes, and dots that stay and change weight.

import { drawn, element, inPageLanguage, makeAnnouncer, minus, onLooks, once, STYLE, tenth } from "./core.js";
import { logNormal } from "./normal.js";

// ---------------------------------------------------------------------------- computing

/** n standard normal numbers for draw number `draw`: the ones of reparameterization.py. */
export function noise(draw, n) {
  let state = Math.imul(draw, 0x9e3779b9) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), state | 1) >>> 0;
    t = (t ^ (t + (Math.imul(t ^ (t >>> 7), t | 61) >>> 0))) >>> 0;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Array.from({ length: n }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  });
}

/** Where the dots lie, their weights and slopes, and both estimates of d/dmu E[(z - target)^2]. */
export function follow(eps, start, now, target) {
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const sliding = eps.map((e) => now.mu + now.sigma * e);
  const fixed = eps.map((e) => start.mu + start.sigma * e);
  const weights = fixed.map((z) => Math.exp(logNormal(z, now) - logNormal(z, start)));
  const slopes = sliding.map((z) => 2 * (z - target));
  const scores = fixed.map((z, i) => (weights[i] * (z - target) ** 2 * (z - now.mu)) / now.sigma ** 2);
  return { sliding, fixed, weights, slopes, reparameterized: mean(slopes), score: mean(scores), exact: 2 * (now.mu - target) };
}

// ---------------------------------------------------------------------------- drawing

const [LOW, HIGH, MOST] = [-4, 6, 50]; // of z, and of f(z)
const [LEFT, RIGHT, TOP, BASE] = [10, 10, 8, 132]; // margins and heights in CSS pixels
const [STRIP, HEIGHT] = [186, 204]; // where past estimates stand
const [LEAST, GREATEST] = [-22, 12]; // of estimates
const REMEMBERED = 40;

function makePanel(color, target) {
  const path = (name) => drawn("path", { class: name, fill: "none" });
  const [curve, tangents, axis, exact] = ["genlib-curve", "genlib-slopes", "genlib-zero", "genlib-exact"].map(path);
  tangents.setAttribute("stroke", color);
  const [dots, past, ticks] = [0, 1, 2].map(() => drawn("g"));
  const svg = drawn("svg", { role: "img", height: HEIGHT }, axis, ticks, curve, tangents, dots, past, exact);
  let width = 0;
  const across = () => width - LEFT - RIGHT;
  const inside = (z) => Math.min(HIGH, Math.max(LOW, z)); // a dot so far out, one in thousands, stands at the edge
  const at = (z) => tenth(LEFT + ((inside(z) - LOW) / (HIGH - LOW)) * across());
  const up = (f) => tenth(BASE - (Math.min(f, MOST) / MOST) * (BASE - TOP));
  const spot = (v) => tenth(LEFT + ((Math.min(GREATEST, Math.max(LEAST, v)) - LEAST) / (GREATEST - LEAST)) * across());
  const f = (z) => (z - target) ** 2;

  function measure() {
    width = svg.clientWidth;
    if (width === 0) return;
    const points = Array.from({ length: 101 }, (_, i) => LOW + i / 10).filter((z) => f(z) <= MOST);
    curve.setAttribute("d", `M${points.map((z) => `${at(z)},${up(f(z))}`).join("L")}`);
    axis.setAttribute("d", `M${LEFT},${BASE}H${width - RIGHT}M${LEFT},${STRIP}H${width - RIGHT}`);
    const label = (x, y, text) => drawn("text", { x, y, "text-anchor": "middle" }, text);
    ticks.replaceChildren(
      ...[-3, -2, -1, 0, 1, 2, 3, 4, 5].map((z) => label(at(z), BASE + 16, minus(z))),
      ...[-20, -15, -10, -5, 0, 5, 10].map((v) => label(spot(v), STRIP + 16, minus(v))),
    );
  }

  function draw(places, radii, slopes, estimates, truth) {
    if (width === 0) return; // not laid out yet
    dots.replaceChildren(
      ...places.map((z, i) => drawn("circle", { cx: at(z), cy: up(f(inside(z))), r: tenth(radii[i]), fill: color, "fill-opacity": 0.75 })),
    );
    const reach = 0.35;
    const line = (z, slope) => `M${at(z - reach)},${up(f(z) - reach * slope)}L${at(z + reach)},${up(f(z) + reach * slope)}`;
    tangents.setAttribute("d", slopes ? places.map((z, i) => line(z, slopes[i])).join("") : "");
    past.replaceChildren(
      ...estimates.map((v, i) => {
        const last = i === estimates.length - 1;
        const [x, y, r] = [spot(v), STRIP - 8, last ? 6 : 4];
        const look = { fill: color, "fill-opacity": last ? 1 : 0.3 };
        if (v >= LEAST && v <= GREATEST) return drawn("circle", { cx: x, cy: y, r, ...look });
        const tip = x + (v < LEAST ? -1.5 : 1.5) * r; // an arrow at the edge points to where it lies
        return drawn("path", { class: "genlib-beyond", d: `M${x},${y - r}L${tip},${y}L${x},${y + r}Z`, ...look });
      }),
    );
    exact.setAttribute("d", `M${spot(truth)},${STRIP - 20}V${STRIP}`);
  }

  return { svg, measure, draw };
}

// ---------------------------------------------------------------------------- words and looks

const REPARAMETERIZATION_WORDS = {
  en: {
    titles: ["Reparameterized: the dots slide, their slopes are averaged", "Score function: the dots stay, their weights change"],
    value: (estimate, exact) => `estimate ${estimate}, exact ${exact}`,
    strip: "Below each: the estimates of the last 40 draws at this μ and σ; the bar is the exact gradient.",
    again: "Draw again",
    picture: (title, value) => `${title}. The curve f(z) with the dots on it, and ${value}.`,
  },
  zh: {
    titles: ["重参数化：点随之滑动，对斜率取平均", "得分函数：点不动，权重改变"],
    value: (estimate, exact) => `估计值 ${estimate}，精确值 ${exact}`,
    strip: "每幅图下方是最近 40 次采样在当前 μ 和 σ 下的估计值；竖线是精确的梯度。",
    again: "重新采样",
    picture: (title, value) => `${title}。曲线 f(z) 和上面的点，${value}。`,
  },
};

const REPARAMETERIZATION_STYLE = `
.genlib-reparameterization { display: block; }
.genlib-reparameterization .genlib-two { display: grid; gap: 8px 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); }
.genlib-reparameterization .genlib-two > div { min-width: 0; }
.genlib-reparameterization svg { display: block; width: 100%; font-size: 12px; overflow: visible; }
.genlib-reparameterization text { fill: currentColor; font-variant-numeric: tabular-nums; }
.genlib-reparameterization p { margin: 2px 0; font-size: 0.9em; font-variant-numeric: tabular-nums; }
.genlib-reparameterization .genlib-curve { stroke: currentColor; stroke-opacity: 0.5; stroke-width: 1.5; }
.genlib-reparameterization .genlib-slopes { stroke-width: 2; }
.genlib-reparameterization .genlib-zero { stroke: rgba(128, 128, 128, 0.9); }
.genlib-reparameterization .genlib-exact { stroke: currentColor; stroke-width: 3; }
`;

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(REPARAMETERIZATION_WORDS);
    const [start, target, dots, colors] = ["start", "target", "dots", "colors"].map((name) => model.get(name));
    const panels = colors.map((color) => makePanel(color, target));
    const lines = [element("p"), element("p")];
    const again = element("button", { type: "button", class: "genlib-button" }, text.again);
    const [spoken, say] = makeAnnouncer();
    const blocks = panels.map(({ svg }, i) => element("div", {}, element("p", {}, element("b", {}, text.titles[i])), svg, lines[i]));
    el.append(
      element("style", {}, STYLE + REPARAMETERIZATION_STYLE),
      element("div", { class: "genlib-view genlib-reparameterization" }, element("div", { class: "genlib-two" }, ...blocks), element("p", {}, text.strip), spoken),
      element("div", { class: "genlib-bar" }, again),
    );
    again.addEventListener("click", () => {
      model.set("draw", model.get("draw") + 1);
      model.save_changes();
    });

    const draw = () => {
      const now = { mu: model.get("mu"), sigma: model.get("sigma") };
      const last = model.get("draw");
      const first = Math.max(1, last - REMEMBERED + 1);
      const all = Array.from({ length: last - first + 1 }, (_, i) => follow(noise(first + i, dots), start, now, target));
      const shown = all.at(-1);
      const most = Math.max(...shown.weights);
      const radii = shown.weights.map((w) => Math.max(1, 9 * Math.sqrt(w / Math.max(most, 1)))); // area: weight
      panels[0].draw(shown.sliding, shown.sliding.map(() => 5), shown.slopes, all.map((one) => one.reparameterized), shown.exact);
      panels[1].draw(shown.fixed, radii, null, all.map((one) => one.score), shown.exact);
      const values = [shown.reparameterized, shown.score].map((v) =>
        text.value(minus(v.toFixed(2)), minus(shown.exact.toFixed(2))),
      );
      values.forEach((value, i) => {
        lines[i].textContent = value;
        panels[i].svg.setAttribute("aria-label", text.picture(text.titles[i], value));
      });
      return values.join(" ");
    };
    const update = once(() => say(draw()));
    const traits = ["mu", "sigma", "draw"];
    for (const name of traits) model.on(`change:${name}`, update);
    const resize = () => {
      panels.forEach(({ measure }) => measure());
      draw();
    };
    const endLooks = onLooks(panels[0].svg, resize);
    resize();
    return () => {
      for (const name of traits) model.off(`change:${name}`, update);
      endLooks();
    };
  },
});

// Two Gaussians on one axis, the integrand of their KL divergence shaded by its sign, and the value of each direction.

import { drawn, element, inPageLanguage, makeAnnouncer, minus, onLooks, once, STYLE, tenth } from "./core.js";
import { GRIP_STYLE, makeGrips } from "./drag.js";
import { klNormal, logNormal } from "./normal.js";

// ---------------------------------------------------------------------------- computing

/** The areas { above, below } zero of p log(p/q), both positive: between its zeros, by Simpson's rule. */
export function klAreas(p, q) {
  // log(p/q) at x = p.mu + t p.sigma is the parabola a t^2 + b t + c.
  const [ratio, distance] = [p.sigma / q.sigma, (p.mu - q.mu) / q.sigma];
  const [a, b, c] = [(ratio ** 2 - 1) / 2, ratio * distance, distance ** 2 / 2 - Math.log(ratio)];
  const s = -(b + (b < 0 ? -1 : 1) * Math.sqrt(b ** 2 - 4 * a * c)) / 2;
  const reach = 9; // beyond so many sigma lies nothing
  const zeros = [s / a, c / s].filter((t) => Math.abs(t) < reach).sort((t, u) => t - u); // none is NaN or infinite
  const integrand = (t) => (Math.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI)) * ((a * t + b) * t + c);
  const area = { above: 0, below: 0 };
  [...zeros, reach].reduce((from, to) => {
    const steps = 200;
    const width = (to - from) / steps;
    let sum = integrand(from) + integrand(to);
    for (let i = 1; i < steps; i++) sum += (i % 2 ? 4 : 2) * integrand(from + i * width);
    area[sum < 0 ? "below" : "above"] += Math.abs((width * sum) / 3);
    return to;
  }, -reach);
  return area;
}

// ---------------------------------------------------------------------------- drawing

const [LOW, HIGH] = [-8, 8]; // of x: fixed, so that what is dragged moves and nothing else does
const [LEFT, RIGHT] = [38, 6]; // margins, like all below in CSS pixels
const [TOP, BASE] = [12, 140]; // of the densities
const [ZERO, ABOVE, BELOW] = [284, 96, 32]; // the integrand's zero line, and the room of its curve
const [BOTTOM, HEIGHT] = [332, 358];
const TALLEST = 0.6; // density up to which the scale stays; beyond, it shrinks just as far as it must
const LARGEST = 1; // the integrand, likewise

const TENTHS = []; // tenths of a pixel as text: for thousands of points, writing each anew would take milliseconds
const y = (v) => (TENTHS[Math.round(10 * v)] ??= String(tenth(v)));

/** A line through these heights, one a pixel; where they do not change, its ends are enough. */
function lineThrough(heights) {
  let line = "";
  for (let i = 0; i < heights.length; i++)
    if (heights[i] !== heights[i - 1] || heights[i] !== heights[i + 1]) line += `L${LEFT + i},${heights[i]}`;
  return line.slice(1);
}

/** The least of 1, 2, 5, 10, 20, ... and their tenths that is not below `least`. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((m) => m * power >= least * 0.999999);
}

/**
 * Where curves and their scales are drawn, `svg`; draw(p, q, reverse), which does it; and measure(), to be called when
 * the size of `svg` has changed. (To ask for it at each move would have the browser lay out the whole page each time.)
 * held: [of p, of q], what makeGrips takes.
 */
function makePlot([positive, negative], held) {
  const path = (attributes) => drawn("path", { fill: "none", ...attributes });
  const shade = (name, color) => drawn("path", { class: name, fill: color, "fill-opacity": 0.7 });
  const symbol = (text) => drawn("text", { class: "genlib-symbol" }, text);
  const scales = { x: drawn("g"), densities: drawn("g"), integrand: drawn("g") };
  const [above, below] = [shade("genlib-above", positive), shade("genlib-below", negative)];
  const curves = [path({ class: "genlib-p" }), path({ class: "genlib-q", "stroke-dasharray": "7 4" })];
  const letters = [symbol("p"), symbol("q")];
  const formula = symbol("");
  // log(p/q) is a parabola: two zeros at most, three regions of one sign.
  const signs = [0, 1, 2].map(() => drawn("text", { class: "genlib-sign", "text-anchor": "middle" }));
  const crossings = [0, 1].map(() => path({ class: "genlib-crossing", "stroke-dasharray": "1 3" }));
  const outline = path({ class: "genlib-outline" });
  const zero = path({ class: "genlib-zero" });
  formula.setAttribute("x", LEFT + 4);
  formula.setAttribute("y", BASE + 22);
  const svg = drawn(
    "svg",
    { role: "group", height: HEIGHT },
    ...Object.values(scales), ...crossings, above, below, zero, outline, ...curves, ...letters, formula, ...signs,
  ); // prettier-ignore
  let width = 0;
  const toValue = ({ clientX }) => {
    const x = clientX - svg.getBoundingClientRect().left - LEFT;
    return LOW + (x * (HIGH - LOW)) / (width - LEFT - RIGHT);
  };
  const { nodes, places } = makeGrips(held, toValue);
  svg.append(...nodes);
  const measure = () => (width = svg.clientWidth);
  const known = new Map(); // what a scale shows: it is drawn again only if that changes

  function show(scale, key, parts) {
    if (known.get(scale) === key) return;
    known.set(scale, key);
    scale.replaceChildren(...parts());
  }

  /** Grid lines across, with their values at the left, at whole steps between `from` and `to`. */
  function rule(scale, unit, base, from, to) {
    const step = roundStep(28 / unit);
    const [first, last] = [Math.ceil(from / step - 1e-9), Math.floor(to / step + 1e-9)];
    show(scale, [width, unit].join(), () =>
      Array.from({ length: last - first + 1 }, (_, i) => {
        const value = (first + i) * step;
        const text = minus(Number(value.toPrecision(3)));
        return [
          path({ class: "genlib-grid", d: `M${LEFT},${y(base - value * unit)}H${width - RIGHT}` }),
          drawn("text", { x: LEFT - 6, y: tenth(base - value * unit + 4), "text-anchor": "end" }, text),
        ];
      }).flat(),
    );
  }

  function ruleX(at) {
    show(scales.x, width, () => [
      path({ class: "genlib-zero", d: `M${LEFT},${BOTTOM}H${width - RIGHT}` }),
      ...Array.from({ length: 9 }, (_, i) => LOW + 2 * i).flatMap((x) => [
        path({ class: "genlib-zero", d: `M${at(x)},${BOTTOM}v5` }),
        drawn("text", { x: at(x), y: BOTTOM + 18, "text-anchor": "middle" }, minus(x)),
      ]),
      drawn("text", { class: "genlib-symbol", x: at(HIGH - 1), y: BOTTOM + 18, "text-anchor": "middle" }, "x"),
    ]);
  }

  /** On the flank that is turned away from the other Gaussian. */
  function placeLetter(letter, one, side, at, unit) {
    letter.setAttribute("x", at(one.mu + side * one.sigma) + side * 8);
    letter.setAttribute("y", BASE - unit * Math.exp(logNormal(one.mu + one.sigma, one)) - 7);
    letter.setAttribute("text-anchor", side < 0 ? "end" : "start");
  }

  function draw(p, q, reverse) {
    if (width === 0) return; // not laid out yet: the ResizeObserver will come again
    const pixels = (width - LEFT - RIGHT) / (HIGH - LOW);
    const at = (x) => tenth(LEFT + (x - LOW) * pixels);
    const [logs, values] = [[[], []], []];
    const regions = []; // runs of one sign: { negative, from, x, peak }
    for (let i = 0; i <= width - LEFT - RIGHT; i++) {
      const x = LOW + i / pixels; // a sample each pixel: the narrowest curve is a few pixels wide
      const log = [logNormal(x, p), logNormal(x, q)];
      const ratio = reverse ? log[1] - log[0] : log[0] - log[1];
      const value = Math.exp(log[reverse ? 1 : 0]) * ratio;
      logs[0].push(log[0]);
      logs[1].push(log[1]);
      values.push(value);
      if (ratio < 0 !== regions.at(-1)?.negative) regions.push({ negative: ratio < 0, from: x, x, peak: 0 });
      const region = regions.at(-1);
      if (Math.abs(value) > Math.abs(region.peak)) [region.x, region.peak] = [x, value];
    }
    const [tallest, largest, least] = [1 / Math.min(p.sigma, q.sigma) / Math.sqrt(2 * Math.PI), ...ends(values)];
    const unit = (BASE - TOP) / Math.max(TALLEST, tallest);
    const scale = Math.min(ABOVE / Math.max(LARGEST, largest), BELOW / Math.max(LARGEST / 3, -least));
    const integrand = values.map((v) => y(ZERO - scale * v));
    const area = (negative) => {
      const bounded = values.map((v, i) => (v < 0 === negative ? integrand[i] : y(ZERO)));
      return `M${LEFT},${ZERO}L${lineThrough(bounded)}L${width - RIGHT},${ZERO}Z`;
    };

    ruleX(at);
    rule(scales.densities, unit, BASE, 0, (BASE - TOP) / unit);
    rule(scales.integrand, scale, ZERO, -BELOW / scale, ABOVE / scale);
    curves.forEach((curve, i) => {
      const heights = logs[i].map((log) => y(BASE - unit * Math.exp(log)));
      curve.setAttribute("d", `M${lineThrough(heights)}`);
      const one = [p, q][i];
      places[i](curve.getAttribute("d"), one, at, (x) => tenth(BASE - unit * Math.exp(logNormal(x, one))));
    });
    above.setAttribute("d", area(false));
    below.setAttribute("d", area(true));
    outline.setAttribute("d", `M${lineThrough(integrand)}`);
    zero.setAttribute("d", `M${LEFT},${ZERO}H${width - RIGHT}M${LEFT},${BASE}H${width - RIGHT}`);
    placeLetter(letters[0], p, p.mu < q.mu ? -1 : 1, at, unit);
    placeLetter(letters[1], q, p.mu < q.mu ? 1 : -1, at, unit);
    formula.textContent = reverse ? "q log(q/p)" : "p log(p/q)";
    signs.forEach((sign, i) => {
      const { x = 0, peak = 0 } = regions[i] ?? {};
      sign.textContent = Math.abs(peak * scale) < 2 ? "" : peak > 0 ? "+" : "−";
      sign.setAttribute("x", at(x));
      sign.setAttribute("y", tenth(ZERO - peak * scale + (peak > 0 ? -4 : 13)));
    });
    crossings.forEach((crossing, i) => {
      const x = regions[i + 1]?.from ?? LOW;
      const height = unit * Math.exp(logNormal(x, p));
      crossing.setAttribute("d", `M${at(x)},${y(BASE - height)}V${ZERO}`);
      crossing.setAttribute("stroke-opacity", Math.min(1, height / 8)); // far out, where nothing is seen, none
    });
  }

  return { svg, draw, measure };
}

/** Largest and least of the values and 0. */
function ends(values) {
  return values.reduce(([high, low], v) => [Math.max(high, v), Math.min(low, v)], [0, 0]);
}

// ---------------------------------------------------------------------------- words and looks

const KL_WORDS = {
  en: {
    comma: ", ",
    nats: " nats",
    choose: "Shaded direction",
    handles: (letter, number) => ({ mu: `Mean of ${letter}, μ${number}`, sigma: `Width of ${letter}, σ${number}` }),
    picture: (p, q, shaded, values) =>
      `The densities p: ${p}, solid, and q: ${q}, dashed. Below them ${shaded}. ${values}`,
    parts: (name, above, below) => `${name}, area ${above} above zero and ${below} below`,
  },
  zh: {
    comma: "，",
    nats: " 奈特",
    choose: "涂色的方向",
    handles: (letter, number) => ({ mu: `${letter} 的均值 μ${number}`, sigma: `${letter} 的标准差 σ${number}` }),
    picture: (p, q, shaded, values) => `密度 p（实线）：${p}；密度 q（虚线）：${q}。下方是 ${shaded}。${values}`,
    parts: (name, above, below) => `${name}，零线以上面积 ${above}，以下面积 ${below}`,
  },
};

const KL_STYLE = `${GRIP_STYLE}
.genlib-kl { display: block; }
.genlib-kl svg { display: block; width: 100%; overflow: visible; font-size: 12px; }
.genlib-kl text { fill: currentColor; font-variant-numeric: tabular-nums; }
.genlib-kl .genlib-symbol { font: italic 17px serif; }
.genlib-kl .genlib-sign { font-weight: bold; font-size: 16px; }
.genlib-kl .genlib-p, .genlib-kl .genlib-q { stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.genlib-kl .genlib-outline { stroke: currentColor; stroke-linejoin: round; }
.genlib-kl .genlib-grid { stroke: rgba(128, 128, 128, 0.3); }
.genlib-kl .genlib-zero { stroke: rgba(128, 128, 128, 0.9); }
.genlib-kl .genlib-crossing { stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; }
.genlib-kl fieldset { min-width: 0; margin: 8px 0 4px; padding: 0; border: 0; }
.genlib-kl label { display: flex; gap: 0.5em; width: fit-content; margin: 0; padding: 3px 0; cursor: pointer;
  font-variant-numeric: tabular-nums; }
.genlib-kl label div { display: flex; flex-wrap: wrap; gap: 0 0.4em; }
.genlib-kl input { flex: none; width: 1.1em; height: 1.1em; margin: 0.2em 0 0; cursor: pointer; }
.genlib-kl label span { white-space: nowrap; }
.genlib-kl .genlib-value { display: inline-block; min-width: 4em; text-align: end; }
.genlib-kl .genlib-part { padding-bottom: 1px; border-bottom: 3px solid transparent; }
.genlib-sliders.genlib-sliders.genlib-pairs { grid-template-columns: repeat(2, 1fr); }
@media (max-width: 600px) { .genlib-sliders.genlib-sliders.genlib-pairs { grid-template-columns: 1fr; } }
`;

let choices = 0; // radio buttons belong together by name, on a page with several explorers too

/** A line that chooses a direction and tells its value and areas: { input, block, show(p, q) -> text }. */
function makeDirection(first, second, name, colors, nats) {
  const input = element("input", { type: "radio", name, "data-lm-suppress-shortcuts": "" });
  const value = element("span", { class: "genlib-value" });
  const parts = [0, 1].map(() => element("span", { class: "genlib-part" }));
  const title = ["KL(", element("i", {}, first), "‖", element("i", {}, second), ") = "];
  const whole = element("span", {}, ...title, value, nats);
  const sum = element("span", {}, "= ", parts[0], " ", parts[1]);
  const block = element("label", {}, input, element("div", {}, whole, " ", sum));
  return {
    input,
    block,
    show(p, q) {
      const total = klNormal(p, q).toFixed(3);
      const below = klAreas(p, q).below.toFixed(3);
      const above = (Number(total) + Number(below)).toFixed(3); // not rounded by itself, so that the sum is right
      value.textContent = total;
      [`+ ${above}`, `− ${below}`].forEach((text, i) => {
        parts[i].textContent = text;
        parts[i].style.borderColor = input.checked ? colors[i] : "transparent";
      });
      return { text: `KL(${first}‖${second}) = ${total}${nats}`, above, below };
    },
  };
}

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(KL_WORDS);
    const colors = model.get("colors");
    const held = ["p", "q"].map((letter, i) => ({
      letter,
      limits: model.get("limits"),
      step: model.get("step"),
      labels: text.handles(letter, "₁₂"[i]),
      color: "currentColor",
      change(part, value) {
        model.set(`${part}${i + 1}`, value);
        model.save_changes();
      },
    }));
    const plot = makePlot(colors, held);
    const [spoken, say] = makeAnnouncer();
    const name = `genlib-kl-${++choices}`;
    const directions = ["pq", "qp"].map(([a, b]) => makeDirection(a, b, name, colors, text.nats));
    const legend = element("legend", { class: "genlib-spoken" }, text.choose);
    const chooser = element("fieldset", {}, legend, ...directions.map(({ block }) => block));
    el.append(
      element("style", {}, STYLE + KL_STYLE),
      element("div", { class: "genlib-view genlib-kl" }, plot.svg, chooser, spoken),
    );
    directions.forEach(({ input }, i) =>
      input.addEventListener("change", () => {
        model.set("reverse", i === 1);
        model.save_changes();
      }),
    );

    const draw = () => {
      const [p, q] = [1, 2].map((i) => ({ mu: model.get(`mu${i}`), sigma: model.get(`sigma${i}`) }));
      const reverse = model.get("reverse");
      directions[reverse ? 1 : 0].input.checked = true;
      plot.draw(p, q, reverse);
      const shown = [directions[0].show(p, q), directions[1].show(q, p)];
      const [one, two] = [p, q].map(({ mu, sigma }, i) =>
        [`μ${"₁₂"[i]} = ${minus(Number(mu.toFixed(4)))}`, `σ${"₁₂"[i]} = ${Number(sigma.toFixed(4))}`].join(text.comma),
      );
      const { above, below } = shown[reverse ? 1 : 0];
      const shaded = text.parts(reverse ? "q log(q/p)" : "p log(p/q)", above, below);
      const values = shown.map((direction) => direction.text).join(text.comma);
      plot.svg.setAttribute("aria-label", text.picture(one, two, shaded, values));
      return values;
    };
    const update = once(() => say(draw()));
    const events = ["mu1", "sigma1", "mu2", "sigma2", "reverse"].map((trait) => `change:${trait}`);
    for (const event of events) model.on(event, update);
    const resize = () => {
      plot.measure();
      draw();
    };
    const endLooks = onLooks(plot.svg, resize); // of these the size: colours follow the text's by themselves
    resize();
    return () => {
      for (const event of events) model.off(event, update);
      endLooks();
    };
  },
});

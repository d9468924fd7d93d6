// One latent, one pixel: prior, posterior and a guess q that is dragged; log p(x) divided into ELBO and gap.

import { drawn, element, inPageLanguage, makeAnnouncer, minus, onLooks, once, STYLE, tenth } from "./core.js";
import { GRIP_STYLE, makeGrips } from "./drag.js";
import { klNormal, logNormal } from "./normal.js";

// ---------------------------------------------------------------------------- computing

const [REACH, POINTS] = [16, 8001]; // the grid in z of elbo.py
const COARSE = 801; // points that are enough to compare guesses: the trapezoidal rule is exact to many digits here
const DIGITS = 4; // as many as the chapter and the picture in elbo.py have
const STANDARD = { mu: 0, sigma: 1 };

/** The model on the grid: its z, log p(x|z), log p(z|x), and log p(x). */
export function makeModel(x, noise, points = POINTS) {
  const width = (2 * REACH) / (points - 1);
  const z = Float64Array.from({ length: points }, (_, i) => -REACH + i * width);
  const likelihood = z.map((at) => logNormal(x, { mu: Math.sin(2 * at), sigma: noise }));
  const joint = z.map((at, i) => likelihood[i] + logNormal(at, STANDARD));
  const logPx = Math.log(joint.reduce((sum, log) => sum + Math.exp(log), 0) * width); // the ends weigh nothing
  return { width, z, likelihood, posterior: joint.map((log) => log - logPx), logPx };
}

/** The terms of the ELBO of q, and its gap KL(q‖p(z|x)), in nats: by the trapezoidal rule, as elbo.py has them. */
export function elboTerms({ width, z, likelihood, posterior, logPx }, q) {
  const terms = { likelihood: 0, gap: 0, logPx };
  for (let i = 0; i < z.length; i++) {
    const log = logNormal(z[i], q);
    if (log < -80) continue; // adds nothing
    const weight = Math.exp(log) * width;
    terms.likelihood += weight * likelihood[i];
    terms.gap += weight * (log - posterior[i]);
  }
  terms.kl = klNormal(q, STANDARD);
  terms.elbo = terms.likelihood - terms.kl;
  return terms;
}

/** Of all q on the sliders' steps the one with the least gap. */
export function bestGuess(model, { mu, sigma }, step) {
  const values = ([low, high]) => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
  let best = { gap: Infinity };
  for (const m of values(mu))
    for (const s of values(sigma)) {
      const { gap } = elboTerms(model, { mu: m, sigma: s });
      if (gap < best.gap) best = { gap, mu: Number(m.toFixed(6)), sigma: Number(s.toFixed(6)) };
    }
  return best;
}

// ---------------------------------------------------------------------------- drawing

const [LOW, HIGH] = [-4, 4]; // of z, and margins and heights in CSS pixels
const [LEFT, RIGHT, TOP, BASE, HEIGHT] = [12, 12, 14, 200, 316];
const [BAR, BAR_HEIGHT] = [246, 30]; // the bar's top
const NATS = 4; // that the bar's axis shows, so that log p(x) lies within the last; a bar that is longer is cut there

function makePlot(model, colors, grip) {
  const [blue, orange, green] = colors;
  const path = (name, attributes) => drawn("path", { class: name, fill: "none", ...attributes });
  const text = (attributes, words = "") => drawn("text", attributes, words);
  const axes = drawn("g");
  const posterior = path("genlib-posterior", { fill: green, "fill-opacity": 0.35, stroke: green });
  const prior = path("genlib-prior", { "stroke-dasharray": "7 4" });
  const q = path("genlib-guess", { stroke: blue });
  const cut = [path("genlib-cut", { fill: orange, "fill-opacity": 0.75 }), text({ class: "genlib-cut", x: LEFT, y: BAR - 10 })];
  const bars = [blue, orange].map((fill) => drawn("rect", { y: BAR, height: BAR_HEIGHT, fill, "fill-opacity": 0.75 }));
  const fixed = path("genlib-fixed");
  const names = ["p(z)", "p(z|x)", "q(z|x)"].map((name) => text({ class: "genlib-symbol" }, name));
  const labels = ["ELBO", "", "log p(x)"].map((name) => text({ class: "genlib-label", "text-anchor": "middle" }, name));
  const svg = drawn("svg", { role: "group", height: HEIGHT }, axes, posterior, prior, q, ...bars, ...cut, fixed, ...names, ...labels);
  let width = 0;
  const across = () => width - LEFT - RIGHT;
  const at = (z) => tenth(LEFT + ((z - LOW) / (HIGH - LOW)) * across());
  const toValue = ({ clientX }) => {
    const x = clientX - svg.getBoundingClientRect().left - LEFT;
    return LOW + (x * (HIGH - LOW)) / across();
  };
  const { nodes, places: [place] } = makeGrips([{ ...grip, color: blue }], toValue); // prettier-ignore
  svg.append(...nodes);
  const most = Math.floor(model.logPx) + 1;
  const nats = (value) => tenth(LEFT + Math.max(0, 1 - (most - value) / NATS) * across());

  function ticks() {
    const mark = (x, y, label) => [
      path("genlib-zero", { d: `M${x},${y}v5` }),
      text({ x, y: y + 18, "text-anchor": "middle" }, label),
    ];
    const line = (y) => path("genlib-zero", { d: `M${LEFT},${y}H${width - RIGHT}` });
    const bottom = BAR + BAR_HEIGHT + 6;
    axes.replaceChildren(
      line(BASE),
      line(bottom),
      ...[-3, -2, -1, 0, 1, 2, 3].flatMap((z) => mark(at(z), BASE, minus(z))),
      ...Array.from({ length: NATS + 1 }, (_, i) => most - i).flatMap((v) => mark(nats(v), bottom, minus(v))),
      text({ class: "genlib-symbol", x: width - RIGHT, y: BASE + 18, "text-anchor": "end" }, "z"),
    );
  }

  function measure() {
    width = svg.clientWidth;
    if (width > 0) ticks();
  }

  /** shown: the ELBO as text. */
  function draw(guess, terms, gapName, shown) {
    if (width === 0) return; // not laid out yet: the ResizeObserver will come again
    const peaks = [Math.max(...model.posterior), logNormal(guess.mu, guess)].map(Math.exp);
    const unit = (BASE - TOP) / Math.max(1, ...peaks);
    const up = (log) => tenth(BASE - unit * Math.exp(log));
    const curve = (logs, step) => {
      let d = "";
      for (let i = 0; i < model.z.length; i += step)
        if (Math.abs(model.z[i]) <= HIGH) d += `L${at(model.z[i])},${up(logs(i))}`;
      return `M${d.slice(1)}`;
    };
    posterior.setAttribute("d", `${curve((i) => model.posterior[i], 5)}L${at(HIGH)},${BASE}L${at(LOW)},${BASE}Z`);
    prior.setAttribute("d", curve((i) => logNormal(model.z[i], STANDARD), 10));
    q.setAttribute("d", curve((i) => logNormal(model.z[i], guess), 4));
    place(q.getAttribute("d"), guess, at, (z) => up(logNormal(z, guess)));
    const left = model.posterior.subarray(0, model.z.findIndex((z) => z > -1)); // the posterior's lesser peak
    const peak = left.reduce((best, log, i) => (log > left[best] ? i : best), 0);
    const spots = [[-0.85, logNormal(-0.85, STANDARD), "end"], [model.z[peak], left[peak], "middle"]];
    spots.forEach(([z, log, anchor], i) => {
      names[i].setAttribute("x", at(z));
      names[i].setAttribute("y", up(log) - 8);
      names[i].setAttribute("text-anchor", anchor);
    });
    names[2].setAttribute("x", at(guess.mu) + 10);
    names[2].setAttribute("y", Math.max(TOP + 4, up(logNormal(guess.mu, guess)) - 8));
    const [from, middle, to] = [nats(-Infinity), nats(terms.elbo), nats(terms.logPx)];
    [[from, middle], [middle, to]].forEach(([left, right], i) => {
      bars[i].setAttribute("x", left);
      bars[i].setAttribute("width", Math.max(0, tenth(right - left)));
    });
    const isCut = terms.elbo < most - NATS; // then an arrow leads out of the axis, to where the ELBO lies
    cut[0].setAttribute("d", isCut ? `M${from},${BAR}L${from - 10},${BAR + BAR_HEIGHT / 2}L${from},${BAR + BAR_HEIGHT}Z` : "");
    cut[1].textContent = isCut ? `← ELBO ${shown}` : "";
    fixed.setAttribute("d", `M${to},${BAR - 6}V${BAR + BAR_HEIGHT + 6}`);
    labels[1].textContent = gapName;
    const places = [(from + middle) / 2, (middle + to) / 2, to];
    const room = [middle - from, to - middle, Infinity];
    labels.forEach((label, i) => {
      label.setAttribute("x", tenth(places[i]));
      label.setAttribute("y", i === 2 ? BAR - 10 : BAR + BAR_HEIGHT / 2 + 5);
      label.setAttribute("visibility", room[i] > 44 ? "visible" : "hidden");
    });
  }

  return { svg, draw, measure };
}

// ---------------------------------------------------------------------------- words and looks

const ELBO_WORDS = {
  en: {
    gap: "gap",
    best: "Find the best q",
    again: "Start again",
    handles: { mu: "Mean of q, μ", sigma: "Width of q, σ" },
    rows: ["E_q[log p(x|z)]", "− KL(q‖p(z))", "= ELBO", "+ gap, KL(q‖p(z|x))", "= log p(x)"],
    picture: (q, terms) =>
      `Over z: the prior, dashed; the posterior, filled, with more than one peak; the guess q: ${q}. Below, a bar up to log p(x), which never moves: ${terms}`,
  },
  zh: {
    gap: "差距",
    best: "找最好的 q",
    again: "重新开始",
    handles: { mu: "q 的均值 μ", sigma: "q 的标准差 σ" },
    rows: ["E_q[log p(x|z)]", "− KL(q‖p(z))", "= ELBO", "+ 差距 KL(q‖p(z|x))", "= log p(x)"],
    picture: (q, terms) =>
      `横轴为 z：先验（虚线）、后验（填色，不止一个峰）、猜测 q：${q}。下方的横条止于 log p(x)，它始终不动：${terms}`,
  },
};

const ELBO_STYLE = `${GRIP_STYLE}
.genlib-elbo { display: block; }
.genlib-elbo svg { display: block; width: 100%; overflow: visible; font-size: 12px; }
.genlib-elbo text { fill: currentColor; font-variant-numeric: tabular-nums; pointer-events: none; }
.genlib-elbo .genlib-symbol { font: italic 15px serif; }
.genlib-elbo .genlib-label { font-weight: bold; }
.genlib-elbo .genlib-prior { stroke: currentColor; stroke-width: 1.5; }
.genlib-elbo .genlib-posterior { stroke-width: 1.5; }
.genlib-elbo .genlib-guess { stroke-width: 2.5; }
.genlib-elbo .genlib-fixed { stroke: currentColor; stroke-width: 3; }
.genlib-elbo .genlib-zero { stroke: rgba(128, 128, 128, 0.9); }
.genlib-elbo dl { display: grid; grid-template-columns: max-content max-content; gap: 2px 16px; margin: 10px 0 6px;
  font-variant-numeric: tabular-nums; }
.genlib-elbo dt { font-weight: normal; }
.genlib-elbo dd { margin: 0; text-align: end; }
.genlib-elbo :is(dt, dd).genlib-sum { font-weight: bold; border-top: 1px solid rgba(128, 128, 128, 0.8); }
.genlib-elbo .genlib-mark { display: inline-block; width: 0.7em; height: 0.7em; margin-inline-end: 0.4em; }
`;

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(ELBO_WORDS);
    const [limits, step, colors, start] = ["limits", "step", "colors", "start"].map((name) => model.get(name));
    const [x, noise] = [model.get("x"), model.get("noise")];
    const small = makeModel(x, noise);
    const set = (values) => {
      for (const [name, value] of Object.entries(values)) model.set(name, value);
      model.save_changes();
    };
    const change = (part, value) => set({ [part]: value });
    const plot = makePlot(small, colors, { letter: "q", limits, step, labels: text.handles, change });
    const [spoken, say] = makeAnnouncer();
    const marks = [null, null, colors[0], colors[1], null];
    const values = text.rows.map(() => element("dd"));
    const list = element("dl", {}, ...text.rows.flatMap((row, i) => {
      const mark = marks[i] ? [element("span", { class: "genlib-mark", style: `background: ${marks[i]}` })] : [];
      const name = element("dt", {}, ...mark, ...row.split(/_(.)/).map((part, k) => (k % 2 ? element("sub", {}, part) : part)));
      if (i === 2 || i === 4) for (const node of [name, values[i]]) node.classList.add("genlib-sum");
      return [name, values[i]];
    })); // prettier-ignore
    const buttons = [text.best, text.again].map((words) => element("button", { type: "button", class: "genlib-button" }, words));
    buttons[0].addEventListener("click", () => {
      const { mu, sigma } = bestGuess(makeModel(x, noise, COARSE), limits, step);
      set({ mu, sigma });
    });
    buttons[1].addEventListener("click", () => set({ mu: start.mu, sigma: start.sigma }));
    el.append(
      element("style", {}, STYLE + ELBO_STYLE),
      element("div", { class: "genlib-view genlib-elbo" }, plot.svg, list, spoken),
      element("div", { class: "genlib-bar" }, ...buttons),
    );

    const draw = () => {
      const guess = { mu: model.get("mu"), sigma: model.get("sigma") };
      const terms = elboTerms(small, guess);
      // log p(x), ELBO and KL are rounded, the others are what is missing then: so what is shown adds up
      const [total, kl, elbo] = [terms.logPx, terms.kl, terms.elbo].map((v) => Number(v.toFixed(DIGITS)));
      const shown = [elbo + kl, kl, elbo, total - elbo, total].map((v) => minus(v.toFixed(DIGITS)));
      plot.draw(guess, terms, text.gap, shown[2]);
      shown.forEach((value, i) => (values[i].textContent = value));
      const said = `ELBO ${shown[2]}, ${text.gap} ${shown[3]}, log p(x) ${shown[4]}`;
      const q = `μ ${minus(Number(guess.mu.toFixed(2)))}, σ ${Number(guess.sigma.toFixed(2))}`;
      plot.svg.setAttribute("aria-label", text.picture(q, said));
      return said;
    };
    const update = once(() => say(draw()));
    for (const name of ["mu", "sigma"]) model.on(`change:${name}`, update);
    const resize = () => {
      plot.measure();
      draw();
    };
    const endLooks = onLooks(plot.svg, resize);
    resize();
    return () => {
      for (const name of ["mu", "sigma"]) model.off(`change:${name}`, update);
      endLooks();
    };
  },
});

// The playground's two panels: what the autoencoder and what the VAE make of the pad's subject. Each has its weights.

import { bytesOf, drawDigit, element, inPageLanguage, makeAnnouncer, makeNetwork, makePixels } from "./core.js";
import { onLooks, once, STYLE, subscripted } from "./core.js";
import { drawNormal } from "./normal.js";
import { makeScatter, pointsOf } from "./scatter.js";

const WORDS = {
  en: {
    autoencoder: "Autoencoder",
    vae: "VAE",
    empty: "Draw a digit, or choose one.",
    reconstruction: "Reconstruction",
    ofMean: "Decoded from μ",
    ofSample: "Decoded from a sample (red)",
    resample: "Resample",
    code: "Code: ",
    error: (value) => `Squared error ${value}`,
    kl: (value) => `KL ${value} nats`,
    share: "KL (nats)",
    between: "Between A and B: the codes are mixed, and the mixture is decoded.",
  },
  zh: {
    autoencoder: "自编码器",
    vae: "变分自编码器（VAE）",
    empty: "请写一个数字，或选一个。",
    reconstruction: "重构",
    ofMean: "由 μ 解码",
    ofSample: "由采样的编码解码（红线）",
    resample: "重新采样",
    code: "编码：",
    error: (value) => `平方误差 ${value}`,
    kl: (value) => `KL ${value} 奈特`,
    share: "KL（奈特）",
    between: "A 与 B 之间：先按比例混合两个编码，再解码。",
  },
};

const PANEL_STYLE = `
.genlib-pair { display: grid; gap: 24px; margin-top: 20px; overflow: visible; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.genlib-pair > * { min-width: 0; }
.genlib-panel { flex-direction: column; align-items: stretch; }
.genlib-panel h4 { margin: 0; font-size: 1.05em; }
.genlib-panel .genlib-captioned { width: 126px; font-size: 0.85em; line-height: 1.3; text-align: center; }
.genlib-panel .genlib-captioned canvas { width: 100%; margin-bottom: 4px; }
.genlib-panel .genlib-row { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
.genlib-panel p { margin: 0; font-size: 0.9em; font-variant-numeric: tabular-nums; min-height: 1.4em; }
.genlib-panel table { width: 100%; margin: 0; border-collapse: collapse; table-layout: fixed;
  font-size: 0.8em; line-height: 1.2; }
.genlib-panel :is(th, td) { padding: 1px 4px; border: 0; background: none; text-align: right; font-weight: normal;
  font-variant-numeric: tabular-nums; color: inherit; overflow-wrap: normal; }
.genlib-panel thead th { vertical-align: bottom; }
.genlib-panel :is(th, td):nth-child(2) { width: 30%; text-align: center; }
.genlib-panel svg { display: block; width: 100%; height: 14px; overflow: visible; }
.genlib-panel .genlib-share { width: 26%;
  background: linear-gradient(#e69f00cc 0 0) left 0.9em center / calc(var(--share, 0) * (100% - 4.1em)) 60% no-repeat; }
`;

const REACH = 4; // of the latents' axis: N(0, 1) hardly ever goes further

const numbers = (bytes) => Array.from(bytes, (v) => v / 127.5 - 1);
const squaredError = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);
const shown = (v, digits = 2) => v.toFixed(digits).replace("-", "−");

/** A picture with words below it. */
function pictured(caption) {
  const canvas = makePixels({ "aria-label": caption });
  return { canvas, block: element("div", { class: "genlib-captioned" }, canvas, element("div", {}, caption)) };
}

function networks(model) {
  const network = (name) => makeNetwork(model.get(`${name}_layers`), bytesOf(model.get(`${name}_weights`)));
  return { encode: network("encoder"), decode: network("decoder") };
}

/** Calls draw with what each picture is encoded to, and t, now and whenever the subject changes. Returns its end. */
function follow(model, encode, draw) {
  const update = once(() => {
    const { images, t } = model.get("subject");
    const inputs = images.map(numbers);
    draw(inputs, inputs.map((input) => Float64Array.from(encode(input))), t);
  });
  model.on("change:subject", update);
  update();
  return () => model.off("change:subject", update);
}

const mixed = ([a, b], t) => (b ? a.map((v, i) => (1 - t) * v + t * b[i]) : a);

function autoencoder(model) {
  const { encode, decode } = networks(model);
  const points = pointsOf(model);
  return (el) => {
    const text = inPageLanguage(WORDS);
    const [spoken, say] = makeAnnouncer();
    const reconstruction = pictured(text.reconstruction);
    const [code, error] = [element("p"), element("p")];
    const scatter = makeScatter(points);
    const beside = element("div", {}, code, error);
    const row = element("div", { class: "genlib-row" }, reconstruction.block, beside);
    const view = element("div", { class: "genlib-view genlib-panel" }, element("h4", {}, text.autoencoder), row);
    view.append(scatter.block, spoken);
    el.append(element("style", {}, STYLE + PANEL_STYLE), view);

    const end = follow(model, encode, (inputs, codes, t) => {
      const z = codes.length ? mixed(codes, t) : null;
      const x_hat = z ? decode(z) : new Float32Array(784).fill(-1);
      drawDigit(reconstruction.canvas, x_hat);
      scatter.join(codes[0], codes[1]);
      scatter.move(z);
      code.textContent = z ? `${text.code}(${Array.from(z, (v) => shown(v)).join(", ")})` : text.empty;
      const value = inputs.length === 1 ? text.error(squaredError(inputs[0], x_hat).toFixed(1)) : "";
      error.textContent = inputs.length === 2 ? text.between : value;
      say(`${text.autoencoder}: ${code.textContent} ${value}`);
    });
    const endLooks = onLooks(scatter.block, scatter.redraw);
    return () => {
      end();
      endLooks();
    };
  };
}

const SVG = "http://www.w3.org/2000/svg";

/** A latent's row: its name, mu and sigma drawn and written, its KL. Returns the row and show({ mu, sigma, kl, z, most }). */
function makeRow(latent) {
  const draw = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const lines = { stroke: "currentColor", y1: 7, y2: 7 };
  const axis = draw("path", { d: `M${-REACH} 7H${REACH}M0 2V12`, stroke: "currentColor", opacity: 0.35 });
  const spread = draw("line", { ...lines, "stroke-width": 5, opacity: 0.55 });
  const mean = draw("line", { stroke: "currentColor", "stroke-width": 2, y1: 1, y2: 13 });
  const sampled = draw("line", { stroke: "#d00", "stroke-width": 2, y1: 1, y2: 13 });
  const drawing = draw("svg", { viewBox: `${-REACH} 0 ${2 * REACH} 14`, preserveAspectRatio: "none", "aria-hidden": true });
  for (const part of [axis, spread, mean, sampled]) part.setAttribute("vector-effect", "non-scaling-stroke");
  drawing.append(axis, spread, mean, sampled);
  const [mu, sigma, kl] = ["td", "td", "td"].map((name) => element(name));
  kl.className = "genlib-share";
  const name = element("th", { scope: "row" }, subscripted("z", latent + 1));
  const row = element("tr", {}, name, element("td", {}, drawing), mu, sigma, kl);
  const within = (v) => Math.max(-REACH, Math.min(REACH, v));
  const at = (line, from, to = from) => {
    line.setAttribute("x1", within(from));
    line.setAttribute("x2", within(to));
  };
  const show = (values) => {
    drawing.style.visibility = values ? "" : "hidden";
    for (const cell of [mu, sigma, kl]) cell.textContent = "";
    kl.style.setProperty("--share", 0);
    if (!values) return;
    at(mean, values.mu);
    at(sampled, values.z);
    at(spread, values.mu - (values.sigma ?? 0), values.mu + (values.sigma ?? 0));
    mu.textContent = shown(values.mu);
    if (values.sigma === null) return;
    sigma.textContent = shown(values.sigma);
    kl.textContent = shown(values.kl);
    kl.style.setProperty("--share", values.kl / values.most);
  };
  return { row, show };
}

function vae(model) {
  const { encode, decode } = networks(model);
  const order = model.get("order");
  const d = order.length;
  return (el) => {
    const text = inPageLanguage(WORDS);
    const [spoken, say] = makeAnnouncer();
    const [ofMean, ofSample] = [pictured(text.ofMean), pictured(text.ofSample)];
    const [error, total] = [element("p"), element("p")];
    const resample = element("button", { type: "button", class: "genlib-button" }, text.resample);
    const beside = element("div", {}, error, total, resample);
    const pictures = element("div", { class: "genlib-row" }, ofMean.block, ofSample.block, beside);
    const head = element("tr");
    for (const name of ["z", "μ ± σ", "μ", "σ", text.share]) head.append(element("th", { scope: "col" }, name));
    head.lastChild.className = "genlib-share";
    const rows = order.map(makeRow);
    const body = element("tbody", {}, ...rows.map(({ row }) => row));
    const table = element("table", {}, element("thead", {}, head), body);
    const view = element("div", { class: "genlib-view genlib-panel" }, element("h4", {}, text.vae), pictures, table, spoken);
    el.append(element("style", {}, STYLE + PANEL_STYLE), view);

    let posterior = null; // mu, sigma and KL of the picture that is shown, if it is one
    let eps; // the same noise until the reader asks for other

    function drawSample(z) {
      drawDigit(ofSample.canvas, z ? decode(z) : new Float32Array(784).fill(-1));
      if (!posterior) return;
      const { mu, sigma, kl } = posterior;
      const most = Math.max(...kl); // the longest bar
      order.forEach((i, n) => rows[n].show({ mu: mu[i], sigma: sigma[i], kl: kl[i], z: z[i], most }));
    }

    const draw = () => drawSample(posterior.mu.map((v, i) => v + posterior.sigma[i] * eps[i]));
    const renew = () => (eps = Array.from({ length: d }, drawNormal));
    renew();
    resample.addEventListener("click", () => {
      renew();
      draw();
    });

    return follow(model, encode, (inputs, encoded, t) => {
      const [mus, logvars] = [encoded.map((v) => v.slice(0, d)), encoded.map((v) => v.slice(d))];
      const mu = encoded.length ? mixed(mus, t) : null;
      const x_hat = mu ? Float32Array.from(decode(mu)) : new Float32Array(784).fill(-1);
      drawDigit(ofMean.canvas, x_hat);
      resample.disabled = inputs.length !== 1;
      ofSample.block.style.visibility = inputs.length === 1 ? "" : "hidden";
      posterior = null;
      error.textContent = inputs.length === 2 ? text.between : text.empty;
      total.textContent = "";
      if (inputs.length === 1) {
        const sigma = logvars[0].map((v) => Math.exp(0.5 * v));
        const kl = mu.map((v, i) => 0.5 * (v * v + sigma[i] ** 2 - 1 - logvars[0][i]));
        posterior = { mu, sigma, kl, total: kl.reduce((sum, v) => sum + v) };
        error.textContent = text.error(squaredError(inputs[0], x_hat).toFixed(1));
        total.textContent = text.kl(shown(posterior.total, 1));
        say(`${text.vae}: ${error.textContent}, ${total.textContent}`);
        draw();
      } else {
        drawSample(null);
        order.forEach((i, n) => rows[n].show(mu && { mu: mu[i], z: mu[i], sigma: null }));
      }
    });
  };
}

const PANELS = { autoencoder, vae };

/** What anywidget calls, once per model: the networks are made once, then each view of the model drawn with them. */
export default () => {
  let view;
  return {
    initialize({ model }) {
      view = PANELS[model.get("kind")](model);
    },
    render({ el }) {
      return view(el);
    },
  };
};

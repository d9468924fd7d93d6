// 64 images drawn from a model that the reader chooses, the classifier's verdict on each, and what the measures say.

import { bytesOf, drawDigit, element, inPageLanguage, makeAnnouncer, makeChoice, makeNetwork, makePixels } from "./core.js";
import { once, STYLE } from "./core.js";
import { drawNormal } from "./normal.js";

const SAMPLES_WORDS = {
  en: {
    kind: "Model",
    kinds: { pca: "PCA", autoencoder: "autoencoder", vae: "VAE" },
    size: "Latents",
    origin: "Codes from",
    origins: { prior: "N(0, I)", gaussian: "one Gaussian", mixture: "50 Gaussians" },
    drawn: (kind, size, origin, count) => `${count} images: ${kind}, ${size} latents, codes from ${origin}`,
    count: (count) => `How many of these ${count} are digits? Count first, then ask.`,
    told: (found, count) => `The classifier recognises ${found} of these ${count}.`,
    again: "Draw again",
    ask: "Ask the classifier",
    hide: "Hide its answer",
    table: "What the measures say of 5,000 such images, and of images whose answer is known",
    these: "these",
    anchors: { real: "real", blurred: "blurred", overlays: "overlaid", noise: "noise" },
    measures: {
      recognised: "recognised",
      frechet: "Fréchet distance",
      density: "density",
      coverage: "coverage",
      edge_width: "edge width",
      distance: "nearest",
    },
  },
  zh: {
    kind: "模型",
    kinds: { pca: "PCA", autoencoder: "自编码器", vae: "VAE" },
    size: "维数",
    origin: "编码取自",
    origins: { prior: "N(0, I)", gaussian: "一个高斯分布", mixture: "混合高斯（50 个）" },
    drawn: (kind, size, origin, count) => `${count} 张图：${kind}，${size} 维，编码取自${origin}`,
    count: (count) => `这 ${count} 张里有多少是数字？先自己数一数，再问分类器。`,
    told: (found, count) => `这 ${count} 张里，分类器认出了 ${found} 张。`,
    again: "重新抽取",
    ask: "问分类器",
    hide: "收起答案",
    table: "各指标对 5,000 张这样的图怎么说，旁边是答案已知的图",
    these: "这些图",
    anchors: { real: "真实", blurred: "模糊", overlays: "重叠", noise: "噪声" },
    measures: {
      recognised: "被认出",
      frechet: "Fréchet 距离",
      density: "密度",
      coverage: "覆盖率",
      edge_width: "边缘宽度",
      distance: "最近邻距离",
    },
  },
};

const SAMPLES_STYLE = `
.genlib-view.genlib-samples { display: block; }
.genlib-samples .genlib-beside { display: grid; gap: 16px 24px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 310px), 1fr)); }
.genlib-samples .genlib-grid { display: grid; grid-template-columns: repeat(8, 1fr); gap: 2px; max-width: 480px; }
.genlib-samples .genlib-grid > * { position: relative; border: 2px solid transparent; border-radius: 4px; }
.genlib-samples .genlib-grid canvas { width: 100%; border: 0; image-rendering: auto; }
.genlib-samples .genlib-grid b { position: absolute; inset: auto 0 0 auto; width: 1.3em; color: #fff;
  font-size: clamp(0.6rem, 2vw, 0.8rem); line-height: 1.3; text-align: center; }
.genlib-samples .genlib-beside > * { min-width: 0; }
.genlib-samples .genlib-scores { overflow-x: auto; }
.genlib-samples p { margin: 8px 0; }
.genlib-samples table { width: 100%; margin: 12px 0 0; border-collapse: collapse; font-size: 0.85em; line-height: 1.4; }
.genlib-samples caption { padding: 0 0 4px; color: inherit; font-size: 1em; text-align: start; caption-side: top; }
.genlib-samples :is(th, td) { padding: 2px 4px; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.4);
  background: none; color: inherit; text-align: right; font-variant-numeric: tabular-nums; }
.genlib-samples tbody th { font-weight: normal; text-align: start; }
.genlib-samples :is(th, td):nth-child(2) { font-weight: bold; }
.genlib-samples .genlib-bar { padding: 0; }
`;

const COUNT = 64;
const BATCH = 8; // images read between two frames

const percent = (v) => `${Math.round(100 * v)}%`;
const WRITTEN = {
  recognised: percent,
  frechet: (v) => (v < 10 ? v.toFixed(1) : v.toFixed(0)),
  density: (v) => v.toFixed(2),
  coverage: percent,
  edge_width: (v) => v.toFixed(1),
  distance: (v) => v.toFixed(1),
};

/** What draws codes (d,) from a mixture of Gaussians: its weights, means and Cholesky factors, one after another. */
function makeDensity(buffer, [components, offset], d) {
  const part = (start, length) => new Float32Array(buffer, offset + 4 * start, length);
  const weights = part(0, components);
  const means = part(components, components * d);
  const roots = part(components * (1 + d), components * d * d);
  return () => {
    let [k, left] = [0, Math.random()];
    while (k < components - 1 && (left -= weights[k]) >= 0) k++;
    const eps = Array.from({ length: d }, drawNormal);
    return Array.from({ length: d }, (_, i) => {
      let z = means[k * d + i];
      for (let j = 0; j <= i; j++) z += roots[(k * d + i) * d + j] * eps[j];
      return z;
    });
  };
}

/** Whether the classifier recognises an image: one of the ten digits has a probability above the threshold. */
function recognises(logits, threshold) {
  const most = Math.max(...logits);
  const parts = Array.from(logits, (v) => Math.exp(v - most));
  return Math.max(...parts.slice(0, 10)) / parts.reduce((sum, v) => sum + v) > threshold;
}

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(SAMPLES_WORDS);
    const [kinds, sizes, origins, measures, scores, threshold, [right, wrong]] = [
      "kinds", "sizes", "origins", "measures", "scores", "threshold", "colors",
    ].map((name) => model.get(name));
    const weights = bytesOf(model.get("weights"));
    const classify = makeNetwork(model.get("classifier_layers"), bytesOf(model.get("classifier_weights")));
    const made = {}; // decoders that were needed already
    const decoderOf = (place) => (made[place] ??= makeNetwork(model.get("layers")[place], weights));

    const choose = (name, values, words) =>
      makeChoice(text[name], Object.fromEntries(values.map((value) => [value, words?.[value] ?? value])), (value) => {
        model.set(name, name === "size" ? Number(value) : value);
        model.save_changes();
      });
    const choosers = {
      kind: choose("kind", kinds, text.kinds),
      size: choose("size", sizes),
      origin: choose("origin", origins, text.origins),
    };
    const canvases = Array.from({ length: COUNT }, () => makePixels({ role: "presentation" }));
    const marks = canvases.map(() => element("b", { "aria-hidden": "true" }));
    const cells = canvases.map((canvas, i) => element("div", {}, canvas, marks[i]));
    const grid = element("div", { class: "genlib-grid", role: "img" }, ...cells);
    const line = element("p");
    const [again, ask] = ["again", "ask"].map((name) =>
      element("button", { type: "button", class: "genlib-button" }, text[name]),
    );
    const anchors = Object.keys(text.anchors).filter((name) => name in scores);
    const head = element("tr", {}, element("td"));
    for (const name of [text.these, ...anchors.map((name) => text.anchors[name])])
      head.append(element("th", { scope: "col" }, name));
    const rows = measures.map((measure, i) => {
      const cells = anchors.map((name) => element("td", {}, WRITTEN[measure](scores[name][i])));
      return element("tr", {}, element("th", { scope: "row" }, text.measures[measure]), element("td"), ...cells);
    });
    const table = element("table", {}, element("caption", {}, text.table), element("thead", {}, head));
    table.append(element("tbody", {}, ...rows));
    const [spoken, say] = makeAnnouncer();
    const shown = element("div", {}, grid, line, element("div", { class: "genlib-bar" }, again, ask));
    const framed = element("div", { class: "genlib-scores", tabindex: 0, role: "group", "aria-label": text.table }, table);
    const beside = element("div", { class: "genlib-beside" }, shown, framed);
    const view = element("div", { class: "genlib-view genlib-samples" });
    view.append(...Object.values(choosers).map(({ block }) => block), beside, spoken);
    el.append(element("style", {}, STYLE + SAMPLES_STYLE), view);

    let images = [];
    let asked = false; // whether the classifier's verdict is shown
    let frame;

    function tell(words) {
      line.textContent = words;
      const place = text.drawn(text.kinds[model.get("kind")], model.get("size"), text.origins[model.get("origin")], COUNT);
      grid.setAttribute("aria-label", `${place}. ${words}`);
      say(`${place}. ${words}`);
    }

    /** Has the classifier read the images, a few at a time, so that the page stays alive. */
    function judge() {
      let [i, found] = [0, 0];
      const step = () => {
        for (const end = Math.min(i + BATCH, COUNT); i < end; i++) {
          const good = recognises(classify(images[i]), threshold);
          found += good;
          cells[i].style.borderColor = good ? right : wrong;
          marks[i].style.background = good ? "" : wrong;
          marks[i].textContent = good ? "" : "✗";
        }
        if (i < COUNT) frame = requestAnimationFrame(step);
        else tell(text.told(found, COUNT));
      };
      step();
    }

    function mark() {
      cancelAnimationFrame(frame);
      ask.textContent = asked ? text.hide : text.ask;
      for (const [i, cell] of cells.entries()) {
        cell.style.borderColor = "transparent";
        marks[i].textContent = "";
        marks[i].style.background = "";
      }
      if (asked) judge();
      else tell(text.count(COUNT));
    }

    function draw() {
      const [kind, size, origin] = ["kind", "size", "origin"].map((name) => model.get(name));
      for (const [name, value] of Object.entries({ kind, size, origin })) choosers[name].show(value);
      const place = `${kind}.${size}`;
      const [decode, density] = [decoderOf(place), makeDensity(weights, model.get("densities")[`${place}.${origin}`], size)];
      images = canvases.map((canvas) => {
        const image = Float32Array.from(decode(density()), (v) => Math.max(-1, Math.min(1, v)));
        drawDigit(canvas, image);
        return image;
      });
      scores[`${place}.${origin}`].forEach((value, i) => {
        rows[i].children[1].textContent = WRITTEN[measures[i]](value);
      });
      mark();
    }

    const update = once(draw);
    const names = ["kind", "size", "origin"];
    for (const name of names) model.on(`change:${name}`, update);
    again.addEventListener("click", update);
    ask.addEventListener("click", () => {
      asked = !asked;
      mark();
    });
    draw();
    return () => {
      cancelAnimationFrame(frame);
      for (const name of names) model.off(`change:${name}`, update);
    };
  },
});

// Four trainings of one model side by side, one at a time: clouds of codes with their posteriors, and decoded planes.

import { bytesOf, element, fit, inPageLanguage, makeAnnouncer, makeChoice, onLooks, once, STYLE } from "./core.js";

const ABLATION_WORDS = {
  en: {
    choose: "Trained with",
    ways: { plain: "neither", noise: "noise only", kl: "KL only", both: "noise and KL" },
    cloud: "Codes of test digits; dashed, the prior",
    plane: "The same region, decoded",
    facts: ([se, spread, kl, sigma]) =>
      `squared error ${se}, spread of μ ${spread}${kl === undefined ? "" : `, KL ${kl} nats, σ ${sigma}`}`,
  },
  zh: {
    choose: "训练方式",
    ways: { plain: "都没有", noise: "只有噪声", kl: "只有 KL", both: "噪声和 KL" },
    cloud: "测试数字的编码；虚线为先验",
    plane: "同一区域的解码结果",
    facts: ([se, spread, kl, sigma]) =>
      `平方误差 ${se}，μ 的标准差 ${spread}${kl === undefined ? "" : `，KL ${kl} 奈特，σ ${sigma}`}`,
  },
};

const ABLATION_STYLE = `
.genlib-ablation { display: block; }
.genlib-ablation .genlib-two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr));
  gap: 12px 20px; }
.genlib-ablation figure { margin: 0; min-width: 0; }
.genlib-ablation .genlib-two canvas { width: 100%; aspect-ratio: 1; }
.genlib-ablation .genlib-plane { image-rendering: auto; background: #000; }
.genlib-ablation .genlib-two p { margin: 4px 0 0; font-size: 0.85em; }
.genlib-ablation > p { margin: 8px 0 0; font-variant-numeric: tabular-nums; }
`;

const SLIDE = 350; // milliseconds from one cloud to the next, unless the reader prefers no motion

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(ABLATION_WORDS);
    const [ways, window_, colors, facts] = ["ways", "window", "colors", "facts"].map((name) => model.get(name));
    const labels = new Uint8Array(bytesOf(model.get("labels")));
    const codes = new Int16Array(bytesOf(model.get("codes")));
    const widths = new Float32Array(bytesOf(model.get("widths")));
    const planes = new Uint8Array(bytesOf(model.get("planes")));
    const perWay = (array) => array.length / ways.length;
    const cloudOf = (way) => {
      const start = ways.indexOf(way) * perWay(codes);
      return Float64Array.from(codes.subarray(start, start + perWay(codes)), (v) => (v * window_) / 32767);
    };
    const side = Math.round(Math.sqrt(perWay(planes)));

    const chooser = makeChoice(text.choose, Object.fromEntries(ways.map((way) => [way, text.ways[way]])), (way) => {
      model.set("way", way);
      model.save_changes();
    });
    const cloud = element("canvas", { role: "img" });
    const plane = element("canvas", { class: "genlib-plane", role: "img", width: side, height: side });
    const line = element("p");
    const [spoken, say] = makeAnnouncer();
    const pictures = [[cloud, text.cloud], [plane, text.plane]].map(([canvas, words]) =>
      element("figure", {}, canvas, element("p", {}, words)),
    );
    el.append(
      element("style", {}, STYLE + ABLATION_STYLE),
      element("div", { class: "genlib-view genlib-ablation" }, chooser.block, element("div", { class: "genlib-two" }, ...pictures), line, spoken),
    );
    let shown = cloudOf(model.get("way")); // where the codes are drawn, perhaps on their way
    function drawCloud(settled) {
      const context = fit(cloud);
      const size = cloud.clientWidth;
      if (size === 0) return; // not laid out yet
      const at = (v) => (size / 2) * (1 + v / window_);
      const ink = getComputedStyle(cloud).color;
      context.strokeStyle = ink;
      context.setLineDash([5, 4]);
      for (const radius of [1, 2]) {
        context.beginPath();
        context.arc(size / 2, size / 2, (radius * size) / (2 * window_), 0, 2 * Math.PI);
        context.stroke();
      }
      context.setLineDash([]);
      context.font = "bold 11px sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      labels.forEach((label, i) => {
        const [x, y] = [shown[2 * i], shown[2 * i + 1]];
        if (Math.max(Math.abs(x), Math.abs(y)) > 0.999 * window_) return; // beyond the window
        context.fillStyle = colors[label];
        context.fillText(label, at(x), at(-y));
      });
      const way = model.get("way");
      if (!settled || way === "plain" || way === "kl") return;
      const start = ways.indexOf(way) * perWay(widths);
      for (let i = 0; i < perWay(widths) / 2; i++) {
        const [rx, ry] = [0, 1].map((k) => (widths[start + 2 * i + k] * size) / (2 * window_));
        context.beginPath();
        context.ellipse(at(shown[2 * i]), at(-shown[2 * i + 1]), rx, ry, 0, 0, 2 * Math.PI);
        context.stroke();
      }
    }

    let frame;
    function slide(to) {
      cancelAnimationFrame(frame);
      const [from, began] = [shown, performance.now()];
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const step = (now) => {
        const share = still ? 1 : Math.max(0, Math.min(1, (now - began) / SLIDE));
        shown = from.map((v, i) => v + share * (to[i] - v));
        drawCloud(share === 1);
        if (share < 1) frame = requestAnimationFrame(step);
      };
      if (still) step();
      else frame = requestAnimationFrame(step);
    }

    function drawPlane(way) {
      const context = plane.getContext("2d");
      const image = context.createImageData(side, side);
      const start = ways.indexOf(way) * side * side;
      const pixels = new Uint32Array(image.data.buffer);
      for (let i = 0; i < side * side; i++) pixels[i] = 0xff000000 | (planes[start + i] * 0x010101);
      context.putImageData(image, 0, 0);
    }

    const draw = () => {
      const way = model.get("way");
      chooser.show(way);
      drawPlane(way);
      line.textContent = text.facts(facts[way]);
      cloud.setAttribute("aria-label", `${text.cloud}. ${text.ways[way]}: ${text.facts(facts[way])}`);
      plane.setAttribute("aria-label", `${text.plane}. ${text.ways[way]}`);
      slide(cloudOf(way));
      return `${text.ways[way]}: ${line.textContent}`;
    };
    const update = once(() => say(draw()));
    model.on("change:way", update);
    const endLooks = onLooks(cloud, () => drawCloud(true));
    draw();
    return () => {
      cancelAnimationFrame(frame);
      model.off("change:way", update);
      endLooks();
    };
  },
});

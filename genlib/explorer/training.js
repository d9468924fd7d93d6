// Watch it learn: codes and reconstructions after each epoch of a training. The epoch is a trait, moved by a slider.

import { bytesOf, drawDigits, element, inPageLanguage, makeSlider, onLooks, once, STYLE } from "./core.js";
import { makeScatter, pointsOf } from "./scatter.js";

const WORDS = {
  en: {
    epoch: "Epoch",
    play: "Play",
    pause: "Pause",
    originals: "Originals",
    reconstructions: "Reconstructions",
    error: (value) => `Squared error, averaged over these digits: ${value}`,
    said: (epoch, error) => `epoch ${epoch}, squared error ${error}`,
  },
  zh: {
    epoch: "轮次",
    play: "播放",
    pause: "暂停",
    originals: "原图",
    reconstructions: "重构",
    error: (value) => `平方误差（这些数字的平均）：${value}`,
    said: (epoch, error) => `第 ${epoch} 轮，平方误差 ${error}`,
  },
};

const TRAINING_STYLE = `
.genlib-learned { flex: 1 1 100%; min-width: 0; }
.genlib-learned canvas { width: 100%; height: auto; image-rendering: pixelated; }
.genlib-learned p { margin: 0.4em 0 0.2em; font-size: 0.9em; font-variant-numeric: tabular-nums; }
`;

const GLIDE = 300; // milliseconds from one epoch's codes to the next, unless the reader prefers no motion
const BEAT = 900; // milliseconds that an epoch is shown for when played

export default {
  render({ model, el }) {
    const text = inPageLanguage(WORDS);
    const [epochs, errors] = [model.get("epochs"), model.get("errors")];
    const points = pointsOf(model, epochs.length);
    const pixels = new Uint8Array(bytesOf(model.get("pixels")));
    const size = pixels.length / (epochs.length + 1); // the originals come first
    const pictures = epochs.map((_, i) => pixels.subarray((i + 1) * size, (i + 2) * size));

    const scatter = makeScatter(points);
    const [originals, reconstructions] = ["originals", "reconstructions"].map((name) =>
      element("canvas", { role: "img", "aria-label": text[name] }),
    );
    const error = element("p");
    const play = element("button", { type: "button", class: "genlib-button" });
    const said = (i) => text.said(epochs[i], errors[i].toFixed(0));
    const slider = makeSlider(text.epoch, { min: 0, max: epochs.length - 1, step: 1, said, shown: (i) => epochs[i] });
    drawDigits(originals, pixels.subarray(0, size));

    let codes = points.codes; // as they are drawn, perhaps on their way
    let frame;
    function glide(to) {
      cancelAnimationFrame(frame);
      const [from, began] = [codes, performance.now()];
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const step = (now) => {
        const share = still ? 1 : Math.max(0, Math.min(1, (now - began) / GLIDE));
        codes = from.map((code, n) => code.map((v, k) => v + share * (to[n][k] - v)));
        scatter.show(codes);
        if (share < 1) frame = requestAnimationFrame(step);
      };
      if (still) step();
      else frame = requestAnimationFrame(step);
    }

    const draw = () => {
      const i = model.get("index");
      slider.show(i);
      drawDigits(reconstructions, pictures[i]);
      reconstructions.setAttribute("aria-label", `${text.reconstructions}: ${said(i)}`);
      error.textContent = text.error(errors[i].toFixed(0));
      glide(points.sets[i]);
    };
    const go = (i) => {
      model.set("index", i);
      model.save_changes();
    };

    let beat = null;
    function stop() {
      clearInterval(beat);
      beat = null;
      play.textContent = `▶ ${text.play}`;
    }
    play.addEventListener("click", () => {
      if (beat !== null) return stop();
      go(model.get("index") < epochs.length - 1 ? model.get("index") + 1 : 0);
      play.textContent = `⏸ ${text.pause}`;
      beat = setInterval(() => {
        if (model.get("index") < epochs.length - 1) go(model.get("index") + 1);
        if (model.get("index") === epochs.length - 1) stop();
      }, BEAT);
    });
    slider.input.addEventListener("input", () => {
      stop();
      go(slider.input.valueAsNumber);
    });
    stop();

    const shown = element("div", { class: "genlib-learned" });
    shown.append(element("p", {}, text.originals), originals, element("p", {}, text.reconstructions), reconstructions);
    shown.append(error);
    const bar = element("div", { class: "genlib-bar" }, play, slider.block);
    el.append(element("style", {}, STYLE + TRAINING_STYLE), bar);
    el.append(element("div", { class: "genlib-view" }, shown, scatter.block));

    const update = once(draw);
    model.on("change:index", update);
    const endLooks = onLooks(scatter.block, scatter.redraw);
    codes = points.sets[model.get("index")]; // no glide at the start
    scatter.show(codes);
    draw();
    return () => {
      stop();
      cancelAnimationFrame(frame);
      model.off("change:index", update);
      endLooks();
    };
  },
};

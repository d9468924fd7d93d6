// The decoded digit beside the codes in space. Each latent is a trait, to which a slider is tied.

import { bytesOf, drawDigit, element, inPageLanguage, makeAnnouncer, makeNetwork, makePixels } from "./core.js";
import { onLooks, once, STYLE } from "./core.js";
import { makeScatter, pointsOf } from "./scatter.js";

const WORDS = {
  en: {
    digit: (code, label) => `Digit decoded from ${code}. Nearest encoded digit: ${label}.`,
    nearest: (label) => `Nearest encoded digit: ${label}`,
  },
  zh: {
    digit: (code, label) => `由编码 ${code} 解码出的数字。离它最近的编码属于数字 ${label}。`,
    nearest: (label) => `离它最近的编码属于数字 ${label}`,
  },
};

const FOLD_STYLE = `
.genlib-fold summary { cursor: pointer; padding: 4px; }
.genlib-fold:has(details:not([open])) + .genlib-sliders { display: none; }
:root:lang(zh) .genlib-fold [lang="en"], :root:not(:lang(zh)) .genlib-fold [lang="zh"] { display: none; }
.genlib-nats .widget-label::after { content: " nat"; }
:root:lang(zh) .genlib-nats .widget-label::after { content: " 奈特"; }
/* Few sliders stand below the digit, beside the codes. */
@media (min-width: 601px) {
  .genlib-latent .genlib-space canvas { height: 330px; }
  .widget-any:has(> .genlib-few), .widget-any > .genlib-few { display: contents; }
  .widget-vbox:has(> .widget-any > .genlib-few) { display: grid; gap: 8px 16px; grid-template: auto 1fr / 2fr 3fr; }
  .widget-any > .genlib-few .genlib-space { grid-area: 1 / 2 / 3; }
}
/* On a phone the digit stays in sight, in a band of its own, while the sliders below it are moved. */
@media (max-width: 600px) {
  .widget-any:has(> .genlib-latent), .genlib-latent { display: contents; }
  .genlib-latent .genlib-digit { position: sticky; z-index: 2; top: var(--pst-header-height, 0); flex: none;
    width: 100%; max-width: none; padding-block: 6px; background: var(--pst-color-background, Canvas); }
  .genlib-latent .genlib-digit canvas { width: 112px; }
}
`;

const squaredDistance = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

/** What anywidget calls, once per model: the decoder is made once, then each view of the model drawn with it. */
export default () => {
  let decode, points;

  function nearestLabel(z) {
    const distances = points.codes.map((code) => squaredDistance(code, z));
    return points.labels[distances.indexOf(Math.min(...distances))];
  }

  return {
    initialize({ model }) {
      decode = makeNetwork(model.get("layers"), bytesOf(model.get("weights")));
      points = pointsOf(model);
    },

    render({ model, el }) {
      const text = inPageLanguage(WORDS);
      const traits = points.codes[0].map((_, i) => `z${i + 1}`);
      const onPick = (index) => {
        traits.forEach((trait, i) => model.set(trait, points.codes[index][i]));
        model.save_changes();
      };
      const digit = makePixels();
      const [spoken, say] = makeAnnouncer();
      const scatter = makeScatter({ ...points, onPick });
      const left = element("div", { class: "genlib-digit" }, digit, spoken);
      const few = traits.length > 3 ? "" : " genlib-few"; // as in latent.py
      const view = element("div", { class: `genlib-view genlib-latent${few}` }, left, scatter.block);
      el.append(element("style", {}, STYLE + FOLD_STYLE), view);

      const draw = () => {
        const z = traits.map((trait) => model.get(trait));
        drawDigit(digit, decode(z));
        scatter.move(z);
        const code = points.axes.map((axis) => `z${axis + 1} = ${Number(z[axis].toFixed(4))}`).join(", ");
        const label = nearestLabel(z);
        digit.setAttribute("aria-label", text.digit(code, label));
        return label;
      };
      const update = once(() => say(text.nearest(draw())));
      const events = traits.map((trait) => `change:${trait}`);
      for (const event of events) model.on(event, update);
      const endLooks = onLooks(scatter.block, scatter.redraw);
      draw();
      return () => {
        for (const event of events) model.off(event, update);
        endLooks();
      };
    },
  };
};

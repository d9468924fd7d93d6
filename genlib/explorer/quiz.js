// Digits in a grid, some of them never written by anybody: the reader points, and is told.

import { bytesOf, drawDigits, element, inPageLanguage, makeAnnouncer, makePixels, once, STYLE } from "./core.js";

const QUIZ_WORDS = {
  en: {
    ask: (n, of) => `${n} of these ${of} digits were never written by anybody. Click the ones you suspect.`,
    digit: (i) => `Picture ${i}`,
    right: "never written by anybody",
    wrong: "written by a person",
    state: (found, of, mistaken) => `Found ${found} of ${of}, mistaken ${mistaken}.`,
    show: "Show the answer",
    again: "Start again",
  },
  zh: {
    ask: (n, of) => `这 ${of} 个数字里，有 ${n} 个从来没有人写过。觉得哪个可疑，就点哪个。`,
    digit: (i) => `第 ${i} 张`,
    right: "没有人写过",
    wrong: "是人写的",
    state: (found, of, mistaken) => `找到 ${found}／${of}，看错 ${mistaken}。`,
    show: "揭晓答案",
    again: "重新开始",
  },
};

const QUIZ_STYLE = `
.genlib-quiz { display: block; }
.genlib-quiz > p { margin: 0 0 8px; font-weight: 600; }
.genlib-quiz .genlib-grid { display: grid; gap: 6px; max-width: 560px; }
.genlib-quiz .genlib-grid button { position: relative; padding: 0; border: 4px solid transparent; border-radius: 8px;
  background: #000; cursor: pointer; }
.genlib-quiz .genlib-grid canvas { width: 100%; border: 0; image-rendering: auto; }
.genlib-quiz .genlib-grid b { position: absolute; inset: auto 0 0 auto; width: 1.5em; color: #fff;
  border-radius: 6px 0 4px 0; font-size: clamp(0.625rem, 2.4vw, 1rem); line-height: 1.5; text-align: center; }
.genlib-quiz .genlib-grid b:empty { display: none; }
`;

/** What anywidget calls, once per model. */
export default () => ({
  render({ model, el }) {
    const text = inPageLanguage(QUIZ_WORDS);
    const made = model.get("made");
    const bytes = new Uint8Array(bytesOf(model.get("pixels")));
    const [right, wrong] = model.get("colors");
    const total = made.filter(Boolean).length;
    const guessed = made.map(() => false);
    let open = false; // whether the answer is shown
    const marks = made.map(() => element("b", { "aria-hidden": "true" }));
    const buttons = made.map((_, i) => {
      const canvas = makePixels({ role: "presentation" });
      drawDigits(canvas, bytes.subarray(784 * i, 784 * (i + 1)));
      return element("button", { type: "button" }, canvas, marks[i]);
    });
    const grid = element("div", { class: "genlib-grid", style: `grid-template-columns: repeat(${model.get("columns")}, 1fr)` });
    grid.append(...buttons);
    const state = element("span");
    const [show, again] = ["show", "again"].map((name) =>
      element("button", { type: "button", class: "genlib-button" }, text[name]),
    );
    const [spoken, say] = makeAnnouncer();
    el.append(
      element("style", {}, STYLE + QUIZ_STYLE),
      element("div", { class: "genlib-view genlib-quiz" }, element("p", {}, text.ask(total, made.length)), grid, spoken),
      element("div", { class: "genlib-bar" }, show, again, state),
    );

    const draw = () => {
      made.forEach((never, i) => {
        const told = guessed[i] || (open && never);
        const answer = never ? text.right : text.wrong;
        buttons[i].style.borderColor = told ? (never ? right : wrong) : "transparent";
        marks[i].style.background = never ? right : wrong;
        buttons[i].style.borderStyle = guessed[i] ? "solid" : "dashed"; // found, or shown with the answer
        marks[i].textContent = guessed[i] ? (never ? "✓" : "✗") : ""; // of the guess, not of the picture
        buttons[i].setAttribute("aria-label", told ? `${text.digit(i + 1)}: ${answer}` : text.digit(i + 1));
        buttons[i].setAttribute("aria-pressed", told);
      });
      const count = (never) => guessed.filter((yes, i) => yes && made[i] === never).length;
      state.textContent = text.state(count(true), total, count(false));
      show.disabled = open;
      return state.textContent;
    };
    const update = once(() => say(draw()));
    buttons.forEach((button, i) =>
      button.addEventListener("click", () => {
        guessed[i] = true;
        update();
      }),
    );
    show.addEventListener("click", () => {
      open = true;
      update();
    });
    again.addEventListener("click", () => {
      guessed.fill(false);
      open = false;
      update();
    });
    draw();
  },
});

// What pages do beside widgets: the language toggle, and what the theme does in ways refused here.
"use strict";

// -- Language ---------------------------------------------------------------------------------------------------------
// The toggle leads to the heading being read. The book opens next time in the language read last; a page notes its own
// when it arrives, as what is written while a page is left can be lost with it.
try {
  localStorage.setItem("language", document.documentElement.lang);
} catch { /* Storage is refused: the browser's language decides next time. */ }

/** The id of the section being read: the one in the address while it is in view, else the last one begun above. */
function currentHeading() {
  const chosen = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const atTop = scrollY < 10;
  if (chosen) {
    const { top } = chosen.getBoundingClientRect();
    if (atTop || (top >= 0 && top < innerHeight)) return chosen.id;
  }
  if (atTop) return "";
  const sections = [...document.querySelectorAll("article section[id]")];
  return sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3).at(-1)?.id ?? "";
}

for (const toggle of document.querySelectorAll(".language-toggle")) {
  const page = toggle.getAttribute("href");
  const aim = () => {
    const id = currentHeading();
    toggle.href = page + location.search + (id && `#${id}`);
  };
  aim();
  for (const event of ["pointerenter", "focus", "click"]) toggle.addEventListener(event, aim);
}

// -- The theme --------------------------------------------------------------------------------------------------------
// The page's policy refuses handlers in attributes and javascript: links; these two do instead what they would.
document.querySelector(".btn-download-pdf-button")?.addEventListener("click", () => print());
document.addEventListener("click", (event) => {
  if (!event.target.closest(".highlight-link a")) return;
  event.preventDefault();
  SphinxHighlight.hideSearchWords();
});

// It would store how far the contents are scrolled; without that, it scrolls to the entry of the page.
addEventListener("beforeunload", (event) => event.stopImmediatePropagation());

// It takes the focus from its buttons when they are clicked; who works by keyboard goes on from there.
for (const button of document.querySelectorAll(".theme-switch-button, .search-button, .sidebar-toggle")) {
  const back = () => {
    const dialog = document.querySelector("dialog[open]");
    if (dialog) dialog.addEventListener("close", () => button.focus(), { once: true });
    else button.focus();
  };
  button.addEventListener("click", (event) => event.detail === 0 && setTimeout(back), true); // 0: not by a pointer
}

// -- Formulas ---------------------------------------------------------------------------------------------------------
// Those wider than the page scroll by themselves: let keys reach them, as the theme does with code and tables.
const reachFormulas = () => {
  for (const formula of document.querySelectorAll("mjx-container")) {
    formula.tabIndex = formula.scrollWidth > formula.clientWidth + 1 ? 0 : -1;
  }
};
addEventListener("load", () => window.MathJax?.startup?.promise?.then(reachFormulas));
addEventListener("resize", reachFormulas);
document.addEventListener("toggle", reachFormulas, true); // a solution is unfolded

// -- Paper ------------------------------------------------------------------------------------------------------------
// Paper is light, also when the screen is dark.
let theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });

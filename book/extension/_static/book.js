// What pages do beside widgets: the language toggle, and what the theme does in ways refused here.
"use strict";

// -- Language ---------------------------------------------------------------------------------------------------------
// The toggle leads to the heading being read. The book opens next time in the language read last; a page notes its own
// when it arrives, as what is written while a page is left can be lost with it.
localStorage.setItem("language", document.documentElement.lang);

/** The id of the section being read: the one in the address while it is in view, else the last one begun above. */
function currentHeading() {
  const chosen = document.querySelector(":target");
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

// -- What is wider than the page --------------------------------------------------------------------------------------
// It scrolls by itself. An end fades while there is more (see book.css), and keys reach it; those of code and tables
// the theme sees to.
const WIDE = "mjx-container, article pre, .pst-scrollable-table-container, .wide";

const tellMore = (box) => {
  const scrolls = getComputedStyle(box).overflowX !== "visible"; // most formulas in the text do not
  const rest = scrolls ? box.scrollWidth - box.clientWidth : 0;
  box.classList.toggle("more-before", box.scrollLeft > 1);
  box.classList.toggle("more-after", box.scrollLeft < rest - 1);
  if (box.matches("mjx-container, .wide")) box.tabIndex = rest > 1 ? 0 : -1;
};
const tellAll = () => document.querySelectorAll(WIDE).forEach(tellMore);
addEventListener("load", () => {
  tellAll();
  window.MathJax?.startup?.promise?.then(tellAll);
});
addEventListener("resize", tellAll);
document.addEventListener("toggle", tellAll, true); // a solution is unfolded
document.addEventListener("scroll", ({ target }) => target.matches?.(WIDE) && tellMore(target), true);

// -- Paper ------------------------------------------------------------------------------------------------------------
// Paper is light, also when the screen is dark.
let theme;
addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });

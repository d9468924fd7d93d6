// The language toggle leads to the heading being read, and remembers the choice for the next visit.
"use strict";

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
  toggle.addEventListener("click", () => localStorage.setItem("language", toggle.dataset.language));
}

// Search asks for pairs of Chinese characters; on the page that it leads to, mark the phrase as it was typed.
if (typeof Search !== "undefined") {
  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const parsed = parse(query);
    localStorage.setItem("sphinx_highlight_terms", query.toLowerCase());
    return parsed;
  };
}

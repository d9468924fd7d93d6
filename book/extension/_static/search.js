// The search page ranks the book's sections by the words of the question; see book/search.py, which makes the index.
"use strict";
{
  const SHOWN = 12; // results
  const TOLD = "Search finished, found ${resultCount} page(s) matching the search query."; // by Sphinx
  const FOUND = document.documentElement.lang.startsWith("zh")
    ? ["找到 ${resultCount} 处。", "找到 ${resultCount} 处。"]
    : ["Found in one place.", "Found in ${resultCount} places."];
  const HAN = "\\p{Script=Han}";
  const WORDS = new RegExp(`${HAN}+|(?:(?!${HAN})[\\p{L}\\p{N}])+`, "gu");
  const STRONG = 1.2; // as in BM25: how soon repetition stops to count, and how far the length of a section matters
  const LENGTH = 0.6;
  const NAMED = 1.5; // a section whose whole title is asked for

  const SPACED = new RegExp(`(?<=${HAN})\\s+(?=[a-z0-9])|(?<=[a-z0-9])\\s+(?=${HAN})`, "gu");

  /** A question in the form that the index knows: narrow letters, small, simplified characters. */
  function plain(text) {
    const { simplified } = Search._index;
    const narrow = [...text.normalize("NFKC").toLowerCase()].map((c) => simplified[c] ?? c).join("");
    return narrow.replace(SPACED, "").trim();
  }

  /** A plain text without the words that make it a question, unless it has no others. */
  function bare(text) {
    const { questions, ignored } = Search._index;
    const rest = questions.reduce((left, word) => left.replaceAll(word, " "), text).split(/\s+/);
    const telling = rest.filter((word) => word && !ignored.includes(words(word)[0])).join(" ");
    return telling || text;
  }

  /** The words of a plain text as the index has them: words() of search.py. */
  function words(text) {
    const stemmer = new Stemmer();
    return (text.match(WORDS) ?? []).flatMap((word) => {
      if (new RegExp(HAN, "u").test(word)) {
        const characters = [...word];
        return characters.length === 1 ? characters : characters.slice(1).map((c, i) => characters[i] + c);
      }
      const spelt = Search._index.spellings.reduce((w, [from, to]) => w.replace(new RegExp(from), to), word);
      return [stemmer.stemWord(spelt)];
    });
  }

  /** The same question in the book's words; a synonym of letters must be whole words. */
  function translated(text) {
    let rest = text;
    const ours = [];
    for (const [theirs, mine] of Search._index.synonyms) {
      const whole = /[a-z]/.test(theirs);
      const escaped = theirs.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const there = new RegExp(whole ? `(?<![a-z])${escaped}(?![a-z])` : escaped, "g");
      if (!there.test(rest)) continue;
      rest = rest.replace(there, " ");
      ours.push(plain(mine));
    }
    return ours.length ? `${rest} ${ours.join(" ")}` : text;
  }

  /** Words of the index for a word that it lacks: those that begin with it, or differ by one letter. */
  function alike(word) {
    if (word.length < 4 || new RegExp(HAN, "u").test(word)) return [];
    return Object.keys(Search._index.words).filter((other) => other.startsWith(word) || differByOne(word, other));
  }

  function differByOne(a, b) {
    if (Math.abs(a.length - b.length) > 1) return false;
    let i = 0;
    while (i < a.length && a[i] === b[i]) i += 1;
    const rests = [[a.slice(i + 1), b.slice(i)], [a.slice(i), b.slice(i + 1)], [a.slice(i + 1), b.slice(i + 1)]];
    return rests.some(([left, right]) => left === right) || (a[i] === b[i + 1] && a[i + 1] === b[i]
      && a.slice(i + 2) === b.slice(i + 2));
  }

  /** Add to `scores` how well each section answers one wording of the question. */
  function rate(asked, scores) {
    const { sections, words: index, ignored } = Search._index;
    const mean = sections.reduce((sum, [, , , length]) => sum + length, 0) / sections.length;
    const wanted = new Set(words(asked).filter((word) => !ignored.includes(word)));
    const found = new Map();
    let all = 0;
    for (const word of wanted) {
      const known = Object.hasOwn(index, word) ? [word] : alike(word);
      const best = new Map(); // by section
      for (const like of known) {
        for (let i = 0; i < index[like].length; i += 2) {
          const [section, count] = [index[like][i], index[like][i + 1]];
          const long = 1 - LENGTH + (LENGTH * sections[section][3]) / mean;
          best.set(section, Math.max(best.get(section) ?? 0, (count * (STRONG + 1)) / (count + STRONG * long)));
        }
      }
      const rare = Math.log(1 + sections.length / (best.size + 0.5));
      all += rare;
      for (const [section, strength] of best) {
        const [score, covered] = found.get(section) ?? [0, 0];
        found.set(section, [score + rare * strength, covered + rare]);
      }
    }
    for (const [section, [score, covered]] of found) {
      const share = covered / all; // of the question
      const named = words(sections[section][2]).every((word) => wanted.has(word)); // the question has the whole title
      const value = (score / all) * share * (named ? NAMED : 1);
      if (value > (scores.get(section)?.value ?? 0)) scores.set(section, { value, complete: share > 0.999 });
    }
  }

  /** Sections by their places in the index, best first: those that answer best, and one of each page with every word. */
  function ranked(query) {
    const asked = plain(query);
    const scores = new Map();
    for (const wording of new Set([asked, translated(asked)])) rate(bare(wording), scores);
    const all = [...scores].sort((a, b) => b[1].value - a[1].value || a[0] - b[0]);
    const pages = new Set();
    return all.filter(([section, { value, complete }], i) => {
      const page = Search._index.sections[section][0];
      const shown = (i < SHOWN && value > all[0][1].value / 4) || (complete && !pages.has(page));
      if (shown) pages.add(page);
      return shown;
    });
  }

  Search.words = (text) => words(plain(text)); // for tests

  Search._performSearch = (query) => {
    document.getElementById("search-progress")?.replaceChildren();
    const { sections, docnames, filenames, titles } = Search._index;
    const found = ranked(query);
    Documentation.TRANSLATIONS[TOLD] = FOUND[found.length === 1 ? 0 : 1];
    return found.reverse().map(([section, { value }]) => { // Sphinx takes them from the end
      const [page, id, title] = sections[section];
      const shown = id ? `${titles[page]} > ${escaped(title)}` : titles[page];
      return [docnames[page], shown, id && `#${id}`, null, value, filenames[page]];
    });
  };

  // On the page that a result leads to, what was typed is marked: whole phrases in Chinese, and no words of questions.
  const parse = Search._parseQuery;
  Search._parseQuery = (query) => {
    const telling = bare(plain(query)).split(/\s+/);
    const [asked, , excluded, , objects] = parse(query);
    localStorage.setItem("sphinx_highlight_terms", telling.join(" "));
    return [asked, new Set(telling), excluded, new Set(telling), objects];
  };

  // The address carries them as well: what is stored can be lost with the page that is left.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#search-results a");
    const typed = new URLSearchParams(location.search).get("q");
    if (link && typed) link.search = new URLSearchParams({ highlight: bare(plain(typed)) });
  }, true);

  function escaped(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  }
}

"""The built pages as readers meet them: what they may do and keep, languages, search, access, paper, no JavaScript."""

import re
import time
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import axe_playwright_python
import pytest
from bs4 import BeautifulSoup
from common import pages, repository
from conftest import ROOT, build, copy_sources, opened
from extension.head import LENGTH, shorten
from test_book import PAGES, STEMS, TAGS, WORDS

ALL = [*PAGES, "index.html"]
TITLES = {"en": "Generative Models, Step by Step", "zh": "一步一步学习生成模型"}
LOCALES = {"en": "en_US", "zh": "zh_CN"}
WIDTHS = 1280, 390, 320
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# In place of wait_for_function, which evaluates strings as the policy forbids: formulas set, widgets shown.
READY = """async () => {
  await window.MathJax?.startup?.promise;
  const count = (selector) => document.querySelectorAll(selector).length;
  const views = 'script[type="application/vnd.jupyter.widget-view+json"]';
  for (let i = 0; count(views) > count(".live-widget") && i < 1000; i++) await new Promise((r) => setTimeout(r, 20));
}"""
WATCH = """addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
  console.error("policy", violatedDirective, blockedURI, sample);
});"""
STORED = """async () => ({
  local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie,
  databases: (await indexedDB.databases()).length,
})"""


def go(page, url):
    page.goto(url)
    page.evaluate(READY)


def switch(page):
    """Press the language toggle where it is: locator.click would scroll the page first."""
    box = page.locator(".language-toggle").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.fixture(scope="module")
def soup(browser, sites):
    """{name: parsed page} of the pages as they are written."""
    folder = Path(unquote(urlsplit(sites["file"]).path))
    return {name: BeautifulSoup((folder / name).read_text(encoding="utf-8"), "html.parser") for name in ALL}


@pytest.fixture(scope="module", params=["http", "file"])
def site(sites, request):
    """Where the book begins, over http and as files."""
    return sites[request.param]


@pytest.fixture
def at(browser, site):
    """Opens a page of the book by name: at(name, **options) -> (page, complaints)."""
    pages = []

    def open_(name, **options):
        options = {"viewport": DESK, "reduced_motion": "reduce", **options}
        pages.append(opened(browser, f"{site}/{name}", site, **options))
        if options.get("java_script_enabled", True):
            pages[-1][0].evaluate(READY)
        return pages[-1]

    yield open_
    for page, _ in pages:
        page.context.close()


# -- What a page may do, and what it keeps -----------------------------------------------------------------------------


def test_a_policy_names_no_other_place_and_every_inline_script(soup):
    for name, page in soup.items():
        (tag,) = page.head("meta", {"http-equiv": "Content-Security-Policy"})
        assert not tag.find_previous(["script", "link", "style"]), name
        policy = dict(part.split(" ", 1) for part in tag["content"].split("; "))
        allowed = policy["script-src"].split()
        runs = [script.string for script in page("script", src=False) if "type" not in script.attrs]
        hashes = {f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in runs}
        assert set(allowed) == {"'self'", "file:", "blob:", *hashes}, name
        assert policy["default-src"] == "'none'" and policy["base-uri"] == "'none'"
        assert "connect-src" not in policy and "object-src" not in policy  # so that default-src applies
        assert not re.search(r"//|\*|https?:|unsafe-eval", tag["content"]), name
        handlers = [key for tag in page(True) for key in tag.attrs if key.startswith("on")]
        assert not handlers and not page(href=re.compile("^javascript:")), name


@pytest.fixture(scope="module")
def walk(browser, site):
    """What a visit to every page, on a phone, gave: (complaints, requests, {name: facts})."""
    page, complaints = opened(browser, f"{site}/index.html", site, viewport=PHONE)
    page.add_init_script(WATCH)
    requests, facts = [], {}
    page.on("request", lambda request: requests.append((request.method, request.url)))
    for name in PAGES:
        go(page, f"{site}/{name}")
        facts[name] = {"wide": {}, "stored": page.evaluate(STORED)}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            facts[name]["wide"][width] = page.evaluate("document.documentElement.scrollWidth") - width
    yield complaints, requests, facts
    page.context.close()


def test_no_page_breaks_its_policy_or_complains(walk):
    complaints, *_ = walk
    assert not complaints


def test_pages_only_read_and_only_the_book(walk, site):
    _, requests, _ = walk
    assert len(requests) > 10 * len(PAGES)
    assert {method for method, _ in requests} == {"GET"}
    for _, url in requests:
        assert url.startswith((site, "data:", "blob:"))
        assert re.fullmatch(r"|(v|digest)=\w+", urlsplit(url).query)


def test_no_page_scrolls_sideways(walk):
    _, _, facts = walk
    wide = {(name, width): by for name, fact in facts.items() for width, by in fact["wide"].items() if by > 0}
    assert wide == {}


# Of each block of code: the characters that fit in a line where it is, less those that a broad scroll bar would hide.
ROOM = """(broad) => [...document.querySelectorAll("div.cell_input pre")].map((block) => {
  block.closest("details")?.setAttribute("open", "");
  const line = document.createElement("span");
  line.textContent = "m".repeat(79);
  block.replaceChildren(line);
  const { paddingLeft, paddingRight } = getComputedStyle(block);
  return block.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - broad - line.offsetWidth;
})"""


def test_code_of_79_characters_fits_a_small_desk(at, site):
    page, _ = at(PAGES[0])
    for name in PAGES:
        go(page, f"{site}/{name}")
        assert all(left >= 0 for left in page.evaluate(ROOM, 15)), name


def test_figures_are_numbered_within_their_chapter_and_named_by_number(soup):
    for name in PAGES:
        page, stem = soup[name], name.split("/")[1].removesuffix(".html")
        word, chapter = {"en": "Figure ", "zh": "图 "}[name[:2]], re.match(r"0*(\d+)_", stem)
        prefix = word + (f"{chapter[1]}." if chapter else "")
        source = ROOT / "notebooks" / name[:2] / f"{stem}.ipynb"
        if source.exists():
            captions = [pages.figure(c)[1] for c in pages.load(source)["cells"] if c["cell_type"] == "code"]
            expected = [f"{prefix}{n}" for n, _ in enumerate(filter(None, captions), 1)]
            assert [shown.text.strip() for shown in page.select(".caption-number")] == expected
            ids = {figure["id"] for figure in page.select("figure[id]")}
            for link in page.select("article p a.reference"):
                if re.fullmatch(rf"{re.escape(prefix)}\d+", link.text):
                    number = page.find(id=link["href"].partition("#")[2]).select_one(".caption-number")
                    assert link["href"][1:] in ids and number.text.strip() == link.text
            words = [p.text for p in page.select("article p") if not p.find_parent("figcaption")]
            named = {found for text in words for found in re.findall(rf"(?<!张){word}[1-9]\.[1-9]\d*", text)}
            links = {link.text for link in page.select("article p a.reference")}
            assert named <= links, f"{name}: there is no {named - links}"


def test_what_is_to_be_pressed_is_large_enough_and_numbers_stay_on_one_line(at):
    page, _ = at("en/02_kl_divergence.html", viewport=PHONE)
    sizes = page.locator("a.proof").evaluate_all("(all) => all.map((a) => [a.offsetWidth, a.offsetHeight])")
    assert sizes and min(map(min, sizes)) >= 24
    page, _ = at("en/how_it_is_checked.html", viewport=PHONE)
    heights = page.locator("table.experiment td:nth-child(2)").evaluate_all(
        "(all) => all.map((td) => td.querySelector('p, span, a')?.getClientRects().length ?? 1)"
    )
    assert set(heights) == {1}  # one line each


def test_what_is_not_the_book_s_cannot_run_or_send(at):
    page, complaints = at("en/index.html")
    # What is evaluated from here may do more; what a timer runs may do what the page may.
    ran = page.evaluate("""() => new Promise((done) => setTimeout(async () => {
      const tried = async (action) => { try { await action(); return true; } catch { return false; } };
      document.head.append(Object.assign(document.createElement("script"), { textContent: "window.inline = 1" }));
      document.body.insertAdjacentHTML("beforeend", '<a id="a" href="javascript:void(window.link = 1)">x</a>' +
        '<b id="b" onclick="window.handler = 1">x</b><base href="https://example.org/">');
      document.getElementById("b").click();
      document.getElementById("a").click();
      const shown = (tag, url) => new Promise((end) => {
        const element = document.createElement(tag);
        Object.assign(element, { src: url, onload: () => end(true), onerror: () => end(false) });
        document.body.append(element);
      });
      done({
        inline: "inline" in window, handler: "handler" in window, link: "link" in window,
        eval: await tried(() => (0, eval)("1")), here: await tried(() => fetch("index.html")),
        there: await tried(() => fetch("https://example.org/")), script: await shown("script", "https://example.org/x.js"),
        image: await shown("img", "https://example.org/x.png"), base: document.baseURI.includes("example.org"),
      });
    }))""")
    assert not any(ran.values()), ran
    assert not any("asks for" in complaint for complaint in complaints)  # refused before anything was asked


def test_the_theme_s_buttons_do_what_they_say(at):
    page, complaints = at("zh/index.html")
    mode = page.locator("html")
    before = mode.get_attribute("data-mode")
    page.locator(".theme-switch-button").click()
    assert mode.get_attribute("data-mode") != before

    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".btn-download-pdf-button").click()
    assert page.evaluate("window.printed")

    sidebar = page.locator("#pst-primary-sidebar")
    for state in ("hidden", "visible"):
        page.locator(".primary-toggle").click()
        sidebar.wait_for(state=state)
    page.set_viewport_size(PHONE)
    for name in ("primary", "secondary"):
        page.locator(f".{name}-toggle").click()
        page.locator(f"#pst-{name}-sidebar-modal").wait_for(state="visible")
        page.keyboard.press("Escape")
        page.locator(f"#pst-{name}-sidebar-modal").wait_for(state="hidden")
    assert not complaints


def test_code_can_be_copied_and_unfolded(at):
    page, complaints = at("en/02_kl_divergence.html", permissions=["clipboard-read", "clipboard-write"])
    cell = page.locator("div.highlight:has(.copybtn):visible").first
    cell.hover()
    cell.locator(".copybtn").click()
    page.locator(".copybtn.success").first.wait_for(state="attached")
    solution = page.locator("article details:has(.cell_input)").first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").click()
    assert solution.locator("pre").first.is_visible()
    assert not complaints


def test_only_language_mode_and_marks_are_stored(walk, at):
    _, _, facts = walk
    page, _ = at("en/index.html")
    page.locator(".theme-switch-button").click()
    page.locator(".language-toggle").click()
    page.wait_for_url("**/zh/index.html")
    page.locator("#pst-primary-sidebar").evaluate("(bar) => bar.scrollTo(0, 99)")
    page.locator(".search-button-field").click()
    page.locator("#pst-search-dialog input").fill("隐变量")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    found = page.evaluate(STORED)
    page.locator("#search-results li a").first.click()
    page.locator(".highlighted").first.wait_for()
    last = page.evaluate(STORED)
    assert {*found["local"], *last["local"]} == {"language", "mode", "theme", "sphinx_highlight_terms"}
    for stored in [found, last, *(fact["stored"] for fact in facts.values())]:
        assert set(stored["local"]) <= {"language", "mode", "theme", "sphinx_highlight_terms"}
        assert (stored["session"], stored["cookies"], stored["databases"]) == ([], "", 0)
    assert not page.context.cookies()


# -- What a page says of itself ----------------------------------------------------------------------------------------


def card(page):
    tags = page("meta", {"name": True}) + page("meta", {"property": True})
    return {tag.get("property") or tag["name"]: tag["content"] for tag in tags}


def test_titles_descriptions_and_cards(soup):
    seen = {}
    for name in PAGES:
        lang, page = name[:2], soup[name]
        tags, title, other = card(page), page.title.text, "zh" if lang == "en" else "en"
        heading = page.select_one("h1").find(string=True)
        assert title == TITLES[lang] if name.endswith("/index.html") else title == f"{heading} — {TITLES[lang]}"
        assert tags["og:title"] == heading
        assert tags["og:site_name"] == TITLES[lang]
        assert (tags["og:locale"], tags["og:locale:alternate"]) == (LOCALES[lang], LOCALES[other])
        text = tags["description"]
        assert 15 < len(text) <= LENGTH
        assert text == tags["og:description"]
        assert bool(re.search("[一-鿿]", text)) == (lang == "zh")
        assert not re.search(r"[\\$<>{}]|--", text)
        assert text[-1] in ".。!?！？…", text  # noqa: RUF001
        if not name.endswith("/search.html"):
            assert text not in seen, f"{name} and {seen.get(text)}"
            seen[text] = name
        assert not {"og:url", "og:image"} & set(tags)
    root = card(soup["index.html"])
    assert all(title in soup["index.html"].title.text and title in root["og:title"] for title in TITLES.values())
    assert root["description"] == root["og:description"]


def test_descriptions_end_with_a_sentence_or_else_a_word():
    sentence = "One claim a sentence, and a word or two more to make it long enough, as it happens here. "
    assert shorten(sentence * 3) == sentence.strip()
    assert shorten("words " * 50) == "words " * 25 + "words…"
    assert shorten("自编码器把一张图压进寥寥几个数。" * 20).endswith("数。")
    assert len(shorten("自编码器" * 100)) == LENGTH


def addressed(tmp_path, old, new):
    """The folder of a book built with this change of _config.yml."""
    tree = copy_sources(tmp_path)
    config = tree / "_config.yml"
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    return tree / "_build" / "html"


def read(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize(
    ("old", "new", "base"),
    [
        ('  baseurl: ""', "  baseurl: https://example.org/book", "https://example.org/book/"),
        ('  url: ""', "  url: https://github.com/Somebody/book", "https://somebody.github.io/book/"),
    ],
)
def test_addresses_are_given_when_the_configuration_has_one(tmp_path, old, new, base):
    html = addressed(tmp_path, old, new)
    stems = {name.partition("/")[2].removesuffix(".html") for name in PAGES}
    both = [*TAGS.items()]
    for lang in TAGS:
        page = read(html / lang / "01_autoencoder.html")
        url = f"{base}{lang}/01_autoencoder.html"
        assert page.find("link", rel="canonical")["href"] == card(page)["og:url"] == url
        image = card(page)["og:image"].removeprefix(f"{base}{lang}/")
        assert (html / lang / image).is_file()
        alternates = {tag["hreflang"]: tag["href"] for tag in page.head("link", rel="alternate")}
        named = {tag: f"{base}{folder}/01_autoencoder.html" for folder, tag in both}
        assert alternates == {**named, "x-default": f"{base}index.html"}
        assert page.select_one("a.language-toggle")["href"].startswith("../")  # for readers, wherever the book lies
    root = read(html / "index.html")
    assert root.find("link", rel="canonical")["href"] == base
    assert {tag["href"] for tag in root("link", rel="alternate")} == {f"{base}{lang}/index.html" for lang in TAGS}
    assert {tag["href"] for tag in root("a")} == {f"{lang}/index.html" for lang in TAGS}
    urls = ElementTree.parse(html / "sitemap.xml").findall("{*}url")
    assert {url.find("{*}loc").text for url in urls} == {
        f"{base}{lang}/{stem}.html" for lang in TAGS for stem in stems - {"search"}
    }
    for url in urls:
        stem = url.find("{*}loc").text.rpartition("/")[2]
        links = {link.get("hreflang"): link.get("href") for link in url.findall("{*}link")}
        assert links == {tag: f"{base}{lang}/{stem}" for lang, tag in both}
    assert f"Sitemap: {base}sitemap.xml\n" in (html / "robots.txt").read_text(encoding="utf-8")


def test_without_an_address_nothing_needs_one(html, soup):
    assert not [name for name in ("sitemap.xml", "robots.txt") if (html / name).exists()]
    for name, page in soup.items():
        assert not page("link", rel="canonical"), name
        assert not [tag["href"] for tag in page("link", rel="alternate") if "://" in tag["href"]], name


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://github.com/Somebody/Book", "https://somebody.github.io/Book/"),
        ("https://github.com/somebody/Somebody.github.io", "https://somebody.github.io/"),
        ("https://git.example.org/a/b", ""),
        ("", ""),
    ],
)
def test_the_site_of_a_repository(url, site):
    assert repository.site(url) == site


# -- Languages ---------------------------------------------------------------------------------------------------------


def test_the_toggle_keeps_page_and_heading_and_the_language_is_remembered(at, site):
    kept = "(lang) => localStorage.getItem('language') === lang"
    page, complaints = at("index.html", locale="en-US")
    page.wait_for_url("**/en/index.html")
    go(page, f"{site}/en/02_kl_divergence.html#the-kl-divergence-is-not-symmetric")
    switch(page)
    page.wait_for_url("**/zh/02_kl_divergence.html#the-kl-divergence-is-not-symmetric")
    page.wait_for_function(kept, arg="zh-CN")
    page.goto(f"{site}/index.html")
    page.wait_for_url("**/zh/index.html")  # although the browser asks for English
    go(page, f"{site}/zh/02_kl_divergence.html")
    page.evaluate("document.getElementById('many-dimensions').scrollIntoView()")
    switch(page)
    page.wait_for_url("**/en/02_kl_divergence.html#many-dimensions")
    page.wait_for_function(kept, arg="en")
    page.goto(f"{site}/index.html")
    page.wait_for_url("**/en/index.html")
    assert not complaints


def test_without_a_choice_the_browser_s_language_decides(at):
    page, _ = at("index.html", locale="zh-CN")
    page.wait_for_url("**/zh/index.html")


# -- Search ------------------------------------------------------------------------------------------------------------

ENGLISH = ["autoencoder", "latent space", "reparameterization trick"]


@pytest.mark.parametrize(("lang", "query"), [*(("zh", word) for word in WORDS), *(("en", words) for words in ENGLISH)])
def test_search_finds_sentences_and_marks_them(at, soup, lang, query):
    page, complaints = at(f"{lang}/index.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill(query)
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for()
    page.locator("#search-results .search-summary").filter(has_text=re.compile(r"\d")).wait_for()
    links = page.locator("#search-results li a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    found = {f"{lang}/{link.partition('#')[0]}" for link in links}
    sentences = {name for name in PAGES if name[:2] == lang and "/search" not in name
                 if any(query in p.text.lower() for p in soup[name].select("article p"))}  # fmt: skip
    assert sentences and sentences <= found
    page.evaluate("localStorage.removeItem('sphinx_highlight_terms')")  # as when what a page stored is lost with it
    page.locator(f'#search-results li a[href^="{sorted(sentences)[0].partition("/")[2]}"]').first.click()
    page.locator("article .highlighted").first.wait_for()
    marked = {text.lower() for text in page.locator("article .highlighted").all_text_contents()}
    assert marked == ({query} if lang == "zh" else set(query.split()))
    page.locator(".highlight-link a").click()
    assert page.locator(".highlighted").count() == 0
    assert not complaints


# -- Access ------------------------------------------------------------------------------------------------------------

# What a page is before formulas are emptied: axe would look at each of their thousands of parts, which have the colour
# of the text around them; whether they can be scrolled is asked first. Colours do not depend on the width, so that they
# are asked of the whole page on a phone, and at the desk of what only the desk has.
RUN = """async ([what, only, without]) => {
  const rules = Object.fromEntries(without.map((id) => [id, { enabled: false }]));
  const run = { resultTypes: ["violations"], preload: false, rules, ...(only.length ? { runOnly: only } : {}) };
  const { violations } = await axe.run(what, run);
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}"""
EMPTY = "document.querySelectorAll('mjx-container > *').forEach((part) => part.remove())"
MODE = "(mode) => { document.documentElement.dataset.theme = mode; }"
AROUND = {"exclude": ["article"]}


@pytest.fixture(scope="module")
def inspected(browser, sites):
    """A page whose policy lets axe in, as axe evaluates strings."""
    page, _ = opened(browser, f"{sites['http']}/en/index.html", sites["http"], viewport=DESK, bypass_csp=True,
                     reduced_motion="reduce")  # fmt: skip
    yield page
    page.context.close()


@pytest.mark.parametrize("name", ALL)
def test_axe_finds_no_serious_violation(inspected, sites, soup, name):
    page, colours, scrolling, found = inspected, "color-contrast", "scrollable-region-focusable", []

    def ask(what=None, only=(), without=()):
        return page.evaluate(RUN, [what or {"include": ["html"]}, list(only), list(without)])

    def ask_of_scrolling():
        """The theme looks for what scrolls once a page has been quiet for a while, which a busy machine puts off."""
        deadline = time.monotonic() + 20
        while (told := ask(only=[scrolling])) and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        found.extend(told)

    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    go(page, f"{sites['http']}/{name}")
    if name == "index.html":  # it has led elsewhere
        page.set_content(re.sub("<script>.*?</script>", "", str(soup[name]), flags=re.DOTALL))
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    ask_of_scrolling()
    page.set_viewport_size(DESK)
    ask_of_scrolling()
    page.evaluate(EMPTY)
    found += ask(without=[colours, scrolling])
    found += ask(AROUND, [colours])
    page.evaluate(MODE, "dark")
    found += ask(AROUND, [colours])
    page.set_viewport_size(PHONE)
    found += ask(only=[colours])
    page.evaluate(MODE, "light")
    found += ask(without=[scrolling])
    assert not found


def test_the_keyboard_reaches_and_works_everything(at):
    page, complaints = at("zh/01_autoencoder.html")
    page.keyboard.press("Tab")
    skip = page.locator("#pst-skip-link a")
    assert skip.evaluate("(link) => link === document.activeElement") and skip.is_visible()
    assert re.search("[一-鿿]", skip.text_content())
    page.keyboard.press("Enter")
    page.wait_for_url("**#main-content")
    reached, ringless = set(), set()
    for _ in range(400):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => {
          const element = document.activeElement, style = getComputedStyle(element);
          const name = [element.tagName, element.type ?? "", ...element.classList].join(" ");
          return element === document.body ? null : [name, style.outlineStyle !== "none" || style.boxShadow !== "none"];
        }""")
        if found is None:
            break
        reached.add(found[0])
        if not found[1]:
            ringless.add(found[0])
    assert not ringless
    for part in ("language-toggle", "theme-switch-button", "primary-toggle", "dropdown-toggle", "copybtn", "SUMMARY",
                 "INPUT range", "CANVAS"):  # fmt: skip
        assert any(part in name for name in reached), part

    mode = page.locator("html")
    page.locator(".theme-switch-button").focus()
    for _ in range(2):  # the focus stays for the second time
        before = mode.get_attribute("data-mode")
        page.keyboard.press("Enter")
        assert mode.get_attribute("data-mode") != before
        page.locator(".theme-switch-button:focus").wait_for()
    page.set_viewport_size(PHONE)
    page.locator(".primary-toggle").focus()
    page.keyboard.press("Enter")
    page.locator("#pst-primary-sidebar-modal[open]").wait_for()
    page.keyboard.press("Escape")
    page.locator(".primary-toggle:focus").wait_for()
    assert not complaints


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_focus_can_be_seen(at, mode):
    page, _ = at("en/index.html", color_scheme=mode)
    for selector in (".language-toggle", "article a.reference", ".search-button-field"):
        page.keyboard.press("Tab")  # from here on, the focus is shown
        page.locator(selector).first.focus()
        style = page.locator(selector).first.evaluate("""(element) => {
          const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
          const rgb = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
            const x = part / 255;
            return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
          });
          const light = (colour) => rgb(colour).reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0.05);
          const [a, b] = [light(outlineColor), light(getComputedStyle(document.body).backgroundColor)];
          return [outlineStyle, parseFloat(outlineWidth), Math.max(a, b) / Math.min(a, b)];
        }""")
        assert style[0] == "solid" and style[1] >= 2 and style[2] >= 3, (selector, style)


def test_motion_can_be_reduced(at):
    page, _ = at("en/01_autoencoder.html")
    moving = """() => [document.documentElement, ...document.querySelectorAll("body *")].filter((element) => {
      const { transitionDuration, animationDuration, scrollBehavior } = getComputedStyle(element);
      const durations = `${transitionDuration},${animationDuration}`.split(",").map(parseFloat);
      return scrollBehavior === "smooth" || durations.some((seconds) => seconds > 0.01);
    }).map((element) => element.outerHTML.slice(0, 80))"""
    assert page.evaluate(moving) == []
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving)


# -- Paper, and no JavaScript ------------------------------------------------------------------------------------------


def test_paper_is_light_and_whole_and_has_nothing_to_press(at):
    page, _ = at("en/02_kl_divergence.html", color_scheme="dark", viewport={"width": 718, "height": 1000},
                 reduced_motion="no-preference")  # fmt: skip
    page.evaluate("""() => addEventListener("beforeprint", () => {
      window.paper = getComputedStyle(document.body).backgroundColor;
    })""")
    page.pdf()
    assert page.evaluate("window.paper") == "rgb(255, 255, 255)"
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.emulate_media(media="print")
    screen = ".bd-header-article, .bd-sidebar, .prev-next-footer, .copybtn, .language-toggle, .headerlink"
    assert page.locator(screen).count() > 20
    assert not any(page.locator(screen).evaluate_all("(all) => all.map((e) => e.checkVisibility())"))
    solutions = page.locator("article details > :not(summary, noscript)")
    assert solutions.count() > 3
    assert all(solutions.evaluate_all("(all) => all.map((e) => e.checkVisibility())"))
    cut = page.locator("article pre").evaluate_all("(all) => all.filter((e) => e.scrollWidth > e.clientWidth)")
    assert not cut


@pytest.mark.parametrize("lang", TAGS)
@pytest.mark.parametrize("stem", STEMS)
def test_paper_cuts_nothing_off(at, stem, lang):
    page, _ = at(f"{lang}/{stem}.html", viewport={"width": 672, "height": 950})  # A4 less 16 mm on either side
    page.emulate_media(media="print")
    page.wait_for_function("!window.MathJax || MathJax.startup.promise.then(() => true)")
    cut = page.locator("article :is(table, pre, mjx-container, img)").evaluate_all("""(all) => {
      const edge = document.querySelector("article").getBoundingClientRect().right + 1;
      return all.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > edge).map((e) => e.textContent);
    }""")
    assert not cut


@pytest.mark.parametrize("lang", TAGS)
def test_without_javascript_there_are_formulas_and_pictures(at, lang):
    page, complaints = at(f"{lang}/02_kl_divergence.html", java_script_enabled=False, viewport=PHONE)
    formulas = page.locator("article noscript math")
    assert formulas.count() > 50 and formulas.first.is_visible()
    assert not page.locator("article .math").first.is_visible()
    assert not re.search(r"\\[\[(]|\\begin", page.locator("article").inner_text())
    assert page.locator("article figure img").first.is_visible()
    colours = "(all) => [...new Set(all.map((e) => getComputedStyle(e).color))]"
    assert len(page.locator(".highlight span").evaluate_all(colours)) > 3
    assert page.locator("article p a.reference").first.evaluate("(a) => getComputedStyle(a).color") != page.locator(
        "article p"
    ).first.evaluate("(p) => getComputedStyle(p).color")
    assert not page.locator(".theme-switch-button").is_visible()
    assert not complaints


def test_all_formulas_have_a_form_without_javascript(soup):
    for name in PAGES:
        for formula in soup[name].select("article .math"):
            static = formula.find_previous_sibling()
            assert static.name == "noscript" and static.math, f"{name}: {formula.text}"
            assert not re.search(r"[\\&]", static.text), f"{name}: {formula.text} became {static.text}"
            signs = [sign.text for sign in static.math(True) if not sign(True)]
            assert (":=" in formula.text) == (":=" in signs), f"{name}: {formula.text}"
            for sign in static.math("mi", string="log"):
                after = sign.find_next_sibling()
                assert after is None or after.name in ("mspace", "mo"), f"{name}: {formula.text}"

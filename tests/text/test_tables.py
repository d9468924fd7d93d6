"""The glossary and the references: what stands there is used, and what is shown is what was written."""

import re

import pytest
from bs4 import BeautifulSoup
from common import handwritten, pages

READ = (
    "01_autoencoder.ipynb",
    "02_kl_divergence.ipynb",
    "03_vae.ipynb",
    "04_measuring_generation.ipynb",
    "index.ipynb",
    "playground.ipynb",
    "errata.md",
)


def text(lang, name):
    """All that readers read on a page, without formulas' dollars."""
    path = pages.NOTEBOOKS / lang / name
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = pages.load(path)["cells"]
    return "\n".join([*(cell["source"] for cell in cells if cell["cell_type"] == "markdown"),
                      *(shown for cell in cells for shown in pages.figure(cell))])  # fmt: skip


def inflected(term):
    """A pattern of an English term and its usual other forms."""
    words = [re.escape(word.removesuffix("e").removesuffix("y")) + r"\w{0,4}" for word in re.split(r"[\s-]+", term)]
    return r"\b" + r"[\s-]+".join(words)


def named(entry, lang, read):
    if lang == "en":
        return re.search(inflected(entry["named"] if "named" in entry else entry["term"]), read, flags=re.I)
    return re.sub(r"\s", "", entry.get("named_zh", entry["zh"])) in re.sub(r"\s", "", read)


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_every_term_is_named(lang):
    read = "\n".join(text(lang, name) for name in READ)
    unnamed = {entry["term"] for entry in handwritten.read("glossary") if not named(entry, lang, read)}
    assert unnamed == set(), "to be named by a chapter, or dropped"


def test_every_reference_is_cited():
    cited = {url for lang in pages.LANGUAGES for name in pages.names() for url in pages.targets(text(lang, name))}
    cited |= {*re.findall(r"https?://[^\s)>\"']+", handwritten.path("checks").read_text(encoding="utf-8"))}
    uncited = {entry["key"] for entry in handwritten.read("references") if entry["url"] not in cited}
    assert uncited == set(), "to be cited, or dropped"


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_references_show_their_titles(html, lang):
    soup = BeautifulSoup((html / lang / "references.html").read_text(encoding="utf-8"), "html.parser")
    shown = {link["href"]: link.get_text() for link in soup.select("dl.entries a.reference")}
    curly = str.maketrans("“”‘’", "\"\"''")  # noqa: RUF001
    for entry in handwritten.read("references"):
        assert shown[entry["url"]].translate(curly) == entry["title"].replace("`", ""), entry["key"]


@pytest.mark.parametrize("lang", pages.LANGUAGES)
def test_other_names_are_shown_and_lead_to_one_term(html, lang):
    soup = BeautifulSoup((html / lang / "glossary.html").read_text(encoding="utf-8"), "html.parser")
    key = "also_zh" if lang == "zh" else "also_en"
    names = [name for entry in handwritten.read("glossary") for name in entry.get(key, [])]
    assert len(names) == len({*names})
    for name in names:
        assert name in soup.select_one("dl.entries").get_text(), name

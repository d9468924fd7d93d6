"""What learners type into the search of the built book leads to where the book answers it (queries.yml)."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import opened
from extension import search

QUERIES = yaml.safe_load((Path(__file__).parent / "queries.yml").read_text(encoding="utf-8"))
FIRST = 3
FIND = "(queries) => queries.map((q) => Search._performSearch(q).reverse().map((found) => found[0] + found[2]))"
WORDS = """(texts) => texts.map((text) => Search.words(text).join(" "))"""
SAME = ["\uff22\uff23\uff25 of grey 像素", "潛在空間的變分自編碼器", "KL 散度", "modelling colours: centre, learnt",
        "β-VAE, 0.5 é", "的"]  # fmt: skip


def places(answers):
    """The addresses that queries.yml means, short names of pages spelt out."""
    split = [str(answer).partition("#") for answer in answers]
    return [QUERIES["pages"].get(page, page) + mark + id_ for page, mark, id_ in split]


@pytest.fixture(scope="module")
def at(browser, html):
    """A search page, from disk, that has its index."""

    def visit(lang, query="KL"):
        page, complaints = opened(browser, f"{html.as_uri()}/{lang}/search.html?q={query}", html.as_uri())
        page.locator("#search-results li a").first.wait_for()
        return page, complaints

    return visit


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_learners_find_the_answer(at, html, lang):
    page, _ = at(lang)
    assert len(QUERIES[lang]) >= 60
    missed = {}
    for (query, answers), found in zip(QUERIES[lang].items(), page.evaluate(FIND, list(QUERIES[lang])), strict=True):
        if not {*places(answers)} & {*found[:FIRST]}:
            missed[query] = found[:FIRST]
    assert missed == {}
    page.context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_answers_exist(html, lang):
    wanted = {place for answers in QUERIES[lang].values() for place in places(answers)}
    for name in {place.partition("#")[0] for place in wanted}:
        soup = BeautifulSoup((html / lang / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        ids = {tag["id"] for tag in soup.select("[id]")}
        assert {id_ for page, _, id_ in (place.partition("#") for place in wanted) if page == name} - {""} <= ids


@pytest.mark.parametrize(("lang", "query", "id_"), [("en", "what+is+posterior+collapse", "term-posterior-collapse"),
                                                    ("zh", "什么是後驗坍塌", "term-posterior-collapse")])  # fmt: skip
def test_the_search_page_offers_headings(at, lang, query, id_):
    page, complaints = at(lang, query)
    page.locator(f'#search-results li a[href$="#{id_}"]').wait_for()
    assert not [text for text in complaints if "fetch" not in text and "file://" not in text]
    page.context.close()


def test_questions_without_an_answer_find_nothing(at):
    page, _ = at("en")
    assert page.evaluate(FIND, ["xylophone", "zzz qqq", "", "   "]) == [[], [], [], []]
    page.context.close()


def test_builder_and_browser_take_the_same_words(at):
    page, _ = at("zh")
    assert page.evaluate(WORDS, SAME) == [" ".join(search.words(text)) for text in SAME]
    page.context.close()


def test_every_traditional_character_is_simplified_once():
    old, new = Path(search.__file__).with_name("traditional.txt").read_text(encoding="utf-8").split()
    assert len(old) == len(new) == len({*old})
    assert not {*old} & {*"的了是在不有这中大为上个国我以要他时来用们"}
    assert re.fullmatch(r"[\u4e00-\u9fff]+", old + new)

"""What the book shows of its checks: marks at proven derivations, links at measured numbers, and their tables."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from common import measurements, pages
from conftest import build, copy_sources
from equations.results import CHAPTERS
from extension import checks

LANGUAGES = {"en": "en", "zh": "zh_CN"}
PROVEN = checks.proven()


def soup(html, lang, stem):
    return BeautifulSoup((html / lang / f"{stem}.html").read_text(encoding="utf-8"), "html.parser")


def marks(html, lang, chapter):
    """[(hash that a mark leads to, the LaTeX beside it)] of a built chapter."""
    links = soup(html, lang, chapter).select("a.proof")
    return [(link["href"].partition("#eq-")[2], link.parent.select_one(".math").text) for link in links]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_proven_derivation_has_a_mark_that_leads_to_its_row(html, lang, chapter):
    expected = [e for e in checks.equations(chapter, LANGUAGES[lang]) if PROVEN[e.hash]["relations"]]
    found = marks(html, lang, chapter)
    assert [hash_ for hash_, _ in found] == [e.hash for e in expected] != []
    rows = {row["id"] for row in soup(html, lang, checks.PAGE).select("table.equations tr[id]")}
    assert {f"eq-{hash_}" for hash_, _ in found} <= rows
    for equation, (_, shown) in zip(expected, found, strict=True):
        assert re.sub(r"\W|begin|end|split|aligned", "", equation.latex) in re.sub(
            r"\W|begin|end|split|aligned", "", shown
        )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_has_every_displayed_equation(html, lang):
    everything = [e.hash for chapter in CHAPTERS for e in checks.equations(chapter, LANGUAGES[lang])]
    page = soup(html, lang, checks.PAGE)
    rows = page.select("table.equations tr[id]")
    assert [row["id"] for row in rows] == [f"eq-{hash_}" for hash_ in everything]
    words, told = checks.WORDS[LANGUAGES[lang]], {row["id"]: row.select("td")[2].text for row in rows}
    for row in rows:
        (link,) = row.select("td")[0].select("a")
        chapter, _, heading = link["href"].partition(".html#")
        assert soup(html, lang, chapter).find(id=heading), link["href"]
    for hash_, entry in PROVEN.items():
        text = told[f"eq-{hash_}"]
        assert (words["oracle"] in text) == entry["oracle"]
        assert (words["definition"] + words["stop"] in text) == (entry["relations"] == 0)
        assert (words["any_functions"] in text) == ("functions" in entry["instances"])
        assert all(size in text for size in entry["instances"] if "=" in size)
    totals = {key: sum(entry[key] for entry in PROVEN.values()) for key in ("relations", "definitions")}
    assert words["count"].format(equations=len(PROVEN), **totals) in page.text


def test_how_an_equation_is_checked_is_said_in_full():
    entry = {"definitions": 0, "relations": 2, "instances": ["d = 2", "densities", "values"], "oracle": True}
    assert checks.how(entry, checks.WORDS["en"]) == [
        "2 relations, each proven, for any densities, for any number of terms.",
        "Computed at random values, with mixtures of two normals, d = 2.",
        "Compared with torch.distributions, genlib.losses or quadrature.",
    ]
    assert checks.how({**entry, "relations": 0, "instances": [], "oracle": False}, checks.WORDS["zh_CN"]) == [
        "定义。",
        "已验算。",
    ]
    assert checks.WORDS["en"].keys() == checks.WORDS["zh_CN"].keys()
    units = {number["unit"] for number in measurements.read().values()}
    assert all(units == words["units"].keys() for words in checks.WORDS.values())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_measured_number_leads_to_its_row(html, lang):
    rows = {row["id"]: row for row in soup(html, lang, checks.PAGE).select("table.experiment tr[id]")}
    assert set(rows) == {checks.anchor(key) for key in measurements.read()}
    seen = 0
    for name in pages.names():
        source = (pages.NOTEBOOKS / lang / name).read_text(encoding="utf-8")
        markers = [(m["key"].partition("@")[0], m["value"]) for m in pages.MARKER.finditer(source)]
        links = soup(html, lang, name.partition(".")[0]).select("a.measured")
        assert [(link["href"].partition("#")[2], link.text) for link in links] == [
            (checks.anchor(key), value) for key, value in markers
        ], name
        assert all(link["href"].startswith(f"{checks.PAGE}.html#") for link in links)
        seen += len(links)
    assert seen > 20


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_experiment_says_where_its_numbers_come_from(html, lang):
    page = soup(html, lang, checks.PAGE)
    experiments, numbers = measurements.read(part="experiments"), measurements.read()
    titles = [title.text for title in page.select("p.rubric")]
    assert titles == list(experiments)
    for title, (name, entry) in zip(page.select("p.rubric"), experiments.items(), strict=True):
        origin, recipe = title.find_next_siblings("p", limit=2)
        for part in (f"experiments/{entry['script']}.py", str(len(entry["runs"])) * (len(entry["runs"]) > 1),
                     *(run["commit"] for run in entry["runs"]), *(run["hardware"] for run in entry["runs"]),
                     *(f"torch {run['versions']['torch']}" for run in entry["runs"])):  # fmt: skip
            assert part in origin.text, name
        assert all(
            (json.dumps(value).replace('"', "") if isinstance(value, dict) else str(value)) in recipe.text
            for value in entry["recipe"].values()
            if not isinstance(value, list | bool)
        )
        row = title.find_next("tr", id=True)
        assert numbers[f"{name}.{row.td.text}"]["experiment"] == name


@pytest.mark.parametrize(
    ("value", "sd", "shown"),
    [(95.19, 0.3828, "95.19 ± 0.38"), (0.5739, 0.0287, "0.574 ± 0.029"), (-93.899, None, "\N{MINUS SIGN}93.90"),
     (211.586, None, "211.6"), (0.0021016, None, "0.002102"), (0.0, None, "0"),
     (0.000144, 0.0001055, "0.00014 ± 0.00011")],
)  # fmt: skip
def test_a_number_is_shown_with_the_digits_that_mean_something(value, sd, shown):
    assert checks.shown({"value": value, "sd": sd}) == shown.replace(" ", "\N{NO-BREAK SPACE}")


def test_what_has_changed_since_it_was_proven_has_no_mark(tmp_path):
    tree = copy_sources(tmp_path)
    path, known = tree / "notebooks" / "equations.json", dict(PROVEN)
    gone = next(e for e in checks.equations("02_kl_divergence", "en") if PROVEN[e.hash]["relations"])
    del known[gone.hash]  # never proven
    path.write_text(pages.sealed(known), encoding="utf-8")
    chapter = tree / "notebooks" / "en" / "03_vae.ipynb"  # another definition under a heading: all of it is stale
    text = chapter.read_text(encoding="utf-8")
    assert text.count(r"c := \\frac{1}{2 s^2}") == 1
    chapter.write_text(text.replace(r"c := \\frac{1}{2 s^2}", r"c := \\frac{1}{s^2}"), encoding="utf-8")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    html = tree / "_build" / "html"
    expected = {e.hash for e in checks.equations("02_kl_divergence", "en") if PROVEN[e.hash]["relations"]}
    assert {hash_ for hash_, _ in marks(html, "en", "02_kl_divergence")} == expected - {gone.hash}
    stale = {e.hash for e in checks.equations("03_vae", "en") if e.heading == "from-the-bound-to-the-loss"}
    before = {e.hash for e in checks.equations("03_vae", "en") if PROVEN[e.hash]["relations"]}
    assert len(before & stale) >= 4
    assert {hash_ for hash_, _ in marks(html, "en", "03_vae")} == before - stale
    assert {hash_ for hash_, _ in marks(html, "zh", "03_vae")} == before

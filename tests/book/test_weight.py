"""The built pages are light and quick: what `make weigh` prints, and how the weights of models reach the pages."""

import base64
import hashlib
import json
import re
from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from common.browser import served
from common.pages import STATE
from conftest import build, copy_sources
from extension.lighten import as_webp, classes, without_unknown
from extension.shared import prune
from extension.widgets import LARGE
from PIL import Image
from weigh import MOVE, READY, WEIGHTS, Weight, stems, too_much, weigh

# Twice for the other worker on the same two cores, twice for whatever else a machine of a CI service does.
PATIENCE = 4
LANGUAGES = ["en", "zh"]
LIVE = {*WEIGHTS}  # pages with widgets


@pytest.fixture(scope="module")
def weights(browser, sites, html):
    """{"en/index": its Weight} of all pages."""
    names = [f"{lang}/{stem}" for lang in LANGUAGES for stem in stems(html)]
    return {name: weigh(browser, f"{sites['http']}/{name}.html", openings=2) for name in names}


def test_pages_are_light_and_hold_each_buffer_once(weights):
    assert {f"{lang}/{stem}" for lang in LANGUAGES for stem in WEIGHTS} <= set(weights)
    broken = [
        (name, what)
        for name, weight in weights.items()
        for what in too_much(name.split("/")[1], Weight(weight.bytes, weight.requests, weight.repeated, None, None))
    ]
    assert not broken


def test_widgets_are_soon_ready_and_quick(weights):
    live = [weight for name, weight in weights.items() if name.split("/")[1] in LIVE]
    without = {"index", "04_measuring_generation"}  # whose widgets have no slider
    moves = [weight.move for name, weight in weights.items() if name.split("/")[1] in LIVE - without]
    assert len(live) == 2 * len(LIVE) and all(weight.ready for weight in live) and all(moves)
    assert max(weight.ready for weight in live) < PATIENCE * READY
    assert max(moves) < PATIENCE * MOVE


@pytest.mark.parametrize(
    ("weight", "sentences"),
    [
        (Weight(400_000, 40, 0, None, None), []),
        (Weight(400_400, 40, 0, 999, 1.9), ["400.4 KB, allowed are 400"]),
        (Weight(1, 1, 20_000, 1001, 2.5), ["2e+04 bytes of buffers", "1001 ms to ready", "2.5 ms a move"]),
    ],
)
def test_what_is_over_its_limit_is_named(weight, sentences):
    found = too_much("glossary", weight)
    assert len(found) == len(sentences)
    assert all(sentence in text for sentence, text in zip(sentences, found, strict=True))


def test_buffers_that_come_twice_are_counted(browser, tmp_path):
    buffer = "QUJD" * 6000
    (tmp_path / "once.js").write_text(f'"{buffer}"', encoding="utf-8")
    page = f'<title>A</title><script src="once.js"></script><p data-b="{buffer}">'
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    with served(tmp_path) as address:
        weight = weigh(browser, f"{address}/page.html")
    assert (weight.repeated, weight.ready, weight.move) == (len(buffer), None, None)


def states(html):
    for path in sorted(html.glob("*/*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for script in page("script", type=STATE):
            yield path, script, json.loads(script.text)["state"]


def test_large_buffers_are_in_scripts_that_both_languages_share(html):
    used = {lang: set() for lang in LANGUAGES}
    for path, script, state in states(html):
        assert script.find_parent("body") and not script.find_next("p")  # after everything that is read
        for buffer in (buffer for model in state.values() for buffer in model.get("buffers", [])):
            if "data" in buffer:
                assert len(base64.b64decode(buffer["data"])) <= LARGE
            else:
                file = (path.parent / buffer["script"]).resolve()
                assert file.parent == html.resolve() / "shared"
                call = file.read_text(encoding="utf-8")
                name, data = re.fullmatch(r'widgetBuffer\("(.+)", "(.+)"\);\n', call).groups()
                assert name == file.name == f"{hashlib.sha256(base64.b64decode(data)).hexdigest()[:16]}.js"
                used[path.parent.name].add(name)
    assert used["en"] == used["zh"] == {file.name for file in (html / "shared").glob("*.*")}


def test_shared_files_that_no_page_names_are_deleted(tmp_path):
    for name in ("a.js", "b.js", "a.js.123"):
        (tmp_path / name).touch()
    (tmp_path / "mathjax").mkdir()
    (tmp_path / "page.html").write_text('{"script":"../shared/a.js"}', encoding="utf-8")
    prune(tmp_path, [tmp_path / "page.html"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.js", "mathjax"]


def test_a_second_build_needs_nothing_of_the_first(tmp_path):
    tree = copy_sources(tmp_path)
    assert build(tree).returncode == 0
    page = tree / "notebooks" / "en" / "errata.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    done = build(tree)  # over style sheets that the first has made lighter
    assert done.returncode == 0, done.stderr


def test_style_sheets_lose_only_what_no_page_can_have():
    css = '@charset "utf-8";.a,.b:not(.c){x:y}@media print{.c{x:y}.a .c,p{x:y}}.c.a{x:y}/*! no */.a:is(.c,.d)>b{x:y}'
    left = '@charset "utf-8";.a,.b:not(.c){x:y}@media print{p{x:y}}/*! no */.a:is(.c,.d)>b{x:y}'
    assert without_unknown(css, {"a", "b"}) == left
    assert classes(".a:not(.b:is(.c)) > .d-e::before") == {"a", "d-e"}


def drawing(*colors):
    """A picture in four stripes: nothing, nothing, half of the first color, the last color."""
    picture = Image.new("RGBA", (40, 40))
    picture.paste((*colors[0], 119), (20, 0, 30, 40))
    picture.paste((*colors[-1], 255), (30, 0, 40, 40))
    return picture


@pytest.mark.parametrize("colors", [[(0, 114, 178), (213, 94, 0)], [(123, 123, 123)]], ids=["drawing", "gray"])
def test_pictures_keep_their_transparency_and_colors(tmp_path, colors):
    drawing(*colors).save(tmp_path / "picture.png")
    with Image.open(BytesIO(as_webp(tmp_path / "picture.png"))) as picture:
        pixels = [picture.convert("RGBA").getpixel((x, 20)) for x in (5, 15, 25, 35)]
    assert [pixel[3] for pixel in pixels] == [0, 0, 119, 255]
    for pixel, color in zip(pixels[2:], (colors[0], colors[-1]), strict=True):
        assert max(abs(a - b) for a, b in zip(pixel, color, strict=False)) <= 3

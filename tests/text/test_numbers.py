"""The measured numbers of the prose are those of experiments/results.json."""

import json
import math

import fill_numbers
import pytest
from common import measurements, pages

NUMBERS = {
    "a.loss": {"value": 96.64, "sd": 0.31, "n": 5, "experiment": "a", "unit": "squared error"},
    "a.count": {"value": 60000.0, "sd": None, "n": 1, "experiment": "a", "unit": "images"},
    "a.change": {"value": -3.36, "sd": None, "n": 1, "experiment": "a", "unit": "1"},
}


def marker(key, spec, value="0"):
    return f"is <!-- n:{key}:{spec} -->{value}<!-- /n -->"


def test_the_book_shows_the_measured_numbers():
    changed = measurements.changes(measurements.read())
    assert [str(p.relative_to(pages.ROOT)) for p in changed] == [], "run `make numbers`"


def test_every_number_has_an_experiment_and_a_unit():
    for key, entry in measurements.read().items():
        assert set(entry) == {"value", "sd", "n", "experiment", "unit"}, key
        assert math.isfinite(entry["value"]) and entry["n"] >= 1 and entry["unit"], key
        assert entry["sd"] is None or (entry["sd"] >= 0 and entry["n"] > 1), key
        assert entry["experiment"] in measurements.read(part="experiments"), key


@pytest.mark.parametrize(
    ("key", "spec", "shown"),
    [
        ("a.loss", ".1f", "96.6"),
        ("a.loss@sd", ".2f", "0.31"),
        ("a.loss@n", "d", "5"),
        ("a.count", ",d", "60,000"),
        ("a.change", ".2f", "\N{MINUS SIGN}3.36"),
    ],
)
def test_fill(key, spec, shown):
    once = measurements.fill(marker(key, spec), NUMBERS)
    assert once == marker(key, spec, shown)
    assert measurements.fill(once, NUMBERS) == once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (marker("a.los", ".1f"), "unknown number 'a.los'.*a.loss"),
        (marker("a.loss@max", ".1f"), "unknown number 'a.loss@max'"),
        (marker("a.count@sd", ".1f"), "is None"),
        (marker("a.loss", ".1q"), "cannot be written as '.1q'"),
        (marker("a.loss", "d"), "cannot be written as 'd'"),
        ("is <!-- n:a.loss:.1f -->96.6", "not of the form"),
        ("is <!-- n:a.loss -->96.6<!-- /n -->", "not of the form"),
        ("is 96.6<!-- /n -->", "not of the form"),
    ],
)
def test_a_bad_marker_is_an_error(text, message):
    with pytest.raises(ValueError, match=message):
        measurements.fill(text, NUMBERS)


@pytest.fixture
def book(tmp_path):
    """A README and a chapter with one marker each, and results beside them; returns the two paths."""
    for folder in ("notebooks/en", "experiments"):
        (tmp_path / folder).mkdir(parents=True)
    results = pages.sealed({"experiments": {}, "numbers": NUMBERS})
    (tmp_path / "experiments/results.json").write_text(results, encoding="utf-8")
    cell = {"id": "x", "cell_type": "markdown", "metadata": {}, "source": ["误差\n", marker("a.loss", ".1f")]}
    chapter, readme = tmp_path / "notebooks/en/c.ipynb", tmp_path / "README.md"
    chapter.write_text(json.dumps({"cells": [cell]}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    readme.write_text(marker("a.loss", ".0f") + "\n", encoding="utf-8")
    return readme, chapter


def test_pages_are_filled_once_and_keep_their_format(book, tmp_path):
    before = [path.read_text(encoding="utf-8") for path in book]
    assert fill_numbers.main(["--check"], tmp_path) == 1
    assert [path.read_text(encoding="utf-8") for path in book] == before
    assert fill_numbers.main([], tmp_path) == 0 and fill_numbers.main(["--check"], tmp_path) == 0
    assert book[0].read_text(encoding="utf-8") == before[0].replace(">0<", ">97<")
    assert book[1].read_text(encoding="utf-8") == before[1].replace(">0<", ">96.6<")


def test_an_error_names_the_cell_and_writes_nothing(book, tmp_path):
    readme, chapter = book
    chapter.write_text(chapter.read_text(encoding="utf-8").replace("a.loss", "b.loss"), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"en/c\.ipynb, cell x: unknown number 'b\.loss'"):
        fill_numbers.main([], tmp_path)
    assert readme.read_text(encoding="utf-8") == marker("a.loss", ".0f") + "\n"

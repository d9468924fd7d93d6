"""The tables that are written by hand beside those that read them, each read once it has the shape they expect."""

from pathlib import Path

import yaml

from common import pages

BOOK = Path(__file__).resolve().parents[1]
NAMES = {str: list}  # what the book writes, and what readers write instead
SAID = {"units": {str: str}, "equations": [str], "experiment": [str], str: str}
SHAPES = {
    "_toc": {"format": str, "root": str, "chapters": [{"file": str}]},
    "checks": dict.fromkeys(("en", "zh_CN"), SAID),
    "glossary": [{"term": str, "zh": str, "en_def": str, "zh_def": str, "also_en?": [str], "also_zh?": [str],
                  "symbol?": str, "named_zh?": str, "sorts_zh?": str}],
    "references": [{"key": str, "authors": str, "year": int, "title": str, "where": str, "url": str,
                    "note_en": str, "note_zh": str}],
    "search": {"en": NAMES, "zh": NAMES, "questions": {"en": [str], "zh": [str]}},
}  # fmt: skip


def path(name):
    """Where <name>.yml stands: beside those that read it."""
    return BOOK / ("" if name == "_toc" else "extension") / f"{name}.yml"


def read(name, folder=None):
    """What stands in <name>.yml; ValueError, with the file, the place and the way out, if that has another shape."""
    file = folder / f"{name}.yml" if folder else path(name)
    return pages.read(file, lambda data: pages.check(yaml.safe_load(data), SHAPES[name]))


def stems():
    """The pages of the book in the order of its contents."""
    contents = read("_toc")
    return [contents["root"], *(chapter["file"] for chapter in contents["chapters"])]

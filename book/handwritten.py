"""The tables that are written by hand beside these scripts, each read once it has the shape that its readers expect."""

from pathlib import Path

import pages
import yaml

BOOK = Path(__file__).resolve().parent
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


def read(name, folder=BOOK):
    """What stands in <name>.yml; ValueError, with the file, the place and the way out, if that has another shape."""
    return pages.read(folder / f"{name}.yml", lambda data: pages.check(yaml.safe_load(data), SHAPES[name]))

"""The JavaScript of a view. It needs no torch: the book's build reads it too, so that a page has the script as it is,
not as it was on the day on which the notebook was executed.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)


def module(name):
    """name.js, after what it imports, as one ES module: anywidget loads it from a Blob, which can import no file."""
    return "\n".join(_parts(name).values())


def _parts(name):
    text = Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    parts = {}
    for imported in _IMPORT.findall(text):
        parts |= _parts(imported)
    return parts | {name: _IMPORT.sub("", text)}

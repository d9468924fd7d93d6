"""The pages of the book: where they lie, what is in them, how the two languages pair."""

import itertools
import json
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from docutils.nodes import make_id
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
LANGUAGES = ("en", "zh")

_files = SimpleNamespace(**runpy.run_path(str(ROOT / "genlib" / "files.py")))  # import genlib needs torch
read, write, check, sealed, unsealed = _files.read, _files.write, _files.check, _files.sealed, _files.unsealed

# A measured number in prose: <!-- n:KEY:FMT -->VALUE<!-- /n -->, invisible but for its value.
MARKER = re.compile(r"<!-- n:(?P<key>[^\s:]+):(?P<spec>\S+) -->(?P<value>[^<\n]*)<!-- /n -->")
# The MIME types of a notebook's widgets: all of their state, and one that is shown.
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
HAN = re.compile(r"[\u3400-\u9fff]")

# With the dollar rules, a line of "=" or "-" inside $$ is mathematics, not a heading or a list.
_markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).use(front_matter_plugin)


class Heading(NamedTuple):
    level: int
    text: str
    anchor: str  # the id written before a Chinese heading, "" where there is none
    line: int

    @property
    def slug(self):
        """The id that the heading has in both languages."""
        return self.anchor or make_id(self.text)


def names(suffix="", root=NOTEBOOKS):
    """File names of the pages that any language has, sorted; suffix ".md" or ".ipynb" picks a kind."""
    kinds = (suffix,) if suffix else (".ipynb", ".md")
    files = [path for lang in LANGUAGES for path in (root / lang).glob("[!.]*")]  # "._x.ipynb" is macOS's
    return sorted({path.name for path in files if path.suffix in kinds})


def text(path):
    """The text of the file at `path`; ValueError, with the file and the way out, if it is no UTF-8 text."""
    return read(path, _decoded)


def load(path):
    """The notebook at `path`, each cell's source one string; ValueError, with the file, if it is none."""
    return read(path, _notebook)


def _decoded(data):
    text = data.decode("utf-8")
    if "\0" in text or not text.strip():
        raise ValueError("it is empty, or has null characters, which no text has")
    return text


def _notebook(data):
    notebook = json.loads(_decoded(data))
    check(notebook, {"cells": [dict], str: object})
    for number, cell in enumerate(notebook["cells"]):
        source = cell.get("source")
        lines = check([source] if isinstance(source, str) else source, [str], f"the source of cell {number}")
        cell["source"] = "".join(lines)
        check(cell, {"cell_type": str, "metadata": dict, str: object}, f"cell {number}")
    return notebook


def figure(cell):
    """(alt text, caption) of a code cell, "" for what is missing."""
    shown = cell["metadata"].get("mystnb", {})
    return shown.get("image", {}).get("alt", ""), shown.get("figure", {}).get("caption", "")


def has_image(cell):
    """Whether a cell's output holds a picture."""
    return any(kind.startswith("image/") for output in cell.get("outputs", ()) for kind in output.get("data", ()))


def texts(path):
    """{key: text} of what a translator translates on a page.

    A notebook's keys are the ids of its Markdown cells, and of code cells that have alt text or
    a caption. A .md page's are the English anchors of its headings ("" before the first).
    """
    if path.suffix == ".ipynb":
        cells = load(path)["cells"]
        spoken = {c["id"]: c["source"] if c["cell_type"] == "markdown" else "\n".join(figure(c)) for c in cells}
        return {key: words for key, words in spoken.items() if words.strip()}
    source = text(path)
    lines, found = source.splitlines(keepends=True), headings(source)
    starts = [("", 0), *((h.slug, h.line) for h in found)]
    ends = [line for _, line in starts[1:]] + [len(lines)]
    sections = {}
    for (key, start), end in zip(starts, ends, strict=True):
        sections[key] = sections.get(key, "") + "".join(lines[start:end])
    return {key: words for key, words in sections.items() if words.strip()}


def code_differences(en, zh):
    """What keeps the code cells of two notebooks from being the same, as sentences; [] when they are."""
    cells = [[c for c in notebook["cells"] if c["cell_type"] == "code"] for notebook in (en, zh)]
    ids = [[c["id"] for c in side] for side in cells]
    if ids[0] != ids[1]:
        alone = sorted(set(ids[0]) ^ set(ids[1]))
        return [f"code cells {', '.join(alone)} are in one language alone" if alone else f"order {ids[0]} and {ids[1]}"]
    found = []
    for a, b in zip(*cells, strict=True):
        if a["source"] != b["source"]:
            found.append(f"code cell {a['id']}: the sources differ")
        for key in ("tags", "jupyter"):
            if a["metadata"].get(key) != b["metadata"].get(key):
                found.append(f"code cell {a['id']}: {key} {a['metadata'].get(key)} and {b['metadata'].get(key)}")
    return found


def blank(text):
    """`text` with the values between number markers left out."""
    return MARKER.sub(lambda m: m[0].replace(f"-->{m['value']}<!--", "--><!--"), text)


def headings(text):
    """The headings of a Markdown text, in order."""
    found = []
    for opening, inline in itertools.pairwise(_markdown.parse(text)):
        if opening.type == "heading_open":
            anchor = re.match(r'<a id="([^"]*)"></a>', inline.content)
            words = "".join(t.content for t in inline.children if t.type in ("text", "code_inline", "math_inline"))
            found.append(Heading(int(opening.tag[1]), words.strip(), anchor[1] if anchor else "", opening.map[0]))
    return found


def display_math(text):
    """The $$ blocks of a Markdown text, in order."""
    return [
        t.content.strip() for t in _walk(text) if t.type in ("math_block", "math_block_label", "math_inline_double")
    ]


def targets(text):
    """What the links and images of a Markdown text point to, in order."""
    return [t.attrGet("href") or t.attrGet("src") for t in _walk(text) if t.type in ("link_open", "image")]


def fences(text):
    """The first lines of fenced blocks, MyST directives among them, in order."""
    return [t.info.strip() for t in _walk(text) if t.type == "fence"]


def tags(text):
    """Names of the HTML tags of a Markdown text, in order, "/name" for the closing ones."""
    raw = " ".join(t.content for t in _walk(text) if t.type in ("html_inline", "html_block"))
    return re.findall(r"<(/?[a-zA-Z][\w-]*)", raw)


def prose(text):
    """What is read of a Markdown text, one string per paragraph, heading or table cell.

    Inline code, inline mathematics and pictures are each a "0", raw HTML nothing.
    """
    found = []
    for token in _markdown.parse(text):
        if token.type == "inline":
            found.append("".join(map(_said, token.children)))
        elif token.type == "html_block":
            found += [line for line in re.sub(r"<[^>]*>", "", token.content).splitlines() if line.strip()]
    return found


def _said(token):
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return {"text": token.content, "code_inline": "0", "math_inline": "0", "image": "0"}.get(token.type, "")


def _walk(text):
    for token in _markdown.parse(text):
        yield token
        yield from token.children or ()

"""The measured numbers of experiments/results.json, and where the prose has them.

A marker is `<!-- n:KEY:FMT -->VALUE<!-- /n -->`: KEY names an entry of "numbers" in the results,
KEY@sd its standard deviation over the runs and KEY@n how many there were; FMT is a Python format.
(The module is not called numbers: beside scripts, that name would hide the standard library's.)
"""

import difflib
import json
import math
import re

from common import pages


def file(root=pages.ROOT):
    """The path of the results."""
    return root / "experiments" / "results.json"


def read(root=pages.ROOT, part="numbers"):
    """What the experiments left: "numbers", {key: {"value", "sd", "n", "experiment", "unit"}}, or "experiments",
    {name: {"script", "recipe", "runs"}}, where the numbers come from. ValueError, with the way out, if that is damaged.
    """

    def parse(data):
        return pages.check(pages.unsealed(data), {"experiments": dict, "numbers": {str: dict}})[part]

    return pages.read(file(root), parse, instead="`make results`, which measures all anew")


def show(key, spec, numbers):
    """The number `key` of `numbers` written by the format `spec`; ValueError if there is none or it does not fit."""
    name, _, part = key.partition("@")
    if name not in numbers or part not in ("", "sd", "n"):
        near = difflib.get_close_matches(name, numbers) or sorted(numbers)
        raise ValueError(f"unknown number {key!r}; results.json has {', '.join(near)}, each also with @sd and @n")
    value = numbers[name][part or "value"]
    if value is None or not math.isfinite(value):
        raise ValueError(f"number {key!r} is {value} in results.json: nothing to write")
    if spec[-1] == "d" and float(value).is_integer():
        value = int(value)  # JSON keeps counts as floats
    try:
        return format(value, spec).replace("-", "\N{MINUS SIGN}")
    except ValueError as error:
        raise ValueError(f"number {key!r} = {value} cannot be written as {spec!r}: {error}") from None


def fill(text, numbers):
    """`text` with the value of every marker set; ValueError for a marker that cannot be filled or read."""
    if re.search(r"<!--\s*/?n\b", pages.MARKER.sub("", text)):
        raise ValueError("a number marker is not of the form <!-- n:KEY:FMT -->VALUE<!-- /n -->")
    return pages.MARKER.sub(
        lambda m: f"<!-- n:{m['key']}:{m['spec']} -->{show(m['key'], m['spec'], numbers)}<!-- /n -->", text
    )


def filled(path, numbers):
    """The whole text of a page with its numbers filled; ValueError naming the page and the cell."""
    source = pages.text(path)
    if path.suffix == ".md":
        return _named(path, "", source, numbers)
    pages.load(path)  # says what is wrong with it
    notebook = json.loads(source)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = _named(path, f", cell {cell['id']}", "".join(cell["source"]), numbers)
            if text != "".join(cell["source"]):
                cell["source"] = text.splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n" * source.endswith("\n")


def everywhere(root=pages.ROOT):
    """The files that may hold markers: every page in every language, and the READMEs."""
    chapters = [
        root / "notebooks" / lang / name for lang in pages.LANGUAGES for name in pages.names(root=root / "notebooks")
    ]
    return [path for path in [*sorted(root.glob("README*.md")), *chapters] if path.exists()]


def changes(numbers, root=pages.ROOT):
    """{path: new text} of the files whose numbers are not those of the results."""
    texts = {path: filled(path, numbers) for path in everywhere(root)}  # all of them before any is written
    return {path: text for path, text in texts.items() if pages.MARKER.findall(text) != markers(path)}


def markers(path):
    return pages.MARKER.findall(pages.text(path))


def _named(path, place, text, numbers):
    try:
        return fill(text, numbers)
    except ValueError as error:
        raise ValueError(f"{path.parent.name}/{path.name}{place}: {error}") from None

"""The scripts that the book's build takes for widgets, in place of those that notebooks store, and their words."""

import inspect
import re

import anywidget
import pytest
from common.pages import HAN, ROOT
from extension import widgets
from sphinx.errors import ExtensionError

from genlib import explorer


def views():
    """Every class of genlib that is shown by a script; a class that others come from is not shown itself."""
    modules = filter(inspect.ismodule, vars(explorer).values())
    kinds = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind)}
    kinds = {kind for kind in kinds if issubclass(kind, anywidget.AnyWidget)}
    return [kind for kind in kinds if not any(issubclass(other, kind) for other in kinds - {kind})]


def test_the_build_finds_the_script_of_every_view():
    found = {f"{view.__module__}.{view.__qualname__}".removeprefix(widgets.PACKAGE): view._esm for view in views()}
    assert {"kl._KLView", "playground._VAEPanel"} <= set(found)
    assert {name: widgets.script(name) for name in found} == found


def test_a_script_imports_nothing_and_holds_each_file_once():
    for view in views():
        assert "\nimport " not in view._esm
        assert view._esm.count("What all explorers share") == 1


def test_a_view_without_a_script_stops_the_build():
    with pytest.raises(ExtensionError, match=r"no gone\.js .* widget gone\._View: if it was renamed, run `make noteb"):
        widgets.script("gone._View")


def test_chinese_words_are_those_of_the_glossary():
    files = [*(ROOT / "genlib" / "explorer").glob("*.*"), *(ROOT / "book" / "extension" / "_static").glob("*.js")]
    lines = [line for file in files if file.is_file() for line in file.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if HAN.search(line) and re.search(r"潜|[ }]nats?\b(?!:)", line)]

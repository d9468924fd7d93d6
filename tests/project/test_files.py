"""Files that are damaged, and files that cannot be written: nothing is read wrongly, and every word names the file."""

import ast
import errno
import json
import os
import random
import re
import shutil
from importlib import resources
from pathlib import Path

import languages
import pytest
import results
import torch
from common import handwritten, measurements, pages
from conftest import ROOT
from extension import checks, search

from genlib import files, load_mnist, load_pretrained
from genlib.models import digest, read_weights

WEIGHTS = [f"genlib/weights/{name}.safetensors" for name in ("autoencoder", "vae", "classifier")]
TABLES = [handwritten.path(name).relative_to(ROOT).as_posix() for name in handwritten.SHAPES]
PAGES = ["notebooks/en/index.ipynb", "notebooks/zh/index.ipynb", "notebooks/en/glossary.md", "notebooks/zh/errata.md"]
# How often each file is damaged. Those above the line are written by programs and carry a digest, or are one; below,
# people write: a letter more or less is theirs to choose, and only what no reader could use is damage.
TIMES = {
    **dict.fromkeys(WEIGHTS, 200),
    "genlib/mnist/t10k-images-idx3-ubyte.gz": 50,
    "genlib/mnist/t10k-labels-idx1-ubyte.gz": 50,
    "experiments/results.json": 200,
    "notebooks/equations.json": 200,
    "notebooks/translations.json": 200,
    # --
    **dict.fromkeys(TABLES, 50),
    "book/extension/traditional.txt": 50,
    **dict.fromkeys(PAGES, 50),
}
WRITTEN_BY_HAND = {*TABLES, "book/extension/traditional.txt", *PAGES}


def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def zero(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes(len(data[at : at + 64])) + data[at + 64 :]


def not_a_number(data, rng):
    """NaN over four bytes; in JSON, over a number or a word."""
    if data[:1] != b"{":
        at = rng.randrange(len(data) // 4) * 4
        return data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]
    found = rng.choice(list(re.finditer(rb'\d+\.?\d*|"\w+"', data)))
    return data[: found.start()] + b"NaN" + data[found.end() :]


DAMAGES = {
    "flipped": flip,
    "flipped near the start": lambda data, rng: flip(data[:400], rng) + data[400:],
    "zeros": zero,
    "nan": not_a_number,
    "cut": lambda data, rng: data[: rng.randrange(len(data))],
    "longer": lambda data, rng: data + data[: rng.randrange(1, 99)],
    "doubled": lambda data, rng: data[: (at := rng.randrange(len(data)))] + data[at - 9 : at] + data[at:],
    "emptied": lambda data, rng: b"",
    "noise": lambda data, rng: rng.randbytes(len(data)),
    "a list": lambda data, rng: b"[1, 2]",
    "an object": lambda data, rng: b'{"a": {"b": 1}}',
    "a null": lambda data, rng: b"null",
    "swapped": lambda data, rng: (ROOT / rng.choice([name for name in TIMES if name not in PAGES])).read_bytes(),
}

DESTROYED = {"emptied", "noise", "a list", "an object", "a null", "swapped"}  # of which a page may still be a text


def same(a, b):
    if isinstance(a, torch.nn.Module):
        a, b = a.state_dict(), b.state_dict()
        return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    return all(map(torch.equal, a, b)) if isinstance(a, tuple) else a == b


def loader(name, root):
    """What reads this file of a tree at `root`, with the code that others read it with."""
    path = root / name
    if name in WEIGHTS:
        return lambda: load_pretrained(path.stem, raw=True)
    if name.startswith("genlib/mnist"):
        return lambda: load_mnist(train=False)
    return {
        "experiments/results.json": lambda: [results.read(), measurements.read(root)],
        "notebooks/equations.json": checks.proven,
        "notebooks/translations.json": lambda: languages.check(root / "notebooks"),
        "book/extension/traditional.txt": lambda: search.read_simplified(path),
        **{table: lambda: handwritten.read(path.stem, path.parent) for table in TABLES},
        **{page: lambda: pages.texts(path) for page in PAGES},
    }[name]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The files above, and the rest of their folders, in a tree of their own, which the readers take for the book's."""
    for name in ("genlib/weights", "notebooks", "book"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in TIMES:
        if not (tmp_path / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path / package)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "experiments" / "results.json")
    monkeypatch.setattr(checks, "PROVEN", tmp_path / "notebooks" / "equations.json")
    return tmp_path


@pytest.mark.parametrize("name", TIMES)
def test_a_damaged_file_is_named_or_read_as_it_was(tree, name):
    rng, path, load = random.Random(name), tree / name, loader(name, tree)
    whole, right = path.read_bytes(), load()
    for number in range(TIMES[name]):
        kind = list(DAMAGES)[number % len(DAMAGES)]
        damaged = DAMAGES[kind](whole, rng)
        path.write_bytes(damaged)
        try:
            found = load()
        except ValueError as error:
            assert str(path) in str(error) and f"git checkout -- {path}" in str(error), f"{kind}: {error}"
            assert damaged != whole, f"{kind}: {error}"
            continue
        if name in WRITTEN_BY_HAND:
            assert damaged == whole or kind not in DESTROYED or path.suffix == ".md", f"{kind}: read without a word"
        elif name == "notebooks/translations.json":
            # Each hash is one of a text: another cannot pass for it, and is told as a change.
            assert same(found, right) == (json.loads(damaged) == json.loads(whole)), kind
        else:
            assert same(found, right), f"{kind}, number {number}: read without a word, and wrongly"


def test_there_are_a_thousand_damaged_files():
    assert sum(TIMES.values()) >= 1000


@pytest.mark.parametrize("name", TIMES)
def test_a_missing_file_is_named(tree, name):
    load = loader(name, tree)
    (tree / name).unlink()
    if name in ("notebooks/equations.json", "notebooks/translations.json"):
        load()  # nothing is proven, and nothing acknowledged, yet
        return
    with pytest.raises(ValueError, match=rf"{re.escape(str(tree / name))}.*`git checkout -- "):
        if name == "experiments/results.json":
            measurements.read(tree)
        else:
            load()


def test_the_digest_is_of_names_types_shapes_and_bytes():
    tensors = {"b": torch.ones(2, 3), "a": torch.zeros(2, dtype=torch.float16)}
    others = [
        {**tensors, "a": torch.zeros(2)},
        {**tensors, "b": torch.ones(3, 2)},
        {**tensors, "b": torch.tensor([[1, 1, 1], [1, 1, 1.0000001]])},
        {"b": tensors["b"], "c": tensors["a"]},
    ]
    assert digest(dict(sorted(tensors.items()))) == digest(tensors)
    assert digest(tensors) not in map(digest, others)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_without_a_digest_are_refused(tmp_path, name):
    from safetensors.torch import save

    tensors, path = read_weights(ROOT / name), tmp_path / "w.safetensors"
    path.write_bytes(save(tensors))
    with pytest.raises(ValueError, match=r"w\.safetensors.* it says nothing"):
        read_weights(path)


def test_what_is_sealed_comes_back():
    content = {"b": [1, 0.1, "图"], "a": {"c": None}}
    assert files.unsealed(files.sealed(content)) == content
    assert files.unsealed(files.sealed(content, sort_keys=True, ensure_ascii=False).encode("utf-8")) == content


# -- Writing -----------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_names_the_file_and_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    assert files.write(path, "old") and not files.write(path, "old")

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as write(2) says it: without a file

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device.*what stood there still does.*a\.json") as error:
        files.write(path, "new")
    assert error.value.errno == errno.ENOSPC
    assert path.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("theirs", [None, "new", "theirs"])
def test_two_writers_on_windows(tmp_path, monkeypatch, theirs):
    """There, replacing a file that another process has open is refused: try again, unless the same is written."""
    path, tried, replace = tmp_path / "a", [], os.replace

    def busy(source, target):
        tried.append(target)
        if theirs and len(tried) == 1:
            path.write_text(theirs, encoding="utf-8")
        if len(tried) < 3:
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    files.write(path, "new")
    assert len(tried) == (1 if theirs == "new" else 3)
    assert path.read_text(encoding="utf-8") == "new" and list(tmp_path.iterdir()) == [path]


def test_a_write_that_is_always_refused_is_an_error(tmp_path, monkeypatch):
    def refused(source, target):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(os, "replace", refused)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    with pytest.raises(PermissionError, match=r"Access is denied.*a\.json"):
        files.write(tmp_path / "a.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_every_text_is_read_and_written_in_the_same_encoding():
    """Without one, Python takes that of the machine: on Windows, often none that has Chinese."""
    bare = []
    for path in [p for folder in ("book", "experiments", "genlib", "tests") for p in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {keyword.arg for keyword in node.keywords}
            if name in ("read_text", "write_text") and "encoding" not in given:
                bare.append(f"{path.relative_to(ROOT)}, line {node.lineno}")
    assert bare == []

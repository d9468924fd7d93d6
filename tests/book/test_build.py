"""Builds that are in each other's way, are interrupted or killed, or run on a machine without shared memory."""

import os
import signal
import sys
import time

import pytest
from conftest import build, copy_sources, start
from extension.head import protect

# What a machine without /dev/shm answers to whoever asks for a semaphore.
NO_SEMAPHORES = """import _multiprocessing

class SemLock:
    SEM_VALUE_MAX = 1

    def __init__(self, *_):
        raise FileNotFoundError(2, "No such file or directory")

_multiprocessing.SemLock = SemLock
"""
COMMAND = [sys.executable, "book/build.py"]


@pytest.fixture
def tree(tmp_path):
    return copy_sources(tmp_path)


def wait_for(path):
    """Wait until a build has written `path`."""
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"no build wrote {path}"
        time.sleep(0.01)


def contents(html):
    """{name: bytes} of a built book, without the notes of where and from what it was built."""
    files = [path for path in html.rglob("*") if path.is_file() and path.name not in (".buildinfo", ".complete")]
    return {path.relative_to(html).as_posix(): path.read_bytes() for path in files}


def test_of_two_builds_at_once_one_waits_and_the_book_is_whole(html, tree):
    builds = [start(COMMAND, cwd=tree) for _ in range(2)]
    said = sorted((process.communicate(timeout=300) for process in builds), key=lambda pair: len(pair[0]))
    assert [process.returncode for process in builds] == [0, 0] and [error for _, error in said] == ["", ""]
    assert "waits for it" not in said[0][0] and f"Another build is writing into {tree / '_build'}" in said[1][0]
    assert contents(tree / "_build" / "html") == contents(html)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_was_interrupted_or_killed_is_repaired_by_the_next(html, tree, number):
    process = start(COMMAND, cwd=tree)
    wait_for(tree / "_build" / "html" / "en" / "_static")
    os.kill(process.pid, number)  # this process alone, not those of the languages
    _, error = process.communicate(timeout=60)  # which end too: they hold the other end of the pipe
    assert error == ("Interrupted. The next build starts afresh.\n" if number == signal.SIGINT else "")
    done = build(tree)
    assert done.returncode == 0 and "waits for it" not in done.stdout, done.stderr
    assert contents(tree / "_build" / "html") == contents(html)


def test_no_build_needs_a_semaphore(html, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(NO_SEMAPHORES, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = build(html.parents[1])  # there is nothing left to build
    assert done.returncode == 0, done.stderr


def test_a_page_that_is_protected_twice_has_one_policy():
    page = '<head>\n    <meta charset="utf-8" />\n<script>1</script></head>'
    once = protect(page)
    assert protect(once) == once and once.count("Content-Security-Policy") == 1
    assert protect(once.replace(">1<", ">2<")) == protect(page.replace(">1<", ">2<"))

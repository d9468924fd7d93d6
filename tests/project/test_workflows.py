"""What GitHub is told to run: only what is here and can be run here, on the versions that the package names."""

import itertools
import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml
from common.pages import ROOT
from packaging.specifiers import SpecifierSet
from rooms import publish

FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github" / "workflows").glob("*"))}
FLOWS = {name: yaml.load(text, Loader=yaml.BaseLoader) for name, text in FILES.items()}  # BaseLoader: "on" is no truth
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
SCRIPTS = sorted((ROOT / ".ci").iterdir())
WRITES = {"pages": {"pages", "id-token"}, "release": {"contents"}}  # what each may change; the others nothing
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def steps(flow):
    return [step for job in flow["jobs"].values() for step in job["steps"]]


def unknown(command):
    """What of a command is neither a target of make, nor a script of .ci, nor the one command for releases."""
    if script := re.match(r"bash (\.ci/\w+)( |$)", command):
        return [] if (ROOT / script[1]).is_file() else [script[1]]
    if command.startswith("make "):
        return [word for word in command.split()[1:] if "=" not in word and word not in TARGETS]
    return [] if command.startswith("gh release create ") else [command]


def test_all_that_is_promised_is_there():
    assert [*FLOWS] == ["pages", "release", "test", "weekly"]


@pytest.mark.parametrize("name", FLOWS)
def test_only_what_is_here_is_called(name):
    commands = [line for step in steps(FLOWS[name]) for line in step.get("run", "").splitlines()]
    assert commands and [word for line in commands for word in unknown(line)] == []


@pytest.mark.parametrize("command", ["make nonesuch", "make book nonesuch", "bash .ci/nonesuch", "pip install x"])
def test_what_is_not_here_is_noticed(command):
    assert unknown(command)


@pytest.mark.parametrize("name", FLOWS)
def test_actions_are_github_s_own_and_pinned(name):
    used = [step["uses"] for step in steps(FLOWS[name]) if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in used)


@pytest.mark.parametrize("name", FLOWS)
def test_permissions_are_the_least(name):
    flow = FLOWS[name]
    given = [flow["permissions"], *(job.get("permissions", {}) for job in flow["jobs"].values())]
    assert {what for part in given for what, how in part.items() if how != "read"} == WRITES.get(name, set())
    assert all("timeout-minutes" in job or "environment" in job for job in flow["jobs"].values())


def test_the_first_and_the_last_python_are_tried_everywhere():
    matrix = FLOWS["test"]["jobs"]["versions"]["strategy"]["matrix"]
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert matrix["python"] == [named[0], named[-1]]
    assert all(SpecifierSet(PROJECT["requires-python"]).contains(version) for version in named)
    systems = ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert matrix["os"] == systems and [line["os"] for line in matrix["include"]] == systems
    assert {line["dependencies"] for line in matrix["include"]} == {"lowest"}
    assert matrix["dependencies"] == ["newest"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_run(path):
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], capture_output=True, text=True).stderr == ""


def test_versions_tests_the_whole_package():
    assert "&& pytest -q --disable-warnings library)" in (ROOT / ".ci" / "versions").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "genlib").glob("[!_]*.py")} - {"files"}  # tested with the book's own files
    assert {f"test_{name}.py" for name in modules} <= {path.name for path in (ROOT / "tests" / "library").iterdir()}


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_release_has_the_tag_of_its_version(tmp_path):
    tree, _ = publish(tmp_path)
    (tree / "Makefile").write_text("set-repo zip pdf wheel:\n\t@echo $@ $(URL) $(REF)\n", encoding="utf-8")

    def release(tag):
        command = ["bash", ".ci/release", tag, "https://github.com/somebody/book"]
        # as on a runner, not as make calls this test: under another make it would also tell the folder
        env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60, env=env)

    wrong = release("v9")
    assert wrong.returncode != 0 and "got the tag v9, expected v" in wrong.stderr and not wrong.stdout
    right = release(f"v{PROJECT['version']}")
    said = [line.split() for line in right.stdout.splitlines()]
    assert [line[0] for line in said] == ["set-repo", "zip", "pdf", "wheel"], right.stderr
    assert said[0][1:] == ["https://github.com/somebody/book", f"v{PROJECT['version']}"]


def test_jobs_wait_only_for_jobs():
    for flow in FLOWS.values():
        waits = itertools.chain(*([job["needs"]] for job in flow["jobs"].values() if "needs" in job))
        assert {*waits} <= {*flow["jobs"]}

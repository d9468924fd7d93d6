"""What is given away: the package as it is built, its licences, whom to cite, and the paper about it."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from urllib.parse import urlsplit

import pytest
import yaml
from common import handwritten
from common.pages import ROOT
from rooms import publish

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAPER = (ROOT / "paper.md").read_text(encoding="utf-8")
HEAD = yaml.safe_load(PAPER.split("---\n")[1])
BUILD = "from setuptools import build_meta; build_meta.build_{}('dist')"  # as a build in an environment of its own
ENVIRONMENT = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # setuptools warns where it may write no bytecode
LICENCES = {"LICENSE": "MIT", "LICENSE-TEXT.md": "CC-BY-4.0", "LICENSE-MNIST.md": "CC-BY-SA-3.0"}


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(what setuptools says, {names in the sdist}, {names in the wheel}, {files of genlib})."""
    tree, _ = publish(tmp_path_factory.mktemp("built"))
    ours = {path.relative_to(tree).as_posix() for path in (tree / "genlib").rglob("*.*")}
    said = ""
    for kind in ("sdist", "wheel"):
        command = [sys.executable, "-W", "default", "-c", BUILD.format(kind)]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
        assert done.returncode == 0, done.stderr
        said += done.stdout + done.stderr
    with tarfile.open(next((tree / "dist").glob("*.tar.gz"))) as sdist:
        source = {name.partition("/")[2] for name in sdist.getnames()}
    with zipfile.ZipFile(next((tree / "dist").glob("*.whl"))) as wheel:
        packed = {*wheel.namelist()}
    return said, source, packed, ours


def test_building_warns_of_nothing(built):
    assert not re.findall(r".*(?:warning|deprecat|absent from).*", built[0], flags=re.IGNORECASE)


def test_the_wheel_holds_the_package_and_its_licences(built):
    _, _, wheel, ours = built
    assert {name for name in wheel if name.startswith("genlib/")} == ours
    assert {name.rpartition("/")[2] for name in wheel if "/licenses/" in name} == {*LICENCES}


def test_the_source_distribution_holds_no_tests(built):
    _, source, _, ours = built
    assert ours | {*LICENCES, "pyproject.toml", "README.md"} <= source
    assert not {name for name in source if name.startswith(("tests", "book", "notebooks", "experiments"))}


def test_every_licence_is_there_and_named():
    assert {path.name for path in ROOT.glob("LICENSE*")} == {*LICENCES}
    assert {*yaml.safe_load(text("CITATION.cff"))["license"]} == {*LICENCES.values()}
    for name, identifier in LICENCES.items():
        assert identifier in text(name)
        assert f"]({name})" in text("README.md") and f"]({name})" in text("README.zh-CN.md")
    assert {*PROJECT["license"].split(" AND ")} < {*LICENCES.values()}  # the package holds no text of the book


def test_the_authors_are_the_same_everywhere():
    (author,) = PROJECT["authors"]
    assert [author] == yaml.safe_load(text("CITATION.cff"))["authors"]
    assert [author["name"]] == [one["name"] for one in HEAD["authors"]]


# What the Journal of Open Source Education asks of a submission, as far as a machine can see it.


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CITATION.cff",
                                  "CHANGELOG.md", "paper.md", "paper.bib"])  # fmt: skip
def test_a_reviewer_finds(name):
    assert len(text(name)) > 200


def test_the_paper_has_its_sections():
    assert re.findall("^# (.*)", PAPER, flags=re.M) == [
        "Summary", "Statement of need", "Audience and prerequisites", "Learning objectives",
        "Content and instructional design", "How to adopt it", "Experience of use", "Acknowledgements", "References",
    ]  # fmt: skip


def test_the_paper_is_headed_and_short():
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= {*HEAD}
    assert 250 < len(PAPER.split("---\n")[2].split()) < 1000


def entries():
    """{key: {field: value}} of paper.bib."""
    found = re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text("paper.bib"), flags=re.M | re.S)
    return {key: dict(re.findall(r"^  (\w+) = \{(.*)\},?$", fields, flags=re.M)) for key, fields in found}


def test_what_the_paper_cites_is_in_its_bibliography_and_in_the_book():
    assert {*re.findall(r"@(\w+)", PAPER)} == {*entries()}
    book = {entry["key"]: entry for entry in handwritten.read("references")}
    for key, fields in entries().items():
        assert fields["year"] == str(book[key]["year"])
        url = urlsplit(book[key]["url"])
        doi = {"doi.org": url.path[1:], "arxiv.org": f"10.48550/arXiv.{url.path.rpartition('/')[2]}"}.get(url.netloc)
        assert fields.get("doi") == doi and (doi or fields["url"] == book[key]["url"])

"""What contributors are told is so: spelling, the READMEs and CONTRIBUTING in both languages, forms, `make check`."""

import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
import yaml
from common import pages
from common.pages import ROOT
from test_languages import english, punctuation

PAIRS = ["README", "CONTRIBUTING"]
TEXTS = {lang: [f"{name}{end}.md" for name in PAIRS] for lang, end in (("en", ""), ("zh", ".zh-CN"))}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
PATH = re.compile(r"[\w./*-]*(?:/|\.(?:py|yml|md|json|toml))[\w./*-]*")
FENCE = re.compile(r"```.*?```", re.S)
# In paths that stand for many, and what only a build makes.
EXAMPLES = re.compile(r"NAME|04_name|\*|<|REF|^_build|^build|^dist|^/")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def spelled(*arguments, **options):
    command = [sys.executable, "-m", "codespell_lib", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120, **options)


def test_english_is_spelled_as_dictionaries_have_it():
    done = spelled()
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_slip_of_the_pen_is_noticed_and_a_packed_picture_is_not():
    assert "teh ==> the" in spelled("-", input="in teh text\n").stdout  # codespell:ignore
    assert spelled("-", input=f'"image/png": "{"iVBORw0KGgo/te/teh/" * 9}"\n').stdout == ""  # codespell:ignore


@pytest.mark.parametrize("name", PAIRS)
def test_both_languages_are_built_alike(name):
    en, zh = text(f"{name}.md"), text(f"{name}.zh-CN.md")
    assert [h.level for h in pages.headings(en)] == [h.level for h in pages.headings(zh)]
    assert pages.fences(en) == pages.fences(zh)
    assert en.count("\n|") == zh.count("\n|") and pages.tags(en) == pages.tags(zh)


@pytest.mark.parametrize("name", TEXTS["zh"])
def test_chinese_is_typeset_as_chinese(name):
    told = [said for check in (punctuation, english) for said in check(FENCE.sub("", text(name)))]
    assert not told, "\n".join(told)


@pytest.mark.parametrize("name", [*TEXTS["en"], *TEXTS["zh"]])
def test_what_they_name_is_there(name):
    spoken = re.findall(r"`([^`\n]+)`", FENCE.sub("", text(name)))
    commands = {word for words in spoken for word in re.findall(r"^make ([a-z-]+)", words)}
    commands |= {*re.findall(r"^make ([a-z-]+)", text(name), flags=re.M)}
    assert commands and commands <= TARGETS
    paths = {words.rstrip("/") for words in spoken if PATH.fullmatch(words)}
    paths |= {target.partition("#")[0] for target in pages.targets(text(name)) if "://" not in target}
    files = {file.name for folder in ("experiments", "genlib") for file in (ROOT / folder).rglob("*.*")}
    real = {path for path in paths - {""} if not EXAMPLES.search(path)}
    assert sorted(path for path in real - files if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("name", [*TEXTS["en"], *TEXTS["zh"]])
def test_links_within_lead_to_headings(name):
    for target in pages.targets(text(name)):
        path, _, anchor = unquote(target).partition("#")
        if anchor and "://" not in target:
            titles = [heading.text.lower() for heading in pages.headings(text(path or name))]
            assert anchor in {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}, target


def test_colab_is_never_the_only_way():
    """It cannot be reached from mainland China: whatever offers it offers a way without it in the same paragraph."""
    readmes = [re.sub("<!-- badges.*?/badges -->", "", text(f"README{end}.md"), flags=re.S) for end in ("", ".zh-CN")]
    paragraphs = [part for readme in readmes for part in readme.split("\n\n")]  # badges offer, and say nothing
    paragraphs += text("book/extension/_static/widgets.js").splitlines()
    for path in sorted(pages.NOTEBOOKS.glob("*/*.*")):
        if path.suffix in (".ipynb", ".md") and path.stem not in ("errata", "how_it_is_checked"):  # which offer nothing
            paragraphs += [part for words in pages.texts(path).values() for part in words.split("\n\n")]
    offers = [part for part in paragraphs if "Colab" in part]
    assert len(offers) >= 6
    assert [part for part in offers if not re.search("JupyterLab|make lab", part)] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_ask_in_both_languages(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= {*form} and len(form["body"]) > 2
    said = [form["name"], form["description"], *(part["attributes"]["label"] for part in form["body"])]
    assert all(pages.HAN.search(words) and re.search("[A-Za-z]{3}", words) for words in said)
    assert len({part["id"] for part in form["body"]}) == len(form["body"])


def test_there_are_two_forms():
    assert [path.stem for path in FORMS] == ["notebook", "text"]


def test_git_and_make_run_the_same_check():
    (hook,) = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    assert hook["entry"] == "make check" and hook["always_run"]
    quick = set(re.findall(r"tests/text/test_\w+\.py", text("Makefile")))
    assert {f"tests/text/test_{name}.py" for name in ("contributing", "languages", "notebooks", "tables")} == quick
    assert all((ROOT / path).exists() for path in quick)

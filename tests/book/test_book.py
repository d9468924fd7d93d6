"""The book is built from a copy of its sources, then read as a browser would: files, links, languages, search."""

import json
import re
import shutil
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import build as makes
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, build, copy_sources

STEMS = sorted(path.stem for path in (ROOT / "notebooks" / "en").iterdir() if path.suffix in (".ipynb", ".md"))
TAGS = {"en": "en", "zh": "zh-CN"}
PAGES = [f"{lang}/{stem}.html" for lang in TAGS for stem in [*STEMS, "search"]]
SENTENCE = "这句话说自编码器的潜在空间与重参数化技巧，还有隐变量。"  # noqa: RUF001
WORDS = ["自编码器", "潜在空间", "重参数化技巧", "隐变量"]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of the built book."""
    tree = copy_sources(tmp_path_factory.mktemp("book"))
    with (tree / "notebooks" / "zh" / "errata.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{SENTENCE}\n")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    return tree / "_build" / "html"


@pytest.fixture(scope="module")
def pages(html):
    """{"en/index.html": parsed page} of every page, and "index.html" at the root."""
    names = [path.relative_to(html).as_posix() for path in [*html.glob("*.html"), *html.glob("*/*.html")]]
    return {name: BeautifulSoup((html / name).read_text(encoding="utf-8"), "html.parser") for name in names}


def test_no_host_may_leave_out_folders_that_begin_with_an_underscore(html):
    assert (html / "en" / "_static").is_dir() and (html / ".nojekyll").is_file()


def test_every_page_exists_in_both_languages(pages):
    assert set(pages) == {*PAGES, "index.html"}


def test_nothing_is_loaded_from_elsewhere(html, pages):
    for name, page in pages.items():
        loaded = [tag.get("src") or tag.get("data") for tag in page(["script", "img", "iframe", "source", "embed"])]
        loaded += [tag["href"] for tag in page("link") if not {"alternate", "next", "prev", "search"} & {*tag["rel"]}]
        loaded += re.findall(r"url\(([^)]*)\)", " ".join(tag.text for tag in page("style")))
        for url in filter(None, loaded):
            assert urlsplit(url).scheme in ("", "data") and not urlsplit(url).netloc, f"{name} loads {url}"
            if not url.startswith("data:"):
                assert ((html / name).parent / unquote(urlsplit(url).path)).is_file(), f"{name} loads {url}, not there"
    for sheet in html.glob("**/*.css"):
        remote = re.findall(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//[^)]*", sheet.read_text(encoding="utf-8"))
        assert not remote, f"{sheet.name}: {remote}"


def test_links_and_anchors_resolve(html, pages):
    def ids(name):
        return {tag["id"] for tag in pages[name](id=True)}

    targets = {name: ids(name) for name in pages}
    for name, page in pages.items():
        for tag in page("a", href=True):
            url = urlsplit(tag["href"])
            if url.scheme or tag["href"] == "#":
                continue
            target = (html / name).parent / unquote(url.path) if url.path else html / name
            assert target.is_file(), f"{name} links to {tag['href']}"
            if url.fragment and target.suffix == ".html":
                other = target.resolve().relative_to(html.resolve()).as_posix()
                assert unquote(url.fragment) in targets[other], f"{name} links to {tag['href']}"


def test_languages_lead_to_each_other(pages):
    for name in PAGES:
        lang, file = name.split("/")
        other = "zh" if lang == "en" else "en"
        page = pages[name]
        assert page.html["lang"] == TAGS[lang]
        (toggle,) = page.select("a.language-toggle")
        assert toggle["href"] == f"../{other}/{file}"
        assert toggle["hreflang"] == toggle["lang"] == TAGS[other]
        alternates = {tag["hreflang"]: tag["href"] for tag in page("link", rel="alternate")}
        assert alternates == {TAGS[lang]: file, TAGS[other]: f"../{other}/{file}", "x-default": "../index.html"}
    assert {tag["href"] for tag in pages["index.html"]("a")} == {"en/index.html", "zh/index.html"}


@pytest.mark.parametrize("stem", STEMS)
def test_both_languages_have_the_same_anchors(pages, stem):
    def anchors(lang):
        return [tag["id"] for tag in pages[f"{lang}/{stem}.html"].select("article section[id], article dt[id]")]

    assert anchors("en")
    assert sorted(anchors("en")) == sorted(anchors("zh"))  # the glossary has its own order in each language
    assert not re.findall(r"\bid\d+\b", " ".join(anchors("en")))


def test_contents_hold_no_markup_of_anchors(pages):
    for name in PAGES:
        for tag in pages[name].select("nav a, h1, h2, h3"):
            assert "<a" not in tag.text and not tag.select("a[id]"), f"{name}: {tag}"


def test_mathematics_is_typeset_by_a_local_script(html, pages):
    with_math = [name for name in PAGES if pages[name].select(".math")]
    assert {f"{lang}/02_kl_divergence.html" for lang in TAGS} <= set(with_math)
    for name in with_math:
        (source,) = [tag["src"] for tag in pages[name]("script", src=re.compile("mathjax"))]
        script = (html / name).parent / urlsplit(source).path
        assert script.resolve() == html.resolve() / "shared" / "mathjax" / "startup.js"  # one for both languages
        (config,) = re.findall(r"window.MathJax = (.*)</script>", str(pages[name]))
        parts = json.loads(config)["loader"]["load"]
        assert all((script.parent / f"{part}.js").is_file() for part in ["core", *parts])
        assert "ui/menu" not in parts  # would fetch more
        assert list(script.parent.glob("output/chtml/fonts/woff-v2/*.woff"))


def test_the_interface_is_in_the_language_of_the_page(pages):
    """Of labels and tooltips of Chinese pages, those without a Chinese character are names."""
    for name in PAGES[len(PAGES) // 2 :]:
        labels = {tag.get(key, "") for key in ("title", "aria-label") for tag in pages[name](**{key: True})}
        english = {label for label in labels if re.search(r"[A-Za-z]{3}", label) and not re.search(r"[一-鿿]", label)}
        assert not english, name


def test_lines_break_where_they_may(pages):
    for name in PAGES:
        for paragraph in pages[name].select("article p"):
            text = re.sub(r"<br/>\n|<[^>]+>", "", str(paragraph))
            assert not re.search(r"[一-鿿，。]\n[一-鿿]", text), f"{name}: {text}"  # noqa: RUF001
        for formula in pages[name].select("article span.math"):
            if re.match(r"[,.;:，。；：]", str(formula.next_sibling or "")):  # noqa: RUF001
                assert formula.parent["class"] == ["nowrap"], f"{name}: {formula.parent}"


def test_pictures_have_alternative_text(pages):
    for name in PAGES:
        for image in pages[name].select("article img"):
            assert image.get("alt"), f"{name}: {image['src']}"


def test_warnings_stop_every_build_and_changes_reach_every_page(html, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(html.parents[1], tree)
    page = tree / "notebooks" / "en" / "errata.md"
    text = page.read_text(encoding="utf-8")

    page.write_text(text + "\n```{nonesuch}\n```\n", encoding="utf-8")
    for _ in range(2):  # Sphinx alone forgets the warning the second time
        done = build(tree)
        assert done.returncode != 0
        assert "nonesuch" in done.stderr

    for title in ("# Another title", "# A new title"):
        page.write_text(re.sub(r"\A# .*", title, text), encoding="utf-8")
        assert build(tree).returncode == 0
    other = (tree / "_build" / "html" / "en" / "glossary.html").read_text(encoding="utf-8")
    assert "A new title" in other  # in the navigation

    with (tree / "genlib" / "explorer" / "core.js").open("a", encoding="utf-8") as script:
        script.write("// changed since the notebook was executed\n")
    assert build(tree).returncode == 0
    chapter = (tree / "_build" / "html" / "zh" / "02_kl_divergence.html").read_text(encoding="utf-8")
    assert "changed since the notebook was executed" in chapter


@pytest.mark.parametrize("name", [
    "notebooks/zh/03_vae.ipynb", "notebooks/en/errata.md", "experiments/results.json", "_config.yml",
    "book/extension/checks.yml", "book/extension/traditional.txt",
])  # fmt: skip
def test_a_damaged_source_ends_the_build_with_one_line_that_names_it(tmp_path, name):
    tree = copy_sources(tmp_path)
    data = (tree / name).read_bytes()
    (tree / name).write_bytes(data[: len(data) // 2] + b"\0\xff" + data[len(data) // 2 :])
    done = build(tree)
    assert done.returncode == 1 and not (tree / "_build").exists()
    assert re.fullmatch(rf"The book did not build. {tree / name}: damaged.*`git checkout -- .*\n", done.stderr)


@pytest.mark.parametrize("name", ["notebooks/en/Untitled.ipynb", "notebooks/zh/more/page.md"])
def test_a_page_that_is_not_in_the_contents_ends_the_build_with_one_line_that_names_it(tmp_path, name):
    tree = copy_sources(tmp_path)
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_text("# Mine\n", encoding="utf-8")
    done = build(tree)
    said = f"The book did not build. {tree / name} is not in book/_toc.yml: name it there, or move it out of notebooks/"
    assert done.returncode == 1 and done.stderr == f"{said}\n"


def test_pages_of_a_heading_alone_are_built_and_what_macos_leaves_is_none(tmp_path):
    tree = copy_sources(tmp_path)
    for lang in TAGS:
        (tree / "notebooks" / lang / "bare.md").write_text("# Bare\n", encoding="utf-8")
        (tree / "notebooks" / lang / "._bare.md").write_bytes(b"\0\5\x16\7")
    with (tree / "book" / "_toc.yml").open("a", encoding="utf-8") as contents:
        contents.write("  - file: bare\n")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in sorted((tree / "_build" / "html" / "zh").glob("*bare*"))] == ["bare.html"]


def test_a_folder_that_cannot_hold_the_book_is_named_before_sphinx_begins(tmp_path, monkeypatch):
    makes.check_writable(tmp_path / "new")
    makes.check_room(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=rf"{tmp_path}/file/html: cannot be written into: Not a directory.*--output"):
        makes.check_writable(tmp_path / "file" / "html")
    usage = makes.shutil.disk_usage(tmp_path)._replace(free=makes.ROOM - 1)
    monkeypatch.setattr(makes.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError, match=rf"{tmp_path}/new: has room for 99 MB, expected 100"):
        makes.check_room(tmp_path / "new")
    (tmp_path / "new" / "page.html").write_bytes(b"1")  # what an earlier build wrote is room for this one
    makes.check_room(tmp_path / "new")


def test_a_damaged_note_of_the_last_build_is_as_none(tmp_path):
    for text in ("", "[]", '{"pages": "'):
        (tmp_path / ".complete").write_text(text, encoding="utf-8")
        assert makes.stamped(tmp_path / ".complete") == {}


def test_launch_buttons_need_the_address_of_the_repository(pages, tmp_path):
    assert not any(page.select(".dropdown-launch-buttons") for page in pages.values())
    tree = copy_sources(tmp_path)
    config = tree / "_config.yml"
    text = config.read_text(encoding="utf-8").replace('url: ""', "url: https://github.com/somebody/book")
    config.write_text(text, encoding="utf-8")
    done = build(tree)
    assert done.returncode == 0, done.stderr
    page = (tree / "_build" / "html" / "zh" / "02_kl_divergence.html").read_text(encoding="utf-8")
    assert "github/somebody/book/blob/main/notebooks/zh/02_kl_divergence.ipynb" in page


def test_pytest_leaves_the_built_notebooks_alone(tmp_path):
    cell = {"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "outputs": [], "source": "1"}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for folder in ("_build/html/en/_sources", "notebooks/en", "tests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page.ipynb").write_text(notebook, encoding="utf-8")
    (tmp_path / "tests" / "test_one.py").write_text("def test_one():\n    pass\n", encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    command = [sys.executable, "-m", "pytest", "--nbval", ".", "--collect-only", "-vv", "-p", "no:cacheprovider"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120).stdout
    assert "test_one" in listed
    assert "Cell 0" in listed
    assert "_build" not in listed

"""What every chapter keeps to, and the command that runs them."""

import json
import re

import execute
import nbformat
import pages
import pytest
import yaml

SETUP = """\
import importlib.util
import sys

if importlib.util.find_spec("genlib") is None:
    raise ModuleNotFoundError('pip install "genlib-book @ git+<repository URL>"')
if "google.colab" in sys.modules:
    from google.colab import output

    output.enable_custom_widget_manager()"""

PATHS = [path for lang in pages.LANGUAGES for path in sorted((pages.NOTEBOOKS / lang).glob("*.ipynb"))]
CHAPTERS = [path for path in PATHS if path.stem[0].isdigit()]  # the playground teaches by playing
MEGABYTES = 3

# What is MyST's, or TeX's beyond $ and $$: Jupyter and Colab show it as it is written.
FOREIGN = {
    "a directive": r"^\s*(?:`{3,}|~{3,}|:{3,})\s*\{|^\s*:{3,}",
    "a role": r"\{[a-zA-Z][\w:+.-]*\}`",
    "a target": r"^\([\w-]+\)=\s*$",
    "a comment or a block break": r"^(?:%|\+\+\+)",
    "a footnote": r"\[\^\w+\]",
    "a numbered equation": r"\\(?:label|tag|eqref|ref)\b|^\$\$\s*\(",
    "$$ beside other text": r"\$\$[^\S\n]*\S|\S[^\S\n]*\$\$",
    "<details> whose text is not set apart by blank lines": r"</summary>[^\n]*\n(?!\n)|[^\n]\n</details>",
    "a number marker at the start of a line or of a list item": r"^[ \t]*(?:(?:[-*+>]|\d+[.)])[ \t]+)*<!--",
}
OPENING = {
    "en": {
        "objectives": r"you (?:will|can)|objectives",
        "prerequisites": r"you need|prerequisites",
        "reading time": r"minutes[^.]*\bread|read[^.]*minutes",
        "running time": r"(?:seconds?|minutes?)[^.]*\b(?:run|laptop|CPU|cores)|\b(?:run|takes?)[^.]*(?:second|minute)",
    },
    "zh": {
        "objectives": r"目标|学到|学会|你将|你能|能够|可以",
        "prerequisites": r"预备|先修|前置|基础|需要",
        "reading time": r"阅读[^。]*分钟|[读看][^。]*分钟|分钟[^。]*[读看]",
        "running time": r"(?:运行|代码|跑)[^。]*(?:秒|分钟)|(?:秒|分钟)[^。]*(?:运行|跑)",
    },
}
MACHINE = (
    r"(?<!\w)/(?:home|root|Users|tmp|work|usr|opt|mnt)/|[A-Za-z]:\\\\?Users|site-packages|file://| at 0x[0-9a-f]{6}"
)


def code(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code" and c["source"].strip()]


def prose(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "markdown"]


def tags(cell):
    return cell["metadata"].get("tags", [])


def strings(value):
    """Every string of a notebook but pictures and buffers, whose base64 may spell anything."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not key.startswith("image/") and not (key == "data" and isinstance(inner, str)):
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


# Checks of one notebook: each yields complaints.


def no_myst(notebook):
    for cell in prose(notebook):
        text = re.sub(r"`[^`\n]+`", "`x`", cell["source"])
        for what, pattern in FOREIGN.items():
            for found in re.finditer(pattern, text, flags=re.M):
                yield f"{cell['id']}: {what}: {found[0]!r}"
        odd = {tag.strip("/") for tag in pages.tags(cell["source"])} - {"a", "br", "details", "summary"}
        if odd:
            yield f"{cell['id']}: HTML tags {odd}: only links, line breaks and <details> are kept everywhere"


def no_machine(notebook):
    for text in strings(notebook):
        for found in re.finditer(MACHINE, text):
            yield f"…{text[max(found.start() - 40, 0) : found.end() + 40]!r}"


def clean_outputs(notebook):
    for cell in code(notebook):
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield f"{cell['id']}: stores {output.get('ename', 'stderr')}"


def counted(notebook):
    counts = [c["execution_count"] for c in code(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts {counts}: run `make notebooks`"


def no_progress_stored(notebook):
    """A stored bar would differ from run to run, and show the reader somebody's waiting time."""
    for cell in code(notebook):
        if "nbval-ignore-output" in tags(cell) and cell["outputs"]:
            yield f"{cell['id']}: stores the output of training"


def ignored_only_in_training(notebook):
    for cell in code(notebook):
        if "nbval-ignore-output" in tags(cell) and not re.search(r"\bfit\(|\.backward\(\)", cell["source"]):
            yield f"{cell['id']}: tagged nbval-ignore-output and does not train"


def figures_assert(notebook):
    """What a figure shows is asserted where it is drawn, or in the check cell after it, which no page shows."""
    checked = {c["id"].removesuffix("-check"): c["source"] for c in code(notebook) if "remove-cell" in tags(c)}
    for cell in code(notebook):
        source = cell["source"] + "\n" + checked.get(cell["id"], "")
        if pages.has_image(cell) and not re.search(r"^\s*assert\b", source, flags=re.M):
            yield f"{cell['id']}: draws and asserts nothing about what it draws"


def short_cells(notebook):
    for cell in code(notebook):
        if len(cell["source"].splitlines()) > 20:
            yield f"{cell['id']}: {len(cell['source'].splitlines())} lines, at most 20"


def set_up(notebook):
    first = code(notebook)[0]
    if (first["id"], first["source"]) != ("setup", SETUP):
        yield f"the first code cell is {first['id']!r}: expected `setup`, as every chapter has it"


def no_shell(notebook):
    for cell in code(notebook):
        if re.search(r"^\s*[!%]|\bpip3? install (?!\"genlib-book @)|\bget_ipython\(", cell["source"], flags=re.M):
            yield f"{cell['id']}: a shell command or a magic"


def markers_in_prose_only(notebook):
    for cell in notebook["cells"]:
        spoken = dict(cell, source="") if cell["cell_type"] == "markdown" else cell
        if any("<!--" in text for text in strings(spoken)):
            yield f"{cell['id']}: a number marker outside Markdown"


def exercises(notebook):
    """Three or more after the heading Exercises, each begun by a heading or a bold number, each solved out of sight."""
    lines = []
    for cell in notebook["cells"]:
        hidden = "hide-cell" in tags(cell) and cell["metadata"].get("jupyter", {}).get("source_hidden")
        lines += cell["source"].splitlines() if cell["cell_type"] == "markdown" else ["<details>"] * bool(hidden)
    begin = [n for n, line in enumerate(lines) if re.match(r'## (?:Exercises|<a id="exercises"></a>)', line)]
    if not begin:
        yield "no heading Exercises of level 2"
        return
    found = []
    for line in lines[begin[0] + 1 :]:
        if re.match(r"##? ", line):
            break
        if re.match(r"### |\*\*(?:Exercise |练习 ?)?\d", line):
            found.append([line, False])
        elif line.startswith("<details>") and found:
            found[-1][1] = True
    if len(found) < 3:
        yield f"{len(found)} exercises, at least 3"
    yield from (f"no collapsed solution: {line}" for line, solved in found if not solved)


def widgets_stored(notebook):
    state = notebook["metadata"].get("widgets", {}).get(execute.STATE, {}).get("state", {})
    for cell in code(notebook):
        for output in cell["outputs"]:
            view = output.get("data", {}).get(execute.VIEW)
            if view and view["model_id"] not in state:
                yield f"{cell['id']}: the state of its widget is not stored: run `make notebooks`"


def metadata(notebook):
    kept = {key: value for key, value in notebook["metadata"].items() if key != "widgets"}
    timed = [c["id"] for c in notebook["cells"] if "execution" in c["metadata"]]
    if kept != execute.METADATA or timed:
        yield f"metadata {kept}, expected {execute.METADATA}; times in cells {timed}: run `make notebooks`"


CHECKS = [
    no_myst,
    no_machine,
    clean_outputs,
    counted,
    no_progress_stored,
    ignored_only_in_training,
    figures_assert,
    short_cells,
    set_up,
    no_shell,
    markers_in_prose_only,
    widgets_stored,
    metadata,
]


def opening(notebook, lang):
    """What the text before the set-up cell does not name."""
    first = [c["cell_type"] for c in notebook["cells"]].index("code")
    text = "\n".join(c["source"] for c in notebook["cells"][:first])
    return [what for what, pattern in OPENING[lang].items() if not re.search(pattern, text, flags=re.I)]


# The notebooks.


def ids(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_notebook(path, check):
    told = list(check(pages.load(path)))
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_exercises(path):
    told = list(exercises(pages.load(path)))
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_opening(path):
    missing = opening(pages.load(path), path.parent.name)
    assert missing == [], "to be named before the set-up cell"


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_format_and_size(path):
    nbformat.validate(nbformat.read(path, as_version=nbformat.NO_CONVERT))
    assert path.stat().st_size < MEGABYTES * 1e6


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_what_is_cited_is_in_the_references(path):
    known = {entry["url"] for entry in yaml.safe_load((pages.ROOT / "book/references.yml").read_text(encoding="utf-8"))}
    cited = {url for cell in prose(pages.load(path)) for url in pages.targets(cell["source"]) if "://" in url}
    assert sorted(cited - known) == [], "to be added to book/references.yml"


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_local_links_lead_to_pages(path):
    here = path.parent
    local = {t.partition("#")[0] for c in prose(pages.load(path)) for t in pages.targets(c["source"]) if "://" not in t}
    assert sorted(name for name in local if name and not (here / name).is_file()) == []


# The checks themselves, on a chapter that passes and on the same with one thing wrong.

PNG = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo/home/"}}


def cell(name, source, outputs=(), **metadata):
    kind = {"cell_type": "code", "execution_count": None, "outputs": list(outputs)}
    return {"id": name, "metadata": metadata, "source": source, **kind}


def words(name, source):
    return {"id": name, "cell_type": "markdown", "metadata": {}, "source": source}


def chapter():
    """A small chapter that every check accepts."""
    solution = {"tags": ["hide-cell"], "jupyter": {"source_hidden": True}}
    cells = [
        words(
            "title",
            "# T\n\nYou will see. You need time: 5 minutes to read, 9 seconds to run. It is 9, `x` <!-- n:a:d -->1",
        ),
        cell("setup", SETUP),
        cell("train", "fit(model)", tags=["nbval-ignore-output"]),
        cell("draw", "assert x\nplt.show()", [PNG]),
        words("formula", "So\n\n$$\na = b\n$$\n\nfollows."),
        words("exercises", "## Exercises\n\n### One\n\n<details>\n<summary>Solution</summary>\n\nx\n\n</details>"),
        words("two", "### Two"),
        cell("solution", "x", **solution),
        words("three", "**3. Three.**\n\n<details>\n<summary>Solution</summary>\n\nx\n\n</details>"),
    ]
    for count, each in enumerate((c for c in cells if c["cell_type"] == "code"), 1):
        each["execution_count"] = count
    return {"cells": cells, "metadata": json.loads(json.dumps(execute.METADATA)), "nbformat": 4, "nbformat_minor": 5}


def said(text):
    return lambda n: n["cells"][4].update(source=f"So\n\n{text}\n\nfollows.")


def shown(*outputs):
    return lambda n: n["cells"][3].update(outputs=list(outputs))


def source(index, text):
    return lambda n: n["cells"][index].update(source=text)


MUTATIONS = [
    (no_myst, said("```{note}\nx\n```")),
    (no_myst, said(":::note\nx\n:::")),
    (no_myst, said("see {ref}`x`")),
    (no_myst, said("(x)=")),
    (no_myst, said("% x")),
    (no_myst, said("x[^1]")),
    (no_myst, said("$$\na \\tag{1}\n$$")),
    (no_myst, said("$$ a = b $$")),
    (no_myst, said("<details>\n<summary>S</summary>\nx\n\n</details>")),
    (no_myst, said("<div>x</div>")),
    (no_myst, said("- <!-- n:a:d -->1<!-- /n -->")),
    (no_machine, shown({"output_type": "stream", "name": "stdout", "text": ["in /home/me/x.py"]})),
    (no_machine, shown({"output_type": "stream", "name": "stdout", "text": "<A object at 0x7f00aa11>"})),
    (clean_outputs, shown({"output_type": "error", "ename": "E", "evalue": "", "traceback": []})),
    (clean_outputs, shown({"output_type": "stream", "name": "stderr", "text": "x"})),
    (counted, lambda n: n["cells"][3].update(execution_count=None)),
    (no_progress_stored, lambda n: n["cells"][2].update(outputs=[PNG])),
    (ignored_only_in_training, source(2, "print(1)")),
    (figures_assert, source(3, "plt.show()")),
    (short_cells, source(3, "x\n" * 21)),
    (set_up, source(1, SETUP + "\n")),
    (no_shell, source(3, "!pip install x")),
    (no_shell, source(3, "%matplotlib inline")),
    (markers_in_prose_only, lambda n: n["cells"][3]["metadata"].update(mystnb={"image": {"alt": "<!-- n:a:d -->"}})),
    (exercises, source(5, "## Tasks")),
    (exercises, source(6, "Two")),
    (exercises, lambda n: n["cells"][7]["metadata"].update(tags=[])),
    (exercises, lambda n: n["cells"][7]["metadata"].update(jupyter={})),
    (widgets_stored, shown({"output_type": "display_data", "data": {execute.VIEW: {"model_id": "a"}}})),
    (metadata, lambda n: n["metadata"]["language_info"].update(version="3.11.2")),
    (metadata, lambda n: n["metadata"].pop("kernelspec")),
    (metadata, lambda n: n["cells"][3]["metadata"].update(execution={"iopub.status.busy": "2024"})),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_good_chapter_passes(check):
    assert list(check(chapter())) == []


@pytest.mark.parametrize(("check", "spoil"), MUTATIONS, ids=[check.__name__ for check, _ in MUTATIONS])
def test_what_is_wrong_is_noticed(check, spoil):
    notebook = chapter()
    spoil(notebook)
    assert list(check(notebook))


def test_an_opening_must_name_all():
    notebook = chapter()
    assert opening(notebook, "en") == []
    notebook["cells"][0]["source"] = "# T"
    assert opening(notebook, "en") == list(OPENING["en"]) and opening(notebook, "zh") == list(OPENING["zh"])


# `make notebooks`, on chapters of one or two cells.

WIDGET = """\
import ipywidgets
ipywidgets.IntSlider()
one, two, unused = (ipywidgets.FloatSlider() for _ in range(3))
ipywidgets.jslink((one, "value"), (two, "value"))
ipywidgets.jslink((one, "value"), (unused, "value"))
ipywidgets.VBox([one, two])"""
FIGURE = """\
import os
import matplotlib.pyplot as plt
print(os.path.basename(os.getcwd()), os.environ["TQDM_DISABLE"])
plt.plot([1, 2])
plt.show()"""
NOISY = "import sys\nprint('loud', file=sys.stderr)\nprint('fit')"


@pytest.fixture
def book(tmp_path):
    """write(*cells) puts a chapter c of these code cells into both languages and returns the two paths."""

    def write(*cells):
        paths = []
        for lang, text in (("en", "Hello"), ("zh", "你好")):
            path = tmp_path / lang / "c.ipynb"
            path.parent.mkdir(exist_ok=True)
            cells_here = [words("text", text), *(dict(c, metadata={**c["metadata"], "alt": text}) for c in cells)]
            notebook = {"cells": cells_here, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            path.write_text(json.dumps(notebook), encoding="utf-8")
            paths.append(path)
        return paths

    return write


def test_execute_writes_both_languages_and_repeats_exactly(book, tmp_path):
    paths = book(cell("widget", WIDGET), cell("figure", FIGURE), cell("fit", NOISY, tags=["nbval-ignore-output"]))
    assert execute.execute("c", tmp_path) == paths
    assert execute.execute("c", tmp_path) == []
    en, zh = map(pages.load, paths)
    assert [c["metadata"].get("alt") for c in zh["cells"]] == [None, "你好", "你好", "你好"]
    assert zh["cells"][0]["source"] == "你好"
    assert en["metadata"] == zh["metadata"] and en["cells"][1]["outputs"] == zh["cells"][1]["outputs"]
    widget, figure, fit = en["cells"][1:]
    assert figure["outputs"][0]["text"] == ["en 1\n"] and pages.has_image(figure)
    assert [o["text"] for o in fit["outputs"]] == [["fit\n"]]
    assert [list(check(en)) for check in (counted, widgets_stored, metadata, clean_outputs)] == [[]] * 4
    state = en["metadata"]["widgets"][execute.STATE]["state"]
    kinds = sorted(model["model_name"] for model in state.values())
    assert kinds == ["FloatSliderModel"] * 2 + ["LayoutModel"] * 3 + ["LinkModel"] + ["SliderStyleModel"] * 2 + [
        "VBoxModel"
    ]
    assert widget["outputs"][0]["data"][execute.VIEW]["model_id"] in state


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "c, cell bad: ZeroDivisionError: division by zero"),
        (NOISY, "c, cell bad wrote to stderr.*\nloud"),
        ("object()", "c, cell bad shows <object.* at 0x"),
        ("import os\nos._exit(1)", "c, cell bad: DeadKernelError"),
    ],
)
def test_a_chapter_that_fails_keeps_its_files(book, tmp_path, source, message):
    paths = book(cell("good", "1"), cell("bad", source))
    before = [path.read_bytes() for path in paths]
    with pytest.raises(execute.ChapterError, match=message):
        execute.execute("c", tmp_path)
    assert [path.read_bytes() for path in paths] == before
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["c.ipynb", "c.ipynb"]


def test_code_that_differs_between_the_languages_is_refused(book, tmp_path):
    _, zh = book(cell("a", "1"), cell("b", "2"))
    zh.write_text(zh.read_text(encoding="utf-8").replace('"2"', '"3"'), encoding="utf-8")
    with pytest.raises(execute.ChapterError, match="c: en and zh must have the same code cells, but code cell b"):
        execute.execute("c", tmp_path)


def test_a_chapter_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="no chapter 99_nothing"):
        execute.main(["99_nothing"])

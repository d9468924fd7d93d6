"""What every chapter keeps to, and the command that runs them."""

import json
import os
import re
import subprocess
import sys

import execute
import nbformat
import pytest
from common import handwritten, pages, repository

SETUP = repository.source(*repository.address())

PATHS = [path for lang in pages.LANGUAGES for path in sorted((pages.NOTEBOOKS / lang).glob("*.ipynb"))]
CHAPTERS = [path for path in PATHS if path.stem[0].isdigit()]  # the playground teaches by playing
MEGABYTES = 4

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
    """A figure's own cell, or the check cell after it that the page does not show, holds it to something."""
    cells = code(notebook)
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        guard = after["source"] if after and after["id"] == f"{cell['id']}-check" else ""
        checked = f"{cell['source']}\n{guard}"
        if pages.has_image(cell) and not re.search(r"^\s*assert\b", checked, flags=re.M):
            yield f"{cell['id']}: draws, and neither it nor {cell['id']}-check asserts anything about it"


def check_cells(notebook):
    """What only guards the book is out of the reader's sight, right behind what it guards, and prints nothing."""
    before = ""
    for cell in code(notebook):
        if "remove-cell" in tags(cell) and (cell["id"] != f"{before}-check" or cell["outputs"]):
            yield f"{cell['id']}: hidden, follows {before!r}; expected {before}-check there, without outputs"
        before = cell["id"]


def short_cells(notebook):
    """One idea a cell; a page 1280 pixels wide shows 79 characters."""
    for cell in code(notebook):
        lines = cell["source"].splitlines()
        if len(lines) > 15 or max(map(len, lines)) > 79:
            widest = max(map(len, lines))
            yield f"{cell['id']}: {len(lines)} lines, {widest} characters wide; at most 15 lines of 79"


def short_output(notebook):
    """What is printed, the package's own source included, fits the page as well."""
    for cell in code(notebook):
        for output in cell["outputs"]:
            for line in "".join(output.get("text", "")).splitlines():
                if len(line) > 79:
                    yield f"{cell['id']}: prints {len(line)} characters, {line.strip()[:30]!r} …; at most 79"


def numbers_have_names(notebook):
    """A printed line has a word for what it says, or stands in a table under a line that has."""
    for cell in code(notebook):
        named = False
        for output in cell["outputs"]:
            for line in "".join(output.get("text", "")).splitlines():
                named = (named and bool(line.strip())) or bool(re.search(r"[^\W\d_]{2}", line))
                if line.strip() and not named:
                    yield f"{cell['id']}: prints {line!r} without a name"


def set_up(notebook):
    first = code(notebook)[0]
    if (first["id"], first["source"]) != ("setup", SETUP):
        yield f"the first code cell is {first['id']!r}: expected `setup`, as book/common/repository.py has it"


def no_shell(notebook):
    for cell in code(notebook)[1:]:  # the set-up cell, held above, installs
        if re.search(r"^\s*[!%]|\bpip3? install|\bget_ipython\(", cell["source"], flags=re.M):
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


def figures_mentioned(notebook):
    """Figure k.n, the n-th with a caption in chapter k, is spoken of by its number."""
    number = re.match(r"# (?:<a [^>]*></a>)?\D*(\d+)", notebook["cells"][0]["source"])
    if not number:
        yield "the title has no number"
        return
    text = "\n".join(cell["source"] for cell in prose(notebook))
    figures = [cell["id"] for cell in code(notebook) if pages.figure(cell)[1]]
    for n, name in enumerate(figures, 1):
        if not re.search(rf"(?:Figure|图) {number[1]}\.{n}(?!\d)", text):
            yield f"{name}: Figure {number[1]}.{n} is never referred to"
    for k, n in re.findall(r"(?:Figure|图) (\d+)\.(\d+)", text):
        if k == number[1] and int(n) > len(figures):
            yield f"there is no Figure {k}.{n}"


EXERCISES = re.compile(r'^## (?:Exercises|<a id="exercises"></a>)', flags=re.M)
PREDICT = {"**Predict, then see**. ": ("**Right**. ", "**Not quite**. "), "**先猜一猜**。": ("**对**。", "**不对**。")}


def predictions(notebook):
    """Two to four questions before their results, each choice with its own answer, one of them right."""
    cells = notebook["cells"]
    asked = [c for c in prose(notebook) if c["id"].startswith("predict-")]
    if not 2 <= len(asked) <= 4:
        yield f"{len(asked)} questions, expected 2 to 4"
    for cell in asked:
        lead = next((lead for lead in PREDICT if cell["source"].startswith(lead)), None)
        choices = re.findall(
            r"<details>\n<summary>([A-D])\. \S[^\n]*</summary>\n\n(.+?)\n\n</details>", cell["source"], flags=re.S
        )
        if lead is None or cell["source"].count("<details>") != len(choices):
            yield f"{cell['id']}: not of the form that the other questions have"
            continue
        right, wrong = PREDICT[lead]
        if [letter for letter, _ in choices] != list("ABCD"[: len(choices)]) or len(choices) < 2:
            yield f"{cell['id']}: choices {[letter for letter, _ in choices]}, expected A, B, ..."
        if [answer.startswith(right) for _, answer in choices].count(True) != 1:
            yield f"{cell['id']}: exactly one choice must be right"
        if not all(answer.startswith((right, wrong)) and len(answer) > 20 for _, answer in choices):
            yield f"{cell['id']}: every answer says whether the choice is right, and why"
        if re.search(r"<summary>[^\n]*[$*`_\[]", cell["source"]):
            yield f"{cell['id']}: a choice with mathematics or Markdown, which pages show as it is written"
        if all(c["cell_type"] == "markdown" for c in cells[cells.index(cell) :]):
            yield f"{cell['id']}: nothing follows that could be seen"
        if any(EXERCISES.search(c["source"]) for c in cells[: cells.index(cell)]):
            yield f"{cell['id']}: stands among the exercises"


def solutions(notebook):
    """A solution is one run of hidden cells and right behind it one text that opens: one toggle on the page."""
    cells = [cell for cell in notebook["cells"] if "remove-cell" not in tags(cell)]
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if "hide-cell" in tags(cell):
            opens = after is not None and after["cell_type"] == "markdown" and after["source"].startswith("<details>")
            if not (opens or (after is not None and "hide-cell" in tags(after))):
                yield f"{cell['id']}: expected its words, in <details>, in the next cell"


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
    check_cells,
    short_cells,
    short_output,
    numbers_have_names,
    solutions,
    set_up,
    no_shell,
    markers_in_prose_only,
    widgets_stored,
    metadata,
]


CHAPTER_CHECKS = [exercises, figures_mentioned, predictions]


def opening(notebook, lang):
    """What the text before the set-up cell does not name."""
    first = [c["cell_type"] for c in notebook["cells"]].index("code")
    text = "\n".join(c["source"] for c in notebook["cells"][:first])
    return [what for what, pattern in OPENING[lang].items() if not re.search(pattern, text, flags=re.I)]


# The notebooks.


def hold(path, check):
    told = list(check(pages.load(path)))
    assert not told, "\n".join(told)


def ids(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_notebook(path, check):
    hold(path, check)


@pytest.mark.parametrize("check", CHAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_chapter(path, check):
    hold(path, check)


def verdicts(notebook):
    """{question: whether each of its choices is right} of a chapter."""
    asked = {c["id"]: c["source"] for c in prose(notebook) if c["id"].startswith("predict-")}
    answers = {name: re.findall(r"</summary>\n\n(\*\*.+?\*\*)", source) for name, source in asked.items()}
    return {name: [word in ("**Right**", "**对**") for word in words] for name, words in answers.items()}


@pytest.mark.parametrize("name", sorted({path.name for path in CHAPTERS}))
def test_the_right_choice_is_the_same_in_both_languages(name):
    en, zh = (verdicts(pages.load(pages.NOTEBOOKS / lang / name)) for lang in pages.LANGUAGES)
    assert en and en == zh


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
    known = {entry["url"] for entry in handwritten.read("references")}
    cited = {url for cell in prose(pages.load(path)) for url in pages.targets(cell["source"]) if "://" in url}
    cited -= {url for url in cited if "//creativecommons.org/licenses/" in url}
    assert sorted(cited - known) == [], "to be added to book/extension/references.yml"


@pytest.mark.parametrize("path", PATHS, ids=ids)
def test_local_links_lead_to_pages(path):
    here = path.parent
    local = {t.partition("#")[0] for c in prose(pages.load(path)) for t in pages.targets(c["source"]) if "://" not in t}
    assert sorted(name for name in local if name and not (here / name).is_file()) == []


# The checks themselves, on a chapter that passes and on the same with one thing wrong.

TABLE = {"output_type": "stream", "name": "stdout", "text": ["codes  share\n", "    1   0.50\n"]}
QUESTION = """**Predict, then see**. What is it?

<details>
<summary>A. This</summary>

**Not quite**. Because it is not.

</details>

<details>
<summary>B. That</summary>

**Right**. Because it is that.

</details>"""
SOLUTION = "<details>\n<summary>Solution</summary>\n\nx\n\n</details>"
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
            "# 1. T\n\nYou will see. You need time: 5 minutes to read, 9 seconds to run. It is 9, `x` <!-- n:a:d -->1",
        ),
        cell("setup", SETUP),
        cell("train", "fit(model)", tags=["nbval-ignore-output"]),
        words("predict-a", QUESTION),
        words("predict-b", QUESTION),
        cell("draw", "plt.show()", [PNG, TABLE], mystnb={"figure": {"caption": "What is drawn."}}),
        cell("draw-check", "assert x", tags=["remove-cell"]),
        words("formula", "So\n\n$$\na = b\n$$\n\nfollows."),
        words("read", "See Figure 1.1."),
        words("exercises", f"## Exercises\n\n### One\n\n{SOLUTION}"),
        words("two", "### Two"),
        cell("solution", "x", **solution),
        words("three", f"{SOLUTION}\n\n**3. Three.**\n\n{SOLUTION}"),
    ]
    for count, each in enumerate((c for c in cells if c["cell_type"] == "code"), 1):
        each["execution_count"] = count
    return {"cells": cells, "metadata": json.loads(json.dumps(execute.METADATA)), "nbformat": 4, "nbformat_minor": 5}


def at(notebook, name):
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def said(text):
    return lambda n: at(n, "formula").update(source=f"So\n\n{text}\n\nfollows.")


def shown(*outputs):
    return lambda n: at(n, "draw").update(outputs=list(outputs))


def source(name, text):
    return lambda n: at(n, name).update(source=text)


def replaced(name, old, new):
    return lambda n: at(n, name).update(source=at(n, name)["source"].replace(old, new))


def marked(name, **metadata):
    return lambda n: at(n, name)["metadata"].update(metadata)


def printed(text):
    return shown({"output_type": "stream", "name": "stdout", "text": text})


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
    (no_machine, printed(["in /home/me/x.py"])),
    (no_machine, printed("<A object at 0x7f00aa11>")),
    (clean_outputs, shown({"output_type": "error", "ename": "E", "evalue": "", "traceback": []})),
    (clean_outputs, shown({"output_type": "stream", "name": "stderr", "text": "x"})),
    (counted, lambda n: at(n, "draw").update(execution_count=None)),
    (no_progress_stored, lambda n: at(n, "train").update(outputs=[PNG])),
    (ignored_only_in_training, source("train", "print(1)")),
    (figures_assert, source("draw-check", "x")),
    (figures_assert, lambda n: at(n, "draw-check").update(id="other-check")),
    (check_cells, marked("draw", tags=["remove-cell"])),
    (check_cells, lambda n: n["cells"].insert(2, n["cells"].pop(6))),
    (check_cells, lambda n: at(n, "draw-check").update(outputs=[TABLE])),
    (short_cells, source("draw", "x\n" * 16)),
    (short_cells, source("draw", "x" * 80)),
    (short_output, printed("x" * 80)),
    (numbers_have_names, printed("0.41 7")),
    (numbers_have_names, printed(["[0.91, 0.08]\n"])),
    (numbers_have_names, printed("e: 3")),
    (numbers_have_names, printed("codes  share\n  1  2\n\n0.5\n")),
    (figures_mentioned, source("read", "See Figure 1.10.")),
    (figures_mentioned, source("read", "See Figures 1.1 and Figure 1.2: Figure 1.1.")),
    (figures_mentioned, replaced("title", "1. ", "")),
    (predictions, lambda n: n["cells"].remove(at(n, "predict-b"))),
    (predictions, lambda n: n["cells"].append(n["cells"].pop(4))),
    (predictions, replaced("predict-a", "**Predict, then see**", "Predict")),
    (predictions, replaced("predict-a", "**Not quite**. ", "**Right**. ")),
    (predictions, replaced("predict-a", "**Right**. ", "**Not quite**. ")),
    (predictions, replaced("predict-a", "**Not quite**. Because it is not.", "No, because it is not.")),
    (predictions, replaced("predict-a", "Because it is that.", "")),
    (predictions, replaced("predict-a", "B. That", "C. That")),
    (predictions, replaced("predict-a", "B. That", "That")),
    (predictions, replaced("predict-a", "B. That", "B. $x$")),
    (predictions, lambda n: n["cells"].insert(-2, n["cells"].pop(3))),
    (solutions, source("three", f"**3. Three.**\n\n{SOLUTION}")),
    (solutions, lambda n: n["cells"].remove(at(n, "three"))),
    (set_up, source("setup", SETUP + "\n")),
    (no_shell, source("draw", "!pip install x")),
    (no_shell, source("draw", "%matplotlib inline")),
    (markers_in_prose_only, marked("draw", mystnb={"image": {"alt": "<!-- n:a:d -->"}})),
    (exercises, replaced("exercises", "## Exercises", "## Tasks")),
    (exercises, source("two", "Two")),
    (
        exercises,
        lambda n: (at(n, "solution")["metadata"].update(tags=[]), at(n, "three").update(source="**3. Three.**")),
    ),
    (widgets_stored, shown({"output_type": "display_data", "data": {execute.VIEW: {"model_id": "a"}}})),
    (metadata, lambda n: n["metadata"]["language_info"].update(version="3.11.2")),
    (metadata, lambda n: n["metadata"].pop("kernelspec")),
    (metadata, marked("draw", execution={"iopub.status.busy": "2024"})),
]


@pytest.mark.parametrize("check", [*CHECKS, *CHAPTER_CHECKS], ids=lambda check: check.__name__)
def test_a_good_chapter_passes(check):
    assert list(check(chapter())) == []


@pytest.mark.parametrize(("check", "spoil"), MUTATIONS, ids=[check.__name__ for check, _ in MUTATIONS])
def test_what_is_wrong_is_noticed(check, spoil):
    notebook = chapter()
    spoil(notebook)
    assert list(check(notebook))


def test_a_question_tells_which_choice_is_right():
    assert verdicts(chapter()) == {"predict-a": [False, True], "predict-b": [False, True]}


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


# What `make notebooks` does with a book of one chapter, in the folder of its argument.
RUN = """
import sys
from functools import partial
from pathlib import Path

import execute

execute.pages.names = lambda suffix: ["c.ipynb"]
execute.execute = partial(execute.execute, root=Path(sys.argv[1]))
execute.main([])
"""
INTERRUPT = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal to one process")
def test_a_chapter_that_is_interrupted_keeps_its_files_and_says_so_in_one_line(book, tmp_path):
    paths = book(cell("good", "1"), cell("slow", INTERRUPT))
    before = [path.read_bytes() for path in paths]
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=pages.ROOT / "book", capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout) == (1, "c ")
    assert done.stderr == "interrupted, its files are as they were.\n"
    assert [path.read_bytes() for path in paths] == before


def test_a_backend_and_a_home_that_cannot_be_written_change_no_chapter(book, tmp_path):
    english, chinese = book(cell("figure", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"))
    folders = dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"], "/dev/null/home")
    path = os.pathsep.join(str(pages.ROOT / name) for name in ("", "book", "tests"))
    env = {**os.environ, **folders, "MPLBACKEND": "Agg", "PYTHONPATH": path}
    env.pop("MPLCONFIGDIR", None)  # which tests themselves have set

    def run(*command):
        return subprocess.run([sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True)

    done = run("-c", RUN, str(tmp_path))
    assert done.returncode == 0 and pages.has_image(pages.load(chinese)["cells"][1]), done.stderr
    tested = run("-m", "pytest", "--nbval", "--nbval-current-env", "-p", "conftest", "-p", "no:cacheprovider", english)
    assert tested.returncode == 0, tested.stdout


def test_code_that_differs_between_the_languages_is_refused(book, tmp_path):
    _, zh = book(cell("a", "1"), cell("b", "2"))
    zh.write_text(zh.read_text(encoding="utf-8").replace('"2"', '"3"'), encoding="utf-8")
    with pytest.raises(execute.ChapterError, match="c: en and zh must have the same code cells, but code cell b"):
        execute.execute("c", tmp_path)


def test_a_chapter_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="no chapter 99_nothing"):
        execute.main(["99_nothing"])

"""The two languages say the same: pages pair, code and mathematics are one, Chinese is typeset as Chinese."""

# ruff: noqa: RUF001 (full-width punctuation is what is tested)

import json
import re
from collections import Counter

import languages
import pytest
from common import pages
from docutils.nodes import make_id

PAGES = [n for n in pages.names() if all((pages.NOTEBOOKS / lang / n).exists() for lang in pages.LANGUAGES)]
CHAPTERS = [name for name in PAGES if name.endswith(".ipynb")]
FULL = "，。；：？！、（）《》「」“”…"


def sides(name):
    return [pages.NOTEBOOKS / lang / name for lang in pages.LANGUAGES]


def texts(path):
    """What is written on a page, with the captions and alt texts of its figures."""
    return pages.texts(path).items()


# Checks of one pair of texts: each returns complaints, [] for a good pair.


def outline(en, zh):
    ours, theirs = pages.headings(en), pages.headings(zh)
    if [h.level for h in ours] != [h.level for h in theirs]:
        return [f"headings {[h.text for h in ours]} and {[h.text for h in theirs]}"]
    told = [f"the English heading {h.text!r} carries an anchor" for h in ours if h.anchor]
    for a, b in zip(ours, theirs, strict=True):
        if b.anchor != make_id(a.text):
            told.append(f'{b.text!r} must start with <a id="{make_id(a.text)}"></a>, got {b.anchor!r}')
    return told


def same(of, what):
    """A check that `of(text)` is the same in both languages; order within a cell is each language's own."""

    def check(en, zh):
        ours, theirs = Counter(of(en)), Counter(of(zh))
        return (
            [f"{what} differ: en alone {[*(ours - theirs)]}, zh alone {[*(theirs - ours)]}"] if ours != theirs else []
        )

    check.__name__ = f"same {what}"
    return check


def formulas(en, zh):
    return [f"$$ {a} $$ and $$ {b} $$" for a, b in _padded(pages.display_math(en), pages.display_math(zh)) if a != b]


PAIR_CHECKS = [
    outline,
    formulas,
    same(pages.targets, "links and images"),
    same(pages.fences, "fenced blocks"),
    same(lambda text: [(m["key"], m["spec"]) for m in pages.MARKER.finditer(text)], "number markers"),
    same(lambda text: [tag for tag in pages.tags(text) if tag.strip("/") != "a"], "HTML tags"),
]


# Checks of one text.


def one_step_a_line(text):
    """Each line of a $$ block says one relation. A range such as 0 < t < 1 is one, `a := ` comes free."""
    told = []
    for block in pages.display_math(text):
        inner = re.sub(r"\\begin\{(cases|\w*matrix|array)\}.*?\\end\{\1\}|:=", ";", block, flags=re.S)
        inner = re.sub(r"\\text\{[^{}]*\}", ";", inner)
        told += [line.strip() for line in re.split(r"\\\\(?:\[[^\]]*\])?", inner) if _relations(line) > 1]
    return [f"several steps on one line: {line}" for line in told]


def rendered(text):
    """Emphasis or mathematics that a Markdown reader leaves as it is written."""
    return [f"shows a literal * or $: {p[:80]}" for p in pages.prose(text) if re.search(r"[*$]", p)]


def punctuation(text):
    han = pages.HAN.pattern
    rules = {
        "ASCII punctuation beside Chinese": rf"{han}[,.;:?!]|[,;:?!] ?{han}",
        "ASCII brackets in Chinese": rf"{han}\(|\){han}|\([^()]*{han}[^()]*\)|{han} \([A-Za-z]{{2}}",
        "ASCII quotes beside Chinese": rf"{han}[\"']|[\"']{han}",
        "no space between Chinese and letters, digits, code or mathematics": rf"{han}[A-Za-z0-9]|[A-Za-z0-9%]{han}",
        "space beside full-width punctuation": rf" [{FULL}](?<![（《“「])|[，、（《“「] (?=\S)",
        "a line break inside a Chinese sentence, shown as a space": rf"[\u3400-\u9fff，、：；]\n{han}",
    }
    return [
        f"{rule}: …{paragraph[max(m.start() - 12, 0) : m.end() + 12]!r}"
        for paragraph in (re.sub("“[^”]*”", "“引文”", p) for p in pages.prose(text))  # a quotation stays as it was
        for rule, pattern in rules.items()
        for m in re.finditer(pattern, paragraph)
    ]


def english(text):
    """English sentences in Chinese prose: five Latin words in a row, two of them little ones. Titles may stay."""
    told = []
    for paragraph in pages.prose(re.sub(r"\[[^\]]*\]\(http[^)]*\)|(?<!\*)\*[^*\n]+\*|《[^》]*》|“[^”]*”", "", text)):
        for run in re.findall(r"[A-Za-z][A-Za-z'-]*(?:[ ,]+[A-Za-z][A-Za-z'-]*){4,}", paragraph):
            if (
                len(re.findall(r"\b(?:the|an?|is|are|was|be|that|which|we|it|this|and|not|can|of|to|in|for)\b", run))
                > 1
            ):
                told.append(f"English in a Chinese page: {run}")
    return told


def _relations(line):
    """How many relations the part of `line` with the most has, outside brackets."""
    most = depth = 0
    seen = []
    for token in re.findall(r"\\[a-zA-Z]+|\\.|.", line, flags=re.S):
        depth += (token in ("{", "(", "[", r"\{")) - (token in ("}", ")", "]", r"\}"))
        if depth <= 0 and token in (",", ";", r"\quad", r"\qquad", r"\iff", r"\implies", r"\Rightarrow"):
            seen = []
        elif depth <= 0 and token in (
            "=",
            r"\approx",
            r"\equiv",
            r"\propto",
            "<",
            ">",
            r"\le",
            r"\leq",
            r"\ge",
            r"\geq",
        ):
            seen.append(token.replace("eq", "e"))
        a_range = len(seen) == 2 and seen[0] == seen[1] and seen[0] in ("<", ">", r"\le", r"\ge")
        most = max(most, 1 if a_range else len(seen))
    return most


def _padded(a, b):
    length = max(len(a), len(b))
    return zip(a + ["nothing"] * (length - len(a)), b + ["nothing"] * (length - len(b)), strict=True)


# The pages.


def test_both_languages_have_the_same_pages():
    en, zh = ({p.name for p in (pages.NOTEBOOKS / lang).iterdir() if p.is_file()} for lang in pages.LANGUAGES)
    assert en == zh and en


@pytest.mark.parametrize("name", CHAPTERS)
def test_code_cells_and_outputs_are_the_same(name):
    en, zh = map(pages.load, sides(name))
    assert pages.code_differences(en, zh) == []
    assert [(c["id"], c["cell_type"]) for c in en["cells"]] == [(c["id"], c["cell_type"]) for c in zh["cells"]]
    assert en["metadata"] == zh["metadata"], "metadata or widget state differ: run `make notebooks`"
    for a, b in zip(en["cells"], zh["cells"], strict=True):
        assert a.get("outputs") == b.get("outputs"), f"outputs of {a['id']} differ: run `make notebooks`"


@pytest.mark.parametrize("name", CHAPTERS)
def test_code_cells_hold_no_chinese(name):
    cells = pages.load(sides(name)[0])["cells"]
    assert [c["id"] for c in cells if c["cell_type"] == "code" and pages.HAN.search(c["source"])] == []


@pytest.mark.parametrize("name", PAGES)
def test_texts_pair(name):
    en, zh = map(pages.texts, sides(name))
    assert list(en) == list(zh)
    told = [f"{key}: {said}" for key in en for check in PAIR_CHECKS for said in check(en[key], zh[key])]
    assert not told, "\n".join(told)


@pytest.mark.parametrize("name", PAGES)
def test_anchors_are_unique(name):
    text = "\n\n".join(pages.texts(sides(name)[0]).values())
    twice = [a for a, n in Counter(make_id(h.text) for h in pages.headings(text)).items() if n > 1 or not a]
    assert twice == [], "two headings of one page need different words"


@pytest.mark.parametrize("name", PAGES)
def test_mathematics_and_emphasis(name):
    for path in sides(name):
        told = [f"{k}: {s}" for k, text in texts(path) for check in (one_step_a_line, rendered) for s in check(text)]
        assert not told, "\n".join([path.parent.name, *told])


@pytest.mark.parametrize("name", PAGES)
def test_chinese_is_typeset_as_chinese(name):
    told = [
        f"{key}: {s}" for key, text in texts(sides(name)[1]) for check in (punctuation, english) for s in check(text)
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize("name", CHAPTERS)
def test_english_chapters_hold_no_chinese(name):
    assert [key for key, text in texts(sides(name)[0]) if pages.HAN.search(text)] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_figures_are_described_in_both_languages(name):
    en, zh = map(pages.load, sides(name))
    for a, b in zip(en["cells"], zh["cells"], strict=True):
        if pages.has_image(a):
            for kind, ours, theirs in zip(("alt", "caption"), pages.figure(a), pages.figure(b), strict=True):
                assert ours and theirs, f"{a['id']}: no {kind} in metadata.mystnb"
                assert pages.HAN.search(theirs) and ours != theirs, f"{a['id']}: {kind} is not in Chinese"


def test_translations_are_acknowledged():
    told = languages.check()
    assert not told, "\n".join(told)


# The checks themselves: each is silent on the good and complains about the bad.

GOOD_EN = "## The loss\n\nSee [data](a.md), **mu** is $\\mu$.\n\n$$\na = b\n$$\n"
GOOD_ZH = '## <a id="the-loss"></a>损失函数\n\n见 [数据](a.md)，**均值**记作 $\\mu$。\n\n$$\na = b\n$$\n'


@pytest.mark.parametrize("check", PAIR_CHECKS, ids=lambda check: check.__name__)
def test_good_pairs_pass(check):
    assert check(GOOD_EN, GOOD_ZH) == []


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        (0, "the-loss", "loss"),
        (0, "## ", "### "),
        (0, '<a id="the-loss"></a>', ""),
        (1, "a = b", "a = c"),
        (1, "$$\na = b\n$$", ""),
        (2, "a.md", "b.md"),
        (2, "[数据](a.md)", "数据"),
        (3, "见", "```python\n```\n\n见"),
        (4, "见", "见 <!-- n:a.b:.1f -->1<!-- /n --> "),
        (5, "见", "<details>见"),
    ],
)
def test_bad_pairs_are_noticed(check, old, new):
    assert old in GOOD_ZH
    assert PAIR_CHECKS[check](GOOD_EN, GOOD_ZH.replace(old, new))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (punctuation, "编码，解码。", "编码,解码。"),
        (punctuation, "编码：VAE。", "编码: VAE。"),
        (punctuation, "自编码器（AE）的", "自编码器 (AE) 的"),
        (punctuation, "形状为 (1, 28, 28) 的", "形状为 (1, 宽, 高) 的"),
        (punctuation, "“编码”是", '"编码"是'),
        (punctuation, "用 VAE 来编码，“像是5”", "用VAE来编码"),
        (punctuation, "编码 $z$ 是 `x`，", "编码$z$是`x`，"),
        (punctuation, "误差 <!-- n:a:.1f -->9.5<!-- /n -->。", "误差<!-- n:a:.1f -->9.5<!-- /n -->。"),
        (punctuation, "用 VAE，", "用 VAE ，"),
        (punctuation, "第一句。\n第二句。", "第一\n句。"),
        (rendered, "**编码**。然后", "**编码。**然后"),
        (rendered, "是 $x$ 的", "是 $x 的"),
        (
            english,
            "见 [Reducing the Dimensionality of Data](https://x.org) 与 VAE。",
            "The code is a vector of numbers.",
        ),
        (one_step_a_line, "$$\na &= b \\\\\n&= c\n$$", "$$\na = b = c\n$$"),
        (one_step_a_line, "$$\na := f(x=1) = 3, \\quad b = 2\n$$", "$$\na = f(x) \\approx 2\n$$"),
        (one_step_a_line, "$$\n0 < t < 1\n$$", "$$\na = b \\ge c\n$$"),
        (one_step_a_line, "$$\nf = \\begin{cases} 1, & x = 0 \\end{cases}\n$$", "$$\na = b \\\\ c = d\n= e\n$$"),
    ],
)
def test_checks_tell_good_from_bad(check, good, bad):
    assert check(good) == [] and check(bad)


@pytest.fixture
def small_book(tmp_path):
    """One chapter and one page in two languages."""
    words = {"en": ("Hello", "# Top\n\nOne"), "zh": ("你好", '# <a id="top"></a>顶\n\n一')}
    for lang, (cell, page) in words.items():
        (tmp_path / lang).mkdir()
        drawn = {"id": "b", "cell_type": "code", "source": ["x"], "metadata": {"mystnb": {"image": {"alt": cell}}}}
        notebook = {"cells": [{"id": "a", "cell_type": "markdown", "metadata": {}, "source": [cell]}, drawn]}
        (tmp_path / lang / "c.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        (tmp_path / lang / "p.md").write_text(page + " <!-- n:k:d -->1<!-- /n -->\n", encoding="utf-8")
    languages.acknowledge(tmp_path)
    return tmp_path


def edit(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_change_in_one_language_is_told_until_acknowledged(small_book):
    assert languages.check(small_book) == []
    edit(small_book / "en/c.ipynb", "Hello", "Goodbye")
    edit(small_book / "zh/p.md", "一", "二")
    told = languages.check(small_book)
    assert told[0].startswith("c.ipynb, a: en changed, zh did not")
    assert told[1].startswith("c.ipynb, b: en changed, zh did not"), "the alt text of a figure"
    assert told[2].startswith("p.md, top: zh changed, en did not")
    languages.acknowledge(small_book)
    assert languages.check(small_book) == []


def test_a_change_in_both_and_new_texts_are_told(small_book):
    edit(small_book / "en/p.md", "One", "Two\n\n## New\n\nwords")
    edit(small_book / "zh/p.md", "一", '二\n\n## <a id="new"></a>新\n\n文')
    both, new = languages.check(small_book)
    assert "both languages changed" in both and new.startswith("p.md, new: new")


def test_filling_a_number_is_no_change(small_book):
    edit(small_book / "en/p.md", "-->1<", "-->2<")
    assert languages.check(small_book) == []


def test_a_text_without_its_pair_cannot_be_acknowledged(small_book):
    (small_book / "zh/p.md").unlink()
    with pytest.raises(ValueError, match=r"p\.md, top"):
        languages.acknowledge(small_book)

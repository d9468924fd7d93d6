"""Questions and solutions: what becomes of their Markdown (book/questions.py), and the pages on which they open."""

import logging

import pytest
from conftest import opened
from docutils import nodes
from docutils.core import publish_doctree
from extension import questions
from myst_parser.docutils_ import Parser

CHOICE = "<details>\n<summary>{}</summary>\n\n**{}**. Why.\n\n</details>"
ASKED = ["en/01_autoencoder.html", "zh/02_kl_divergence.html"]
READY = "async () => { await window.MathJax?.startup?.promise; }"


def read(text, change):
    document = publish_doctree(text, parser=Parser(), settings_overrides={"report_level": 5})
    change(document).apply()
    return document


def ask(*verdicts, lead="Predict, then see"):
    choices = (CHOICE.format(f"{letter}. It is {letter}.", verdict) for letter, verdict in zip("ABC", verdicts))  # noqa: B905
    return "\n\n".join([f"**{lead}**. Why?", "Or how?", *choices, "After."])


def raws(document):
    return [node.astext().strip() for node in document.findall(nodes.raw)]


def test_a_question_is_one_group_of_choices_that_know_their_answers():
    found = read(ask("Not quite", "Right"), questions.Questions)
    assert raws(found) == [
        '<div class="question" role="group" aria-label="Predict, then see">',
        '<details class="choice wrong">\n<summary><span>A.</span> <span>It is A.</span></summary>',
        "</details>",
        '<details class="choice right">\n<summary><span>B.</span> <span>It is B.</span></summary>',
        "</details>",
        "</div>",
    ]
    assert isinstance(found[0], nodes.raw) and found[-1].astext() == "After."
    chinese = raws(read(ask("对", "不对", lead="先猜一猜"), questions.Questions))
    assert [text[:29] for text in chinese[1:5:2]] == [f'<details class="choice {v}"'[:29] for v in ("right", "wrong")]


@pytest.mark.parametrize("verdicts", [(), ("Right",), ("Right", "Right"), ("Not quite", "Not quite"), ("Right", "No")])
def test_a_question_that_cannot_be_answered_fails_the_build(caplog, verdicts):
    with caplog.at_level(logging.WARNING):
        read(ask(*verdicts), questions.Questions)
    assert "choices of this question" in caplog.text


def test_hidden_cells_move_into_the_solution_after_them():
    text = "Before.\n\n<details>\n<summary>Solution</summary>\n\nWords.\n\n</details>"
    document = publish_doctree(text, parser=Parser())
    plain = nodes.container(classes=["cell"])
    hidden = [nodes.container(classes=["cell", "tag_hide-cell"], hide_mode="all") for _ in range(2)]
    document.children[1:1] = [plain, *hidden]
    for cell in document.children[1:4]:
        cell.parent = document
    questions.Solutions(document).apply()
    assert [node.tagname for node in document] == [
        "paragraph", "container", "raw", "container", "container", "paragraph", "raw"
    ]  # fmt: skip
    assert document[1] is plain and document[3:5] == hidden
    assert not any("hide_mode" in cell or "tag_hide-cell" in cell["classes"] for cell in hidden)


# -- In a browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=ASKED)
def at(browser, sites, request):
    """Opens a page with questions as a file: at(**options) -> page."""
    pages = []

    def open_(**options):
        page, complaints = opened(browser, f"{sites['file']}/{request.param}", sites["file"], **options)
        pages.append((page, complaints))
        return page

    yield open_
    for page, complaints in pages:
        page.context.close()
        assert not complaints


def seen(locator):
    return locator.evaluate_all("(all) => all.map((e) => e.checkVisibility({ contentVisibilityAuto: true }))")


@pytest.mark.parametrize("scripts", [True, False])
def test_choices_open_by_keyboard_and_only_then_say_whether_they_are_right(at, scripts):
    page = at(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    cards = page.locator(".question")
    assert 2 <= cards.count() <= 4
    choices = cards.first.locator("details")
    answers = choices.locator("> :not(summary, noscript)")
    assert not any(seen(answers))
    closed = choices.evaluate_all("(all) => all.map((e) => [e.clientWidth, getComputedStyle(e).borderTop].join())")
    assert len(set(closed)) == 1  # nothing gives the right one away
    choices.first.locator("summary").focus()
    for choice in choices.all():
        assert choice.locator("summary").evaluate("(summary) => summary === document.activeElement")
        page.keyboard.press("Enter")
        assert choice.locator("p").first.is_visible()
        page.keyboard.press("Tab")
        for _ in range(5):  # past what an answer links to
            if page.evaluate("!document.activeElement.closest('.choice p')"):
                break
            page.keyboard.press("Tab")
    marks = choices.evaluate_all(
        "(all) => all.map((e) => [e.classList[1], getComputedStyle(e.querySelector('p'), '::before').content[1]])"
    )
    assert [mark for _, mark in marks] == [{"right": "✓", "wrong": "✗"}[verdict] for verdict, _ in marks]
    assert cards.first.get_attribute("aria-label") == cards.first.locator("strong").first.text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_paper_shows_every_answer(at):
    page = at()
    page.emulate_media(media="print")
    answers = page.locator(".question .choice > :not(summary, noscript)")
    assert answers.count() >= 6 and all(seen(answers))


def test_a_solution_is_one_toggle_with_its_code_inside(at):
    page = at(reduced_motion="reduce")
    page.evaluate(READY)
    assert page.locator("details.hide").count() == 1  # the set-up cell
    solution = page.locator("article details:not([class])", has=page.locator(".cell_input")).last
    code, words = solution.locator(".cell_input pre"), solution.locator("> p").last
    assert not code.first.is_visible() and not words.is_visible()
    solution.locator("summary").press("Enter")
    assert all(box.is_visible() for box in code.all()) and words.is_visible()
    assert solution.locator("summary").count() == 1


def test_what_hides_code_says_so(browser, sites):
    page, _ = opened(browser, f"{sites['file']}/en/playground.html", sites["file"])
    summary = page.locator("details.hide > summary").first
    for words in ("Show code", "Hide code"):
        assert summary.get_attribute("aria-label") is None and summary.inner_text().strip() == words
        summary.press("Enter")
    page.context.close()

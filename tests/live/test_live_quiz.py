"""The quiz of the first page, in a browser: without a kernel or network, over http and from files."""

import pytest
from conftest import opened

CELL = ".cell_output:has(.genlib-quiz)"
WORDS = {"en": ("never written by anybody", "written by a person"), "zh": ("没有人写过", "是人写的")}


@pytest.fixture(params=[("en", "http"), ("zh", "file")], ids="-".join)
def live(browser, sites, request):
    lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/index.html", sites[scheme])
    page.locator(".genlib-quiz button[aria-label]").first.wait_for()
    yield page, lang
    assert not complaints
    page.context.close()


def answers(page, lang):
    """Of each picture, once all is shown, whether nobody wrote it."""
    names = page.locator(".genlib-quiz .genlib-grid button").evaluate_all("(all) => all.map((b) => b.ariaLabel)")
    return [WORDS[lang][0] in name for name in names]


def marks(page):
    return page.locator(".genlib-quiz .genlib-grid b").all_text_contents()


def test_a_guess_is_told_counted_and_announced(live):
    page, lang = live
    pictures = page.locator(".genlib-quiz .genlib-grid button").all()
    assert len(pictures) == 12
    show, again = page.locator(f"{CELL} .genlib-bar button").all()
    show.click()
    made = answers(page, lang)
    assert not any(marks(page))  # they judge guesses, and there was none
    assert made.count(True) == 6 and show.is_disabled()
    again.click()
    assert answers(page, lang) == [False] * 12 and show.is_enabled()
    pictures[made.index(True)].press("Enter")
    pictures[made.index(False)].click()
    for never, name in zip((True, False), WORDS[lang], strict=True):
        picture = pictures[made.index(never)]
        assert name in picture.get_attribute("aria-label") and picture.get_attribute("aria-pressed") == "true"
    assert [marks(page)[made.index(never)] for never in (True, False)] == ["✓", "✗"]
    state = page.locator(f"{CELL} .genlib-bar span").text_content()
    assert [c for c in state if c.isdigit()] == ["1", "6", "1"]
    spoken = page.locator(".genlib-quiz .genlib-spoken[role=status]")
    page.wait_for_function("([line, text]) => line.textContent === text", arg=[spoken.element_handle(), state])


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_it_stands_above_the_fold(live, size):
    page, _ = live
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function("(w) => document.documentElement.clientWidth === w", arg=size[0])
    box = page.locator(".genlib-quiz .genlib-grid").bounding_box()
    assert box["y"] + box["height"] <= size[1] and box["x"] + box["width"] <= size[0]


def test_without_scripts_the_picture_stays(browser, sites):
    page, _ = opened(browser, f"{sites['file']}/en/index.html", sites["file"], java_script_enabled=False)
    assert page.locator(".cell_output img").first.is_visible()
    page.context.close()

"""The ELBO explorer of the built chapter 3, in a browser: without a kernel or a network, over http and from files."""

import pytest
from conftest import opened, right_end, set_sliders, sliders

from genlib import ElboExplorer

CELL = ".cell_output:has(.genlib-elbo)"
START = [0.6, 0.4]


@pytest.fixture(scope="module", params=[("en", "http"), ("zh", "file")], ids="-".join)
def live(browser, sites, request):
    lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/03_vae.html", sites[scheme])
    page.locator(".genlib-elbo svg[aria-label]").wait_for()
    yield page, complaints, lang
    page.context.close()


@pytest.fixture
def page(live):
    page, *_ = live
    set_sliders(page, CELL, START)
    return page


def told(page):
    """The five rows: expected log-likelihood, KL, ELBO, gap, log p(x)."""
    return [float(text.replace("\u2212", "-")) for text in page.locator(".genlib-elbo dd").all_text_contents()]


def bars(page):
    """Left ends and widths of the two bars, and where the line at log p(x) stands, in pixels."""
    rects = page.locator(".genlib-elbo rect").evaluate_all(
        "(all) => all.map((r) => ['x', 'width'].map((name) => Number(r.getAttribute(name))))"
    )
    fixed = page.locator(".genlib-elbo .genlib-fixed").get_attribute("d")
    return rects, float(fixed[1:].split(",")[0])


@pytest.mark.parametrize("guess", [START, (-3.0, 0.1), (0.0, 1.0), (0.7, 0.3), (1.15, 0.25)])
def test_values_are_pytorch_s_and_their_sum_never_moves(page, guess):
    fixed = bars(page)[1]
    set_sliders(page, CELL, guess)
    terms = ElboExplorer(mu=guess[0], sigma=guess[1]).terms()
    likelihood, kl, elbo, gap, total = told(page)
    expected = (terms["likelihood"], terms["kl"], terms["elbo"], terms["gap"], terms["log_px"])
    assert (likelihood, kl, elbo, gap, total) == pytest.approx(expected, abs=0.00016)
    assert (kl, elbo, total) == pytest.approx((terms["kl"], terms["elbo"], terms["log_px"]), abs=0.000051)
    assert likelihood - kl == pytest.approx(elbo, abs=1e-9) and elbo + gap == pytest.approx(total, abs=1e-9)
    (blue, orange), line = bars(page)
    assert line == fixed and blue[0] + blue[1] == pytest.approx(orange[0], abs=0.2)
    assert orange[0] + orange[1] == pytest.approx(line, abs=0.2)


def test_a_bar_longer_than_its_axis_is_seen_to_be_cut(page):
    arrow, words = page.locator(".genlib-elbo path.genlib-cut"), page.locator(".genlib-elbo text.genlib-cut")
    assert (arrow.get_attribute("d"), words.text_content()) == ("", "")
    set_sliders(page, CELL, [-3.0, 0.1])
    elbo = page.locator(".genlib-elbo dd").nth(2).text_content()
    assert elbo == "\u22128.3977" and words.text_content() == f"← ELBO {elbo}"
    edge, tip = (arrow.evaluate(f"(path) => path.getBBox().{side}") for side in ("x + path.getBBox().width", "x"))
    assert edge == bars(page)[0][1][0] and tip < edge - 5  # from where the bar ends, to the left


def test_the_curve_is_dragged_by_its_middle_and_by_its_flank(page):
    for part, index in (("μ", 0), ("σ", 1)):  # noqa: RUF001
        before = sliders(page, CELL)
        handle = page.locator(f".genlib-elbo [role=slider][aria-label*='{part}']")
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y, steps=4)
        page.mouse.up()
        after = sliders(page, CELL)
        assert after[index] > before[index] + 0.2 and after[1 - index] == before[1 - index]


def test_keys_drag_too_and_are_announced(page, live):
    handle = page.locator(".genlib-elbo [role=slider]").first
    handle.focus()
    handle.press("ArrowRight")
    said = {"en": "q: mean 0.65", "zh": "q：均值 0.65"}[live[2]]  # noqa: RUF001
    assert handle.get_attribute("aria-valuetext") == said
    assert sliders(page, CELL) == [0.65, 0.4]
    spoken = page.locator(".genlib-elbo .genlib-spoken[role=status]")
    page.wait_for_function("(line) => line.textContent.includes('ELBO')", arg=spoken.element_handle())


def test_buttons_find_the_best_guess_and_start_again(page):
    best, again = page.locator(f"{CELL} .genlib-button").all()
    start = told(page)
    best.click()
    found = told(page)
    assert found[3] < 0.2 < start[3] and found[4] == start[4]
    for other in ((found_mu, 0.3) for found_mu in (sliders(page, CELL)[0] - 0.1, sliders(page, CELL)[0] + 0.1)):
        assert found[3] < ElboExplorer(mu=other[0], sigma=other[1]).terms()["gap"] + 0.002
    again.click()
    assert sliders(page, CELL) == START and told(page) == start


def test_words_are_in_the_language_of_the_page(page, live):
    lang = live[2]
    label = page.locator(".genlib-elbo svg").get_attribute("aria-label")
    assert ("prior" in label, "先验" in label) == (lang == "en", lang == "zh")
    button = page.locator(f"{CELL} .genlib-button").first.text_content()
    assert button == {"en": "Find the best q", "zh": "找最好的 q"}[lang]


def test_on_a_phone_it_is_no_wider_than_the_page(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.genlib-elbo .genlib-guess').getBBox().width < 380")
    right = right_end(page, CELL)
    page.set_viewport_size({"width": 1000, "height": 900})
    assert right <= 391


def test_nothing_went_wrong(live):
    assert not live[1]  # of all that the tests above did

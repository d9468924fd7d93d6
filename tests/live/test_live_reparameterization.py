"""The reparameterization explorer of the built chapter 3, in a browser, over http and from files."""

import re

import pytest
from conftest import opened, set_sliders

from genlib import ReparameterizationExplorer

CELL = ".cell_output:has(.genlib-reparameterization)"


@pytest.fixture(scope="module", params=[("en", "file"), ("zh", "http")], ids="-".join)
def live(browser, sites, request):
    lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/03_vae.html", sites[scheme])
    page.locator(".genlib-reparameterization svg[aria-label]").first.wait_for()
    yield page, complaints, lang
    page.context.close()


def told(page):
    """[[estimate, exact] of the reparameterized gradient, the same of the score function]."""
    lines = page.locator(".genlib-reparameterization .genlib-two p:last-child").all_text_contents()
    return [[float(v.replace("\u2212", "-")) for v in re.findall(r"[\u2212\d.]+\d", line)] for line in lines]


def test_sliders_and_draws_give_pytorch_s_estimates(live):
    page, _, _ = live
    explorer = ReparameterizationExplorer()
    for draw, (mu, sigma) in enumerate([(0.5, 0.8), (-1.0, 0.4), (1.5, 1.2)], explorer.view.draw):
        set_sliders(page, CELL, [mu, sigma])
        explorer.view.draw, explorer.view.mu, explorer.view.sigma = draw, mu, sigma
        expected = explorer.estimates()
        pairs = [[expected[name], expected["exact"]] for name in ("reparameterized", "score")]
        for shown, pair in zip(told(page), pairs, strict=True):
            assert shown == pytest.approx(pair, abs=0.0051)
        page.locator(f"{CELL} .genlib-button").click()


def test_dots_slide_on_one_side_and_change_weight_on_the_other(live):
    page, _, _ = live
    see = """(svg) => [...svg.querySelectorAll("g:nth-of-type(2) circle")].map((circle) =>
      ["cx", "r"].map((name) => circle.getAttribute(name)))"""
    panels = page.locator(".genlib-reparameterization svg")

    def state(mu):
        set_sliders(page, CELL, [mu, 0.8])
        return [panels.nth(i).evaluate(see) for i in (0, 1)]

    before, after = state(0.5), state(1.0)
    assert len(before[0]) == len(before[1]) == 24
    assert all(float(b[0]) > float(a[0]) for a, b in zip(before[0], after[0], strict=True))
    assert [c for c, _ in before[1]] == [c for c, _ in after[1]]
    assert [r for _, r in before[1]] != [r for _, r in after[1]]


def test_an_estimate_beyond_the_axis_is_an_arrow_at_its_end(live):
    page, _, _ = live
    set_sliders(page, CELL, [-1.0, 0.3])
    explorer = ReparameterizationExplorer()
    explorer.view.mu, explorer.view.sigma = -1.0, 0.3
    for panel, name in enumerate(("reparameterized", "score")):
        past = page.locator(".genlib-reparameterization svg").nth(panel).locator("g").nth(2)
        beyond = 0
        for explorer.view.draw in range(1, past.locator("> *").count() + 1):
            beyond += not -22 <= explorer.estimates()[name] <= 12
        assert past.locator("path.genlib-beyond").count() == beyond and (beyond > 0) == (name == "score")


def test_words_and_announcement_are_in_the_language_of_the_page(live):
    page, _, lang = live
    button = page.locator(f"{CELL} .genlib-button")
    assert button.text_content() == {"en": "Draw again", "zh": "重新采样"}[lang]
    button.click()
    spoken = page.locator(".genlib-reparameterization .genlib-spoken[role=status]")
    word = {"en": "estimate", "zh": "估计值"}[lang]
    page.wait_for_function("([line, word]) => line.textContent.includes(word)", arg=[spoken.element_handle(), word])


def test_nothing_went_wrong(live):
    assert not live[1]

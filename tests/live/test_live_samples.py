"""The samples explorer of the built chapter 4, in a browser: without a kernel or network, over http and from files."""

import math

import pytest
import torch
from conftest import opened, right_end

from genlib import load_comparison, measures

CELL = ".cell_output:has(.genlib-samples)"
PICTURES = ".genlib-samples .genlib-grid canvas"
# Random numbers that a test knows: from 0.5 on, each the last one plus the golden ratio, without its whole part.
KNOWN = "window.golden = 0.5; Math.random = () => (golden = (golden + 0.6180339887498949) % 1);"
PIXELS = """(all) => all.map((canvas) =>
  Array.from(canvas.getContext("2d").getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0))"""


@pytest.fixture(scope="module", params=[("en", "file"), ("zh", "http")], ids="-".join)
def live(browser, sites, request):
    lang, scheme = request.param
    url = f"{sites[scheme]}/{lang}/04_measuring_generation.html"
    page, complaints = opened(browser, url, sites[scheme], lambda page: page.add_init_script(KNOWN))
    page.locator(".genlib-samples .genlib-grid[aria-label]").wait_for()
    yield page, complaints, lang
    page.context.close()


def choose(page, **values):
    """Choose by value: kind, size, origin."""
    for value in values.values():
        page.locator(f".genlib-samples input[value='{value}']").check()


def pixels(page):
    return torch.tensor(page.locator(PICTURES).evaluate_all(PIXELS), dtype=torch.float32)


def drawn(one, origin, start):
    """The 64 images (64, 784) that the page draws when Math.random, as above, was last at `start`."""
    weights = one.origins[origin].mixture_distribution.probs.tolist()
    parts = one.origins[origin].component_distribution
    state = start

    def random():
        nonlocal state
        state = (state + 0.6180339887498949) % 1
        return state

    codes = []
    for _ in range(64):
        k, left = 0, random()
        while k < len(weights) - 1 and (left := left - weights[k]) >= 0:
            k += 1
        d = parts.loc.shape[1]
        eps = [math.sqrt(-2 * math.log(1 - random())) * math.cos(2 * math.pi * random()) for _ in range(d)]
        codes.append(parts.loc[k].double() + parts.scale_tril[k].double() @ torch.tensor(eps).double())
    return one.decoder(torch.stack(codes).float()).clamp(-1, 1)


@pytest.mark.parametrize(
    ("kind", "size", "origin"),
    [("vae", 20, "mixture"), ("autoencoder", 3, "gaussian"), ("pca", 8, "mixture"), ("vae", 2, "prior")],
)
def test_the_page_draws_and_reads_what_pytorch_does(live, kind, size, origin):
    page, _, lang = live
    choose(page, kind=kind, size=size, origin=origin)
    page.evaluate("golden = 0.5")
    page.locator(".genlib-samples .genlib-button").first.click()
    expected = drawn(load_comparison()[0][kind][size], origin, 0.5)
    assert (pixels(page) - (expected + 1) * 127.5).abs().max() <= 1.01
    page.locator(".genlib-samples .genlib-button").nth(1).click()
    line = page.locator(".genlib-samples p").first
    word = {"en": "recognises", "zh": "认出了"}[lang]
    page.wait_for_function("([line, word]) => line.textContent.includes(word)", arg=[line.element_handle(), word])
    recognised = measures.read(expected)["recognised"]
    marks = page.locator(".genlib-samples .genlib-grid b").all_text_contents()
    assert [mark == "" for mark in marks] == recognised.tolist()
    assert str(int(recognised.sum())) in line.text_content().replace("64", "")
    page.locator(".genlib-samples .genlib-button").nth(1).click()
    assert not any(page.locator(".genlib-samples .genlib-grid b").all_text_contents())


def test_scores_follow_the_choice_and_anchors_stay(live):
    page, _, _ = live
    cells = page.locator(".genlib-samples tbody tr:first-child td")
    choose(page, kind="vae", size=20, origin="prior")
    prior = cells.all_text_contents()
    choose(page, origin="mixture")
    mixture = cells.all_text_contents()
    scores = load_comparison()[0]["vae"][20].scores
    for shown, origin in ((prior, "prior"), (mixture, "mixture")):
        assert abs(int(shown[0].rstrip("%")) - 100 * scores[origin]["recognised"]) <= 0.51
    assert prior[1:] == mixture[1:] and len(prior) == 5


def test_again_draws_others(live):
    page, _, _ = live
    before = pixels(page)
    page.locator(".genlib-samples .genlib-button").first.click()
    assert (pixels(page) != before).any()


def test_keys_choose_and_the_drawing_is_announced(live):
    page, _, _ = live
    small = page.locator(".genlib-samples input[value='2']")
    small.check()
    small.press("ArrowRight")
    assert page.locator(".genlib-samples input[value='3']").is_checked()
    label = page.locator(".genlib-samples .genlib-grid").get_attribute("aria-label")
    assert "3" in label and "64" in label
    spoken = page.locator(".genlib-samples .genlib-spoken[role=status]")
    page.wait_for_function("([line, text]) => line.textContent === text", arg=[spoken.element_handle(), label])


def test_on_a_phone_it_is_no_wider_than_the_page(live):
    page, _, _ = live
    page.set_viewport_size({"width": 390, "height": 844})
    right = right_end(page, CELL)
    page.set_viewport_size({"width": 1000, "height": 900})
    assert right <= 391


def test_nothing_went_wrong(live):
    assert not live[1]

"""The training's epochs in a browser, without a kernel."""

import base64
import json

import pytest
import torch
from common.pages import STATE
from conftest import PIXELS, emulate_media, opened

LOOKS = "(canvas) => canvas.toDataURL()"


@pytest.fixture(scope="module", params=[("en", "file"), ("zh", "http")], ids="-".join)
def live(browser, sites, request):
    """(page, complaints, lang) of chapter 1, for a reader who prefers no motion, until a test says otherwise."""
    lang, scheme = request.param
    url = f"{sites[scheme]}/{lang}/01_autoencoder.html"
    page, complaints = opened(browser, url, sites[scheme], reduced_motion="reduce")
    page.locator(".genlib-learned").scroll_into_view_if_needed()
    yield page, complaints, lang
    page.context.close()


@pytest.fixture
def parts(live):
    """(slider, picture of the reconstructions, codes in space), at epoch 0."""
    page, *_ = live
    widget = page.locator(".live-widget:has(.genlib-learned)")
    slider = widget.locator("input[type=range]")
    slider.press("Home")
    return slider, widget.locator(".genlib-learned canvas").nth(1), widget.locator(".genlib-space canvas")


def state(page):
    text = page.locator(f'script[type="{STATE}"]').text_content()
    (entry,) = [entry for entry in json.loads(text)["state"].values() if "errors" in entry["state"]]
    return entry


def pictures(canvas):
    """The pictures that a strip shows, (M, 784), whole numbers from 0 to 255."""
    strip = torch.tensor(canvas.evaluate(PIXELS)).view(28, -1, 28)
    return strip.transpose(0, 1).reshape(-1, 784)


def test_each_epoch_shows_its_own_reconstructions_and_error(live, parts, test_digits):
    page, _, lang = live
    slider, reconstructions, _ = parts
    originals = ((test_digits[0][:10] + 1) * 127.5).round()
    assert torch.equal(pictures(page.locator(".genlib-learned canvas").first), originals)
    entry = state(page)
    epochs, errors = entry["state"]["epochs"], entry["state"]["errors"]
    assert int(slider.get_attribute("max")) == len(epochs) - 1 >= 10
    looks = set()
    for epoch, error in zip(epochs, errors, strict=True):
        shown = pictures(reconstructions)
        measured = ((shown - originals) / 127.5).square().sum(1).mean().item()
        assert measured == pytest.approx(error, rel=0.02)
        said = slider.get_attribute("aria-valuetext")
        assert str(epoch) in said and f"{error:.0f}" in said and ("轮" in said) == (lang == "zh")
        assert said in reconstructions.get_attribute("aria-label")
        assert f"{error:.0f}" in page.locator(".genlib-learned p").last.text_content()
        looks.add(tuple(shown.flatten().tolist()))
        slider.press("ArrowRight")
    assert len(looks) == len(epochs)


def test_codes_move_at_once_or_glide(live, parts):
    page, *_ = live
    slider, _, space = parts
    at_zero = space.evaluate(LOOKS)
    slider.press("End")
    at_end = space.evaluate(LOOKS)
    page.wait_for_timeout(500)
    assert at_zero != at_end == space.evaluate(LOOKS)  # at once
    emulate_media(page, reduced_motion="no-preference")
    slider.press("Home")
    on_the_way = space.evaluate(LOOKS)
    page.wait_for_timeout(1000)
    emulate_media(page, reduced_motion="reduce")
    assert space.evaluate(LOOKS) == at_zero
    assert on_the_way != at_zero


def test_playing_stops_at_the_end_and_when_asked(live, parts):
    page, _, lang = live
    slider, *_ = parts
    play, pause = (
        page.get_by_role("button", name=name) for name in {"en": ("Play", "Pause"), "zh": ("播放", "暂停")}[lang]
    )
    play.press("Enter")
    assert slider.input_value() == "1"
    page.wait_for_timeout(2500)
    assert int(slider.input_value()) >= 2
    pause.press("Enter")
    stopped = slider.input_value()
    page.wait_for_timeout(1500)
    assert slider.input_value() == stopped
    slider.press("End")
    slider.press("ArrowLeft")
    play.press("Enter")
    play.wait_for()  # at the end it is over
    assert slider.input_value() == slider.get_attribute("max")
    play.press("Enter")
    assert slider.input_value() == "0"  # and begins again
    pause.press("Enter")


def test_the_codes_of_the_page_are_those_of_the_training(live):
    page, *_ = live
    entry = state(page)
    (packed,) = [buffer["data"] for buffer in entry["buffers"] if buffer["path"] == ["codes"]]
    codes = torch.frombuffer(bytearray(base64.b64decode(packed)), dtype=torch.int16) / entry["state"]["scale"]
    codes = codes.view(len(entry["state"]["epochs"]), 200, 3)
    spread = (codes - codes.mean(1, keepdim=True)).norm(dim=2).mean(1)
    assert spread[0] < spread[1] < 0.5 * spread[2]  # as the chapter says: one clump, then another, which bursts


def test_nothing_went_wrong(live):
    _, complaints, _ = live
    assert not complaints

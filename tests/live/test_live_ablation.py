"""The ablation explorer of the built chapter 3, in a browser: without a kernel or network, over http and from files."""

import pytest
from conftest import opened, right_end

CELL = ".cell_output:has(.genlib-ablation)"
# How much of the cloud's canvas is drawn on, and the grey of the plane.
SEE = """() => {
  const read = (name) => {
    const canvas = document.querySelector(`.genlib-ablation ${name}`);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const cloud = read("figure:first-of-type canvas");
  let drawn = 0;
  for (let i = 3; i < cloud.length; i += 4) drawn += cloud[i] > 0;
  return { drawn: drawn / (cloud.length / 4), plane: read(".genlib-plane").reduce((sum, v) => sum + v, 0) };
}"""


@pytest.fixture(scope="module", params=[("en", "file"), ("zh", "http")], ids="-".join)
def live(browser, sites, request):
    lang, scheme = request.param
    url = f"{sites[scheme]}/{lang}/03_vae.html"
    page, complaints = opened(browser, url, sites[scheme], reduced_motion="reduce")
    page.locator(".genlib-ablation canvas[aria-label]").first.wait_for()
    yield page, complaints, lang
    page.context.close()


def test_each_way_has_its_cloud_its_plane_and_its_words(live):
    page, _, lang = live
    choices = page.locator(".genlib-ablation input")
    assert choices.count() == 4 and choices.nth(3).is_checked()
    seen = []
    for i in range(4):
        choices.nth(i).check()
        line = page.locator(".genlib-ablation > p")
        seen.append((page.evaluate(SEE), line.text_content()))
        label = page.locator(".genlib-ablation canvas").first.get_attribute("aria-label")
        assert seen[-1][1] in label
    assert len({state["plane"] for state, _ in seen}) == len({words for _, words in seen}) == 4
    assert all(0.01 < state["drawn"] < 0.9 for state, _ in seen)
    assert [("KL" in words) for _, words in seen] == [False, True, True, True]
    assert all(("squared error" in words) == (lang == "en") for _, words in seen)


def test_keys_choose_and_are_announced(live):
    page, _, _ = live
    first, second = page.locator(".genlib-ablation input").all()[:2]
    first.check()
    first.press("ArrowRight")
    assert second.is_checked()
    spoken = page.locator(".genlib-ablation .genlib-spoken[role=status]")
    line = page.locator(".genlib-ablation > p").text_content()
    page.wait_for_function("([spoken, line]) => spoken.textContent.includes(line)", arg=[spoken.element_handle(), line])


def test_on_a_phone_it_is_no_wider_than_the_page(live):
    page, _, _ = live
    page.set_viewport_size({"width": 390, "height": 844})
    right = right_end(page, CELL)
    page.set_viewport_size({"width": 1000, "height": 900})
    assert right <= 391


def test_nothing_went_wrong(live):
    assert not live[1]

"""The KL explorer of the built chapter 2, in a browser: without a kernel or a network, over http and from files."""

import re

import numpy as np
import pytest
import torch
from conftest import emulate_media, opened, right_end, set_sliders, sliders
from torch.distributions import Normal

from genlib import kl_normal
from genlib.plots import NEGATIVE, POSITIVE

PAGES = [("en", "http"), ("zh", "file")]
CELL = ".cell_output:has(.genlib-kl)"
START = (1.0, 0.8, -0.5, 1.5)
SETTINGS = [START, (0.0, 1.0, 0.0, 0.2), (-3.0, 2.0, 3.0, 0.2), (3.0, 0.2, -3.0, 2.0), (0.5, 1.0, -0.5, 1.0)]
# What a reader can see of the drawing: its paths, and of each scale the values with their places.
SEE = """(svg) => {
  const paths = Object.fromEntries([...svg.querySelectorAll("path[class]")].map((path) =>
    [path.getAttribute("class").replace("genlib-", ""), path.getAttribute("d")]));
  const scales = [...svg.querySelectorAll("g:not([role])")].map((scale) =>
    [...scale.querySelectorAll("text:not([class])")].map((text) =>
      ["x", "y"].map((name) => Number(text.getAttribute(name))).concat(text.textContent)));
  return { paths, scales };
}"""


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def live(browser, sites, request):
    """(page, complaints, lang) of chapter 2, its KL explorer alive."""
    lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/02_kl_divergence.html", sites[scheme])
    page.locator(".genlib-kl svg[aria-label]").wait_for()
    yield page, complaints, lang
    page.context.close()


@pytest.fixture
def page(live):
    """The page, its explorer at the start and with p log(p/q) shaded."""
    page, *_ = live
    set_sliders(page, CELL, START)
    page.locator(".genlib-kl input").first.check()
    return page


def number(text):
    return float(text.replace("\u2212", "-").replace(" ", ""))


def told(page):
    """Of each direction the value, and the areas above and below zero, as the page tells them."""
    rows = page.locator(".genlib-kl fieldset label").all()
    parts = [row.locator(".genlib-part").all_text_contents() for row in rows]
    return [
        (number(row.locator(".genlib-value").text_content()), *map(number, part))
        for row, part in zip(rows, parts, strict=True)
    ]


def assert_values(page):
    mu1, sigma1, mu2, sigma2 = sliders(page, CELL)
    expected = kl_normal(mu1, sigma1, mu2, sigma2).item(), kl_normal(mu2, sigma2, mu1, sigma1).item()
    for (value, above, below), kl in zip(told(page), expected, strict=True):
        assert value == pytest.approx(kl, abs=0.00051)
        assert above >= 0 >= below and above + below == pytest.approx(value, abs=1e-6)


def handle(page, letter, part):
    """Where on the screen a handle of a curve lies: its middle."""
    number = {"p": "₁", "q": "₂"}[letter]
    node = page.locator(f".genlib-kl [role=slider][aria-label*='{ {'mu': 'μ', 'sigma': 'σ'}[part] }{number}']")  # noqa: RUF001
    node.scroll_into_view_if_needed()
    box = node.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


class Drawing:
    """The curves in the units of their scales, as a reader would measure them."""

    def __init__(self, page):
        seen = page.locator(".genlib-kl svg").evaluate(SEE)
        across, *upright = seen["scales"]
        self.x = np.polyfit([x for x, *_ in across], [number(text) for *_, text in across], 1)
        # Numbers stand 4 pixels below their line.
        self.y = [np.polyfit([y - 4 for _, y, _ in s], [number(text) for *_, text in s], 1) for s in upright]
        self.paths = seen["paths"]

    def heights(self, path, scale, x):
        points = np.array([point.split(",") for point in re.findall(r"[-\d.]+,[-\d.]+", self.paths[path])], float)
        return np.interp(x, np.polyval(self.x, points[:, 0]), np.polyval(self.y[scale], points[:, 1]))

    def pixel(self, scale):
        return abs(self.y[scale][0])


def test_the_explorer_takes_the_place_of_its_picture_but_not_on_paper(page):
    picture, widget = page.locator(f"{CELL} img"), page.locator(f"{CELL} .live-widget")
    assert (picture.is_visible(), widget.is_visible()) == (False, True)
    emulate_media(page, media="print")
    assert (picture.is_visible(), widget.is_visible()) == (True, False)
    emulate_media(page, media="screen")


def test_it_starts_as_the_chapter_does_in_the_language_of_the_page(page, live):
    *_, lang = live
    assert sliders(page, CELL) == list(START)
    assert_values(page)
    label = page.locator(".genlib-kl svg").get_attribute("aria-label")
    assert all(part in label for part in ("μ₁ = 1", "σ₂ = 1.5", "μ₂ = \u22120.5", "KL(p‖q) = 0.771", "KL(q‖p) = 2.387"))
    assert ("密度" in label, "densities" in label) == ((lang == "zh"), (lang == "en"))
    assert page.locator(".genlib-kl legend").text_content() == {"en": "Shaded direction", "zh": "涂色的方向"}[lang]


def test_keys_move_a_slider_the_curves_and_the_values_and_are_announced(page):
    before, slider = Drawing(page), page.locator(f"{CELL} .widget-slider input").nth(3)
    slider.focus()
    slider.press("ArrowLeft")
    assert sliders(page, CELL) == [1.0, 0.8, -0.5, 1.45]
    assert_values(page)
    after = Drawing(page)
    assert {name for name in after.paths if after.paths[name] != before.paths[name]} >= {"q", "above", "below"}
    assert after.paths["p"] == before.paths["p"]  # and the scale with it
    spoken = page.locator(".genlib-kl .genlib-spoken[role=status]")
    values = [f"{value:.3f} " for value, *_ in told(page)]
    page.wait_for_function(
        "([line, values]) => values.every((value) => line.textContent.includes(value))",
        arg=[spoken.element_handle(), values],
    )


def test_the_mouse_drags_a_slider(page):
    slider = page.locator(f"{CELL} .widget-slider input").first
    slider.scroll_into_view_if_needed()
    box, before = slider.bounding_box(), Drawing(page)
    page.mouse.move(box["x"] + box["width"] * 4 / 6, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 6, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert sliders(page, CELL)[0] == pytest.approx(-2, abs=0.25) and sliders(page, CELL)[1:] == list(START[1:])
    assert_values(page)
    assert Drawing(page).paths["p"] != before.paths["p"]


@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("setting", SETTINGS)
def test_curves_and_shading_are_those_of_the_formula(page, setting, reverse):
    set_sliders(page, CELL, setting)
    page.locator(".genlib-kl input").nth(reverse).check()
    assert_values(page)
    drawing, x = Drawing(page), torch.linspace(-7.9, 7.9, 80, dtype=torch.float64)
    p, q = Normal(*setting[:2]), Normal(*setting[2:])
    for name, density in (("p", p), ("q", q)):
        error = drawing.heights(name, 0, x) - density.log_prob(x).exp().numpy()
        assert abs(error).max() < 1.5 * drawing.pixel(0)
    a, b = (q, p) if reverse else (p, q)
    integrand = a.log_prob(x).exp() * (a.log_prob(x) - b.log_prob(x))
    for name, expected in (
        ("outline", integrand), ("above", integrand.clamp(min=0)), ("below", integrand.clamp(max=0)),
    ):  # fmt: skip
        assert abs(drawing.heights(name, 1, x) - expected.numpy()).max() < 1.5 * drawing.pixel(1)
    for name, color in (("above", POSITIVE), ("below", NEGATIVE)):
        assert page.locator(f".genlib-kl .genlib-{name}").get_attribute("fill") == color
    visible = [
        sign
        for sign, extreme in (("+", integrand.max()), ("\u2212", -integrand.min()))
        if extreme > 4 * drawing.pixel(1)
    ]
    assert set(page.locator(".genlib-kl .genlib-sign").all_text_contents()) >= set(visible)


def test_scales_stay_while_a_mean_moves(page):
    scales = ".genlib-kl svg g:not([role])"
    before = page.locator(scales).evaluate_all("(all) => all.map((g) => g.innerHTML)")
    for mu2 in (0.0, 0.5, 1.0, 1.5):
        set_sliders(page, CELL, (1.0, 0.8, mu2, 1.5))
        assert page.locator(scales).evaluate_all("(all) => all.map((g) => g.innerHTML)") == before


def test_a_curve_is_taken_by_its_middle_and_by_its_flank(page):
    for part, far, index in (("mu", -1.0, 2), ("sigma", 0.6, 3)):
        before, (x, y) = sliders(page, CELL), handle(page, "q", part)
        scale = Drawing(page).x[0]  # units a pixel
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + far / scale, y, steps=4)
        page.mouse.up()
        page.mouse.move(x, y)  # let go: nothing follows any more
        after = sliders(page, CELL)
        assert after[index] == pytest.approx(before[index] + far, abs=0.11), part
        assert [v for i, v in enumerate(after) if i != index] == [v for i, v in enumerate(before) if i != index]
        assert_values(page)


def test_a_curve_is_taken_anywhere_on_its_line(page):
    page.locator(".genlib-kl svg").scroll_into_view_if_needed()
    drawing, at = Drawing(page), 1.0 + 0.3  # of p, near its middle
    box = page.locator(".genlib-kl svg").bounding_box()
    x = box["x"] + (at - drawing.x[1]) / drawing.x[0]
    height = drawing.heights("p", 0, at)
    y = box["y"] + (height - drawing.y[0][1]) / drawing.y[0][0]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 1 / drawing.x[0], y, steps=4)
    page.mouse.up()
    assert sliders(page, CELL) == [pytest.approx(2.0, abs=0.06), *START[1:]]


def test_keys_move_a_curve_within_its_limits(page):
    mean, width = (page.locator(f".genlib-kl [role=slider][aria-label*='{letter}']") for letter in ("μ₁", "σ₁"))
    mean.focus()
    for key, value in (("ArrowRight", 1.05), ("PageDown", 0.55), ("End", 3.0), ("ArrowUp", 3.0), ("Home", -3.0)):
        mean.press(key)
        assert sliders(page, CELL)[0] == value and float(mean.get_attribute("aria-valuenow")) == value
    width.focus()
    width.press("Home")
    ends = [width.get_attribute(f"aria-value{end}") for end in ("min", "max")]
    assert sliders(page, CELL)[1] == 0.2 and ends == ["0.2", "2"]


@pytest.mark.parametrize("second", [0, 1, 2, 3])  # on the same handle, and on those of the other curve too
def test_a_second_finger_changes_nothing(page, second):
    handles = page.locator(".genlib-kl [role=slider]")
    before = sliders(page, CELL)
    handles.evaluate_all(
        """(handles, second) => {
          const send = (handle, type, pointerId, by) => {
            const { x: clientX, y: clientY } = at.get(handle);
            const event = { pointerId, clientX: clientX + by, clientY, button: 0, pointerType: "touch", bubbles: true };
            handle.dispatchEvent(new PointerEvent(type, event));
          };
          const [one, other] = [handles[0], handles[second]];
          const at = new Map(handles.map((handle) => [handle, handle.getBoundingClientRect()]));
          for (const handle of handles) handle.setPointerCapture = () => {};
          send(one, "pointerdown", 11, 13);
          send(other, "pointerdown", 12, 13);
          send(other, "pointermove", 12, 200);
          send(other, "pointerup", 12, 200);
          send(one, "pointermove", 11, 13);
          send(one, "pointerup", 11, 13);
          send(one, "pointermove", 11, 300);
          for (const handle of handles) delete handle.setPointerCapture;
        }""",
        second,
    )
    assert sliders(page, CELL) == before


def test_no_curve_covers_the_handles_of_the_other(page):
    for setting in ((0.0, 1.0, 2.0, 1.0), (2.0, 1.0, 0.0, 1.0), (0.0, 0.8, 0.0, 1.5), START):
        set_sliders(page, CELL, setting)
        page.locator(".genlib-kl svg").scroll_into_view_if_needed()
        hit = page.locator(".genlib-kl [role=slider]").evaluate_all(
            """(handles) => handles.map((handle) => {
              const { x, y, width, height } = handle.getBoundingClientRect();
              return handle.contains(document.elementFromPoint(x + width / 2, y + height / 2));
            })"""
        )
        assert hit == [True] * 4, setting


def test_a_handle_says_its_distribution_and_its_value_in_the_language_of_the_page(page, live):
    texts = page.locator(".genlib-kl [role=slider]").evaluate_all(
        "(all) => all.map((handle) => handle.getAttribute('aria-valuetext'))"
    )
    expected = {
        "en": ["p: mean 1", "p: standard deviation 0.8", "q: mean minus 0.5", "q: standard deviation 1.5"],
        "zh": ["p：均值 1", "p：标准差 0.8", "q：均值 负 0.5", "q：标准差 1.5"],  # noqa: RUF001
    }
    assert texts == expected[live[2]]


def test_keys_choose_the_direction_that_is_shaded(page):
    first, second = page.locator(".genlib-kl input").all()
    first.focus()
    first.press("ArrowDown")
    assert second.is_checked() and not first.is_checked()
    assert page.locator(".genlib-kl .genlib-symbol").last.text_content() == "q log(q/p)"
    underlined = page.locator(".genlib-kl .genlib-part").evaluate_all(
        "(all) => all.map((part) => getComputedStyle(part).borderBottomColor)"
    )
    assert underlined == ["rgba(0, 0, 0, 0)"] * 2 + ["rgb(0, 114, 178)", "rgb(213, 94, 0)"]


def test_on_a_phone_it_is_as_wide_as_the_page_and_its_numbers_are_no_smaller(page):
    size = "(svg) => getComputedStyle(svg.querySelector('text')).fontSize"
    before = page.locator(".genlib-kl svg").evaluate(size)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.genlib-kl .genlib-outline').getBBox().width < 360")
    right = right_end(page, CELL)
    assert page.locator(".genlib-kl svg").evaluate(size) == before == "12px"
    drawing, x = Drawing(page), np.array([0.0, 1.0, 2.0])
    error = drawing.heights("p", 0, x) - Normal(1.0, 0.8).log_prob(torch.tensor(x)).exp().numpy()
    page.set_viewport_size({"width": 1000, "height": 900})
    assert right <= 390
    assert abs(error).max() < 1.5 * drawing.pixel(0)


def test_nothing_went_wrong_and_nothing_was_asked_of_others(live):
    _, complaints, *_ = live  # of all that the tests above did
    assert not complaints


def test_without_javascript_the_picture_stays(browser, sites):
    page, _ = opened(browser, f"{sites['file']}/en/02_kl_divergence.html", sites["file"], java_script_enabled=False)
    picture = page.locator('.cell_output:has(script[type="application/vnd.jupyter.widget-view+json"]) img')
    assert picture.count() == 1 and picture.is_visible()
    assert "0.771" in picture.get_attribute("alt")
    page.context.close()

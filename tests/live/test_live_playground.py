"""The playground in a browser, without a kernel: what is drawn, what the models make of it, exact to PyTorch."""

import re

import pytest
import torch
from common.pages import STATE
from conftest import PIXELS, needs_touch, opened

from genlib import kl_to_standard_normal, load_mnist, load_pretrained, squared_error

EMPTY = {"en": "Draw a digit", "zh": "请写一个数字"}
NAMES = {
    "en": {"clear": "Clear", "undo": "Undo", "sample": "Test digit ", "keep": "Keep as ", "resample": "Resample"},
    "zh": {"clear": "清除", "undo": "撤销", "sample": "测试数字 ", "keep": "存为 ", "resample": "重新采样"},
}


@pytest.fixture(scope="module")
def models():
    return load_pretrained("autoencoder"), load_pretrained("vae")


@pytest.fixture(scope="module", params=[("en", "http"), ("zh", "file")], ids="-".join)
def live(browser, sites, request):
    """(page, complaints, lang) of a playground that has come to life, on a touch screen with a mouse."""
    lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/playground.html", sites[scheme], has_touch=True)
    page.locator(".genlib-panel").nth(1).wait_for()
    page.locator(".genlib-ink").scroll_into_view_if_needed()
    yield page, complaints, lang
    page.context.close()


def press(page, lang, name, suffix=""):
    page.get_by_role("button", name=f"{NAMES[lang][name]}{suffix}", exact=True).press("Enter")


def picture(canvas):
    """What a canvas of 28 x 28 shows, (1, 784), whole numbers from 0 to 255."""
    return torch.tensor([canvas.evaluate(PIXELS)])


def seen(page):
    """The picture that the models are given, (1, 784) on [-1, 1]."""
    return picture(page.locator(".genlib-pad canvas.genlib-pixels:not(.genlib-small)")) / 127.5 - 1


def outcomes(page):
    """What the panels show: the autoencoder's reconstruction, and what mu and the sample are decoded to."""
    return [picture(canvas) for canvas in page.locator(".genlib-captioned canvas").all()]


def number(text):
    return float(text.replace("\u2212", "-"))


def latents(page):
    """The VAE's table, {latent counted from 0: [mu, sigma, kl]}; what is blank is None."""
    rows = page.locator(".genlib-panel tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    subscripts = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
    return {
        int(name.translate(subscripts)[1:]) - 1: [number(cell) if cell else None for cell in cells]
        for name, _, *cells in rows
    }


def as_shown(images):
    return (images + 1) * 127.5


@torch.no_grad()
def assert_both_models_are_pytorch_s(page, models):
    autoencoder, vae = models
    x = seen(page)
    z, x_hat = autoencoder(x)
    mu, logvar = vae.encode(x)
    of_mean = vae.decode(mu)
    reconstruction, decoded, _ = outcomes(page)
    assert (reconstruction - as_shown(x_hat)).abs().max() <= 1
    assert (decoded - as_shown(of_mean)).abs().max() <= 1
    kl = kl_to_standard_normal(mu.T, logvar.T)
    for i, row in latents(page).items():
        expected = [mu[0, i], logvar[0, i].mul(0.5).exp(), kl[i]]
        assert row == pytest.approx([v.item() for v in expected], abs=0.0051)
    texts = page.locator(".genlib-panel p:not(.genlib-hint)").all_text_contents()
    code = [number(v) for v in re.findall(r"[\u2212\d.]+", texts[0])]
    assert code == pytest.approx(z[0].tolist(), abs=0.0051)
    errors = [number(re.search(r"[\d.]+$", text)[0]) for text in (texts[1], texts[2])]
    assert errors == pytest.approx([squared_error(v, x).item() for v in (x_hat, of_mean)], abs=0.051)
    assert number(re.search(r"[\d.]+", texts[3])[0]) == pytest.approx(kl.sum().item(), abs=0.051)


def test_test_digits_are_pytorch_s_by_keyboard(live, models):
    page, _, lang = live
    assert page.locator(".widget-missing").count() == 0
    images, labels = load_mnist(train=False)
    for digit in range(10):
        press(page, lang, "sample", str(digit))
        first = images[(labels == digit).nonzero()[0]]
        assert torch.allclose(seen(page), first, atol=1e-6)
        assert_both_models_are_pytorch_s(page, models)


def stroke(page, points):
    """Draw a line by mouse; points in pixels of the pad, 280 x 280."""
    ink = page.locator(".genlib-ink")
    ink.scroll_into_view_if_needed()
    box = ink.bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


def bounds(x):
    """Height and width of the ink on [-1, 1], and its centre of mass as MNIST has it, in pixels counted from 0."""
    ink = (x.view(28, 28) + 1) / 2
    rows, columns = (ink > 0).any(1).nonzero(), (ink > 0).any(0).nonzero()
    places = torch.arange(28.0)
    centre = [((ink.sum(axis) * places).sum() / ink.sum()).item() for axis in (1, 0)]
    return [(r.max() - r.min() + 1).item() for r in (rows, columns)], centre


def test_a_drawing_is_scaled_and_centred_as_mnist_s_are(live, models, test_digits):
    page, _, lang = live
    press(page, lang, "clear")
    stroke(page, [(30, 40), (110, 40), (60, 130)])  # a small seven in a corner
    (height, width), centre = bounds(seen(page))
    assert 20 <= max(height, width) <= 21 and min(height, width) < 20
    centres = torch.tensor([bounds(x)[1] for x in test_digits[0][:300]]).mean(0)
    assert centre == pytest.approx(centres.tolist(), abs=0.1)
    assert_both_models_are_pytorch_s(page, models)

    before = seen(page)
    press(page, lang, "clear")
    stroke(page, [(60, 80), (220, 80), (120, 260)])  # the same, twice as large, elsewhere: only the pen is finer
    assert (before - seen(page)).abs().mean() < 0.25
    assert (seen(page) > 0).sum() < (before > 0).sum()


def test_a_finger_draws_and_does_not_scroll(live, models):
    page, _, lang = live
    needs_touch(page)
    press(page, lang, "clear")
    ink = page.locator(".genlib-ink")
    ink.scroll_into_view_if_needed()
    box, scrolled = ink.bounding_box(), page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    for i, y in enumerate(range(40, 241, 20)):
        points = [{"x": box["x"] + 140, "y": box["y"] + y}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator(".genlib-drawing button:enabled").first.wait_for()
    (height, width), _ = bounds(seen(page))
    assert 19 <= height <= 21 and width < 6  # a one
    assert page.evaluate("scrollY") == scrolled
    assert_both_models_are_pytorch_s(page, models)


def test_two_fingers_draw_two_strokes(live):
    page, _, lang = live
    needs_touch(page)
    press(page, lang, "clear")
    box = page.locator(".genlib-ink").bounding_box()
    touch = page.context.new_cdp_session(page)
    for i, y in enumerate(range(60, 221, 20)):
        points = [{"x": box["x"] + x, "y": box["y"] + y, "id": k} for k, x in enumerate((60, 220))]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator(".genlib-drawing button:enabled").first.wait_for()
    assert seen(page).view(28, 28)[:, 12:17].max() == -1  # nothing between them


def test_a_tap_leaves_a_dot(live):
    page, _, lang = live
    press(page, lang, "clear")
    stroke(page, [(140, 140)])
    (height, width), _ = bounds(seen(page))
    assert abs(height - width) <= 1 and min(height, width) > 10


def test_clear_in_the_middle_of_a_stroke_loses_nothing_that_follows(live):
    page, complaints, lang = live
    press(page, lang, "clear")
    box = page.locator(".genlib-ink").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 40, steps=4)
    press(page, lang, "clear")
    page.mouse.move(box["x"] + 240, box["y"] + 240, steps=4)
    page.mouse.up()
    (height, width), _ = bounds(seen(page))
    assert height >= 19 and width < 6  # what was drawn before is gone
    assert not complaints


def test_a_browser_that_lies_about_canvases_changes_nothing(browser, sites, models):
    page, complaints = opened(browser, f"{sites['http']}/en/playground.html", sites["http"], prepare=lambda page: (
        page.add_init_script("""
          const { getImageData } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.getImageData = function (...box) {
            const read = getImageData.apply(this, box);
            return window.isHonest ? read : new ImageData(read.data.map(() => 255 * Math.random()), read.width);
          };""")))  # fmt: skip
    page.locator(".genlib-panel").nth(1).wait_for()
    stroke(page, [(60, 80), (220, 80), (120, 260)])
    page.evaluate("window.isHonest = true")
    assert (seen(page) == -1).float().mean() > 0.5
    assert_both_models_are_pytorch_s(page, models)
    assert not complaints
    page.context.close()


def test_undo_and_clear(live):
    page, _, lang = live
    press(page, lang, "sample", "4")
    digit = seen(page)
    stroke(page, [(40, 40), (240, 40)])
    assert not torch.equal(seen(page), digit)
    press(page, lang, "undo")
    assert torch.equal(seen(page), digit)
    press(page, lang, "undo")
    assert seen(page).max() == -1
    assert all(outcome.max() == 0 for outcome in outcomes(page))
    texts = page.locator(".genlib-panel p:not(.genlib-hint)").all_text_contents()
    assert sum(EMPTY[lang] in text for text in texts) == 2
    for name in ("undo", "clear", "resample"):
        assert page.get_by_role("button", name=NAMES[lang][name], exact=True).is_disabled()


@torch.no_grad()
def test_codes_between_two_kept_digits(live, models):
    page, _, lang = live
    kept = []
    slider = page.locator(".genlib-pad input[type=range]")
    for name, digit in (("A", "3"), ("B", "7")):
        press(page, lang, "sample", digit)
        press(page, lang, "keep", name)
        kept.append(seen(page))
    slider.focus()
    for key, times in (("Home", 1), ("ArrowRight", 37)):
        for _ in range(times):
            slider.press(key)
    assert "37" in slider.get_attribute("aria-valuetext")
    autoencoder, vae = models
    expected = [
        model.decode(torch.lerp(*(encode(x) for x in kept), 0.37))
        for model, encode in ((autoencoder, autoencoder.encode), (vae, lambda x: vae.encode(x)[0]))
    ]
    for shown, decoded in zip(outcomes(page), expected, strict=False):
        assert (shown - as_shown(decoded)).abs().max() <= 1
    mu = torch.lerp(*(vae.encode(x)[0][0] for x in kept), 0.37)
    assert all(row == [pytest.approx(mu[i].item(), abs=0.0051), None, None] for i, row in latents(page).items())
    press(page, lang, "sample", "5")  # and back to one picture
    assert_both_models_are_pytorch_s(page, models)
    assert slider.input_value() == "0"


@torch.no_grad()
def test_resample_draws_from_the_posterior(live, models):
    page, _, lang = live
    press(page, lang, "sample", "2")
    before = outcomes(page)
    press(page, lang, "resample")
    after = outcomes(page)
    assert torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
    assert not torch.equal(before[2], after[2])
    # With known random numbers, all equal to u, every eps is the same.
    u = 0.1
    page.evaluate(f"() => {{ globalThis.random = Math.random; Math.random = () => {u}; }}")
    press(page, lang, "resample")
    page.evaluate("() => { Math.random = globalThis.random; }")
    u = torch.tensor(u, dtype=torch.float64)
    eps = (-2 * (1 - u).log()).sqrt() * (2 * torch.pi * u).cos()
    _, vae = models
    mu, logvar = vae.encode(seen(page))
    sample = vae.decode((mu + (0.5 * logvar).exp() * eps).float())
    assert (outcomes(page)[2] - as_shown(sample)).abs().max() <= 1


# Test digits, enlarged as the pad does it to `size`, put at `left`, `top`, and brought into MNIST's form again.
RENORMALIZE = """async ([source, digits]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { enlarge, normalizeDigit } = await import(url);
  return digits.map(([bytes, size, left, top]) => {
    const [digit, gray] = [new Uint8ClampedArray(size * size), new Uint8ClampedArray(280 * 280)];
    enlarge(Uint8Array.from(bytes), digit, size);
    for (let y = 0; y < size; y++) gray.set(digit.subarray(y * size, (y + 1) * size), (top + y) * 280 + left);
    return Array.from(normalizeDigit(gray, 280, 280));
  });
}"""


def test_renormalized_test_digits_keep_their_nearest_neighbours(browser, sites, train_digits, test_digits):
    page, _ = opened(browser, f"{sites['http']}/en/playground.html", sites["http"])
    state = page.evaluate(f"JSON.parse(document.querySelector('script[type=\"{STATE}\"]').textContent).state")
    (source,) = [entry["state"]["_esm"] for entry in state.values() if "sample_labels" in entry["state"]]
    images, labels = (part[:1000] for part in test_digits)
    digits = []
    for x in as_shown(images).round().int().tolist():
        size = torch.randint(140, 281, ()).item()
        digits.append([x, size, *torch.randint(0, 281 - size, (2,)).tolist()])
    again = torch.tensor(page.evaluate(RENORMALIZE, [source, digits])) / 127.5 - 1
    assert again.shape == images.shape and not torch.allclose(again, images, atol=0.1)

    def accuracy(x):
        """Share of x whose five nearest training images, by majority, have its label."""
        nearest = torch.cdist(x, train_digits[0]).topk(5, largest=False).indices
        return (train_digits[1][nearest].mode(1).values == labels).float().mean().item()

    assert abs(accuracy(again) - accuracy(images)) <= 0.01
    page.context.close()


def test_the_pad_can_be_used_before_the_weights_are_there(browser, sites):
    page, complaints = opened(browser, "about:blank", sites["http"])
    held = []
    page.route("**/shared/*.js", lambda route: held.append(route))
    page.goto(f"{sites['http']}/en/playground.html", wait_until="commit")  # loaded it is only with them
    page.locator(".genlib-ink").wait_for()
    stroke(page, [(60, 60), (200, 200)])
    assert seen(page).max() > 0.5
    assert held and page.locator(".genlib-panel").count() == 0
    page.unroute("**/shared/*.js")
    for route in held:
        route.continue_()
    page.locator(".genlib-panel").nth(1).wait_for()
    assert_both_models_are_pytorch_s(page, (load_pretrained("autoencoder"), load_pretrained("vae")))
    assert not complaints
    page.context.close()


def test_nothing_went_wrong_and_nothing_was_asked_of_others(live):
    _, complaints, _ = live  # of all that the tests above did
    assert not complaints

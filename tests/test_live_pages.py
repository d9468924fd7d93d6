"""The widgets of the built pages, in a browser: without a kernel or a network, over http and from files."""

import base64
import json
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from test_book import BROWSER, ROOT, build, copy_sources
from torch.nn.functional import normalize

from genlib import load_pretrained

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
SCRIPT, STYLE = (ROOT / "book" / "_static" / name for name in ("widgets.js", "book.css"))
IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
MODELS = {"01_autoencoder": "autoencoder", "03_vae": "vae"}
PATIENCE = 120_000  # milliseconds, for a machine that does other work meanwhile
# Each chapter in each language, over http and from a file.
PAGES = [
    ("01_autoencoder", "en", "http"),
    ("01_autoencoder", "zh", "file"),
    ("03_vae", "zh", "http"),
    ("03_vae", "en", "file"),
]
PIXELS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
  return Array.from({ length: 784 }, (_, i) => data[4 * i]);
}"""
DECODE = """async ([state, codes]) => {
  const view = Object.values(state).find((entry) => entry.state.layers);
  const url = URL.createObjectURL(new Blob([view.state._esm], { type: "text/javascript" }));
  const { makeNetwork } = await import(url);
  const { data } = view.buffers.find(({ path }) => path[0] === "weights");
  const decode = makeNetwork(view.state.layers, Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  return codes.map((z) => Array.from(decode(z)));
}"""


@pytest.fixture(scope="module")
def browser():
    """Chromium or Chrome where there is one, or Playwright's own; otherwise a skip, but under CI a failure."""
    missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright is not installed: pip install -r requirements.txt")
    with sync_playwright() as playwright:
        program = BROWSER or playwright.chromium.executable_path
        if not Path(program).exists():
            missing("no Chromium or Chrome on the PATH, nor Playwright's own (playwright install chromium)")
        with playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"]) as browser:
            yield browser


@pytest.fixture(scope="module")
def sites(browser, tmp_path_factory):
    """Where the built book begins: {"http": address, "file": address}."""
    tree = copy_sources(tmp_path_factory.mktemp("book"))
    done = build(tree)
    assert done.returncode == 0, done.stderr
    html = tree / "_build" / "html"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=html))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": html.as_uri()}
    server.shutdown()


def opened(browser, url, within, **options):
    """A page at `url` that may load what is `within`, and its list of complaints: refused requests and errors."""
    context = browser.new_context(viewport={"width": 1000, "height": 900}, **options)
    context.set_default_timeout(PATIENCE)
    page, complaints = context.new_page(), []

    def check(route):
        if route.request.url.startswith((within, "data:", "blob:")):
            route.continue_()
        else:
            complaints.append(f"asks for {route.request.url}")
            route.abort()

    page.route("**/*", check)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.goto(url)
    return page, complaints


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def live(browser, sites, request):
    """(page, complaints, stem, lang) of a chapter whose explorer has come to life."""
    stem, lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/{stem}.html", sites[scheme])
    page.locator(".live-widget .genlib-digit canvas[aria-label]").wait_for()
    yield page, complaints, stem, lang
    page.context.close()


def digit(page):
    """The digit as it is shown, (784,) in steps of 1/255."""
    return torch.tensor(page.locator(".genlib-digit canvas").evaluate(PIXELS)) / 255


def decoded(stem, codes):
    """What PyTorch decodes codes (N, latent_dim) to, (N, 784) on [0, 1]."""
    with torch.no_grad():
        return (load_pretrained(MODELS[stem]).decode(codes.float()) + 1) / 2


def code(page, stem):
    """The code that the sliders show, as (1, latent_dim), in the latents' own order."""
    z = torch.zeros(1, load_pretrained(MODELS[stem]).latent_dim)
    for label, value in page.locator(".widget-slider").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('label').textContent, row.querySelector('input').value])"
    ):
        name = label.split()[0].translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))
        z[0, int(name.removeprefix("z")) - 1] = float(value)
    return z


def assert_digit_is_decoded(page, stem):
    assert (digit(page) - decoded(stem, code(page, stem))[0]).abs().max() <= 1 / 255


def test_the_explorer_takes_the_place_of_its_picture_but_not_on_paper(live):
    page, _, stem, _ = live
    assert page.locator(".widget-missing").count() == 0  # nor does any other widget of a chapter need a kernel
    picture, widget = page.locator("img.widget-picture"), page.locator(".live-widget:has(.genlib-view)")
    assert (picture.is_visible(), widget.is_visible()) == (False, True)
    page.emulate_media(media="print")
    assert (picture.is_visible(), widget.is_visible()) == (True, False)
    page.emulate_media(media="screen")
    assert_digit_is_decoded(page, stem)


def test_keys_move_a_slider_its_readout_and_the_digit(live):
    page, _, stem, _ = live
    row = page.locator(".widget-slider").first
    slider, readout = row.locator("input"), row.locator("output")
    slider.focus()
    step = float(slider.get_attribute("step"))
    start, before = float(slider.input_value()), digit(page)
    slider.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(start + step)
    slider.press("PageDown")
    moved = float(slider.input_value())
    assert moved < start - 5 * step
    assert readout.text_content() == slider.get_attribute("aria-valuetext")
    assert float(readout.text_content().replace("\u2212", "-")) == pytest.approx(moved)
    assert (digit(page) - before).abs().max() > 0.05
    assert_digit_is_decoded(page, stem)


def test_a_chosen_point_sets_the_sliders(live):
    page, _, stem, lang = live
    canvas = page.locator(".genlib-space canvas")
    for key in ("ArrowUp", "ArrowLeft", "Home"):
        canvas.press(key)
    chosen = set()
    for x in range(60, 600, 12):  # along a line through the points; a press between them changes nothing
        before = code(page, stem)
        canvas.click(position={"x": x, "y": 180}, force=True)
        after = code(page, stem)
        if not torch.equal(before, after):
            chosen.add(tuple(after[0].tolist()))
            assert_digit_is_decoded(page, stem)
        if len(chosen) == 2:
            break
    assert len(chosen) == 2
    label = page.locator(".genlib-digit canvas").get_attribute("aria-label")
    assert ("解码" in label) == (lang == "zh")


def test_digits_are_pytorch_s_wherever_the_sliders_go(live):
    page, _, stem, _ = live
    for seed in range(24):
        torch.manual_seed(seed)
        places = torch.rand(page.locator(".widget-slider").count()).tolist()
        page.locator(".widget-slider input").evaluate_all(
            """(inputs, places) => inputs.forEach((input, i) => {
              input.value = Number(input.min) + places[i] * (input.max - input.min);
              input.dispatchEvent(new Event("input"));
            })""",
            places,
        )
        assert_digit_is_decoded(page, stem)


def test_digits_are_pytorch_s_far_outside_the_codes_of_the_data(live):
    page, _, stem, _ = live
    state = json.loads(page.locator(f'script[type="{STATE}"]').text_content())["state"]
    (view,) = [entry for entry in state.values() if "layers" in entry["state"]]
    (packed,) = [buffer["data"] for buffer in view["buffers"] if buffer["path"] == ["codes"]]
    flat = torch.frombuffer(bytearray(base64.b64decode(packed)), dtype=torch.int16) / view["state"]["scale"]
    width = view["state"]["layers"][0]["in"]
    radius = flat.view(-1, width).norm(dim=1).max()
    codes = normalize(torch.randn(48, width), dim=1) * torch.linspace(0, 5, 48)[:, None] * radius
    pixels = (torch.tensor(page.evaluate(DECODE, [state, codes.tolist()])) + 1) / 2
    assert (pixels - decoded(stem, codes)).abs().max() <= 1 / 255


def test_no_page_scrolls_sideways_on_a_phone(live):
    page, *_ = live
    page.set_viewport_size({"width": 390, "height": 844})
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    overflowing = page.locator(".live-widget *").evaluate_all(
        "(all) => all.filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.className)"
    )
    page.set_viewport_size({"width": 1000, "height": 900})
    assert widths[0] <= widths[1]
    assert not overflowing


def test_nothing_went_wrong_and_nothing_was_asked_of_others(live):
    _, complaints, *_ = live  # of all that the tests above did
    assert not complaints


def test_without_javascript_the_picture_stays(browser, sites):
    page, _ = opened(browser, f"{sites['file']}/en/01_autoencoder.html", sites["file"], java_script_enabled=False)
    view = f'script[type="{VIEW}"]'
    assert page.locator(f".cell_output:has({view}) img").is_visible()
    assert page.locator(".live-widget").count() == 0
    page.context.close()


# -- What no chapter uses ----------------------------------------------------------------------------------------------


def model(name, _buffers=(), **state):
    return {"model_name": name, "state": state, "buffers": list(_buffers)}


@pytest.fixture
def shown(browser, tmp_path):
    """Opens a page that holds widgets and shows some of them: shown(models, ids, lang) -> (page, complaints)."""
    pages = []

    def show(models, ids, lang="en"):
        names = [json.dumps({"model_id": id}) for id in ids]
        views = [f'<p><img src="{IMAGE}"><script type="{VIEW}">{name}</script></p>' for name in names]
        state = f'<script type="{STATE}">{json.dumps({"state": models})}</script>'
        script = f'<link rel="stylesheet" href="{STYLE.as_uri()}"><script defer src="{SCRIPT.as_uri()}"></script>'
        file = tmp_path / f"page{len(pages)}.html"
        body = "\n".join(["<meta charset=utf-8>", script, state, *views])
        file.write_text(f'<!doctype html><html lang="{lang}">{body}</html>', encoding="utf-8")
        pages.append(opened(browser, file.as_uri(), "file:"))
        return pages[-1]

    yield show
    for page, _ in pages:
        page.context.close()


@pytest.mark.parametrize(("lang", "words"), [("en", "needs a live kernel"), ("zh-CN", "连接内核")])
def test_other_widgets_say_that_they_need_a_kernel(shown, lang, words):
    models = {
        "box": model("HBoxModel", children=["IPY_MODEL_play", "IPY_MODEL_label"]),
        "play": model("PlayModel"),
        "label": model("LabelModel", description="", value="<b>"),
    }
    page, complaints = shown(models, ["box", "play", "absent"], lang)
    page.locator(".widget-missing").nth(2).wait_for()
    messages = page.locator(".widget-missing").all_text_contents()
    assert len(messages) == 3 and all(words in message for message in messages)
    assert "PlayModel" in messages[0]
    assert page.locator(".widget-text").text_content() == "<b>"
    assert [image.is_visible() for image in page.locator("img").all()] == [False, True, True]
    assert not complaints


def test_a_widget_that_fails_leaves_its_picture_and_the_others(shown):
    models = {
        "bad": model("AnyModel", _esm="export default { render() { throw new Error('no luck'); } };"),
        "good": model("HTMLModel", description="", value="<b>fine</b>"),
    }
    page, complaints = shown(models, ["bad", "good"])
    page.locator("b").wait_for()
    page.wait_for_function("document.querySelectorAll('.live-widget').length === 1")
    assert [image.is_visible() for image in page.locator("img").all()] == [True, False]
    page.wait_for_timeout(200)
    assert len(complaints) == 1 and "no luck" in complaints[0]


VIEWER = """export default () => ({
  initialize({ model }) { model.times = (model.times ?? 0) + 1; },
  render({ model, el }) {
    const show = () => {
      const bytes = model.get("bytes").nested[0];
      el.textContent = [model.times, model.get("n"), bytes.getUint8(1), bytes instanceof DataView].join(" ");
    };
    model.on("change:n change:other", show);
    el.onclick = () => { model.set("n", 9); model.save_changes(); };
    el.ondblclick = () => model.off("change:n", show);
    show();
  },
});"""


def test_bars_are_named_and_filled(shown):
    bar = model("FloatProgressModel", description="", min=10, max=30, value=25)
    page, complaints = shown({"bar": bar}, ["bar"], "zh-CN")
    progress = page.get_by_role("progressbar", name="进度")
    assert progress.evaluate("(bar) => bar.position") == 0.75
    assert not complaints


def test_links_layouts_classes_and_buffers(shown):
    slider = {"min": 0, "max": 10, "step": 1, "readout": True, "readout_format": "d", "continuous_update": True}
    models = {
        "slider": model("IntSliderModel", description="n", value=3, disabled=False, **slider),
        "follower": model("IntSliderModel", description="m", value=0, disabled=True, **slider),
        "view": model(
            "AnyModel",
            [{"path": ["bytes", "nested", 0], "data": base64.b64encode(b"\x05\x07").decode(), "encoding": "base64"}],
            _esm=VIEWER,
            _css=".viewer { color: rgb(1, 2, 3); }",
            _dom_classes=["viewer"],
            layout="IPY_MODEL_layout",
            n=0,
            bytes={"nested": [None]},
        ),
        "layout": model("LayoutModel", _model_name="LayoutModel", margin_left=None, border_top="2px solid red"),
        "link": model("LinkModel", source=["IPY_MODEL_slider", "value"], target=["IPY_MODEL_view", "n"]),
        "follow": model(
            "DirectionalLinkModel", source=["IPY_MODEL_slider", "value"], target=["IPY_MODEL_follower", "value"]
        ),
    }
    page, complaints = shown(models, ["slider", "follower", "view", "view"])
    page.locator(".viewer").nth(1).wait_for()
    slider, follower = page.get_by_label("n", exact=True), page.get_by_label("m", exact=True)
    viewers = page.locator(".viewer")
    assert viewers.all_text_contents() == ["1 3 7 true"] * 2  # set up once, shown twice, equal to the source
    assert viewers.first.evaluate("(e) => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert viewers.first.evaluate("(e) => e.style.borderTop") == "2px solid red"
    slider.press("ArrowRight")
    assert viewers.all_text_contents() == ["1 4 7 true"] * 2
    viewers.first.click()
    assert (slider.input_value(), follower.input_value(), follower.is_disabled()) == ("9", "9", True)
    viewers.first.dispatch_event("dblclick")
    slider.press("Home")
    assert viewers.all_text_contents() == ["1 9 7 true", "1 0 7 true"]
    assert page.locator("output").all_text_contents() == ["0", "0"]
    assert not complaints

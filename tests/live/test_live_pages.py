"""The widgets of the built pages, in a browser: without a kernel or a network, over http and from files."""

import base64
import json
import re
import shutil

import pytest
import torch
from common.browser import served
from common.pages import STATE, VIEW
from conftest import PIXELS, ROOT, emulate_media, needs_touch, opened, right_end, set_sliders
from torch.nn.functional import normalize
from webkit import WATCH

from genlib import load_mnist, load_pretrained

SCRIPT, STYLE = (ROOT / "book" / "extension" / "_static" / name for name in ("widgets.js", "book.css"))
IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
EXPLORER = ".live-widget:has(.genlib-digit)"  # of a latent space; a chapter may show others
MODELS = {"01_autoencoder": "autoencoder", "03_vae": "vae"}
# Each chapter in each language, over http and from a file.
PAGES = [
    ("01_autoencoder", "en", "http"),
    ("01_autoencoder", "zh", "file"),
    ("03_vae", "zh", "http"),
    ("03_vae", "en", "file"),
]
CHROMIUM_ALONE = PAGES[1:3]
PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
DECODE = """async ([source, layers, weights, codes]) => {
  const { makeNetwork } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const decode = makeNetwork(layers, Uint8Array.from(atob(weights), (c) => c.charCodeAt(0)).buffer);
  return codes.map((z) => Array.from(decode(z)));
}"""


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def live(browser, sites, request):
    """(page, complaints, stem, lang) of a chapter whose explorer has come to life."""
    stem, lang, scheme = request.param
    page, complaints = opened(browser, f"{sites[scheme]}/{lang}/{stem}.html", sites[scheme], has_touch=True)
    page.locator(".live-widget .genlib-digit canvas[aria-label]").wait_for()
    page.locator("[aria-busy]").first.wait_for(state="detached")
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
    for label, value in page.locator(f"{EXPLORER} .widget-slider").evaluate_all(
        "(rows) => rows.map((row) => [row.querySelector('label').textContent, row.querySelector('input').value])"
    ):
        name = label.split()[0].translate(PLAIN)
        z[0, int(name.removeprefix("z")) - 1] = float(value)
    return z


def assert_digit_is_decoded(page, stem):
    assert (digit(page) - decoded(stem, code(page, stem))[0]).abs().max() <= 1 / 255


def test_the_explorer_takes_the_place_of_its_picture_but_not_on_paper(live):
    page, _, stem, _ = live
    assert page.locator(".widget-missing").count() == 0  # nor does any other widget of a chapter need a kernel
    picture, widget = page.locator("img.widget-picture:has(~ .live-widget .genlib-digit)"), page.locator(EXPLORER)
    assert (picture.is_visible(), widget.is_visible()) == (False, True)
    emulate_media(page, media="print")
    assert (picture.is_visible(), widget.is_visible()) == (True, False)
    emulate_media(page, media="screen")
    assert_digit_is_decoded(page, stem)


def test_keys_move_a_slider_its_readout_and_the_digit(live):
    page, _, stem, lang = live
    row = page.locator(f"{EXPLORER} .widget-slider").first
    slider, readout = row.locator("input"), row.locator("output")
    slider.focus()
    step = float(slider.get_attribute("step"))
    start, before = float(slider.input_value()), digit(page)
    slider.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(start + step)
    slider.press("PageDown")
    moved = float(slider.input_value())
    assert moved < start - 5 * step
    minus = "负 " if lang == "zh" else "minus "
    assert readout.text_content().replace("\u2212", minus) == slider.get_attribute("aria-valuetext")
    assert float(readout.text_content().replace("\u2212", "-")) == pytest.approx(moved)
    label = row.locator("label").text_content()
    assert slider.get_attribute("aria-label") == label.translate(PLAIN)  # screen readers pass over small digits
    assert (digit(page) - before).abs().max() > 0.05
    assert_digit_is_decoded(page, stem)


def test_what_a_move_leads_to_is_said_once_the_slider_rests(live):
    page, _, stem, lang = live
    slider, status = page.locator(f"{EXPLORER} .widget-slider input").first, page.locator(f"{EXPLORER} [role=status]")
    slider.press("Home")
    page.wait_for_timeout(700)
    at_home = status.text_content()
    slider.press("End")
    assert status.text_content() == at_home  # not yet
    page.wait_for_timeout(700)
    z = code(page, stem)
    images, labels = load_mnist(train=stem == "01_autoencoder")
    with torch.no_grad():
        encoded = load_pretrained(MODELS[stem]).encode(images[:1000])  # those of the chapter's explorer
    codes = encoded[0] if isinstance(encoded, tuple) else encoded
    nearest = labels[torch.cdist(z, codes).argmin()].item()
    assert status.text_content().endswith(str(nearest))
    assert ("最近" in status.text_content()) == (lang == "zh")


@pytest.mark.parametrize("by", ["mouse", "finger"])
def test_mouse_and_finger_move_a_slider(live, by):
    page, _, stem, _ = live
    slider = page.locator(f"{EXPLORER} .widget-slider input").first
    slider.scroll_into_view_if_needed()
    low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
    box = slider.bounding_box()

    def at(share):
        """That share of the slider's way, in pixels of the page."""
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def share():
        return (float(slider.input_value()) - low) / (high - low)

    if by == "finger":
        needs_touch(page)
        for goal in (0.8, 0.2):
            page.touchscreen.tap(*at(goal))
            page.wait_for_timeout(100)
            assert abs(share() - goal) < 0.1
            assert_digit_is_decoded(page, stem)
        return
    page.mouse.move(*at(0.5))
    page.mouse.down()
    for goal in (0.3, 0.7, 0.4):
        page.mouse.move(*at(goal), steps=3)
        assert abs(share() - goal) < 0.1
        assert_digit_is_decoded(page, stem)
    page.mouse.up()


def test_the_codes_turn_under_mouse_and_keys(live):
    page, _, stem, _ = live
    space = page.locator(f"{EXPLORER} .genlib-space canvas")
    space.scroll_into_view_if_needed()
    before, box = code(page, stem), space.bounding_box()
    looks = [space.evaluate("(canvas) => canvas.toDataURL()")]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 30)
    page.mouse.down()
    page.mouse.move(x, y, steps=5)  # amid the points
    page.mouse.up()
    for key in ("", "ArrowRight", "ArrowUp", "+"):
        if key:
            space.press(key)
        looks.append(space.evaluate("(canvas) => canvas.toDataURL()"))
    assert len(set(looks)) == len(looks)
    space.press("Home")
    page.mouse.move(0, 0)  # no point is hovered over
    assert space.evaluate("(canvas) => canvas.toDataURL()") == looks[0]
    assert torch.equal(code(page, stem), before)  # to turn is not to choose


def test_a_chosen_point_sets_the_sliders(live):
    page, _, stem, lang = live
    canvas = page.locator(f"{EXPLORER} .genlib-space canvas")
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
    inputs = page.locator(f"{EXPLORER} .widget-slider input")
    ends = inputs.evaluate_all("(all) => all.map((i) => [Number(i.min), Number(i.max)])")
    low, high = torch.tensor(ends, dtype=torch.float64).T
    for seed in range(24):
        torch.manual_seed(seed)
        set_sliders(page, EXPLORER, torch.lerp(low, high, torch.rand(len(low), dtype=torch.float64)).tolist())
        assert_digit_is_decoded(page, stem)


def test_digits_are_pytorch_s_far_outside_the_codes_of_the_data(live, html):
    page, _, stem, lang = live
    models = json.loads(page.locator(f'script[type="{STATE}"]').text_content())["state"].values()
    (view,) = [model for model in models if "layers" in model["state"]]
    codes, weights = (packed(view, name, html / lang) for name in ("codes", "weights"))
    flat = torch.frombuffer(bytearray(base64.b64decode(codes)), dtype=torch.int16) / view["state"]["scale"]
    width = view["state"]["layers"][0]["in"]
    radius = flat.view(-1, width).norm(dim=1).max()
    codes = normalize(torch.randn(48, width), dim=1) * torch.linspace(0, 5, 48)[:, None] * radius
    pixels = page.evaluate(DECODE, [view["state"]["_esm"], view["state"]["layers"], weights, codes.tolist()])
    assert ((torch.tensor(pixels) + 1) / 2 - decoded(stem, codes)).abs().max() <= 1 / 255


def packed(view, name, folder):
    """A buffer of a widget in base64, from the page or from the script that the page names instead."""
    (buffer,) = [buffer for buffer in view["buffers"] if buffer["path"] == [name]]
    if "data" in buffer:
        return buffer["data"]
    call = (folder / buffer["script"]).read_text(encoding="utf-8")
    return re.fullmatch(r'widgetBuffer\("(\w+\.js)", "(.+)"\);\n', call)[2]


def test_mathematics_is_typeset_with_its_fonts(live):
    page, *_ = live
    page.locator("mjx-container").first.wait_for()
    page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => null)")
    assert page.locator("mjx-container").count() == page.locator(".math").count()
    assert page.locator("mjx-merror").count() == 0
    states = page.evaluate(
        "[...document.fonts].filter((f) => f.family.includes('MJX')).map((f) => [f.family, f.status])"
    )
    assert ["MJXTEX-I", "loaded"] in states
    assert not [state for state in states if state[1] == "error"]


def test_no_page_scrolls_sideways_on_a_phone(live):
    page, *_ = live
    page.set_viewport_size({"width": 390, "height": 844})
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    right = right_end(page, ".live-widget")
    page.set_viewport_size({"width": 1000, "height": 900})
    assert widths[0] <= widths[1]
    assert right <= 390


def test_what_is_wider_than_a_phone_scrolls_and_fades_where_there_is_more(live):
    page, *_ = live
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => null)")
    boxes = page.locator("mjx-container, article pre, .pst-scrollable-table-container, .wide")
    looks = """(all) => all.filter((e) => e.checkVisibility()).map((e) => [
        e.scrollWidth > e.clientWidth + 1, getComputedStyle(e).overflowX === "auto",
        getComputedStyle(e).maskImage !== "none", e.matches("mjx-container:not([display])")])"""
    page.wait_for_function(
        "(all) => [...document.querySelectorAll(all)].some((e) => e.matches('.more-after'))", arg=".wide"
    )
    found = boxes.evaluate_all(looks)
    assert sum(wide and scrolls for wide, scrolls, *_ in found) > 10
    assert all(fades == (wide and scrolls) for wide, scrolls, fades, _ in found)
    assert all(scrolls or inline for wide, scrolls, _, inline in found if wide)  # what is heard of those counts as wide
    figure = page.locator(".wide").first
    assert figure.get_attribute("tabindex") == "0"
    figure.evaluate("(e) => e.scrollTo(e.scrollWidth, 0)")
    page.wait_for_function("(e) => e.matches('.more-before:not(.more-after)')", arg=figure.element_handle())
    page.set_viewport_size({"width": 1000, "height": 900})
    page.wait_for_function("() => !document.querySelector('.wide:is(.more-before, .more-after)')")


def test_nothing_went_wrong_and_nothing_was_asked_of_others(live):
    _, complaints, *_ = live  # of all that the tests above did
    assert not complaints


def test_without_javascript_the_picture_stays(browser, sites):
    page, _ = opened(browser, f"{sites['file']}/en/01_autoencoder.html", sites["file"], java_script_enabled=False)
    pictures = page.locator(f'.cell_output:has(script[type="{VIEW}"]) img')
    assert pictures.count() and all(picture.is_visible() for picture in pictures.all())
    assert page.locator(".live-widget").count() == 0
    page.context.close()


# -- What no chapter uses ----------------------------------------------------------------------------------------------


def model(name, _buffers=(), **state):
    return {"model_name": name, "state": state, "buffers": list(_buffers)}


@pytest.fixture
def shown(browser, tmp_path):
    """Opens a page that holds widgets and shows some of them: shown(models, ids, lang) -> (page, complaints).

    address: that of tmp_path, if it is not to be opened as a file.
    """
    for file in (SCRIPT, STYLE):
        shutil.copy(file, tmp_path)
    pages = []

    def show(models, ids, lang="en", address=None, **options):
        names = [json.dumps({"model_id": id}) for id in ids]
        views = [f'<p><img src="{IMAGE}"><script type="{VIEW}">{name}</script></p>' for name in names]
        state = f'<script type="{STATE}">{json.dumps({"state": models})}</script>'
        script = f'<link rel="stylesheet" href="{STYLE.name}"><script defer src="{SCRIPT.name}"></script>'
        file = tmp_path / f"page{len(pages)}.html"
        body = "\n".join(["<meta charset=utf-8>", f"<script>{WATCH}</script>", script, state, *views])
        file.write_text(f'<!doctype html><html lang="{lang}">{body}</html>', encoding="utf-8")
        pages.append(opened(browser, f"{address or tmp_path.as_uri()}/{file.name}", address or "file:", **options))
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


DRAWN = "export default { render({ model, el }) { el.append(model.get('bytes').getUint8(0)); } };"


def outside(name, tmp_path=None):
    """A widget that shows the first byte of a buffer outside the page, the number 7; without a path, of none."""
    if tmp_path:
        call = f'widgetBuffer("{name}", "{base64.b64encode(bytes([7])).decode()}");\n'
        (tmp_path / name).write_text(call, encoding="utf-8")
    return model("AnyModel", [{"path": ["bytes"], "script": name}], _esm=DRAWN)


@pytest.fixture
def address(tmp_path):
    with served(tmp_path) as address:
        yield address


def test_what_is_there_is_shown_while_the_rest_waits(shown, address, tmp_path):
    asked, held = [], []

    def hold(page):
        page.on("request", lambda request: request.url.endswith("er.js") and asked.append(request.url.split("/")[-1]))
        page.route("**/later.js", lambda route: held.append(route))

    models = {
        "box": model("VBoxModel", children=["IPY_MODEL_later", "IPY_MODEL_again", "IPY_MODEL_sooner"]),
        "later": outside("later.js", tmp_path),
        "sooner": outside("sooner.js", tmp_path),
        "again": outside("later.js", tmp_path),
    }
    page, complaints = shown(models, ["box"], "zh-CN", address, prepare=hold, until="commit")
    page.get_by_text("7").wait_for()
    places = page.locator(".widget-any")
    assert places.all_text_contents() == ["正在加载……", "正在加载……", "7"]
    assert page.locator("[aria-busy=true]").count() == 2
    assert not page.locator("img").is_visible()
    held[0].continue_()
    page.locator("[aria-busy]").first.wait_for(state="detached")
    assert places.all_text_contents() == ["7", "7", "7"]
    assert asked == ["later.js", "sooner.js"]  # in the order of the page
    assert page.locator("script[src='later.js']").count() == 1  # for two equal buffers
    assert not complaints


def test_a_buffer_that_does_not_come_leaves_the_picture_or_a_message(shown, tmp_path):
    (tmp_path / "broken.js").write_text("widgetBuffer(", encoding="utf-8")
    models = {
        "absent": outside("absent.js"),
        "broken": outside("broken.js"),
        "alone": model("VBoxModel", children=["IPY_MODEL_absent", "IPY_MODEL_text"]),
        "text": model("LabelModel", description="", value="text"),
        "both": model("VBoxModel", children=["IPY_MODEL_broken", "IPY_MODEL_there"]),
        "there": outside("there.js", tmp_path),
    }
    page, complaints = shown(models, ["absent", "alone", "both"], "zh-CN")
    page.get_by_text("7").wait_for()
    assert [image.is_visible() for image in page.locator("img").all()] == [True, True, False]
    (place,) = page.locator(".live-widget").all()
    page.locator("[aria-busy]").wait_for(state="detached")
    assert place.locator(".widget-any").all_text_contents() == ["这个控件未能加载。请重新加载本页。", "7"]
    told = " ".join(complaints)
    assert (told.count("no buffer came from"), told.count("absent.js"), told.count("broken.js")) == (3, 2, 1)


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

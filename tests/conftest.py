import base64
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.image
import matplotlib.pyplot as plt
import pytest
import torch
import webkit
from common.browser import launched, served
from common.pages import VIEW

from genlib.data import load_mnist


@pytest.hookimpl(trylast=True)  # after pytest has put together the tests that share a fixture
def pytest_collection_modifyitems(items):
    """One engine after the other within a module, and each but Chromium without the pages that it alone opens.

    And nbval waits 5 seconds for what a cell printed; a busy machine may take longer to pass it on.
    """
    files = {path: i for i, path in enumerate(dict.fromkeys(item.path for item in items))}

    def params(item):
        return item.callspec.params if hasattr(item, "callspec") else {}

    def engine(item):
        return ENGINES.index(params(item).get("browser", "chromium"))

    items.sort(key=lambda item: (files[item.path], engine(item)))
    alone = [i for i in items if engine(i) and params(i).get("live") in getattr(i.module, "CHROMIUM_ALONE", ())]
    items[:] = [item for item in items if item not in alone]
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = 120


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A browser that hangs ends its test, and not the suite; on Windows there is no such alarm."""
    if "browser" not in getattr(item, "fixturenames", ()) or not hasattr(signal, "SIGALRM"):
        return (yield)

    def late(*_):
        raise TimeoutError(f"not finished after {LIMIT} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT, LIMIT)  # again, for what is done after the test
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


matplotlib.use("Agg")
# What kernels that run notebooks inherit: their own backend, and a list of fonts, of which they would tell on stderr.
os.environ.pop("MPLBACKEND", None)
os.environ["MPLCONFIGDIR"] = matplotlib.get_cachedir()

ROOT = Path(__file__).resolve().parents[1]
# What a canvas shows, row by row: the red of each pixel, which gray has in all colours.
PIXELS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: canvas.width * canvas.height }, (_, i) => data[4 * i]);
}"""
# Sets ranges as a reader does who drags them.
SET = """(inputs, values) => inputs.forEach((input, i) => {
  input.value = values[i];
  input.dispatchEvent(new Event("input"));
})"""
ENGINES = ["chromium", "firefox", "webkit"]
# Firefox passes errors on without their messages; as text they have them.
TELL = """{
  const { error } = console;
  console.error = (...parts) => error.call(console, parts.map(String).join(" "));
}"""
LIMIT = 600  # seconds for one test, with what it needs
# milliseconds, for a machine that does other work meanwhile; slips.py has less
PATIENCE = int(os.environ.get("PATIENCE", 120_000))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def test_digits():
    return load_mnist(train=False)


@pytest.fixture(scope="session")
def train_digits():
    return load_mnist()


def assert_picture_stands_on_white_and_repeats(explorer, text):
    """An explorer's output: its view, `text`, and an opaque PNG that no style of the reader's changes."""
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert bundle[VIEW]["model_id"] == explorer.model_id
    png = base64.b64decode(bundle["image/png"])
    with plt.style.context("dark_background"):
        assert explorer.picture() == png
    pixels = matplotlib.image.imread(io.BytesIO(png))
    assert (pixels[0, 0] == 1).all() and (pixels[..., 3] == 1).all()


# -- The built book, and a browser to read it with ---------------------------------------------------------------------


def copy_sources(tree):
    """What the book is built from, copied to a folder, as it is before it has an address. Returns the folder."""
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in ("book", "notebooks", "genlib/explorer"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignore)
    (tree / "experiments").mkdir()
    for name in ("_config.yml", "experiments/results.json", "genlib/files.py"):
        shutil.copy(ROOT / name, tree / name)
    text = (tree / "_config.yml").read_text(encoding="utf-8")
    text = re.sub("^  (url|baseurl): .*$", r'  \1: ""', text, flags=re.M)
    (tree / "_config.yml").write_text(re.sub("^  branch: .*$", "  branch: main", text, flags=re.M), encoding="utf-8")
    return tree


def build(tree):
    """Build the book of copied sources into tree/_build. Returns the finished process."""
    return subprocess.run([sys.executable, "book/build.py"], cwd=tree, capture_output=True, text=True, timeout=300)


def start(command, **options):
    """Start a process of its own group, which Ctrl-C would reach even if the tests, in the background, ignore it."""
    pipe, reachable = subprocess.PIPE, None if os.name == "nt" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = {"stdout": pipe, "stderr": pipe, "text": True, "start_new_session": True, **options}
    return subprocess.Popen(command, preexec_fn=reachable, **options)


def pytest_generate_tests(metafunc):
    """The tests of what is alive in the pages run in every engine; the others in Chromium."""
    if "browser" in metafunc.fixturenames and metafunc.module.__name__.startswith("test_live_"):
        metafunc.parametrize("browser", ENGINES, indirect=True, scope="module")


@pytest.fixture(scope="module")  # not longer: its event loop would be in the way of those that run notebooks
def browser(request):
    """A browser where there is one, or Playwright's own; otherwise a skip, but without Chromium under CI a failure."""
    engine = getattr(request, "param", "chromium")
    try:
        with webkit.launched() if engine == "webkit" and webkit.installed() else launched(engine) as browser:
            yield browser
    except FileNotFoundError as error:
        fails = os.environ.get("CI") == "true" and engine == "chromium"
        (pytest.fail if fails else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The folder of the built book."""
    tree = copy_sources(tmp_path_factory.mktemp("book"))
    done = build(tree)
    assert done.returncode == 0, done.stderr
    return tree / "_build" / "html"


@pytest.fixture(scope="session")
def sites(html):
    """Where the built book begins: {"http": address, "file": address}. Ask for `browser` before it."""
    with served(html) as address:
        yield {"http": address, "file": html.as_uri()}


def opened(browser, url, within, prepare=lambda page: None, until="load", **options):
    """A page at `url` that may load what is `within`, and its list of complaints: refused requests and errors.

    prepare: called with the page before it loads anything. until: what to wait for. options: of the browser's context.
    """
    context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}, **options})
    context.set_default_timeout(PATIENCE)
    page, complaints = context.new_page(), []
    if not options.get("java_script_enabled", True):
        page.goto("data:text/html,<noscript><p></noscript>")
        if page.locator("p").count() == 0:
            context.close()
            cannot("switch scripts off")

    def check(route):
        if route.request.url.startswith((within, "data:", "blob:")):
            route.continue_()
        else:
            complaints.append(f"asks for {route.request.url}")
            route.abort()

    page.add_init_script(TELL)
    page.route("**/*", check)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    prepare(page)
    page.goto(url, wait_until=until)
    return page, complaints


def cannot(do):
    """Skip what the driver of this browser has no command for, or ignores."""
    pytest.skip(f"the driver of this browser cannot {do}")


def emulate_media(page, **media):
    """page.emulate_media, where the driver can."""
    page.emulate_media(**media)
    for name, value in media.items():
        query = value if name == "media" else f"(prefers-{name.replace('_', '-')}: {value})"
        if not page.evaluate("(query) => matchMedia(query).matches", query):
            cannot(f"emulate {query}")


def needs_touch(page):
    """A page opened with has_touch can be touched, where the driver can."""
    if not page.evaluate("navigator.maxTouchPoints"):
        cannot("touch")


def right_end(page, place):
    """How far to the right what is at `place` reaches, but for the broad grips, which are not seen."""
    return page.locator(f"{place} *:not(.genlib-grip)").evaluate_all(
        "(all) => Math.max(...all.map((e) => e.getBoundingClientRect().right))"
    )


def set_sliders(page, place, values):
    """Put the sliders of the widget at `place`, a selector, to these values."""
    page.locator(f"{place} .widget-slider input").evaluate_all(SET, list(values))


def sliders(page, place):
    """Where these sliders stand, as a list."""
    values = page.locator(f"{place} .widget-slider input").evaluate_all("(all) => all.map((i) => i.value)")
    return [float(value) for value in values]

"""A browser, and a server for it to read the built book from: what the tests and weigh.py open pages with."""

import shutil
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

# What each engine's browsers are called on the PATH of a Linux machine, and what they are launched with.
NAMES = {
    "chromium": ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    "firefox": ["firefox-esr", "firefox"],
    "webkit": [],  # Playwright drives no build but its own
}
OPTIONS = {
    "chromium": {"args": ["--no-sandbox", "--disable-gpu"]},
    # As the others without a window: scroll bars lie over the page. WebDriver BiDi cannot say that motion is unwanted.
    "firefox": {"firefox_user_prefs": {"ui.useOverlayScrollbars": 1, "ui.prefersReducedMotion": 1}},
    "webkit": {},
}


def _ways(engine):
    """How to launch it: each program that is installed, Playwright's own, and where macOS and Windows keep Chrome."""
    stock = {"channel": "moz-firefox"} if engine == "firefox" else {}  # Firefox as Mozilla makes it: WebDriver BiDi
    installed = [{"executable_path": path, **stock} for path in map(shutil.which, NAMES[engine]) if path]
    return [*installed, {}, *([{"channel": "chrome"}] if engine == "chromium" else [])]


@contextmanager
def launched(engine="chromium"):
    """A browser of this engine as it is installed, or Playwright's own. Raises FileNotFoundError without any."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise FileNotFoundError("Playwright is not installed: pip install -r requirements.txt") from None
    with ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
        except Exception as error:  # a plain Exception: its driver is a program that may end before it answers
            raise FileNotFoundError(f"Playwright's driver does not start: {error}") from error
        failure = None
        for way in _ways(engine):
            try:
                browser = stack.enter_context(getattr(playwright, engine).launch(**way, **OPTIONS[engine]))
                browser.new_page().close()  # what is too old or too new for Playwright starts, and then fails
            except Error as error:
                failure = failure or error
                continue
            yield browser
            return
        raise FileNotFoundError(f"no {engine} starts, Playwright's own neither: {failure}") from failure


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder):
    """The address that serves a folder on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()

"""A browser, and a server for it to read the built book from: what the tests and weigh.py open pages with."""

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]  # on the PATH of a Linux machine


@contextmanager
def launched():
    """Chromium or Chrome as it is installed, or Playwright's own. Raises FileNotFoundError without any of them."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise FileNotFoundError("Playwright is not installed: pip install -r requirements.txt") from None
    failure = None
    programs = [{"executable_path": path} for path in map(shutil.which, NAMES) if path]
    with sync_playwright() as playwright:
        for which in [*programs, {}, {"channel": "chrome"}]:  # {}: its own; "chrome": where macOS and Windows keep it
            try:
                browser = playwright.chromium.launch(**which, args=["--no-sandbox", "--disable-gpu"])
            except Error as error:
                failure = failure or error
                continue
            with browser:
                yield browser
            return
    raise FileNotFoundError("no Chromium, Chrome or Playwright's own starts (playwright install chromium)") from failure


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

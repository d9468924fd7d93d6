"""A browser, and a server for it to read the built book from: what the tests and weigh.py open pages with."""

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


@contextmanager
def launched():
    """Chromium or Chrome where there is one, or Playwright's own. Raises FileNotFoundError without any of them."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise FileNotFoundError("Playwright is not installed: pip install -r requirements.txt") from None
    with sync_playwright() as playwright:
        program = BROWSER or playwright.chromium.executable_path
        if not Path(program).exists():
            raise FileNotFoundError(
                "no Chromium or Chrome on the PATH, nor Playwright's own (playwright install chromium)"
            )
        with playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"]) as browser:
            yield browser


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

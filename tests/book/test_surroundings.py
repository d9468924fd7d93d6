"""Pages in surroundings that nobody chose: a browser that refuses storage, an odd address, a host's own habits."""

from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from conftest import opened
from test_pages import READY

CHAPTER = "zh/02_kl_divergence.html"
REFUSE = 'Object.defineProperty(window, "localStorage", { configurable: true, get: () => { %s } });'
REFUSALS = {"denied": REFUSE % 'throw new DOMException("denied", "SecurityError")', "null": REFUSE % "return null"}


@pytest.mark.parametrize("how", REFUSALS)
def test_without_storage_the_book_opens_searches_and_changes_its_colours(browser, sites, how):
    site = sites["http"]
    page, complaints = opened(
        browser, f"{site}/index.html", site, prepare=lambda page: page.add_init_script(REFUSALS[how]), locale="zh-CN"
    )
    page.wait_for_url("**/zh/index.html")
    before = page.locator("html").get_attribute("data-mode")
    page.locator(".theme-switch-button").click()
    assert page.locator("html").get_attribute("data-mode") != before
    page.goto(f"{site}/zh/search.html?q=重参数化")
    page.locator("#search-results li a").first.click()
    page.locator("article .highlighted").first.wait_for()
    assert not complaints
    page.context.close()


@pytest.mark.parametrize("fragment", ["#100%", "#nonesuch", "#%E0%A4%A"])
def test_a_fragment_that_names_nothing_does_no_harm(browser, sites, fragment):
    page, complaints = opened(browser, f"{sites['http']}/{CHAPTER}{fragment}", sites["http"])
    page.evaluate(READY)
    page.locator(".language-toggle").click()
    page.wait_for_url("**/en/02_kl_divergence.html*")
    assert not complaints
    page.context.close()


class PlainHost(SimpleHTTPRequestHandler):
    """A host that has the book in a folder, and sends scripts as plain text."""

    def guess_type(self, path):
        return "text/plain" if path.endswith(".js") else super().guess_type(path)

    def translate_path(self, path):
        return super().translate_path(path.removeprefix("/a/b"))

    def log_message(self, *args):
        pass


def test_a_folder_of_a_host_that_sends_scripts_as_plain_text_will_do(browser, sites):
    html = unquote(urlsplit(sites["file"]).path)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(PlainHost, directory=html)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_port}/a/b"
        page, complaints = opened(browser, f"{site}/{CHAPTER}", site)
        page.evaluate(READY)
        assert page.locator(".live-widget").count() and page.locator("mjx-container").count() and not complaints
        page.goto(f"{site}/index.html")
        page.wait_for_url("**/a/b/*/index.html")
        page.context.close()
        server.shutdown()


def test_no_two_files_have_one_name_where_case_does_not_count(html):
    names = Counter(path.relative_to(html).as_posix().casefold() for path in Path(html).rglob("*"))
    assert max(names.values()) == 1
    bad = [name for name in names if set(name) & set('<>:"\\|?*') or any(part[-1] in ". " for part in name.split("/"))]
    assert not bad, "Windows allows no such names"

"""`make links` against a server that has pages, lacks some, and refuses programs; `make zip`."""

import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import archive
import links
import pytest
from conftest import opened

ANSWERS = {"/here": (200, "a page"), "/gone": (404, ""), "/refused": (403, ""), "/broken": (500, ""),
           "/doi/10.1/(a)b": (200, json.dumps({"responseCode": 1})),
           "/doi/10.1/none": (200, json.dumps({"responseCode": 100}))}  # fmt: skip


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("path", "said"), [("/here", ""), ("/gone", "answers 404"), ("/refused", "answers 403"),
                                            ("/broken", "answers 500")])  # fmt: skip
def test_what_a_page_answers(site, path, said):
    assert links.ask(site + path) == said


def test_sites_that_answer_only_people_are_believed_unless_a_page_is_gone(site, monkeypatch):
    monkeypatch.setattr(links, "PEOPLE", {"127.0.0.1"})
    assert links.ask(f"{site}/refused") == ""
    assert links.ask(f"{site}/gone") == "answers 404"


def test_a_doi_is_asked_of_the_registry(site):
    assert links.ask("https://doi.org/10.1/(a)b", f"{site}/doi/") == ""
    assert links.ask("https://doi.org/10.1/none", f"{site}/doi/") == "no such DOI"


def test_a_server_that_is_not_there_is_named():
    assert "refused" in links.ask("http://127.0.0.1:9/")


def test_links_of_pages_and_of_readmes_are_found():
    found = links.found()
    assert "notebooks/zh/03_vae.ipynb" in found["https://arxiv.org/abs/1312.6114"]
    assert "LICENSE-MNIST.md" in found["https://doi.org/10.1109/5.726791"]
    assert not [url for url in found if "#" in url]


def test_the_zip_is_the_book(browser, html, tmp_path):
    archive.pack(html, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "read me elsewhere")
    assert names[0] == f"{archive.FOLDER}/index.html" and not [name for name in names if "/." in name]
    files = {path.relative_to(html).as_posix() for path in html.rglob("[!.]*") if path.is_file()}
    assert {name.partition("/")[2] for name in names} == files
    folder = tmp_path / "read me elsewhere" / archive.FOLDER
    page, complaints = opened(browser, f"{(folder / 'index.html').as_uri()}", folder.as_uri(), locale="zh-CN")
    page.wait_for_url("**/zh/index.html")
    page.locator(".live-widget canvas").first.wait_for()
    assert not complaints
    page.context.close()

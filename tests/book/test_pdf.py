"""`make pdf`: pages printed by the browser and bound into one file, with bookmarks and links of their own."""

import re
from io import BytesIO

import pdf
import pytest
from common import handwritten
from common.browser import served
from pypdf import PdfReader


@pytest.fixture(scope="module")
def bound(browser, html):
    """Two Chinese pages in one PDF."""
    with served(html) as site:
        address = f"{site}/zh/"
        parts = {stem: pdf.printed(browser, f"{address}{stem}.html") for stem in ("index", "teaching")}
        return PdfReader(BytesIO(pdf.bind(parts, address)))


def links(reader):
    return [link.get_object() for page in reader.pages for link in page.get("/Annots", [])]


def test_the_order_is_that_of_the_contents():
    stems = handwritten.stems()
    assert stems[:3] == ["index", "01_autoencoder", "02_kl_divergence"] and stems[-1] == "references"


def test_titles_are_bookmarks_and_headings_lie_below_them(bound):
    book, headings, teaching, _ = bound.outline
    assert (book.title, teaching.title) == ("一步一步学习生成模型", "写给教师")
    assert headings[0].title == "本书内容"
    assert bound.get_destination_page_number(book) == 0 < bound.get_destination_page_number(teaching)
    assert all(bound.get_destination_page_number(heading) < len(bound.pages) for heading in headings)


def test_text_can_be_searched(bound):
    text = "".join(page.extract_text() for page in bound.pages)
    assert "生成模型" in text and "人写的" in text
    assert not re.search("[\u2e80-\u2fdf]", text)


def test_links_stay_in_the_file_or_lead_to_other_sites(bound):
    pages = [page.indirect_reference for page in bound.pages]
    kept = [link["/Dest"] for link in links(bound) if "/Dest" in link]
    away = [link["/A"]["/URI"] for link in links(bound) if "/A" in link]
    assert all(place[0] in pages for place in kept) and len(kept) > 5
    assert any(url.startswith("https://doi.org/") for url in away)
    assert not [url for url in away if "127.0.0.1" in url or url.startswith("file:")]
    start = pages[bound.get_destination_page_number(bound.outline[2])]
    assert start in [place[0] for place in kept]  # from the first page

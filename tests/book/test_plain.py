"""What holds a book of plain Sphinx against its sources finds nothing in this one, and finds what is taken away."""

import shutil

import pytest
from plain.check import differences


def test_the_book_is_as_its_sources_say(html):
    assert list(differences(html)) == []


@pytest.mark.parametrize(("found", "instead", "told"), [
    ('id="many-dimensions"', "", "has the headings"),
    ("application/vnd.jupyter.widget-view+json", "text/plain", "widgets, expected"),
    ("Content-Security-Policy", "refresh", "policy"),
])  # fmt: skip
def test_what_a_page_lacks_is_told(html, tmp_path, found, instead, told):
    shutil.copytree(html, tmp_path / "html")
    page = tmp_path / "html" / "zh" / "02_kl_divergence.html"
    page.write_text(page.read_text(encoding="utf-8").replace(found, instead), encoding="utf-8")
    (said,) = differences(tmp_path / "html")
    assert f"{page} " in said and told in said
    page.unlink()
    assert list(differences(tmp_path / "html")) == [f"{page} is missing"]

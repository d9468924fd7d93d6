"""Hold a built book against its sources: python tests/plain/check.py _build/html

Every page is there, with its headings, its widgets and its policy, in both languages.
"""

import sys
from pathlib import Path

from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "book"))
from common import pages


def headings(path):
    """The ids of the headings of a page's source, in order."""
    if path.suffix == ".ipynb":
        texts = [cell["source"] for cell in pages.load(path)["cells"] if cell["cell_type"] == "markdown"]
    else:
        texts = [pages.text(path)]
    return [heading.slug for text in texts for heading in pages.headings(text)]


def widgets(path):
    """How many widgets a page's source shows."""
    cells = pages.load(path)["cells"] if path.suffix == ".ipynb" else []
    return sum(pages.VIEW in output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))


def differences(html):
    """Sentences about what is not as it should be."""
    for source in (pages.NOTEBOOKS / lang / name for lang in pages.LANGUAGES for name in pages.names()):
        path = html / source.parent.name / f"{source.stem}.html"
        if not path.exists():
            yield f"{path} is missing"
            continue
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        found = [section["id"] for section in page.select("article section[id]")]
        if found != headings(source):
            yield f"{path} has the headings {found}, expected {headings(source)}"
        if (count := len(page("script", type=pages.VIEW))) != widgets(source):
            yield f"{path} shows {count} widgets, expected {widgets(source)}"
        if len(page("meta", {"http-equiv": "Content-Security-Policy"})) != 1:
            yield f"{path} has not one policy"


if __name__ == "__main__":
    found = list(differences(Path(sys.argv[1])))
    print(*found, sep="\n", end="\n" * bool(found))
    sys.exit(bool(found))

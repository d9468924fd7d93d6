"""Print the built book, each language into one PDF: `python book/pdf.py [--build _build]`, by Chromium or Chrome.

Chapters are bookmarks, with their headings below them, and links between pages lead to the page in the same file.
"""

import argparse
import re
import sys
from io import BytesIO
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from common import handwritten, pages
from common.browser import launched, served
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, Fit, FloatObject, NameObject, NullObject

BUILD = pages.ROOT / "_build"
NAME = "generative-models-step-by-step-{}.pdf"
HEADINGS = """() => [...document.querySelectorAll("article :is(h1, h2)")].map((heading) => {
  const plain = heading.cloneNode(true);
  plain.querySelectorAll(".headerlink").forEach((link) => link.remove());
  return [heading.closest("section").id, plain.textContent.trim()];
})"""
TYPESET = "async () => { await window.MathJax?.startup.promise; await document.fonts.ready; }"
FOOT = (
    '<div style="width: 100%; text-align: center; font-size: 8px; font-family: sans-serif">'
    '<span class="title"></span> · <span class="pageNumber"></span></div>'
)
# Where a font draws a radical and the character of the same shape alike, the browser notes the radical, which nobody
# searches for. Unicode's NFKC knows the characters of most.
RADICALS = re.compile(r"^(<\w+>) (?:(<\w+>) )?<(2[EF]\w\w)>$", flags=re.M)  # of one glyph, or of a range of them
OTHERS = str.maketrans("⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻢⻣⻤⻥⻦⻨⻩⻬⻮⻰", "见角贝车长门青韦页风飞马骨鬼鱼鸟麦黄齐齿龙")
PAPER = {"format": "A4", "margin": dict.fromkeys(("top", "right", "bottom", "left"), "16mm")}


def printed(browser, url):
    """A page as it is on paper: its headings, [(id, text)] with the title first, and the bytes of a PDF."""
    page = browser.new_page()
    try:
        page.goto(url)
        headings = page.evaluate(HEADINGS)
        page.evaluate(TYPESET)
        return headings, page.pdf(
            **PAPER, tagged=True, print_background=True, display_header_footer=True,
            header_template="<span></span>", footer_template=FOOT,
        )  # fmt: skip
    finally:
        page.close()


def bind(parts, address):
    """The bytes of one PDF; links to a place on any of the pages lead to it within the file.

    parts: {stem: (headings, PDF)}, printed from below `address`, the folder of the language.
    """
    writer, places, owners = PdfWriter(), {}, []
    for stem, (headings, data) in parts.items():
        reader, start = PdfReader(BytesIO(data)), len(writer.pages)
        places[stem, ""] = start, None
        for name, place in reader.named_destinations.items():
            places[stem, name.lstrip("/")] = start + reader.get_destination_page_number(place), place.top
        writer.append(reader, import_outline=False)
        owners += [stem] * (len(writer.pages) - start)
        chapter = writer.add_outline_item(title=headings[0][1], page_number=start)
        for place, text in headings[1:]:
            if (stem, place) in places:
                number, top = places[stem, place]
                writer.add_outline_item(title=text, page_number=number, parent=chapter, fit=Fit.xyz(top=top))
    for stem, page in zip(owners, writer.pages, strict=True):
        for annotation in page.get("/Annots", []):
            link = annotation.get_object()
            if target := _target(link, stem, address):
                number, top = places.get(target) or places.get((target[0], "")) or (None, None)
                link.pop("/A", None)
                link.pop("/Dest", None)
                if number is not None:
                    here = [writer.pages[number].indirect_reference, NameObject("/XYZ"), NullObject()]
                    height = NullObject() if top is None else FloatObject(top)
                    link[NameObject("/Dest")] = ArrayObject([*here, height, NullObject()])
    fonts = (font.get_object() for page in writer.pages for font in page["/Resources"].get("/Font", {}).values())
    tables = (font["/ToUnicode"].get_object() for font in fonts if "/ToUnicode" in font)
    for table in {id(table): table for table in tables}.values():  # pages share fonts
        table.set_data(RADICALS.sub(_characters, table.get_data().decode("latin-1")).encode("latin-1"))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _characters(entry):
    """An entry of a font's table with characters in the place of radicals."""
    first, last, start = entry.groups()
    count = int(last[1:-1], 16) - int(first[1:-1], 16) + 1 if last else 1
    radicals = map(chr, range(int(start, 16), int(start, 16) + count))
    told = [f"<{ord(normalize('NFKC', radical).translate(OTHERS)):04X}>" for radical in radicals]
    return f"{first} {last} [{' '.join(told)}]" if last else f"{first} {told[0]}"


def _target(link, stem, address):
    """(stem, fragment) that a link leads to; None for one that leads elsewhere."""
    if "/Dest" in link and not isinstance(link["/Dest"], ArrayObject):
        return stem, str(link["/Dest"]).lstrip("/")
    url = str(link.get("/A", {}).get("/URI", ""))
    if not url.startswith(address):
        return None
    parts = urlsplit(url)
    return Path(parts.path).stem, unquote(parts.fragment)


def main():
    parser = argparse.ArgumentParser(description="Print the built book, each language into one PDF.")
    parser.add_argument("--build", type=Path, default=BUILD, help="what book/build.py has written; default: _build")
    build = parser.parse_args().build.resolve()
    if not (build / "html" / "index.html").exists():
        sys.exit(f"{build / 'html'} holds no book: make it with `make book`.")
    try:
        with launched() as browser, served(build / "html") as site:
            for lang in pages.LANGUAGES:
                address = f"{site}/{lang}/"
                parts = {stem: printed(browser, f"{address}{stem}.html") for stem in handwritten.stems()}
                path = build / NAME.format(lang)
                pages.write(path, bind(parts, address))
                print(f"{path}: {path.stat().st_size / 1e6:.0f} MB")
    except FileNotFoundError as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()

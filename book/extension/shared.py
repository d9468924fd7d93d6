"""What pages of both languages load from one folder beside theirs, so that a browser keeps a single copy."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from common import pages

from .lighten import subset

FOLDER = "../shared"  # from the folder of a language
# MathJax as its loader takes it apart: without the menu, which is a third of the whole.
MATHJAX = "mathjax/startup.js"
PARTS = [
    MATHJAX,
    "mathjax/core.js",
    "mathjax/input/tex.js",
    "mathjax/input/tex/extensions",
    "mathjax/output/chtml.js",
    "mathjax/output/chtml/fonts",
    "mathjax/a11y/assistive-mml.js",
]
# MathJax's fonts are large. Their common characters come from smaller ones, all others from the whole.
FONTS = "mathjax/output/chtml/fonts/woff-v2"
LATIN, CAPITALS, GREEK = (0x20, 0x7E), (0x41, 0x5A), (0x3B1, 0x3F5)
SIGNS = [(0xB1, 0xD7), (0x2026, 0x2032), (0x2113, 0x2113), (0x2190, 0x21A6), (0x2202, 0x2208), (0x2212, 0x2265)]
LARGE = [(0x28, 0x29), (0x5B, 0x5D), (0x7B, 0x7D), (0x220F, 0x2211), (0x221A, 0x222B)]  # brackets, sums, roots
COMMON = {
    ("MJXTEX", "MathJax_Main-Regular"): [LATIN, *SIGNS, (0x22A4, 0x22C5)],
    ("MJXTEX-I", "MathJax_Math-Italic"): [LATIN, GREEK],
    ("MJXTEX-A", "MathJax_AMS-Regular"): [CAPITALS],  # blackboard bold
    ("MJXTEX-C", "MathJax_Calligraphic-Regular"): [CAPITALS],
    **{(f"MJXTEX-S{size}", f"MathJax_Size{size}-Regular"): LARGE for size in (1, 2, 3, 4)},
}
FACE = """@font-face {{ font-family: {family}; src: url("{name}.woff2"); unicode-range: {ranges}; }}
"""


def put(app, name, content):
    """Write a shared file, which the build of the other language may be doing at the same time."""
    path = Path(app.outdir, FOLDER, name).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    pages.write(path, content)


def prune(folder, written):
    """Delete the scripts in `folder` that no page `written` names any more, and what an interrupted build left."""
    texts = [page.read_text(encoding="utf-8") for page in written]
    for path in folder.glob("*"):
        if path.is_file() and not any(path.name in text for text in texts):
            path.unlink()


def configure(app, config):
    config.mathjax_path = f"../{FOLDER}/{MATHJAX}"  # from _static


@cache
def mathjax():
    """The folder of the installed package that MathJax comes from."""
    return Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0]) / "static"


def copy_mathjax(app):
    """Copy from the installed package what pages load, not all 24 MB."""
    for source in (mathjax() / part for part in PARTS):
        for file in source.rglob("*.*") if source.is_dir() else [source]:
            put(app, file.relative_to(mathjax()), file.read_bytes())


def make_fonts(app):
    """Write the small fonts and the style sheet that puts them before MathJax's own."""
    faces = ""
    for (family, name), ranges in COMMON.items():
        characters = [code for first, last in ranges for code in range(first, last + 1)]
        put(app, f"{FONTS}/{name}.woff2", subset(mathjax() / FONTS / f"{name}.woff", characters))
        faces += FACE.format(family=family, name=name, ranges=", ".join(f"U+{a:X}-{b:X}" for a, b in ranges))
    put(app, f"{FONTS}/common.css", faces.encode())


def add_fonts(app, pagename, templatename, context, doctree):
    """Let layout.html load them at the end of the body: of two equal fonts, the later one is taken."""
    if app.env.get_domain("math").has_equations(pagename):
        context["math_fonts"] = f"{'../' * pagename.count('/')}{FOLDER}/{FONTS}/common.css"


def setup(app):
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy_mathjax)
    app.connect("builder-inited", make_fonts)
    app.connect("html-page-context", add_fonts)

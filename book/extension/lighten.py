"""What makes pages lighter and changes nothing that one could see: smaller pictures, style sheets and icons."""

import re
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from PIL import Image
from sphinx.transforms.post_transforms.images import BaseImageConverter

RULE = re.compile(r"([^{}]+)\{[^{}]*\}")  # a rule of its own or within @media: its selectors, then its declarations
WORD = re.compile(r"[\w-]+")
ESCAPED = re.compile(r'content:"\\([0-9a-f]+)"')
PRIVATE = re.compile("[\ue000-\uf8ff]")  # where the font has its icons
QUALITY = 70  # of 100, for pictures of digits
COLORS = 128  # of drawings
OPACITIES = 17  # of 255, the steps that edges are smoothed in
ICONS = "vendor/fontawesome/webfonts/fa-solid-900"


class SmallerPictures(BaseImageConverter):
    """Pictures as WebP: in a quarter of the bytes of PNG, the same to the eye."""

    default_priority = 400

    def match(self, node):
        return node["uri"].endswith(".png")

    def handle(self, node):
        path = Path(self.imagedir, f"{Path(node['uri']).stem}.webp")
        if not path.exists():  # the name is the hash of the picture
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_webp(Path(self.app.srcdir, node["uri"])))
        node["uri"] = str(path)
        node["candidates"] = {"*": str(path)}
        self.env.images.add_file(self.env.docname, str(path))


def as_webp(path):
    """A picture as the bytes of a WebP: gray ones, which are of digits, as photographs; others as drawings.

    A coloured one that is a photograph for the most part, digits among curves, becomes one if that saves a quarter.
    """
    with Image.open(path) as picture:
        *channels, alpha = picture.convert("RGBA").split()
    colors = Image.merge("RGB", channels)
    is_gray = channels[0].tobytes() == channels[1].tobytes() == channels[2].tobytes()
    if not is_gray:
        colors = colors.quantize(COLORS, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
        colors = colors.convert("RGB")
    alpha = alpha.point([OPACITIES * round(level / OPACITIES) for level in range(256)])
    photograph = _saved(Image.merge("RGB", channels), alpha, quality=QUALITY if is_gray else QUALITY + 10)
    if is_gray:
        return photograph
    drawing = _saved(colors, alpha, lossless=True, quality=100)
    return photograph if len(photograph) < 0.75 * len(drawing) else drawing


def _saved(colors, alpha, **options):
    file = BytesIO()
    picture = colors.copy()
    picture.putalpha(alpha)
    picture.save(file, "WEBP", **options)
    return file.getvalue()


def lighten(app, exception):
    """Take out of the themes' style sheets the rules for classes that no page and no script of one can have."""
    if exception:
        return
    static = Path(app.outdir, "_static")
    pages = "".join(path.read_text(encoding="utf-8") for path in Path(app.outdir).glob("*.html"))
    scripts = [path.read_text(encoding="utf-8") for path in static.rglob("*.js") if f"/{path.name}" in pages]
    known = set(WORD.findall(pages + "".join(scripts)))
    icons = set()
    for sheet in static.rglob("*.css"):
        css = without_unknown(sheet.read_text(encoding="utf-8"), known)
        sheet.write_text(css, encoding="utf-8")
        icons |= {int(code, 16) for code in ESCAPED.findall(css)} | set(map(ord, PRIVATE.findall(css)))
    (static / f"{ICONS}.woff2").write_bytes(subset(static / f"{ICONS}.woff2", icons))


def without_unknown(css, known):
    """A style sheet without selectors that name a class outside `known`, and without rules that have none left."""

    def kept(rule):
        *before, selectors = re.split(r"(?<=;)|(?<=\*/)", rule[1])  # such as @charset "utf-8";
        alternatives = re.split(r",(?![^(]*\))", selectors)
        left = [selector for selector in alternatives if classes(selector) <= known]
        if len(left) == len(alternatives):
            return rule[0]
        return "".join(before) + (",".join(left) + rule[0][len(rule[1]) :] if left else "")

    return RULE.sub(kept, css)


def classes(selector):
    """The classes that an element must have; what stands in :not() or :is() is no such condition."""
    while selector != (selector := re.sub(r"\([^()]*\)", "", selector)):
        pass
    return set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", selector))


def subset(source, characters):
    """A font file that has these characters only, as the bytes of a WOFF2."""
    font = TTFont(source, recalcTimestamp=False)  # the same bytes each time
    subsetter = Subsetter(Options(hinting=False, drop_tables=["FFTM", "GSUB"]))
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    font.flavor = "woff2"
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def setup(app):
    app.add_post_transform(SmallerPictures)
    app.connect("build-finished", lighten)

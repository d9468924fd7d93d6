"""Figures are numbered k.n within chapter k, which the name of its page begins with, and plainly on other pages.

Where the text says "Figure 3.2" or "图 3.2", that is a link to it. On a phone, wide ones scroll by themselves.
"""

import re
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms import SphinxPostTransform

CHAPTER = re.compile(r"0*(\d+)_")
FORMATS = {"en": "Figure %s", "zh_CN": "图 %s"}  # by Sphinx's language
LEGIBLE = 700  # pixels; up to this width, half of it can be read
PROSE = nodes.paragraph | nodes.caption | nodes.emphasis | nodes.strong | nodes.inline
# "每张图 3.2" is 3.2 per image.
NAMED = re.compile(r"(?:\bFigure\s|(?<!张)图\s?)(\d+\.\d+)(?!\d|\.\d)")


def number(app, env):
    """Count the figures of each page anew; Sphinx has counted them through the book."""
    for page, kinds in env.toc_fignumbers.items():
        chapter = [int(found[1])] if (found := CHAPTER.match(page)) else []
        for figures in kinds.values():
            figures.update({id_: (*chapter, n) for n, id_ in enumerate(figures, 1)})
    return []


class FigureLinks(SphinxPostTransform):
    """Each figure that the text names by its number, as a link to it."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        places = {
            ".".join(map(str, count)): (page, id_)
            for page, kinds in self.env.toc_fignumbers.items()
            for id_, count in kinds.get("figure", {}).items()
            if len(count) == 2
        }
        for text in list(self.document.findall(nodes.Text)):
            if isinstance(text.parent, PROSE):
                text.parent[:] = [
                    part for child in text.parent for part in (self.linked(child, places) if child is text else [child])
                ]

    def linked(self, text, places):
        done, end = [], 0
        for found in NAMED.finditer(text):
            if found[1] not in places:
                continue
            page, id_ = places[found[1]]
            here = self.env.docname
            uri = "" if page == here else self.app.builder.get_relative_uri(here, page)
            done += [nodes.Text(text[end : found.start()])] if found.start() > end else []
            done.append(nodes.reference("", found[0], refuri=f"{uri}#{id_}", internal=True, classes=["nowrap"]))
            end = found.end()
        return [*done, nodes.Text(text[end:])] if done else [text]


class WideFigures(SphinxPostTransform):
    """Each picture that a phone would make illegible within a box of its own, which knows its width (see book.css)."""

    default_priority = 450  # after lighten.py
    formats = ("html",)

    def run(self, **kwargs):
        for image in list(self.document.findall(nodes.image)):
            parent, at = image.parent, image.parent.index(image)
            if not isinstance(parent, nodes.figure) or not isinstance(parent[at + 1], nodes.caption):
                continue  # it is no figure, or a widget takes its place
            with Image.open(Path(self.app.srcdir, image["uri"])) as picture:
                width = picture.width
            if width > LEGIBLE:
                box = f'<div class="wide" style="--width: {width}px">', "</div>"
                parent[at : at + 1] = nodes.raw("", box[0], format="html"), image, nodes.raw("", box[1], format="html")


def configure(app, config):
    config.numfig = True
    config.numfig_format = {"figure": FORMATS[config.language]}


def setup(app):
    app.add_post_transform(FigureLinks)
    app.add_post_transform(WideFigures)
    app.connect("config-inited", configure)
    app.connect("env-get-updated", number, priority=900)  # after Sphinx itself

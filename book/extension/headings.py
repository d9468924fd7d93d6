"""Headings have the same id in both languages, and links find it."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform


class HeadingAnchors(SphinxTransform):
    """Take a section's id from `<a id="slug"></a>` at the start of its heading, and let links find all section ids.

    Chinese headings carry their English counterpart's id in this way, so that one address fits both languages and
    plain Jupyter follows it too.
    """

    default_priority = 100  # before anything collects ids

    def apply(self, **kwargs):
        slugs = {}
        for section in self.document.findall(nodes.section):
            title = section[0]
            if isinstance(title[0], nodes.raw) and (match := re.fullmatch(r'<a id="([^"]+)">', title[0].astext())):
                slug = match[1]
                if self.document.ids.get(slug, section) is not section:
                    self.document.reporter.warning(f"id {slug!r} is used twice on this page", base_node=section)
                del title[:2]  # <a id="slug"> and </a>
                section["ids"] = [slug]
                self.document.ids[slug] = section
            slugs[section["ids"][0]] = (section.line, section["ids"][0], title.astext())
        for term in self.document.findall(nodes.term):
            slugs.update({id_: (term.line, id_, term.astext()) for id_ in term["ids"]})
        # where myst-parser looks for the target of [text](page.ipynb#slug) and of [text](#slug)
        self.env.metadata[self.env.docname]["myst_slugs"] = self.document.myst_slugs = slugs


def setup(app):
    app.add_transform(HeadingAnchors)

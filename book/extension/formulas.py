"""Formulas for readers without JavaScript."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.transforms.post_transforms import SphinxPostTransform


class MathWithoutScripts(SphinxPostTransform):
    """Before each formula, the same as MathML for readers without JavaScript, in place of its TeX (see layout.html)."""

    default_priority = 600  # after Typography
    formats = ("html",)

    def run(self, **kwargs):
        for kind, display in ((nodes.math, "inline"), (nodes.math_block, "block")):
            for formula in list(self.document.findall(kind)):
                tex = formula.astext().replace("{aligned}", "{split}")  # the same, by the one name that convert knows
                mathml = f"<noscript>{convert(tex, display=display)}</noscript>"
                formula.parent.insert(formula.parent.index(formula), nodes.raw("", mathml, format="html"))


def setup(app):
    app.add_post_transform(MathWithoutScripts)

"""Formulas for readers without JavaScript."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.transforms.post_transforms import SphinxPostTransform

# What convert writes in two signs, and the space after a function's name, which it leaves out.
DEFINED = "<mi>:</mi><mo>&#x0003D;</mo>", "<mo>:=</mo>"
FUNCTION, THIN = re.compile(r"<mi>(?:log|exp|max|min)</mi>(?=<m(?!o))"), r'\g<0><mspace width="0.1667em"></mspace>'


class MathWithoutScripts(SphinxPostTransform):
    """Before each formula, the same as MathML for readers without JavaScript, in place of its TeX (see layout.html)."""

    default_priority = 600  # after Typography
    formats = ("html",)

    def run(self, **kwargs):
        for kind, display in ((nodes.math, "inline"), (nodes.math_block, "block")):
            for formula in list(self.document.findall(kind)):
                tex = formula.astext().replace("{aligned}", "{split}")  # the same, by the one name that convert knows
                mathml = FUNCTION.sub(THIN, convert(tex, display=display).replace(*DEFINED))
                mathml = f"<noscript>{mathml}</noscript>"
                formula.parent.insert(formula.parent.index(formula), nodes.raw("", mathml, format="html"))


def setup(app):
    app.add_post_transform(MathWithoutScripts)

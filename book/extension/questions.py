"""Questions and solutions, as notebooks write them in plain Markdown and code cells, and as pages show them.

A question to guess at is a paragraph that begins with **Predict, then see** and its choices, each in <details>: a card
of rows to open. A solution is a run of hidden code cells and the <details> after them: one toggle for all of it.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

VERDICTS = {
    "Predict, then see": {"Right": "right", "Not quite": "wrong"},
    "先猜一猜": {"对": "right", "不对": "wrong"},
}
OPEN = re.compile(r"<details>\s*<summary>(.*)</summary>\s*")
CHOICE = '<details class="choice {}">\n<summary><span>{}</span> <span>{}</span></summary>'


def opens(node):
    return isinstance(node, nodes.raw) and OPEN.fullmatch(node.astext())


def closes(node):
    return isinstance(node, nodes.raw) and node.astext().strip() == "</details>"


def first_words(node):
    """What a paragraph begins with in bold."""
    parts = [part for part in node.children if part.astext()] if isinstance(node, nodes.paragraph) else []
    return parts[0].astext() if parts and isinstance(parts[0], nodes.strong) else ""


class Questions(SphinxTransform):
    """Put each question and its choices into one group, and let each answer's class say whether it is right."""

    default_priority = 900

    def apply(self, **kwargs):
        for lead in [node for node in self.document.findall(nodes.paragraph) if first_words(node) in VERDICTS]:
            around, begin = lead.parent, lead.parent.index(lead)
            end = next((i for i in range(begin, len(around)) if opens(around[i])), len(around))
            found = []
            while end < len(around) and (choice := opens(around[end])):
                found.append(VERDICTS[first_words(lead)].get(first_words(around[end + 1])))
                letter, _, words = choice[1].partition(" ")
                around[end] = html(CHOICE.format(found[-1], letter, words))
                end = next(i for i in range(end, len(around)) if closes(around[i])) + 1
            if len(found) < 2 or None in found or found.count("right") != 1:
                logger.warning("the choices of this question are: %s", found, location=lead)
            around.insert(end, html("</div>"))
            around.insert(begin, html(f'<div class="question" role="group" aria-label="{first_words(lead)}">'))


class Solutions(SphinxTransform):
    """Put the hidden cells right before a <details> into it, without a toggle of their own."""

    default_priority = 910

    def apply(self, **kwargs):
        for start in [node for node in self.document.findall(nodes.raw) if opens(node)]:
            parent, place = start.parent, start.parent.index(start)
            first = place
            while first and _hidden(parent[first - 1]):
                first -= 1
            for cell in parent[first:place]:
                cell.attributes.pop("hide_mode")
                cell["classes"].remove("tag_hide-cell")
            parent.insert(first, parent.pop(place))


def _hidden(node):
    return isinstance(node, nodes.container) and node.get("hide_mode") == "all"


def html(text):
    return nodes.raw("", text, format="html")


def setup(app):
    app.add_transform(Questions)
    app.add_transform(Solutions)

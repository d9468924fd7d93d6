"""How lines break, and the colours of sources that a cell prints."""

from itertools import takewhile
from unicodedata import category, east_asian_width

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class Typography(SphinxPostTransform):
    """Let lines end where they may: not between a formula and its punctuation, nor at ±, and Chinese without spaces.

    Browsers break on either side of a formula, even before a full stop, and show a line end of the source as a space.
    """

    default_priority = 500

    def run(self, **kwargs):
        for parent in list(self.document.findall(nodes.TextElement)):
            if not isinstance(parent, nodes.FixedTextElement):
                parent[:] = _keep_punctuation(_drop_line_ends([_keep_scatter(child) for child in parent.children]))


def _keep_scatter(child):
    around = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
    return nodes.Text(child.replace(" ± ", around)) if isinstance(child, nodes.Text) else child


def _drop_line_ends(children):
    texts = ["", *(child.astext() for child in children), ""]
    around = zip(texts, children, texts[2:], strict=False)
    return [child for before, child, after in around if not (child == "\n" and _joins(before[-1:], after[:1]))]


def _keep_punctuation(children):
    done = []
    for i, child in enumerate(children):
        group = [child]
        if isinstance(child, nodes.math):
            if done and isinstance(done[-1], nodes.Text) and _has_category(done[-1][-1:], ("Ps", "Pi")):
                before = done.pop()
                done.append(nodes.Text(before[:-1]))
                group.insert(0, nodes.Text(before[-1]))
            if i + 1 < len(children) and isinstance(after := children[i + 1], nodes.Text):
                closing = "".join(takewhile(lambda c: _has_category(c, ("Po", "Pe", "Pf")), after))
                children[i + 1] = nodes.Text(after[len(closing) :])  # what the next turn takes
                group += [nodes.Text(closing)] if closing else []
        done.append(child if len(group) == 1 else nodes.inline("", "", *group, classes=["nowrap"]))
    return done


def _has_category(character, categories):
    return bool(character) and category(character) in categories


def _joins(left, right):
    """Whether Chinese has no space between these two characters: not next to full-width punctuation or in mid-word."""
    wide = [east_asian_width(character) in "WF" for character in left + right]
    return all(wide) or any(w and category(c).startswith("P") for w, c in zip(wide, left + right, strict=True))


class PrintedSources(SphinxPostTransform):
    """Colour the sources that a cell prints as code."""

    default_priority = 5  # before myst-nb sets what a cell prints as plain text

    def run(self, **kwargs):
        for block in self.document.findall(nodes.literal_block):
            printed = "cell_output" in block.parent.get("classes", ())
            code = next(block.parent.parent.findall(nodes.literal_block)) if printed else block
            if printed and code.astext().startswith("print(inspect.getsource("):
                block["language"] = "python"


def setup(app):
    app.add_post_transform(Typography)
    app.add_post_transform(PrintedSources)

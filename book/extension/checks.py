"""What the book shows of its checks: a mark at each proven derivation, a link at each measured number, their tables.

The marks come from notebooks/equations.json, the numbers from experiments/results.json. Nothing is proven or measured
when the book is built: an equation whose hash is not in that file has no mark.
"""

import json
import math
import re
from html import escape

from common import handwritten, measurements, pages, steps
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .toggle import LANGUAGES

PAGE = "how_it_is_checked"  # where marks and numbers lead to
PROVEN = pages.NOTEBOOKS / "equations.json"
WORDS = handwritten.read("checks")  # by Sphinx's language
ENTRY = {"chapter": str, "cell": str, "definitions": int, "relations": int, "instances": [str], "oracle": bool}
OPENING = re.compile(r"<!-- n:(?P<key>[^\s:]+):\S+ -->")  # as in pages.MARKER
CLOSING = "<!-- /n -->"


def proven():
    """{hash: entry} of the equations that both readers have proven; see tests/equations/results.py."""

    def parse(data):
        return pages.check(pages.unsealed(data), {str: ENTRY})

    return pages.read(PROVEN, parse, instead="`make equations`") if PROVEN.exists() else {}


def cells(page, language):
    """[(id, source)] of a page's Markdown cells; [] of what is no notebook."""
    lang = LANGUAGES[language]["folder"]
    return steps.cells(page, lang) if (pages.NOTEBOOKS / lang / f"{page}.ipynb").exists() else []


def headings(page, language):
    """{anchor: title} of the headings of a notebook."""
    found = [heading for _, source in cells(page, language) for heading in pages.headings(source)]
    return {heading.slug: heading.text for heading in found}


def equations(page, language):
    """The displayed equations of a page, in order; [] where they cannot be read, or where none are to be proven."""
    found = cells(page, language)
    try:
        return steps.equations(steps.scopes(page, LANGUAGES[language]["folder"], found), found)
    except steps.Unreadable:
        return []  # the tests say what and where


class ProofMarks(SphinxPostTransform):
    """A small ✓ beside each displayed equation that both readers have proven."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        name, language = self.env.docname, self.config.language
        known = proven()
        shown = [m for m in self.document.findall(nodes.math_block) if not isinstance(m.parent, nodes.entry)]
        for block, equation in zip(shown, equations(name, language), strict=False):
            entry = known.get(equation.hash)
            if not entry or not entry["relations"] or steps.plain(block.astext()) != steps.plain(equation.latex):
                continue
            uri = f"{self.app.builder.get_relative_uri(name, PAGE)}#eq-{equation.hash}"
            label = escape(WORDS[language]["mark"])
            link = f'<a class="proof" href="{uri}" title="{label}" aria-label="{label}">✓</a>'
            parent, at = block.parent, block.parent.index(block)
            parent[at] = nodes.container("", block, nodes.raw("", link, format="html"), classes=["proven"])


class NumberLinks(SphinxPostTransform):
    """Each measured number of the prose as a link to the experiment that it comes from."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        base = self.app.builder.get_relative_uri(self.env.docname, PAGE)
        for opening in list(self.document.findall(nodes.raw)):
            found = OPENING.fullmatch(opening.astext().strip())
            if not found:
                continue
            parent, at = opening.parent, opening.parent.index(opening)
            value, closing = parent[at + 1], parent[at + 2]
            if closing.astext().strip() != CLOSING:
                raise ValueError(f"{self.env.docname}: number {found['key']} has no end")
            key = found["key"].partition("@")[0]
            link = nodes.reference("", value.astext(), refuri=f"{base}#{anchor(key)}", internal=True)
            link["classes"] = ["measured"]
            parent[at : at + 3] = [link]


def anchor(key):
    """The id of a number on the page of checks."""
    return f"n-{nodes.make_id(key)}"


def table(head, rows, classes=()):
    """A table. rows: (id, [list of nodes for each cell])."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    titles = (nodes.entry("", nodes.paragraph(text=title)) for title in head)
    body = (nodes.row("", *(nodes.entry("", *cell) for cell in cells), ids=[id_]) for id_, cells in rows)
    group += [nodes.thead("", nodes.row("", *titles)), nodes.tbody("", *body)]
    return nodes.table("", group, classes=list(classes))


class EquationTable(SphinxDirective):
    """All displayed equations of the chapters, and how each is checked."""

    def run(self):
        self.env.note_dependency(str(PROVEN))
        self.env.note_reread()  # chapters may change while this page does not
        language, rows, known = self.config.language, [], proven()
        words, counts = WORDS[language], {"equations": 0, "relations": 0, "definitions": 0}
        for page in dict.fromkeys(entry["chapter"] for entry in known.values()):
            titles = headings(page, language)
            for equation in equations(page, language):
                if not (entry := known.get(equation.hash)):
                    continue
                counts["equations"] += 1
                counts["relations"] += entry["relations"]
                counts["definitions"] += entry["definitions"]
                title = f"{int(page[:2])} · {titles[equation.heading]}"
                where = nodes.reference("", title, refuri=f"{page}.html#{equation.heading}", internal=True)
                shown = nodes.math_block("", equation.latex, number=None, nowrap=False, docname=self.env.docname)
                told = [nodes.paragraph(text=text) for text in how(entry, words)]
                rows.append((f"eq-{equation.hash}", [[nodes.paragraph("", "", where)], [shown], told]))
        count = nodes.paragraph(text=words["count"].format(**counts))
        return [count, table(words["equations"], rows, ["equations"])]


def how(entry, words):
    """The sentences that say how an equation is checked."""
    found, n = entry["instances"], entry["relations"]
    sizes = [size for size in found if "=" in size]
    claim = words["definition"] if not n else words["relation"] if n == 1 else words["relations"].format(n=n)
    general = [words[f"any_{kind}"] for kind in ("densities", "functions") if kind in found]
    general += [words["any_size"]] if sizes else []
    specific = [words[kind] for kind in found if kind not in (*sizes, "values")]
    computed = words["values" if "values" in found else "constants"]
    told = [[claim, *(general if n else [])], [computed, *specific, *sizes]]
    told += [[words["oracle"]]] if entry["oracle"] else []
    return [words["join"].join(parts) + words["stop"] for parts in told]


class ExperimentTable(SphinxDirective):
    """All experiments, where their runs come from, and the numbers that they give."""

    def run(self):
        self.env.note_dependency(str(measurements.file()))
        words, made = WORDS[self.config.language], []
        numbers = measurements.read()
        for name, entry in measurements.read(part="experiments").items():
            own = {key: number for key, number in numbers.items() if number["experiment"] == name}
            rows = []
            for key, number in own.items():
                term = nodes.literal(text=key.removeprefix(f"{name}."))
                texts = [nodes.Text(shown(number)), nodes.Text(words["units"][number["unit"]])]
                rows.append((anchor(key), [[nodes.paragraph("", "", part)] for part in (term, *texts)]))
            made += [nodes.rubric("", "", nodes.literal(text=name)), *origin(entry, words)]
            made.append(table(words["experiment"], rows, ["experiment"]))
        return made


def origin(entry, words):
    """Paragraphs that say how an experiment was run, and where its runs come from."""
    runs = entry["runs"]
    many = words["once"] if len(runs) == 1 else words["seeds"].format(n=len(runs))
    mean = sum(run["seconds"] for run in runs) / len(runs)
    told = [words["time"].format(seconds=round(mean))]
    told += dict.fromkeys(run["hardware"] for run in runs)
    told += dict.fromkeys(" ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in runs)
    told += dict.fromkeys(words["commit"].format(commit=run["commit"]) for run in runs)
    script = nodes.literal(text=f"experiments/{entry['script']}.py")
    recipe = nodes.literal(text=json.dumps(entry["recipe"], ensure_ascii=False)[1:-1].replace('"', ""))
    made = nodes.paragraph("", "", nodes.Text(f"{many} "), script, nodes.Text(words["join"].join(["", *told])))
    return [made, nodes.paragraph("", "", nodes.Text(f"{words['recipe']} "), recipe)]


def shown(number):
    """A number to four digits, or to the two digits of its scatter that mean something."""
    value, sd = number["value"], number["sd"]
    parts, leading = ([value, sd], 2) if sd else ([value], 4)
    digits = max(0, leading - 1 - math.floor(math.log10(abs(parts[-1])))) if parts[-1] else 0
    joined = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}".join(f"{part:.{digits}f}" for part in parts)
    return joined.replace("-", "\N{MINUS SIGN}")


def setup(app):
    app.add_directive("equation-table", EquationTable)
    app.add_directive("experiment-table", ExperimentTable)
    app.add_post_transform(ProofMarks)
    app.add_post_transform(NumberLinks)

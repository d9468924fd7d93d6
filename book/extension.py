"""What this book adds to Sphinx: two languages that lead to each other, local assets, live widgets, search, two tables.

Nothing here depends on Jupyter Book.
"""

import html
import re
from itertools import takewhile
from pathlib import Path
from unicodedata import category, east_asian_width

import checks
import figures
import handwritten
import head
import lighten
import questions
import repository
import search
import shared
import widgets
from docutils import nodes
from docutils.statemachine import StringList
from latex2mathml.converter import convert
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parent

# by Sphinx's name of the language; the keys of OTHER are those of the language that the toggle leads away from
LANGUAGES = {
    "en": {"folder": "en", "tag": "en", "locale": "en_US", "name": "English"},
    "zh_CN": {"folder": "zh", "tag": "zh-CN", "locale": "zh_CN", "name": "中文"},
}
OTHER = {"en": LANGUAGES["zh_CN"], "zh_CN": LANGUAGES["en"]}

LABELS = {
    "zh_CN": {
        "Link to this heading": "本节的链接",
        "Link to this image": "此图的链接",
        "Link to this table": "此表的链接",
        "Link to this term": "此条的链接",
        "Toggle primary sidebar": "展开或收起目录",
        "Toggle secondary sidebar": "展开或收起本页目录",
        "Main": "全书",
        "Page": "本页",
        "Color mode": "明暗模式",
        "System Settings": "跟随系统",
    }
}

VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>\s*')

# Sphinx's own makes a function of a string, which the page's policy refuses. Only Chinese has some, and no plurals.
ADD_TRANSLATIONS = """Documentation.addTranslations = ({ messages, locale }) => {
  Object.assign(Documentation.TRANSLATIONS, messages);
  Object.assign(Documentation, { LOCALE: locale, PLURAL_EXPR: () => 0 });
};"""


# -- Headings ----------------------------------------------------------------------------------------------------------


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


# -- Tables ------------------------------------------------------------------------------------------------------------


class Table(SphinxDirective):
    """A definition list made from book/<name>.yml; each entry has an id that is the same in both languages."""

    table: str

    def run(self):
        path = BOOK / f"{self.table}.yml"
        self.env.note_dependency(str(path))
        entries = handwritten.read(self.table)
        chinese = self.config.language.startswith("zh")
        entries.sort(key=lambda entry: self.order(entry, chinese))
        return [nodes.definition_list("", *(self.item(entry, chinese) for entry in entries), classes=["entries"])]

    def item(self, entry, chinese):
        id_, term, definition = self.render(entry, chinese)
        body = nodes.definition()
        self.state.nested_parse(StringList(definition.splitlines(), self.table), 0, body)
        return nodes.definition_list_item("", nodes.term("", "", *term, ids=[id_]), body)


class Glossary(Table):
    table = "glossary"

    @staticmethod
    def order(entry, chinese):
        # GB 18030 orders the common characters by one pronunciation; where it is another, sorts_zh has a homophone
        return entry.get("sorts_zh", entry["zh"]).encode("gb18030") if chinese else entry["term"].casefold().encode()

    @staticmethod
    def render(entry, chinese):
        here, there, tag = (entry["zh"], entry["term"], "en") if chinese else (entry["term"], entry["zh"], "zh-CN")
        term = [nodes.Text(here), nodes.raw("", f' <span lang="{tag}">{html.escape(there)}</span>', format="html")]
        if symbol := entry.get("symbol"):
            term += [nodes.Text(" "), nodes.math("", symbol)]
        also = entry.get("also_zh" if chinese else "also_en", [])
        names = (f"又称：{'、'.join(also)}。" if chinese else f" Also: {', '.join(also)}.") if also else ""  # noqa: RUF001
        return nodes.make_id(f"term-{entry['term']}"), term, entry["zh_def" if chinese else "en_def"] + names


class References(Table):
    table = "references"

    @staticmethod
    def order(entry, chinese):
        return entry["authors"].casefold(), entry["year"]

    @staticmethod
    def render(entry, chinese):
        term = [nodes.Text(f"{entry['authors']} ({entry['year']})")]
        source = f"[{entry['title']}](<{entry['url']}>). {entry['where']}."
        return nodes.make_id(f"ref-{entry['key']}"), term, f"{source}\n\n{entry['note_zh' if chinese else 'note_en']}"


# -- Pages -------------------------------------------------------------------------------------------------------------


def configure(app, config):
    """Add our static files and templates here, as Jupyter Book treats a _static folder among the pages specially."""
    config.html_static_path.append(str(BOOK / "_static"))
    config.templates_path.append(str(BOOK / "_templates"))
    config.html_favicon = str(BOOK / "_static" / "favicon.svg")
    if config.html_baseurl:  # as build.py gives it, with a slash at the end
        config.html_baseurl += f"{LANGUAGES[config.language]['folder']}/"
    options = config.html_theme_options
    if options.get("repository_url", "").startswith(repository.GITHUB):
        options["launch_buttons"] = {"colab_url": repository.COLAB}


def keep_outputs_apart(app):
    """Put the pictures taken from notebooks under this language's work folder, not between the two books."""
    config = app.env.mystnb_config
    app.env.mystnb_config = config.copy(output_folder=str(Path(app.doctreedir).parent / "outputs"))


def add_languages(app, pagename, templatename, context, doctree):
    """Tell the templates where this page is in either language: for links, and for search engines."""
    up = "../" * (pagename.count("/") + 1)
    here, other = LANGUAGES[app.config.language], OTHER[app.config.language]
    context["other"] = {**other, "url": f"{up}{other['folder']}/{pagename}.html"}
    base = app.config.html_baseurl.removesuffix(f"{here['folder']}/")  # search engines want whole addresses
    context["alternates"] = {
        here["tag"]: f"{base}{here['folder']}/{pagename}.html" if base else f"{pagename.rpartition('/')[2]}.html",
        other["tag"]: f"{base or up}{other['folder']}/{pagename}.html",
        "x-default": f"{base or up}index.html",
    }


def add_head(app, pagename, templatename, context, doctree):
    """Give the page a title, a description and a card."""
    index = app.env.get_and_resolve_doctree(app.config.root_doc, app.builder) if doctree is None else None
    here, other = LANGUAGES[app.config.language]["locale"], OTHER[app.config.language]["locale"]
    context.update(head.metadata(context, doctree, index and head.describe(index), here, other))


def finish_pages(app, exception):
    """Change in the written pages what the theme and myst-nb fix there, and protect them as they are then."""
    if exception:
        return
    labels = LABELS.get(app.config.language, {})
    pattern = re.compile(f'(?<=[el]=")({"|".join(map(re.escape, labels)) or "(?!)"})(?=")')
    for page in Path(app.outdir).glob("*.html"):
        text = page.read_text(encoding="utf-8").replace(' onclick="window.print()"', "")  # book.js does it
        text = text.replace(' aria-label="Toggle hidden content"', "")  # "Show code" and "Hide code" say more
        first, *rest = VIEWPORT.split(text)
        text = first + (VIEWPORT.search(text)[0] if rest else "") + "".join(rest)  # the theme repeats Sphinx's
        page.write_text(head.protect(pattern.sub(lambda match: labels[match[1]], text)), encoding="utf-8")


def setup(app):
    for part in (shared, widgets, lighten, checks, figures, questions, search):
        part.setup(app)
    app.add_directive("glossary-table", Glossary)
    app.add_directive("references-table", References)
    app.add_transform(HeadingAnchors)
    app.add_post_transform(Typography)
    app.add_post_transform(PrintedSources)
    app.add_post_transform(MathWithoutScripts)
    app.connect("config-inited", configure)
    app.connect("builder-inited", keep_outputs_apart, priority=600)  # after myst-nb has made its settings
    app.connect("html-page-context", add_languages)
    app.connect("html-page-context", add_head)
    app.connect("build-finished", finish_pages, priority=900)  # what comes after would not match the hashes
    app.add_css_file("book.css")
    app.add_js_file(None, body=ADD_TRANSLATIONS, priority=300)  # after doctools.js, before translations.js
    app.add_js_file("book.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

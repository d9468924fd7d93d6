"""The glossary and the references, made from the tables beside this file."""

import html

from common import handwritten
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class Table(SphinxDirective):
    """A definition list made from <name>.yml; each entry has an id that is the same in both languages."""

    table: str

    def run(self):
        self.env.note_dependency(str(handwritten.path(self.table)))
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


def setup(app):
    app.add_directive("glossary-table", Glossary)
    app.add_directive("references-table", References)

"""The search of the built book: an index of its sections, and how the words of a question find them.

Sphinx's own asks that a page have every word of the question, in the author's wording, and offers whole pages.
This one ranks sections (`_static/search.js`). Both sides reduce words in the same way: full-width letters become
narrow, traditional characters simplified, British spellings American; English words are stemmed, and Chinese is taken
in pairs of neighbouring characters, which needs no dictionary. What readers call a thing, and the book does not, is
said in glossary.yml (`also_en`, `also_zh`) and search.yml.
"""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from unicodedata import normalize

import snowballstemmer
from common import handwritten, pages
from docutils import nodes
from sphinx.search import js_index, languages
from sphinx.search.en import SearchEnglish

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
WORDS = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
SPELLINGS = [("parametri", "parameteri"), ("is(?=(e|ed|es|er|ing|ation|ations)$)", "iz"), ("(?<=[a-z]{3})our", "or"),
             ("(?<=[a-z]t)re$", "er"), ("ll(?=(ed|ing|er)$)", "l"), ("^grey", "gray"),
             ("^learnt$", "learned")]  # fmt: skip
SPACED = re.compile(rf"(?<=[{HAN}]) (?=[a-z0-9])|(?<=[a-z0-9]) (?=[{HAN}])")
TITLE = 4  # what a word counts in a heading, where once in the text counts 1


def read_simplified(path):
    """The table of str.translate from traditional to simplified characters, from a file of both in two lines."""

    def parse(data):
        traditional, simple = data.decode("utf-8").split()
        if not re.fullmatch(f"[{HAN}]+", traditional + simple):
            raise ValueError("it has other than Chinese characters")
        return str.maketrans(traditional, simple)

    return pages.read(path, parse)


stemmer = snowballstemmer.stemmer("porter")
simplified = read_simplified(Path(__file__).with_name("traditional.txt"))


class SearchChinese(SearchEnglish):
    """What Sphinx is to know of Chinese: no dictionary. Its index of words is replaced by ours."""

    lang = "zh"
    language_name = "Chinese"


def words(text):
    """The words of `text` as the index has them, in their order."""
    for word in WORDS.findall(normalize("NFKC", text).casefold().translate(simplified)):
        if re.match(f"[{HAN}]", word):
            yield from word if len(word) == 1 else map("".join, pairwise(word))
        else:
            for pattern, spelling in SPELLINGS:
                word = re.sub(pattern, spelling, word)
            yield stemmer.stemWord(word)


def sections(doctree):
    """(id, title, words and their weights) of each heading and each term of the tables, without what stands deeper."""
    for section in doctree.findall(lambda node: isinstance(node, nodes.section | nodes.definition_list_item)):
        title, *rest = section.children
        if isinstance(section, nodes.section):
            rest = [part for part in rest if not (isinstance(part, nodes.section) or "entries" in part["classes"])]
        elif not title["ids"]:
            continue  # a list of the text
        texts = [text for part in rest for text in part.findall(nodes.Text) if _is_read(text)]
        texts += [raw for raw in section.findall(nodes.raw) if raw.parent is title]
        counts = Counter(word for text in texts for word in words(re.sub("<[^>]+>", " ", text.astext())))
        texts_of_title = title.findall(nodes.Text)
        plain = "".join(text for text in texts_of_title if not isinstance(text.parent, nodes.raw | nodes.math))
        for word in words(plain):
            counts[word] += TITLE
        yield (section if isinstance(section, nodes.section) else title)["ids"][0], plain.strip(), counts


def _is_read(text):
    """Whether readers would search for this text: not source code, mathematics or comments."""
    return not isinstance(text.parent, nodes.literal_block | nodes.math | nodes.math_block | nodes.comment | nodes.raw)


def synonyms(chinese):
    """[what readers write, what the book writes instead], longest first."""
    said = handwritten.read("search")["zh" if chinese else "en"]
    pairs = {str(theirs): ours for ours, all_theirs in said.items() for theirs in all_theirs}
    for entry in handwritten.read("glossary"):
        ours = entry["zh" if chinese else "term"]
        pairs |= dict.fromkeys(entry.get("also_zh" if chinese else "also_en", []), ours)
        if chinese:
            pairs |= dict.fromkeys([entry["term"], *entry.get("also_en", [])], ours)
    pairs = {normalize("NFKC", theirs).casefold(): ours for theirs, ours in pairs.items() if theirs != ours}
    return sorted(((SPACED.sub("", theirs), ours) for theirs, ours in pairs.items()), key=lambda pair: -len(pair[0]))


def write_index(app, exception):
    """Put the sections into Sphinx's index, in place of its own words and pages."""
    path = Path(app.outdir) / "searchindex.js"
    if exception or not path.exists():
        return
    index = js_index.loads(path.read_text(encoding="utf-8"))
    found, terms = [], {}
    for number, name in enumerate(index["docnames"]):
        for place, (id_, title, counts) in enumerate(sections(app.env.get_doctree(name))):
            for word, count in counts.items():
                terms.setdefault(word, []).extend([len(found), count])
            found.append([number, "" if place == 0 else id_, title, sum(counts.values())])
    known = {character for word in terms for character in word}
    chinese = app.config.language.startswith("zh")
    questions = handwritten.read("search")["questions"]
    index |= {
        "terms": {},
        "titleterms": {},
        "sections": found,
        "words": terms,
        "synonyms": synonyms(chinese),
        "questions": sorted(questions["zh"] if chinese else [], key=len, reverse=True),
        "ignored": sorted({next(words(word)) for word in [*SearchEnglish.stopwords, *questions["en"]]}),
        "simplified": {chr(a): chr(b) for a, b in simplified.items() if chr(b) in known} if chinese else {},
        "spellings": SPELLINGS,
    }
    path.write_text(js_index.dumps(index), encoding="utf-8")


def setup(app):
    languages["zh"] = SearchChinese
    app.connect("build-finished", write_index)

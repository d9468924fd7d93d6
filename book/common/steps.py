"""What a chapter's mathematics claims, read from its Markdown cells, one step at a time.

The readers of tests/equations, which prove the steps, share this module and nothing else; the book marks what they
have proven. A heading is a scope: what is defined or introduced under it holds there only.
"""

import functools
import hashlib
import json
import re
from typing import NamedTuple

from common import pages

BLOCK = re.compile(r"^\$\$\n(.*?)^\$\$$", re.M | re.S)
INLINE = re.compile(r"(?<![\\$])\$([^$\n]+)\$")
SENTENCE = re.compile(r"[.!?;:](?=\s)|[。！？；：]|\n\n|^#.*$", re.M)  # noqa: RUF001 (Chinese ends sentences so)
FUNCTION = re.compile(r"f|[pq]_i|\\hat\{x\}\(z\)|[pq]\([^()=]*\)")  # what may be called arbitrary
ARBITRARY = {"en": re.compile(r"\bany\b", re.I), "zh": re.compile("任意")}
KINDS = {":=": ":=", "=": "=", r"\ge": ">=", r"\geq": ">=", r"\le": "<=", r"\leq": "<="}
UNREAD = {"<", ">", r"\approx", r"\sim", r"\simeq", r"\equiv", r"\ne", r"\neq", r"\propto", r"\to", r"\in", r"\mapsto"}
SPACING = re.compile(r"\s+|\\[,!;]|\\(?:left|right|[bB]igl|[bB]igr)(?![a-zA-Z])")
TOKEN = re.compile(r":=|\\[a-zA-Z]+|\\.|.", re.S)


class Unreadable(ValueError):
    """Mathematics that no reader may guess at."""


class Step(NamedTuple):
    """`left kind right`, the left side of a line that begins with its relation being the line before."""

    chapter: str
    lang: str
    heading: str  # the English anchor, in both languages
    cell: str
    line: int  # of the cell, from 1
    kind: str  # ":=", "=", ">=" or "<="
    left: str
    right: str

    def __str__(self):
        return f"{self.chapter} [{self.lang}], cell {self.cell}, line {self.line}: {self.left} {self.kind} {self.right}"


class Scope(NamedTuple):
    """A heading's steps, and the functions that its sentences call arbitrary."""

    chapter: str
    lang: str
    heading: str
    steps: list
    introduced: list


class Equation(NamedTuple):
    """A $$ block: its LaTeX, the steps that it displays, and a hash of it and of all that its heading lays down."""

    heading: str
    cell: str
    line: int  # of the cell, where its $$ begins, from 1
    latex: str
    steps: tuple
    hash: str


def cells(chapter, lang, root=pages.NOTEBOOKS):
    """[(id, source)] of a notebook's Markdown cells."""
    found = pages.load(root / lang / f"{chapter}.ipynb")["cells"]
    return [(cell["id"], cell["source"]) for cell in found if cell["cell_type"] == "markdown"]


def scopes(chapter, lang, cells):
    """{anchor: Scope} of the headings that display mathematics. Raises Unreadable with the place."""
    found, heading = {}, ""
    for cell, source in cells:
        for anchor, first, text in sections(source):
            heading = anchor or heading
            scope = found.setdefault(heading, Scope(chapter, lang, heading, [], []))
            try:
                scope.steps.extend(Step(chapter, lang, heading, cell, *claim) for claim in claims(text, first))
            except Unreadable as error:
                raise Unreadable(f"{chapter} [{lang}], cell {cell}, {error}") from None
            scope.introduced.extend(arbitrary(text, lang))
    return {heading: scope for heading, scope in found.items() if scope.steps}


def equations(scopes, cells):
    """[Equation] of a chapter, in the order of the page."""
    found = []
    for cell, source in cells:
        for block in BLOCK.finditer(source):
            first, last = (source.count("\n", 0, at) + 1 for at in block.span())
            heading, steps = next(
                (heading, inside) for heading, scope in scopes.items()
                if (inside := tuple(s for s in scope.steps if s.cell == cell and first <= s.line <= last))
            )  # fmt: skip
            scope = scopes[heading]
            laid_down = [plain(f"{s.left} := {s.right}") for s in scope.steps if s.kind == ":="]
            text = json.dumps([plain(block[1]), laid_down, sorted(set(scope.introduced))], ensure_ascii=False)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            found.append(Equation(heading, cell, first, block[1].strip(), steps, digest))
    return found


@functools.lru_cache(1024)  # whoever mutates a page asks for its other cells again and again
def sections(source):
    """[(anchor, number of its first line, text)] of a cell, cut at its headings; "" before the first."""
    lines = source.splitlines(keepends=True)
    heads = {0: ""} | {h.line: h.slug for h in pages.headings(source)}
    ends = [*sorted(heads)[1:], len(lines)]
    return [(heads[a], a + 1, "".join(lines[a:b])) for a, b in zip(sorted(heads), ends, strict=True)]


def plain(latex):
    """LaTeX without what only spaces or sizes, to compare by."""
    return SPACING.sub("", latex)


def arbitrary(text, lang):
    """The functions in the sentences that say "any"."""
    sentences = SENTENCE.split(BLOCK.sub("\n\n", text))
    found = [math for s in sentences if ARBITRARY[lang].search(s) for math in INLINE.findall(s)]
    return [math for math in found if FUNCTION.fullmatch(math)]


def inline(text):
    """[(line, mathematics)] between single dollars."""
    bare = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    return [(bare.count("\n", 0, found.start()) + 1, found[1]) for found in INLINE.finditer(bare)]


def claims(text, first=1):
    """[(line, kind, left, right)] of the $$ blocks of a text whose first line has the number `first`."""
    blocks = list(BLOCK.finditer(text))
    if text.count("$$") != 2 * len(blocks):
        raise Unreadable(f"line {first}: a $$ below it does not stand on a line of its own, or has no partner")
    return [claim for block in blocks for claim in _claims(block[1], first + text.count("\n", 0, block.start(1)))]


def _claims(block, line):
    """As `claims`, of one block. A row that begins with a relation goes on from the row before, which may be a side
    without a relation where that is too long to stand beside another.
    """
    found, last, waiting = [], None, ""
    for row in re.split(r"(\\\\(?:\[[^\]]*\])?)", re.sub(r"\\(begin|end)\{aligned\}", "", block)):
        number, line = line + row[: len(row) - len(row.lstrip())].count("\n"), line + row.count("\n")
        if row.startswith(r"\\") or not row.strip():
            continue
        row, *reasons = row.split("&&")
        tokens = TOKEN.findall(row.replace("&", "").strip())
        if waiting and tokens[0] not in KINDS:
            raise Unreadable(f"line {number}: no relation, or one without its sides: {waiting}")
        waiting = "" if reasons or set(tokens) & set(KINDS) else row.replace("&", "").strip()
        if waiting:
            last = waiting
            continue
        statements = re.split(r",\s*\\qquad", row.replace("&", "").strip().rstrip(",."))
        try:
            for reason in reasons:
                _words(reason)
            for statement in statements:
                sides, pairs = _statement(statement, last)
                found += [(number, *claim) for claim in pairs]
                last = sides if len(statements) == 1 else None
        except Unreadable as error:
            raise Unreadable(f"line {number}: {error}") from None
    if waiting:
        raise Unreadable(f"line {number}: no relation, or one without its sides: {waiting}")
    return found


def _statement(statement, last):
    """(its last side, [(kind, left, right)])."""
    bare, sides = side_claims(statement)
    parts, kinds = split(bare)
    parts[0] = parts[0] or last or ""
    if not kinds or not all(parts):
        raise Unreadable(f"no relation, or one without its sides: {statement.strip()}")
    pairs = zip(kinds, parts, parts[1:], strict=False)
    return parts[-1], [*(("=", a, b) for a, b in sides), *pairs]


def split(statement):
    """(expressions, kinds of the relations between them)."""
    parts, kinds, depth = [""], [], []
    for token in TOKEN.findall(statement):
        if token in "{([":
            depth.append(token)
        elif token in "})]" and (not depth or depth.pop() + token not in ("{}", "()", "[]")):
            raise Unreadable(f"brackets do not pair: {statement.strip()}")
        if "{" not in depth and (token in UNREAD or (token in KINDS and depth)):
            raise Unreadable(f"{token} is not read here: {statement.strip()}")
        if token in KINDS and not depth:
            kinds.append(KINDS[token])
            parts.append("")
        else:
            parts[-1] += token
    if depth:
        raise Unreadable(f"brackets do not pair: {statement.strip()}")
    return [part.strip() for part in parts], kinds


def side_claims(statement):
    r"""(the statement without its braces below, [(A, B)] of every \underbrace{A}_{=B})."""
    found = []
    while (start := statement.find(r"\underbrace{")) >= 0:
        body, end = _group(statement, start + len(r"\underbrace"))
        if not statement.startswith("_{", end):
            raise Unreadable(f"a brace that says nothing: {statement.strip()}")
        note, after = _group(statement, end + 1)
        if note.strip().startswith("="):
            found.append((body.strip(), note.strip()[1:].strip()))
        else:
            _words(note)
        statement = statement[:start] + body + statement[after:]
    return statement, found


def _words(text):
    r"""Nothing, if a text is \text{...} and states no relation."""
    if not re.fullmatch(r"\s*\\text\{[^{}=<>≤≥≈]*\}\s*", text):
        raise Unreadable(f"neither a relation nor words: {text.strip()}")


def _group(text, start):
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if not depth:
            return text[start + 1 : i], i + 1
    raise Unreadable(f"braces do not pair: {text[start:]}")

r"""Slips that a hand makes, made on purpose: each displayed token, term and factor of a page altered in turn."""

import itertools
import re
from typing import NamedTuple

from common.steps import BLOCK, plain

TOKEN = re.compile(
    r"\\(?:mathrm|mathbb|begin|end|text)\{\w+\}|\\mathcal\{N\}|\\[a-zA-Z]+|\\.|:=|\^2|_\d|[a-z]=|.", re.S
)
SLIPS = {
    "+": ["-"], "-": ["+", ""], "=": [r"\ge", r"\le"], r"\ge": ["=", r"\le"], r"\le": ["=", r"\ge"],
    "^2": ["", "^3"], "_1": ["_2", ""], "_2": ["_1", ""], r"\mu": [r"\sigma", "x"], r"\sigma": [r"\mu", "x"],
    "p": ["q"], "q": ["p"], "x": ["z", r"\mu"], "z": ["x", r"\mu"], "i": ["j"], "j": ["i"], "d": ["D"], "D": ["d"],
    "n": ["N"], "N": ["n"], "m": ["v"], "v": ["m"], "t": ["x"], "c": ["s"], "f": ["g"], "g": ["f"], "'": [""],
    "A": ["W"], "W": ["A"], "b": ["w"], "w": ["b"], r"\varepsilon": [r"\mu"], r"\ell": [r"\mu"], r"\rho": ["2"],
    r"\pi": [""], r"\log": [r"\exp", ""], r"\exp": [r"\log", ""], r"\sqrt": [""], r"\sum": [r"\prod"],
    r"\prod": [r"\sum"], r"\infty": ["1"], **{str(k): [str(k + 1), str(k - 1)] for k in range(1, 10)}, "0": ["1"],
}  # fmt: skip
ONE = "every density integrates to one, q as well as p"
ZERO = "both integrals are zero for any densities, so that neither the sign nor the letters matter"
CONSTANT = "the bracket is log p(x), and averaging a constant over any density changes nothing"
EVEN = "epsilon and -epsilon have the same distribution"
LOG_ONE = "log 1 is zero, whatever stands before it"
LAST_TERM = re.compile(r".*\\log(?:2|\\frac\{1\}\{2\})(?!\+\\frac\{1\}\{8\}\\log1=)(?:[+-][^=+-]*\\log1)?=.*")
LINE = r"\int_{-\infty}^{\infty}"
TRUE = {  # (chapter, cell, why): the altered rows that are as true as the page's
    ("02_kl_divergence", "proof", ZERO): [
        rf"\ge {LINE} (\frac{{q(x)}}{{p(x)}} - 1) p(x) dx",
        rf"\ge -{LINE} (\frac{{p(x)}}{{p(x)}} - 1) p(x) dx",
        rf"\ge -{LINE} (\frac{{q(x)}}{{q(x)}} - 1) p(x) dx",
    ],
    ("02_kl_divergence", "proof", ONE): [rf"= {LINE} {p}(x) dx - {LINE} {p}(x) dx" for p in "pq"],
    ("02_kl_divergence", "moments", ONE): [rf"{LINE} q(x) dx = 1"],
    ("02_kl_divergence", "read-integrand", ONE): [
        rf"\mathrm{{KL}}(p \| q) = {LINE} (p(x) \log\frac{{p(x)}}{{q(x)}} - {p}(x) + {p}(x)) dx" for p in "pq"
    ],
    ("03_vae", "elbo", CONSTANT): [
        r"\log p(x) = \mathbb{E}_{p(z \mid x)}[\log p(x)]",
        r"= \mathbb{E}_{p(z \mid x)}[\log \frac{p(x \mid z) p(z)}{p(z \mid x)}]",
        r"= \mathbb{E}_{p(z \mid x)}[\log p(x \mid z) + \log \frac{p(z)}{q(z \mid x)}"
        r" + \log \frac{q(z \mid x)}{p(z \mid x)}]",
    ],
    ("03_vae", "reparameterization", EVEN): [
        r"z := \mu - \sigma \varepsilon",
        r"= \frac{d}{d\mu} \mathbb{E}_{\varepsilon \sim \mathcal{N}(0, 1)}[f(\mu - \sigma \varepsilon)]",
    ],
}
OPEN, CLOSE = "{([", "})]"


class Mutant(NamedTuple):
    cell: str
    line: int  # of the cell, from 1
    old: str
    new: str
    source: str  # the cell, altered

    @property
    def row(self):
        """The altered line, as EQUIVALENT has it."""
        return plain(self.source.splitlines()[self.line - 1]).replace("&", "").removesuffix(r"\\")

    def __str__(self):
        return f"{self.cell}, line {self.line}: {self.old} -> {self.new or 'nothing'}"


def mutants(cell, source):
    """Every Mutant of a cell's $$ blocks."""
    for block in BLOCK.finditer(source):
        for start, end, new in (*_tokens(block[1]), *_terms(block[1]), *_swaps(block[1])):
            a, b = block.start(1) + start, block.start(1) + end
            line = source.count("\n", 0, a) + 1
            yield Mutant(cell, line, source[a:b].strip(), new.strip(), source[:a] + new + source[b:])


def reason(chapter, mutant):
    """Why a mutant is as true as what the page says; "" if no reason is known."""
    if (
        chapter == "02_kl_divergence"
        and mutant.cell in ("definition", "asymmetric")
        and LAST_TERM.fullmatch(mutant.row)
    ):
        return LOG_ONE
    for (*place, why), rows in TRUE.items():
        if place == [chapter, mutant.cell] and mutant.row in map(plain, rows):
            return why
    return ""


def _tokens(text):
    for token in TOKEN.finditer(text):
        for new in SLIPS.get(token[0], ()):
            yield *token.span(), new + " " * (new.startswith("\\"))


def _groups(text):
    """(start, end) of what stands in each bracket, and of each side of each relation outside brackets."""
    stack, start = [], 0
    for token in TOKEN.finditer(text):
        word = token[0]
        if word in OPEN:
            stack.append(token.end())
        elif word in CLOSE:
            yield stack.pop(), token.start()
        elif not stack and word in (":=", "=", r"\ge", r"\le", r"\qquad", r"\\", r"\begin{aligned}", r"\end{aligned}"):
            yield start, token.start()
            start = token.end()
    yield start, len(text)


def _terms(text):
    """Each term of a sum dropped, with its sign."""
    for start, end in _groups(text):
        depth, cuts = 0, [start]
        for token in TOKEN.finditer(text, start, end):
            depth += (token[0] in OPEN) - (token[0] in CLOSE)
            if not depth and token[0] in "+-" and text[cuts[-1] : token.start()].strip(" &\n"):
                cuts.append(token.start())
        cuts.append(end)
        if len(cuts) > 2:
            for k, (a, b) in enumerate(itertools.pairwise(cuts)):
                plus = k == 0 and text[b] == "+"  # the first gone, its successor's plus goes with it
                yield a, b + plus, " " + r"\right" * text[a:b].rstrip().endswith(r"\right")


def _swaps(text):
    """A fraction turned over or dropped; the sides of a KL divergence, or a normal's mean and variance, swapped."""
    part = r"((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)"
    for found in re.finditer(rf"\\frac\{{{part}\}}\{{{part}\}}", text):
        yield *found.span(), rf"\frac{{{found[2]}}}{{{found[1]}}}"
        if found[1] != "d":
            yield *found.span(), " "
    for found in re.finditer(r"(\\mathrm\{KL\}(?:\\bigl)?\()(.*?)\\,\\\|\\,(.*?)((?:\\bigr)?\))(?=[ \n]|$)", text):
        yield *found.span(), rf"{found[1]}{found[3]}\,\|\,{found[2]}{found[4]}"
    for found in re.finditer(r"(\\mathcal\{N\}\((?:\w+;\\,)?)([^(),]+),\s*([^(),]+)\)", text):
        yield *found.span(), f"{found[1]}{found[3]},{found[2]})"

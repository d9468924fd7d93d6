r"""The symbolic reader: every step of a heading, proven with SymPy from its LaTeX.

What has a meaning (names, numbers, integrals, sums, E, KL, N, functions) is read here and put aside under letters
that nobody else uses; what is left is plain algebra, which SymPy's own LaTeX parser reads. Each of the letters must
come out of it exactly once, and as many signs and fractions as went in. With the numeric reader it shares the division
of the page into steps, and nothing else.
"""

import functools
import re
from collections import Counter
from typing import NamedTuple

import sympy
from common.steps import SPACING, Unreadable
from sympy import Function, S, Symbol
from sympy.core.function import AppliedUndef
from sympy.parsing.latex import parse_latex

from . import calculus
from .calculus import Density, IntegralOver, Normal, ProductOver, SumOver, coordinate, divergence

TOKEN = re.compile(r"\\(?:mathrm|mathbb|mathcal)\{[A-Za-z]+\}|\\hat\{[a-z]\}|\\[a-zA-Z]+'?|\\\||[A-Za-z]'?|\d+|\S")
NAME = re.compile(r"\\hat\{[a-z]\}|\\(?:mu|sigma|varepsilon|rho|ell)|[A-Za-z]'?|\\mathrm\{(?:SE|ELBO)\}")
PAIRS = {"(": ")", "{": "}", "[": "]"}
ENDS = ("+", "-", "")
SIZES = {name: Symbol(name, integer=True, positive=True) for name in "dDnN"}
INDICES = {"i": "d", "j": "D", "n": "N"}  # what counts over what; of probabilities there are n
LETTERS = {name: Symbol(name, real=True) for name in (r"\mu", "x", "z", r"\hat{x}", r"\varepsilon")}
LETTERS |= {name: Symbol(name, positive=True) for name in (r"\sigma", "s", "t")}
ABOVE, BELOW = (Symbol(f"1{sign}rho", positive=True) for sign in "+-")
LETTERS[r"\rho"] = (ABOVE - BELOW) / (ABOVE + BELOW)  # any number between -1 and 1
VARIABLES = ("x", "z", "t", r"\hat{x}")  # what functions are functions of
MATRICES = {name: Symbol(name, commutative=False) for name in ("A", "W", "w", "b", "z")}
# An arbitrary f is the sum of a exp(r z) over two pairs (a, r), in statements that are linear in it: more such terms
# come close to any f, and what holds of two of them holds of more.
EXPONENTIALS = tuple((Symbol(f"a_{k}", real=True), Symbol(f"r_{k}", real=True)) for k in "12")
PIXEL = Symbol("j", integer=True)
SQUARED_ERROR = SumOver((coordinate(r"\hat{x}", PIXEL) - coordinate("x", PIXEL)) ** 2, PIXEL, SIZES["D"])


class Definition(NamedTuple):
    params: tuple  # names; () for a constant
    bar: bool
    body: object


class Page:
    """What a heading defines and introduces; `define` reads on."""

    def __init__(self, introduced, defined):
        self.known = {}  # {(name, parameters): Definition}, for a constant without parameters
        self.chances = {text[0] for text in introduced if text in ("p_i", "q_i")}
        self.matrices = MATRICES if any("A" in TOKEN.findall(right) for right in defined.values()) else {}
        self.functions, self.images = "f" in introduced, r"\hat{x}(z)" in introduced
        self.densities = []  # (density, its variable), as the page names them
        for text in dict.fromkeys(introduced):
            shape = re.fullmatch(r"([pq])\((\w)(?:_\w)?(?: *(,|\\mid) *(\w)(?:_\w)?)?\)", text)
            if shape and not any(re.sub(r"\s|_\w", "", text) == re.sub(r"\s", "", left) for left in defined):
                params = tuple(filter(None, (shape[2], shape[4])))
                mark = "," if shape[3] == "," else "|"
                body = Density(Symbol(f"{shape[1]}({mark.join(params)})"), *(LETTERS[param] for param in params))
                self.add(shape[1], params, shape[3] == r"\mid", body)

    def add(self, name, params, bar, body):
        if (name, params) in self.known:
            raise Unreadable(f"{name} is defined twice under one heading")
        self.known[name, params] = Definition(params, bar, body)
        if name[0] in "pq" and params and (bar or len(params) == 1):
            self.densities.append((body, first(params)))

    def define(self, left, right):
        """Read a definition on."""
        reader = Reader(self, left)
        name = reader.name()
        params, bar = reader.parameters() if reader.peek() else ((), False)
        reader.end()
        body = self.read(right, bound=params)
        for param in params[:1] if bar else params:
            if not calculus.depends(body, reader.letter(param)):
                raise Unreadable(f"{name} does not depend on {param}")
        own = [param.partition("_")[0] for param in params]
        strangers = [other for other in VARIABLES if other not in own and calculus.stands_free(body, LETTERS[other])]
        if strangers and params and not bar:
            raise Unreadable(f"{strangers[0]} is free in {name}({', '.join(params)})")
        if name == r"\mathrm{SE}" and not calculus.vanishes(body - SQUARED_ERROR):
            raise Unreadable(f"{name} is the squared error summed over the pixels, and this is not")
        if name[0] in "pq" and params:
            whole = f"{name}({', '.join(params)})"
            if len(params) > 1 and not bar:
                raise Unreadable(f"{whole} is a joint density, for which there are no rules")
            if not body.is_positive:
                raise Unreadable(f"{whole} may be negative")
            if not calculus.vanishes(IntegralOver(body, first(params)) - 1):
                raise Unreadable(f"{whole} does not integrate to one")
        self.add(name, params, bar, body)

    def read(self, text, bound=()):
        reader = Reader(self, text, frozenset(bound))
        value = reader.sum()
        reader.end()
        if value.has(sympy.I):
            raise Unreadable("a number that is not real")
        return value


def first(params):
    """The first of a function's parameters, x or z_i, as a letter."""
    stem, _, index = params[0].partition("_")
    return coordinate(stem, Symbol(index, integer=True)) if index else LETTERS[stem]


class Reader:
    """Reads one expression. `bound` are the names that an integral or a parameter gives a meaning."""

    def __init__(self, page, text, bound=frozenset()):
        self.page, self.bound = page, bound
        self.tokens = TOKEN.findall(SPACING.sub(" ", text)) if isinstance(text, str) else list(text)
        self.at, self.meaning = 0, []

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def eat(self, *expected):
        for token in expected or (self.peek(),):
            if not token or self.peek() != token:
                raise Unreadable(f"expected {token or 'more'} before {' '.join(self.tokens[self.at :]) or 'the end'}")
            self.at += 1
        return self.tokens[self.at - 1]

    def end(self):
        if self.peek():
            raise Unreadable(f"what is {' '.join(self.tokens[self.at :])}?")

    def group(self, opening):
        """The tokens of a bracket."""
        self.eat(opening)
        start, depth = self.at, [PAIRS[opening]]
        while depth:
            token = self.eat()
            if token in PAIRS:
                depth.append(PAIRS[token])
            elif token in PAIRS.values() and token != depth.pop():
                raise Unreadable("brackets do not pair")
        return self.tokens[start : self.at - 1]

    def inner(self, tokens, bound=()):
        """The value of some tokens, in which more names are bound."""
        return self.page.read(tokens, self.bound | set(bound))

    # -- Algebra, for SymPy's parser --

    def sum(self):
        """What stands here, to the end of the tokens."""
        clean = self.clean(self.tokens[self.at :])
        self.at = len(self.tokens)
        tree = parse_latex(clean, backend="antlr")
        letters = [Symbol(f"X_{{{k}}}") for k in range(len(self.meaning))]
        leaves = Counter(leaf for leaf in sympy.preorder_traversal(tree) if not leaf.args)
        signs = {S.NegativeOne: clean.count("-") + clean.count(r"\frac"), S.Half: clean.count(r"\sqrt"),
                 S.Exp1: clean.count(r"\ln")}  # fmt: skip
        if leaves != Counter(dict.fromkeys(letters, 1)) + Counter(signs):
            raise Unreadable(f"SymPy reads {tree} for {clean}")
        return tree.xreplace(dict(zip(letters, self.meaning, strict=True)))

    def aside(self, value):
        self.meaning.append(value)
        return f"X_{{{len(self.meaning) - 1}}}"

    def clean(self, tokens):
        """LaTeX of sums, products, powers, fractions, roots, log and exp alone, with every product written out."""
        whole, self.tokens, at, self.at = self.tokens, tokens, self.at, 0
        written, factor = "", False
        if self.peek() == "+":
            raise Unreadable(f"a plus before everything: {' '.join(tokens)}")
        while self.peek():
            if self.peek() in ("+", "-"):
                written, factor = written + self.eat(), False
                continue
            written += r" \cdot " if factor else ""
            written, factor = written + self.power(), True
        if not factor:
            raise Unreadable(f"nothing stands where a term should: {' '.join(tokens)}")
        self.tokens, self.at = whole, at
        return written

    def power(self):
        opening, start = self.peek(), self.at
        base = self.factor()
        if self.peek() != "^":
            return base
        if self.tokens[start : self.at] != ["A"]:
            self.refuse_matrices(self.tokens[start : self.at], "has no power")
        if opening in (r"\log", r"\exp", r"\frac", r"\sum", r"\prod", r"\int"):
            raise Unreadable(f"bracket what {opening} gives before its power")
        self.eat("^")
        exponent = self.group("{") if self.peek() == "{" else [self.eat()]
        if not re.fullmatch(r"-?\d", "".join(exponent)):
            raise Unreadable(f"the power {''.join(exponent)}")
        return f"{base}^{{{self.clean(exponent)}}}"

    def factor(self):
        token = self.peek()
        if token == "(":
            return f"({self.clean(self.group('('))})"
        if token == "{":
            return f"({self.clean(self.group('{'))})"
        if token == r"\frac" and self.tokens[self.at + 1 : self.at + 4] != ["{", "d", "}"]:
            self.eat(r"\frac")
            above, below = self.group("{"), self.group("{")
            self.refuse_matrices(below, "divides nothing")
            return rf"\frac{{{self.clean(above)}}}{{{self.clean(below)}}}"
        if token == r"\sqrt":
            self.eat()
            return rf"\sqrt{{{self.clean(self.group('{'))}}}"
        if token == r"\exp":
            self.eat()
            return rf"\exp({self.clean(self.group('('))})"
        if token == r"\log":
            self.eat()
            return self.logarithm()
        return self.aside(self.value())

    def refuse_matrices(self, tokens, why):
        if found := [token for token in tokens if token in self.page.matrices]:
            raise Unreadable(f"{found[0]}, a matrix or vector, {why}")

    def logarithm(self):
        bracketed = self.peek() == "("
        argument = self.factor()
        if not bracketed and self.peek() not in ENDS:
            raise Unreadable(f"bracket what the logarithm is taken of, before {self.peek()}")
        return rf"\ln({argument})"

    # -- Meaning --

    def value(self):
        token = self.peek()
        if token.isdigit():
            self.eat()
            if self.peek().isdigit():
                raise Unreadable("two numbers side by side")
            return sympy.Integer(token)
        rules = {
            r"\pi": lambda: sympy.pi,
            r"\frac": self.derivative,
            r"\int": self.integral,
            r"\sum": self.repeated,
            r"\prod": self.repeated,
            r"\mathcal{N}": self.normal,
            r"\mathbb{E}": self.expectation,
            r"\mathrm{KL}": self.kl,
        }
        if token in rules:
            self.eat()
            return rules[token]()
        return self.symbol()

    def derivative(self):
        self.eat("{", "d", "}", "{", "d")
        name = self.name()
        self.eat("}")
        body = self.inner(self.rest_of_product(), [name])
        return calculus.derivative(body, self.letter(name))

    def rest_of_product(self):
        """The tokens of all factors from here on."""
        start = self.at
        while self.peek() not in ENDS:
            if self.peek() in PAIRS:
                self.group(self.peek())
            else:
                self.eat()
        return self.tokens[start : self.at]

    def integral(self):
        if self.tokens[self.at : self.at + 8] == ["_", "{", "-", r"\infty", "}", "^", "{", r"\infty"]:
            self.at += 8
            self.eat("}")
            everywhere = False
        else:
            self.eat("_", "{", r"\mathbb{R}", "^", "d", "}")
            everywhere = True
        start = self.at
        while self.peek() != "d" or not NAME.fullmatch(self.peek(1)):
            if self.peek() in PAIRS:
                self.group(self.peek())
            elif self.eat() in "+-":
                raise Unreadable("bracket the sum that is integrated")
        body = self.tokens[start : self.at]
        self.eat("d")
        name = self.name()
        value, variable = self.inner(body, [name]), self.variable(name)
        if everywhere and not any(calculus.is_density_of(part, variable) for part in sympy.Mul.make_args(value)):
            raise Unreadable(f"an integral over all of {name} without a density of {name}")
        return IntegralOver(value, variable)

    def variable(self, name):
        """A name as the letter of what an integral runs over: all real numbers."""
        letter = self.letter(name)
        if letter.is_positive or not letter.is_real or not isinstance(letter, AppliedUndef | Symbol):
            raise Unreadable(f"{name} does not run over all numbers")
        return letter

    def repeated(self):
        kind = {r"\sum": SumOver, r"\prod": ProductOver}[self.tokens[self.at - 1]]
        self.eat("_", "{")
        index = self.eat()
        self.eat("=", "1", "}", "^")
        bound = "".join(self.group("{")) if self.peek() == "{" else self.eat()
        size = "n" if index == "i" and self.page.chances else INDICES.get(index)
        if bound != size or bound in self.bound:
            raise Unreadable(f"{index} from 1 to {bound}")
        return kind(self.inner(self.rest_of_product(), [index]), Symbol(index, integer=True), SIZES[bound])

    def parts(self, marks):
        """Tokens between the marks of a bracket, in turn."""
        found, tokens = [[]], self.group("(")
        reader = Reader(self.page, tokens)
        while reader.peek():
            if marks and reader.peek() == marks[0]:
                reader.eat()
                marks, found = marks[1:], [*found, []]
            else:
                start = reader.at
                reader.group(reader.peek()) if reader.peek() in PAIRS else reader.eat()
                found[-1] += reader.tokens[start : reader.at]
        if marks:
            raise Unreadable(f"no {marks[0]} in {' '.join(tokens)}")
        return found

    def normal(self):
        return Normal(*map(self.inner, self.parts([";", ","])))

    def expectation(self):
        self.eat("_")
        tokens = self.group("{")
        if tokens[1:2] == [r"\sim"]:
            reader = Reader(self.page, tokens, self.bound)
            name = reader.name()
            reader.eat(r"\sim", r"\mathcal{N}")
            mean, variance = map(self.inner, reader.parts([","]))
            reader.end()
            variable = self.variable(name)
            weight = Normal(variable, mean, variance)
            if not calculus.is_density_of(weight, variable):
                raise Unreadable(f"{name} is drawn from what depends on it, or has a variance that may not be positive")
        else:
            weight, variable, name = self.distribution(tokens)
        return IntegralOver(weight * self.inner(self.group("["), [name]), variable)

    def kl(self):
        first, second = self.parts([r"\|"])
        if len(first) == len(second) == 1 and {first[0], second[0]} <= self.page.chances:
            index = Symbol("i", integer=True)
            p, q = coordinate(first[0], index), coordinate(second[0], index)
            return SumOver(p * sympy.log(p / q), index, SIZES["n"])
        (p, x, _), (q, y, _) = self.distribution(first), self.distribution(second)
        if x != y:
            raise Unreadable(f"the KL divergence of {' '.join(first)} and {' '.join(second)}")
        return divergence(p, q, x)

    def distribution(self, tokens):
        """(density, its variable, the variable's name) of p, q_i or q(z|x), as E and KL take it."""
        reader = Reader(self.page, tokens, self.bound)
        name = reader.name()
        if reader.peek():
            params, bar = reader.parameters()
            reader.end()
        else:
            named = [(k[1], d.bar) for k, d in self.page.known.items() if isinstance(k, tuple) and k[0] == name]
            if len(named) != 1:
                raise Unreadable(f"which {name}?")
            params, bar = named[0]
        return self.find(name, params, bar), self.letter(params[0]), params[0]

    def find(self, name, params, bar):
        """What the page says that a function of exactly these names is."""
        stems = tuple(param.partition("_")[0] for param in params)
        known = self.page.known.get((name, params)) or self.page.known.get((name, stems))
        if not known or known.bar != bar or not known.params:
            raise Unreadable(f"the page does not say what {name}({', '.join(params)}) is")
        changed = {LETTERS[stem]: self.letter(param) for stem, param in zip(known.params, params, strict=True)
                   if stem != param}  # fmt: skip
        return self.put(known.body, changed)

    def name(self):
        name = self.eat()
        if not NAME.fullmatch(name):
            raise Unreadable(f"{name} is no name")
        if self.peek() == "_":
            self.eat("_")
            index = self.eat()
            if index not in INDICES and index not in ("1", "2"):
                raise Unreadable(f"the index {index}")
            name += "_" + index
        return name

    def parameters(self):
        """((names), whether a bar stands behind the first) of (z), (x, y) or (z | x)."""
        reader = Reader(self.page, self.group("("))
        names, marks = [reader.name()], []
        while reader.peek():
            marks.append(reader.eat())
            names.append(reader.name())
        if marks not in ([], [","], [r"\mid"]):
            raise Unreadable(f"the marks {marks} between {names}")
        return tuple(names), marks == [r"\mid"]

    def letter(self, name):
        """A name as a letter, without what the page may define it to be."""
        stem, _, index = name.partition("_")
        if name in self.page.matrices:
            return self.page.matrices[name]
        if stem not in LETTERS and not (index and stem in self.page.chances):
            raise Unreadable(f"the page does not say what {name} is")
        if index.isalpha():
            return coordinate(stem, Symbol(index, integer=True))
        letter = LETTERS[stem]
        return Symbol(name, **letter.assumptions0) if index else letter

    def symbol(self):
        name = self.name()
        stem, _, index = name.partition("_")
        if self.peek() == "(":
            return self.call(name, stem, index)
        if name in SIZES and name not in self.bound and (name, ()) not in self.page.known:
            if name == "d":
                raise Unreadable("d, which is no factor")
            return SIZES[name]
        if name not in self.bound and (name, ()) in self.page.known:
            return self.page.known[name, ()].body
        return self.letter(name)

    def call(self, name, stem, index):
        if stem in ("p", "q"):
            return self.find(name, *self.parameters())
        if stem == r"\hat{x}" and index and self.page.images:
            (of,), _ = self.parameters()
            return Function(stem, real=True)(Symbol(index, integer=True), self.letter(of))
        if name in ("f", "f'") and self.page.functions:
            z, order = self.inner(self.group("(")), name.count("'")
            return sum(a * r**order * sympy.exp(r * z) for a, r in EXPONENTIALS)
        known = [d for k, d in self.page.known.items() if k[0] == name and d.params]
        if len(known) != 1:
            raise Unreadable(f"{name} before a bracket: is it a function or a factor?")
        (function,) = known
        body, changed = function.body, {}
        arguments = self.parts([","] * (len(function.params) - 1))
        for param, tokens in zip(function.params, arguments, strict=True):
            if tokens[:1] == [r"\hat{x}"] and param == r"\hat{x}" and len(tokens) == 4 and self.page.images:
                body = self.put_image(body, self.letter(tokens[2]))
            elif tokens != [param]:
                changed[LETTERS[param]] = self.inner(tokens)
        return self.put(body, changed)

    def put_image(self, body, of):
        r"""`body` with \hat{x}_j(of) in the place of \hat{x}_j."""
        name = r"\hat{x}"
        if calculus.captures(body, LETTERS[name], of):
            raise Unreadable(f"{of} where it is bound")
        return body.replace(lambda part: calculus.is_coordinate(part, name) and len(part.args) == 1,
                            lambda part: Function(name, real=True)(*part.args, of))  # fmt: skip

    def put(self, body, changed):
        """`body` with other values in the place of letters, all at once; {letter: value}."""
        for old, new in changed.items():
            if any(calculus.is_coordinate(part, old) for part in sympy.preorder_traversal(body)):
                raise Unreadable(f"{new} in the place of {old}, which has coordinates")
            if calculus.captures(body, old, new):
                raise Unreadable(f"{new} in the place of {old}, where it is bound")
            if old.is_positive and not new.is_positive:
                raise Unreadable(f"{new} in the place of {old}, which is positive")
        return body.xreplace(changed)


# Cached, as both languages display the same, and as who alters a page asks for its other steps again.


@functools.lru_cache(256)
def read_page(introduced, definitions):
    """(Page, complaints about the definitions (left, right) of a heading, "" for those that can stand)."""
    try:
        page = Page(introduced, dict(definitions))
    except Unreadable as error:
        return Page((), {}), [str(error)] * len(definitions)
    return page, [_tell(lambda step=step: page.define(*step)) for step in definitions]


@functools.lru_cache(4096)
def judge(introduced, definitions, kind, left, right):
    """What is wrong with a step, given what its heading introduces and defines; "" if it is proven."""
    page, _ = read_page(introduced, definitions)

    def prove():
        a, b = page.read(left), page.read(right)
        if not (is_linear(a) and is_linear(b)):
            return "f is arbitrary, so that only what is linear in f can be proven"
        if kind in ("=", ":="):
            return "" if calculus.vanishes(a - b) else "the symbolic reader cannot prove it"
        pairs = [(p, q, x) for p, x in page.densities for q, y in page.densities if x == y and p != q]
        difference = a - b if kind == ">=" else b - a
        proven = calculus.is_never_negative(difference, pairs)
        return "" if proven else "the symbolic reader cannot prove that the difference is never negative"

    return _tell(prove)


def is_linear(side):
    """Whether an expression has no arbitrary f, or one in each term."""
    amplitudes = [a for a, _ in EXPONENTIALS]
    if not side.has(*amplitudes):
        return True
    slopes = [sympy.diff(calculus.reduced(side), a) for a in amplitudes]
    alone = sum(a * slope for a, slope in zip(amplitudes, slopes, strict=True))
    return not any(slope.has(*amplitudes) for slope in slopes) and calculus.vanishes(side - alone)


def _tell(prove):
    try:
        return prove() or ""
    except Unreadable as error:
        return str(error)
    except Exception as error:  # SymPy's own, on what is no mathematics
        return f"{type(error).__name__}: {error}"


def check(scope):
    """What is wrong under a heading, as sentences; [] when every step is proven."""
    # of KL the meaning is known: what the page calls its definition must be that, as any relation
    defining = [step.kind == ":=" and not step.left.startswith(r"\mathrm{KL}") for step in scope.steps]
    definitions = tuple((s.left, s.right) for s, defines in zip(scope.steps, defining, strict=True) if defines)
    introduced = tuple(scope.introduced)
    told = iter(read_page(introduced, definitions)[1])
    complaints = [
        next(told) if defines else judge(introduced, definitions, step.kind, step.left, step.right)
        for step, defines in zip(scope.steps, defining, strict=True)
    ]
    return [f"{step}: {complaint}" for step, complaint in zip(scope.steps, complaints, strict=True) if complaint]

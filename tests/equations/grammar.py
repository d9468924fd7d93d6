r"""The grammar of the numeric reader: from the LaTeX of one expression to its body. Strict: see Unreadable."""

import functools
import re

import numpy as np
from common.steps import SPACING, Unreadable

from .meaning import INDEX, SIZES, Matrix, bind, derivative, divergence, hide, integral, look, normal

TOKEN = re.compile(
    SPACING.pattern
    + r"|(\\(?:mathrm|mathbb|mathcal)\{[A-Za-z]+\}|\\hat\{[a-z]\}|\\[a-zA-Z]+'?|\\\||[A-Za-z]'?|\d+|[-+^_(){}\[\]=;,])"
)
NAME = re.compile(r"\\hat\{[a-z]\}|\\(?:mu|sigma|varepsilon|rho|ell)|[A-Za-z]'?|\\mathrm\{(?:SE|ELBO)\}")


def tokens(text):
    found, at = [], 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if not token:
            raise Unreadable(f"what is {text[at : at + 12]!r}?")
        found += [token[1]] if token[1] else []
        at = token.end()
    return found


class Parser:
    """Turns LaTeX into body(env). `functions` are those that the page has; `seen` collects the free letters."""

    def __init__(self, text, functions, seen):
        self.tokens, self.at, self.functions, self.seen, self.used = tokens(text), 0, functions, seen, set()

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def eat(self, *expected):
        for token in expected or (self.peek(),):
            if self.peek() != token or not token:
                raise Unreadable(f"expected {token or 'more'}, got {' '.join(self.tokens[self.at :]) or 'the end'}")
            self.at += 1
        return self.tokens[self.at - 1]

    def end(self):
        if self.peek():
            raise Unreadable(f"cannot go on at {' '.join(self.tokens[self.at :])}")

    def whole(self):
        body = self.sum()
        self.end()
        return body

    def sum(self):
        signs = [self.eat() if self.peek() == "-" else "+"]
        parts = [self.product()]
        while self.peek() in ("+", "-"):
            signs.append(self.eat())
            parts.append(self.product())

        def run(env):
            values = [part(env) if sign == "+" else -part(env) for sign, part in zip(signs, parts, strict=True)]
            return functools.reduce(lambda a, b: a + b, values)

        return run

    def product(self):
        factors = [self.factor()]
        while self.peek() not in ("", "+", "-", ")", "}", "]", ",", ";", r"\|", r"\mid") and not self.differential():
            if self.closed:
                raise Unreadable(f"bracket what stands before {' '.join(self.tokens[self.at :])}")
            factors.append(self.factor())
        return lambda env: functools.reduce(lambda a, b: a * b, [factor(env) for factor in factors])

    def differential(self):
        return self.peek() == "d" and NAME.fullmatch(self.peek(1) or "-")

    def factor(self):
        """An atom and its power. After it, `closed` says that what follows would be read in two ways."""
        self.closed = False
        base = self.atom()
        if self.peek() != "^":
            return base
        if self.closed:
            raise Unreadable("bracket the power of a logarithm, a sum or a derivative")
        self.eat("^")
        exponent = "".join(self.inside("{", "}")) if self.peek() == "{" else self.eat()
        if not re.fullmatch(r"-?\d", exponent):
            raise Unreadable(f"the power {exponent} is no whole number")
        self.closed = False

        def power(env):
            value = base(env)
            return np.linalg.inv(value) if isinstance(value, Matrix) and exponent == "-1" else value ** int(exponent)

        return power

    def inside(self, opening, closing):
        """The tokens of a bracket that holds no brackets of its kind."""
        self.eat(opening)
        start = self.at
        while self.peek() != closing:
            self.eat()
        self.at += 1
        return self.tokens[start : self.at - 1]

    def bracket(self, opening, closing):
        self.eat(opening)
        body = self.sum()
        self.eat(closing)
        self.closed = False
        return body

    def atom(self):
        token = self.peek()
        if token in ("(", "{"):
            return self.bracket(token, {"(": ")", "{": "}"}[token])
        if token.isdigit():
            self.eat()
            if self.peek().isdigit():
                raise Unreadable(f"two numbers side by side: {token} {self.peek()}")
            return lambda env: float(token)
        rules = {
            r"\frac": self.fraction,
            r"\sqrt": self.root,
            r"\log": self.logarithm,
            r"\exp": self.exponential,
            r"\int": self.integral,
            r"\sum": self.repeated,
            r"\prod": self.repeated,
            r"\pi": lambda: lambda env: np.pi,
            r"\mathcal{N}": self.gaussian,
            r"\mathbb{E}": self.expectation,
            r"\mathrm{KL}": self.kl,
        }
        if token in rules:
            self.eat()
            return rules[token]()
        return self.symbol()

    def fraction(self):
        if self.tokens[self.at : self.at + 4] == ["{", "d", "}", "{"]:
            self.eat("{", "d", "}", "{", "d")
            name = self.name()
            self.eat("}")
            body = self.factor()
            self.closed = True
            return lambda env: derivative(env, name, body)
        above, below = self.bracket("{", "}"), self.bracket("{", "}")
        return lambda env: above(env) / below(env)

    def root(self):
        body = self.bracket("{", "}")
        return lambda env: np.sqrt(body(env))

    def logarithm(self):
        bracketed = self.peek() == "("
        body = self.atom()
        self.closed = not bracketed or self.peek() == "^"
        return lambda env: np.log(body(env))

    def exponential(self):
        body = self.bracket("(", ")")
        self.closed = self.peek() == "^"
        return lambda env: np.exp(body(env))

    def integral(self):
        self.eat("_", "{")
        if self.peek() == "-":
            self.eat("-", r"\infty", "}", "^", "{", r"\infty", "}")
        else:
            self.eat(r"\mathbb{R}", "^", "d", "}")
        body = self.product()
        self.eat("d")
        name = self.name()
        self.closed = False
        return lambda env: integral(env, name, body)

    def repeated(self):
        add = self.tokens[self.at - 1] == r"\sum"
        self.eat("_", "{")
        index = self.eat()
        self.eat("=", "1", "}", "^")
        bound = "".join(self.inside("{", "}")) if self.peek() == "{" else self.eat()
        if index not in INDEX or bound not in SIZES:
            raise Unreadable(f"a sum of {index} from 1 to {bound}")
        body = self.product() if add else self.factor()
        self.closed = True
        combine = np.add if add else np.multiply
        return lambda env: functools.reduce(combine, [body({**env, "#" + index: k}) for k in range(SIZES[bound])])

    def gaussian(self):
        self.eat("(")
        parts = []
        for end in (";", ",", ")"):
            parts.append(self.sum())
            self.eat(end)
        self.closed = False
        return lambda env: normal(*(part(env) for part in parts))

    def expectation(self):
        self.eat("_", "{")
        if self.peek(1) == r"\sim":
            name = self.name()
            self.eat(r"\sim", r"\mathcal{N}", "(")
            mean = self.sum()
            self.eat(",")
            variance = self.sum()
            self.eat(")")

            def weight(env, outer):
                return normal(look(env, name), mean(outer), variance(outer))
        else:
            p = self.distribution()
            name = p.params[0]

            def weight(env, outer):
                return p.body(env)

        self.eat("}")
        body = self.bracket("[", "]")
        return lambda env: integral(env, name, lambda inner: weight(inner, env) * body(inner))

    def kl(self):
        self.eat("(")
        p = self.distribution()
        self.eat(r"\|")
        q = self.distribution()
        self.eat(")")
        self.closed = False
        if isinstance(p, str) or isinstance(q, str):
            if not isinstance(p, str) or not isinstance(q, str):
                raise Unreadable("the KL divergence of probabilities and a density")
            return lambda env: sum(a * np.log(a / b) for a, b in zip(env[p + "_"], env[q + "_"], strict=True))
        if p.params[0] != q.params[0]:
            raise Unreadable(f"the KL divergence of {p} and {q}")
        return lambda env: divergence(env, p, q)

    def distribution(self):
        """p, q_i or q(z|x), as E and KL take it: a Function, or the name of probabilities."""
        name = self.name()
        if self.peek() != "(":
            known = [f for f in self.functions if f.name == name]
            if len(known) == 1:
                self.used.add(str(known[0]))
                return known[0]
            if known or name not in self.functions.probabilities:
                raise Unreadable(f"which {name}?")
            return name
        names, bar = self.parameters()
        found = self.find(name, names, bar)
        if list(found.params) != names:
            raise Unreadable(f"{name}({', '.join(names)}), where the page has {found}")
        return found

    def parameters(self):
        """([names], whether a bar stands behind the first) of (z) or (z | x)."""
        self.eat("(")
        names, marks = [self.name()], []
        while self.peek() != ")":
            marks.append(self.eat())
            names.append(self.name())
        self.eat(")")
        if marks not in ([], [","], [r"\mid"]):
            raise Unreadable(f"the marks {marks} between {names}")
        return names, marks == [r"\mid"]

    def find(self, name, names, bar):
        known = [f for f in self.functions if f.name == name and len(f.params) == len(names) and f.bar == bar]
        known = known if len(known) < 2 else [f for f in known if list(f.params) == names]
        if len(known) != 1:
            raise Unreadable(f"the page does not say what {name}({', '.join(map(str, names))}) is")
        self.used.add(str(known[0]))
        return known[0]

    def name(self):
        """x, sigma_1, z_i, z'."""
        name = self.eat()
        if not NAME.fullmatch(name):
            raise Unreadable(f"{name} is no name")
        if self.peek() == "_":
            self.eat("_")
            index = self.eat()
            if index not in INDEX and index not in ("1", "2"):
                raise Unreadable(f"the index {index}")
            name += "_" + index
        return name

    def symbol(self):
        name = self.name()
        stem, _, index = name.partition("_")
        self.closed = False
        if self.peek() == "(":
            if any(f.name == name for f in self.functions):
                return self.call(name)
            if index in INDEX and any(f.name == stem for f in self.functions):
                whole = self.call(stem)
                return lambda env: whole(env)[env["#" + index]]
            raise Unreadable(f"{name} before a bracket: is it a function or a factor?")
        if name == "d":
            raise Unreadable("d, which is no factor")
        if any(f.name == name for f in self.functions):
            raise Unreadable(f"{name} without its argument")
        self.used.add(name)
        self.seen.add(name)
        return lambda env: look(env, name)

    def call(self, name):
        self.eat("(")
        arguments, names, bar = [], [], False
        while not arguments or self.peek() in (",", r"\mid"):
            if arguments:
                bar = self.eat() == r"\mid"
            start = self.at
            arguments.append(self.sum())
            names.append("".join(self.tokens[start : self.at]))
        self.eat(")")
        self.closed = False
        function = self.find(name, names, bar)

        def run(env):
            values = [argument(env) for argument in arguments]
            env = hide(env)
            for param, value in zip(function.params, values, strict=True):
                env = bind(env, param, value)
            return function.body(env)

        return run

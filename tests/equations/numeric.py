r"""The numeric reader: every step of a heading, evaluated from its LaTeX at random parameters.

Integrals are sums on fine grids, the number of coordinates is 2, of pixels 3, of outcomes 4, of images 5, and what
the page calls arbitrary is drawn at random. The page defines everything else; the code knows what E, KL, N and a
derivative mean, and which letters are real, positive, vectors or matrices. What the grammar does not know, or knows
two readings of, is Unreadable.
"""

import functools
import re

import numpy as np
from common.steps import Unreadable, plain

from .grammar import Parser, tokens
from .meaning import INDEX, SIZES, VARIABLES, Function, Matrix, anything, integral

REAL, POSITIVE = (-1.5, 1.5), (0.7, 1.6)
ASSUMED = dict.fromkeys([r"\mu", "x", "z", r"\hat{x}", r"\varepsilon"], REAL) | {
    r"\sigma": POSITIVE,
    "s": POSITIVE,
    "t": (0.2, 3.0),
    r"\rho": (-0.9, 0.9),
}
ARRAYS = {"W": (2, 3), "A": (3, 3), "w": (2,), "b": (3,)}


class Functions(list):
    """The functions of a heading, and the names of its probabilities p_i."""

    probabilities = frozenset()


class Reading:
    """A heading's steps, ready to be evaluated. Raises Unreadable."""

    def __init__(self, scope):
        self.scope, self.functions, self.seen, self.constants = scope, Functions(), set(), {}
        heads = [self.head(step) for step in scope.steps]
        self.densities = [f for f in heads if isinstance(f, Function) and f.name.partition("_")[0] in ("p", "q")]
        self.arbitrary = self.introduce(scope.introduced)
        self.definitions, self.relations, self.uses = [], [], []
        for step, head in zip(scope.steps, heads, strict=True):
            right, used = self.parse(step, step.right)
            if head:
                self.definitions.append((step, right))
            if isinstance(head, Function):
                head.body = right
            elif head:
                self.constants[head] = right
            else:
                left, others = self.parse(step, step.left)
                used = used | others
                self.relations.append((step, left, right))
            self.uses.append(used)
        self.heads = dict(zip(scope.steps, heads, strict=True))
        for step, used in zip(scope.steps, self.uses, strict=True):
            for name in used - set(map(str, self.functions)) - set(self.constants) - {*SIZES, *ARRAYS}:
                if name.partition("_")[0] not in {*ASSUMED, *self.functions.probabilities}:
                    raise Unreadable(f"{step}: the page does not say what {name} is")

    def head(self, step):
        """What a step defines: a Function, the name of a constant, or None."""
        if step.kind != ":=" or step.left.startswith(r"\mathrm{KL}"):  # of KL we know the meaning: it must be that
            return None
        parser = Parser(step.left, self.functions, self.seen)
        try:
            name = parser.name()
            if not parser.peek():
                return name
            names, bar = parser.parameters()
            parser.end()
        except Unreadable as error:
            raise Unreadable(f"{step}: {error}") from None
        function = Function(name, tuple(names), bar)
        stems = [n.partition("_")[0] for n in names]  # behind the bar, x may act through mu and sigma only
        if len(set(stems)) < len(stems) or set(stems) - set(VARIABLES) or stems[0] not in tokens(step.right):
            raise Unreadable(f"{step}: it defines no function of {', '.join(names)}")
        self.seen |= set(names)
        if str(function) in map(str, self.functions):
            raise Unreadable(f"{step}: defined twice under one heading")
        self.functions.append(function)
        return function

    def introduce(self, texts):
        """The functions that the page calls arbitrary and does not define."""
        found = []
        for text in texts:
            if text in ("p_i", "q_i"):
                self.functions.probabilities |= {text[0]}
            shape = re.fullmatch(r"(p|q|\\hat\{x\})\((\w)(?:_\w)?(?: *(,|\\mid) *(\w)(?:_\w)?)?\)|(f)", text)
            if shape:
                params = tuple(filter(None, (shape[2], shape[4]))) or ("z",)
                names = ("f", "f'") if shape[5] else (shape[1],)
                found += [Function(name, params, shape[3] == r"\mid") for name in names]
        known = set(map(str, self.functions))
        found = [f for f in {str(f): f for f in found}.values() if str(f) not in known]
        for function in found:
            function.body = functools.partial(_arbitrary, function)
            self.seen |= set(function.params)
        self.functions += found
        return found

    def parse(self, step, text):
        parser = Parser(text, self.functions, self.seen)
        try:
            return parser.whole(), parser.used
        except Unreadable as error:
            raise Unreadable(f"{step}: {error}") from None

    def instances(self, step):
        """What stands for something general when a step is evaluated: sizes "d", "D", "n", "N", and of what the page
        calls arbitrary, "densities", "functions" and "decoders"; "matrices"; "line" for the space of codes; "values"
        where letters stand for numbers.
        """
        uses = dict(zip(self.scope.steps, self.uses, strict=True))
        defining = {str(head): other for other, head in self.heads.items() if head}
        names, more, texts = set(), set(uses[step]), step.left + step.right
        while more:
            names |= more
            texts += "".join(defining[name].right for name in more & set(defining))
            more = set().union(*(uses[defining[name]] for name in more & set(defining))) - names
        families = {name.partition("_") for f in names for name in re.findall(r"\\?\w+(?:\{x\})?_[a-z]", f)}
        found = {"n" if stem in self.functions.probabilities else INDEX[i] for stem, _, i in families if i in INDEX}
        kinds = {"p": "densities", "q": "densities", "f": "functions", "f'": "functions", r"\hat{x}": "decoders"}
        found |= {kinds[f.name] for f in self.arbitrary if str(f) in names}
        found |= {"line"} if r"\mathbb{R}^d" in texts and "d" not in found else set()
        found |= {"matrices"} if names & {*ARRAYS} else set()
        letters = {name.partition("_")[0] for name in names} & {*ASSUMED, *self.functions.probabilities}
        return found | ({"values"} if letters else set())

    def ask(self, text, oracle, draws):
        """Complaints where what the page says of `text` is not what the oracle says."""
        said = [(step, right) for step, right in self.definitions if plain(step.left) == plain(text)]
        said += [(step, right) for step, _, right in self.relations if plain(step.right) == plain(text)]
        if not said:
            return [f"{_place(self.scope)}: no step defines or reaches {text}"]
        step, right = said[0]
        return _tell(step, lambda: _compare("=", right, oracle, [{**env, "#i": 1} for env in draws]))

    def draw(self, seed):
        """Random values for everything that the page leaves free, and random bodies for what it calls arbitrary.

        The seed "equal" draws the case of equality instead: t is 1, and a q is the p of the same variables.
        """
        rng = np.random.default_rng(0 if seed == "equal" else seed)
        env, sizes = {"depth": 0, **self.constants}, {}
        for name in sorted(self.seen - set(self.constants)):
            stem, _, index = name.partition("_")
            if index in INDEX:
                chances = stem in self.functions.probabilities
                size = SIZES["n" if chances else INDEX[index]]
                if sizes.setdefault(stem, size) != size:
                    raise Unreadable(f"{stem} has both {sizes[stem]} and {size} elements")
                env[stem + "_"] = tuple(rng.dirichlet([2] * size) if chances else rng.uniform(*ASSUMED[stem], size))
            elif name in SIZES:
                env[name] = SIZES[name]
            elif name in ARRAYS or (name == "z" and "A" in self.seen):
                env[name] = rng.normal(size=ARRAYS.get(name, 3)).view(Matrix)
            else:
                env[name] = rng.uniform(*ASSUMED[stem])
        for stem in ("x", "z", r"\hat{x}"):
            if sizes.get(stem) in (SIZES["d"], SIZES["D"]):  # what has coordinates or pixels is all of them
                env.pop(stem, None)
        start = rng.integers(1 << 30)
        seeds = {str(f): [start, *str(f).replace("'", "").encode()] for f in self.arbitrary}
        bodies = {str(f): anything(f, np.random.default_rng(seeds[str(f)])) for f in self.arbitrary}
        if seed == "equal":
            env["t"] = 1.0
            for f in self.arbitrary:
                twins = [g.body for g in self.functions if f.name == "q" and (g.name, g.params) == ("p", f.params)]
                bodies.update({str(f): twin for twin in twins})
        return {**env, "any": bodies}


def _arbitrary(function, env):
    return env["any"][str(function)](env)


def check(scope, oracles=None):
    """What is wrong under a heading, as sentences; [] when every step holds.

    oracles: {LaTeX of what a step defines or arrives at: function of an env, its value by other means}.
    """
    oracles = oracles or {}
    known = set(map(plain, oracles))
    try:
        reading = Reading(scope)
        draws = [reading.draw(seed) for seed in (1, 2, 3, "equal")]
    except Unreadable as error:
        return [str(error) if str(error).startswith(scope.chapter) else f"{_place(scope)}: {error}"]
    told, used = [], set().union(*reading.uses)
    with np.errstate(all="ignore"):
        for step, head in reading.heads.items():
            if head and str(head) not in used and plain(step.left) not in known:
                told.append(f"{step}: defined and not used")
            if head in reading.densities:
                told += _tell(step, lambda head=head: _mass(head, draws[:2]))
        for step, left, right in reading.relations:
            told += _tell(step, lambda a=left, b=right, step=step: _compare(step.kind, a, b, draws))
        for text, oracle in oracles.items():
            told += reading.ask(text, oracle, draws)
    return told


def _place(scope):
    return f"{scope.chapter} [{scope.lang}], under {scope.heading}"


def _tell(step, judge):
    try:
        complaint = judge()
    except Exception as error:  # an index out of range, shapes that do not fit: the step is wrong, whatever was raised
        complaint = f"{type(error).__name__} {error}"
    return [f"{step}: {complaint}"] if complaint else []


def _mass(density, draws):
    places = range(SIZES["d"]) if "_" in density.name else (0,)
    masses = [integral({**env, "#i": k}, density.params[0], density.body) for env in draws for k in places]
    return "" if np.allclose(masses, 1, rtol=1e-7) else f"integrates to {masses[0]:.6g}, expected 1"


def _compare(kind, left, right, draws):
    pairs = [(left(env), right(env)) for env in draws]
    if kind in ("=", ":="):
        bad = [(a, b) for a, b in pairs if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-8, atol=1e-9)]
        return "{:.9g} is not {:.9g}".format(*(np.ravel(side)[0] for side in bad[0])) if bad else ""
    gaps = [(a - b) if kind == ">=" else (b - a) for a, b in pairs]
    if not min(gaps) > -1e-9:
        return f"fails by {-min(gaps):.6g}"
    if not max(gaps) > 1e-6:
        return "never strict, so it should say ="
    return "" if abs(gaps[-1]) < 1e-9 else f"never an equality: {gaps[-1]:.6g} is left where it should be one"


def value(latex):
    """The value of an expression without letters."""
    return Parser(latex, Functions(), set()).whole()({"depth": 0})

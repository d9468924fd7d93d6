r"""What the symbolic reader knows of integrals, sums and logarithms, as rules that hold for any densities and any d.

Densities are positive everywhere. Integrals and sums are linear. A density that the page calls arbitrary integrates to
one over its first variable; a normal is integrated by SymPy from its formula; a product of densities of coordinates is
integrated one coordinate at a time. What no rule applies to stays as it is, a letter among others. Two expressions are
equal if their difference then comes to nothing.
"""

import functools

import sympy
from common.steps import Unreadable
from sympy import Add, Function, Mul, Pow, S, Symbol, exp, expand, log
from sympy.core.function import AppliedUndef


class Over(Function):
    """What runs over args[1]. Of positive bodies it is positive."""

    def _eval_is_positive(self):
        return self.args[0].is_positive or None


class IntegralOver(Over):
    """IntegralOver(body, x): over the line of x or of one coordinate z_i, or over the whole space of z."""

    nargs = 2


class SumOver(Over):
    """SumOver(body, i, n): the sum over i from 1 to n, for any n."""

    nargs = 3

    def _eval_derivative(self, x):
        body, index, bound = self.args
        return SumOver(sympy.diff(body, x), index, bound)


class ProductOver(Over):
    """ProductOver(body, i, n), likewise. A product over i of densities of z_i is a density of z."""

    nargs = 3


class Normal(Function):
    """Normal(x, mean, variance): the density at x, if the variance is positive."""

    nargs = 3

    def _eval_is_positive(self):
        return self.args[2].is_positive or None

    @property
    def formula(self):
        x, mean, variance = self.args
        return exp(-((x - mean) ** 2) / (2 * variance)) / sympy.sqrt(2 * sympy.pi * variance)


class Density(Function):
    """Density(name, x, ...): what the page calls an arbitrary density, of x, where ... is as it is.

    A joint density of x and z is no density of x alone, so that it has other rules: none.
    """

    @property
    def is_joint(self):
        return "," in self.args[0].name

    def _eval_is_positive(self):
        return True


def coordinate(whole, index):
    """z_i of z, p_i of p, or the pixel x_j of x. Those of sigma, p and q are positive."""
    positive = str(whole) in (r"\sigma", "p", "q")
    return Function(str(whole), **({"positive": True} if positive else {"real": True}))(index)


def is_coordinate(part, whole):
    return isinstance(part, AppliedUndef) and part.func.__name__ == str(whole)


def related(part, x):
    """Whether two letters may mean the same number, or one a part of the other: z, z_i, z_j and z_1 may, z_1 and z_2
    may not.
    """
    if not all(isinstance(letter, Symbol | AppliedUndef) for letter in (part, x)):
        return False
    names = [letter.name if isinstance(letter, Symbol) else letter.func.__name__ for letter in (part, x)]
    if names[0] == names[1]:
        return True
    stems = [name.partition("_")[0] for name in names]
    return stems[0] == stems[1] and not all("_" in name for name in names)


def depends(expression, x):
    """Whether x or what is related to it occurs; what an integral or a sum runs over does not count."""
    if related(expression, x):
        return True
    if isinstance(expression, Over) and expression.args[1] == x:
        return any(depends(bound, x) for bound in expression.args[2:])
    return any(depends(part, x) for part in expression.args)


def stands_free(expression, x, bound=()):
    """Whether the letter x occurs where no integral runs over it, or a coordinate of it where no sum does."""
    if isinstance(expression, Over):
        bound = (*bound, expression.args[1])
    if expression in bound:
        return False
    if expression == x or (is_coordinate(expression, x) and expression.args[0] not in bound):
        return True
    return any(stands_free(part, x, bound) for part in expression.args)


def captures(body, old, new):
    """Whether an integral or a sum in `body` would run over what `new` brings into the place of `old`."""
    return any(
        isinstance(part, Over) and part.args[1] != old and depends(new, part.args[1])
        for part in sympy.preorder_traversal(body)
    )


def reduced(expression):
    """The expression with every logarithm taken apart, and every integral and sum done as far as the rules go."""
    if not expression.args:
        return expression
    if isinstance(expression, Density | Normal):
        return expression
    parts = [reduced(part) for part in expression.args]
    if isinstance(expression, log):
        return logarithm(expression.args[0])
    if isinstance(expression, IntegralOver):
        return linear(parts[0], parts[1], lambda term: integral(term, parts[1]))
    if isinstance(expression, SumOver):
        _, index, bound = parts
        return linear(parts[0], index, lambda term: bound if term == 1 else SumOver(term, index, bound))
    return expression.func(*parts)


def linear(body, x, rule):
    """The sum over the terms of `body` of their factors without x, times rule(the other factors)."""
    done = []
    for term in Add.make_args(expand(body)):
        factors = Mul.make_args(term)
        inside = Mul(*(factor for factor in factors if depends(factor, x)))
        done.append(Mul(*(factor for factor in factors if not depends(factor, x))) * rule(inside))
    return Add(*done)


def integral(term, x):
    """The integral over x of one product."""
    factors = Mul.make_args(term)
    for factor in factors:
        others = Mul(*(other for other in factors if other != factor))
        if isinstance(factor, SumOver) and not depends(others, factor.args[1]) and not x.has(factor.args[1]):
            return reduced(SumOver(IntegralOver(others * factor.args[0], x), *factor.args[1:]))
        if isinstance(factor, IntegralOver) and not depends(others, factor.args[1]):
            inner = reduced(IntegralOver(others * factor.args[0], x))
            if not any(
                isinstance(part, IntegralOver) and part.args[1] == x for part in sympy.preorder_traversal(inner)
            ):
                return reduced(IntegralOver(inner, factor.args[1]))
    weights = [factor for factor in factors if is_density_of(factor, x)]
    if len(weights) != 1:
        return IntegralOver(term, x)
    (weight,) = weights
    rest = term / weight
    if isinstance(weight, Normal):
        found = under_normal(rest, *weight.args)
        return IntegralOver(term, x) if found is None else found
    if isinstance(weight, ProductOver):
        return under_product(rest, weight, x)
    return S.One if rest == 1 else IntegralOver(term, x)


def is_density_of(factor, x):
    if isinstance(factor, Normal):
        at, mean, variance = factor.args
        return at == x and not depends(mean, x) and not depends(variance, x) and bool(variance.is_positive)
    if isinstance(factor, Density):
        return factor.args[1] == x and not factor.is_joint and not any(related(other, x) for other in factor.args[2:])
    if isinstance(factor, ProductOver):
        inner = coordinate(x, factor.args[1]) if isinstance(x, Symbol) else None
        return any(is_density_of(part, inner) for part in Mul.make_args(factor.args[0]))
    return False


def under_product(rest, weight, z):
    """The integral of rest * weight over z, when the rest knows one coordinate of z, or none."""
    body, index, _ = weight.args
    mass = reduced(IntegralOver(body, coordinate(z, index)))
    parts = list(sympy.preorder_traversal(rest))
    known = {part.args[0] for part in parts if is_coordinate(part, z)}
    others = any(related(part, z) and not is_coordinate(part, z) for part in parts)
    inside = any(isinstance(part, Over) and depends(part, z) for part in parts)
    if mass != 1 or others or inside or len(known) > 1:
        return IntegralOver(rest * weight, z)
    if not known:
        return S.One
    (k,) = known
    return reduced(IntegralOver(rest * body.subs(index, k), coordinate(z, k)))


def under_normal(rest, x, mean, variance):
    """The mean of x^k exp(a x + b), for k up to 4; None for anything else."""
    a = b = S.Zero
    power = S.One
    for factor in Mul.make_args(rest):
        if isinstance(factor, exp):
            slope = sympy.diff(factor.args[0], x)
            if depends(slope, x):
                return None
            a, b = a + slope, b + expand(factor.args[0] - slope * x)
            if depends(b, x):
                return None
        else:
            power *= factor
    if power != 1 and not (power == x or (isinstance(power, Pow) and power.base == x and power.exp in (2, 3, 4))):
        return None
    found = moment(0 if power == 1 else 1 if power == x else int(power.exp))
    return exp(b) * found(mean, sympy.sqrt(variance), a)


@functools.cache
def moment(k):
    """The integral of x^k exp(a x) Normal(x, m, s^2), as a function of m, s and a; SymPy does it from the formula."""
    x, m, a = sympy.symbols("x m a", real=True)
    s = Symbol("s", positive=True)
    done = sympy.integrate(x**k * exp(a * x) * Normal(x, m, s**2).formula, (x, -sympy.oo, sympy.oo))
    return sympy.Lambda((m, s, a), sympy.simplify(done))


def logarithm(argument):
    """log of products, quotients, powers and exponentials taken apart, where their parts are positive."""
    if isinstance(argument, exp):
        return reduced(argument.args[0])
    if isinstance(argument, Normal):
        return logarithm(argument.formula)
    if isinstance(argument, ProductOver) and argument.is_positive:
        body, index, bound = argument.args
        return reduced(SumOver(log(body), index, bound))
    if argument.is_Rational and argument > 0:
        primes = sympy.factorrat(argument)
        return Add(*(power * log(prime) for prime, power in primes.items()))
    if isinstance(argument, Add):
        argument = sympy.factor(argument)
    if isinstance(argument, Mul) and all(factor.is_positive for factor in argument.args):
        return Add(*map(logarithm, argument.args))
    if isinstance(argument, Pow) and argument.base.is_positive:
        return reduced(argument.exp) * logarithm(argument.base)
    return log(reduced(argument))


def vanishes(difference):
    """Whether an expression is zero, whatever its letters are."""
    rest = expand(reduced(difference))
    if rest == 0 or sympy.cancel(sympy.together(rest)) == 0:
        return True
    if rest.has(Normal):
        return sympy.simplify(rest.replace(lambda part: isinstance(part, Normal), lambda part: part.formula)) == 0
    return rest.has(exp) and sympy.simplify(rest) == 0


def derivative(expression, name):
    value = reduced(expression)
    for part in sympy.preorder_traversal(value):
        if isinstance(part, IntegralOver | ProductOver):
            raise Unreadable("the derivative of an integral or a product that no rule does")
        if related(part, name) and part != name:
            raise Unreadable(f"the derivative by {name}, which may be a part of {part}, or the reverse")
        if isinstance(part, Over) and name.has(part.args[1]):
            raise Unreadable(f"the derivative by {name} of a sum over all of them")
    return sympy.diff(value, name)


def divergence(p, q, x):
    return IntegralOver(p * log(p / q), x)


def is_never_negative(difference, pairs):
    """Whether an expression is >= 0, with equality in one case only.

    Either it is a convex function of one positive letter, whose least value is 0; or it is the KL divergence of one
    of the pairs (p, q, x) of densities, zero where p is q: the integral of p(x) h(q(x) / p(x)) with
    h(t) = t - 1 - log t, as both are positive and integrate to one. That h is such a function is proven when it is
    used.
    """
    difference = expand(reduced(difference))
    if len(difference.free_symbols) == 1 and not difference.has(IntegralOver, SumOver):
        (t,) = difference.free_symbols
        return t.is_positive and _is_convex_from_zero(difference, t)
    t = Symbol("t", positive=True)
    return _is_convex_from_zero(t - 1 - log(t), t) and any(
        vanishes(difference - divergence(p, q, x)) for p, q, x in pairs if not vanishes(log(p) - log(q))
    )


def _is_convex_from_zero(h, t):
    least = sympy.solve(sympy.diff(h, t), t)
    return bool(sympy.diff(h, t, 2).is_positive) and len(least) == 1 and vanishes(h.subs(t, least[0]))

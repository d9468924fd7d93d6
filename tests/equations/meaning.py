"""What the letters and operators of a page mean to the numeric reader: numbers, functions, integrals on grids.

An env is a dictionary: "x" a number, "z_" the tuple of z_1, z_2, ..., "#i" the index i, "depth" how many integrals
stand around. A body is a function of an env.
"""

import functools

import numpy as np
from common.steps import Unreadable

SIZES = {"d": 2, "D": 3, "n": 4, "N": 5}  # different, so that one cannot stand for another
INDEX = {"i": "d", "j": "D", "n": "N"}  # what counts over what; of probabilities there are n
VARIABLES = ("x", "z", "t", r"\hat{x}")  # what functions are functions of
STEP = {1: 0.1, 2: 0.2, 3: 0.4}  # grid widths by dimension: sums of smooth densities converge faster than any power


class Matrix(np.ndarray):
    """A matrix or vector, whose product is the matrix product."""

    def __mul__(self, other):
        return np.matmul(self, other) if isinstance(other, Matrix) else np.multiply(self, other)


class Function:
    """q(z|x): its name, its parameters, and body(env) once somebody has said what it is."""

    def __init__(self, name, params, bar=False, body=None):
        self.name, self.params, self.bar, self.body = name, params, bar, body

    def __str__(self):
        return f"{self.name}({', '.join(self.params)})"


def look(env, name):
    """The value of x, sigma_1 or z_i; x alone is all of x_1, x_2, ... where the page has those."""
    stem, _, index = name.partition("_")
    if index.isalpha():
        return env[stem + "_"][env["#" + index]]
    value = env[name] if name in env else env[name + "_"]
    return value(env) if callable(value) else value


def whole(env, name):
    """Whether x is all its pixels, or z all its coordinates. The images x_1, x_2, ... are single ones."""
    return name not in env and len(env.get(name + "_", ())) in (SIZES["d"], SIZES["D"])


def bind(env, name, value):
    """`env` with another value for x or z_i."""
    stem, _, index = name.partition("_")
    if whole(env, name) and not isinstance(value, tuple):
        raise Unreadable(f"a number in the place of {name}")
    if index.isalpha():
        family, at = env[stem + "_"], env["#" + index]
        return {**env, stem + "_": (*family[:at], value, *family[at + 1 :])}
    return {**env, name + "_" * isinstance(value, tuple): value}


def hide(env):
    """`env` as a function sees it, without variables that it does not take; the images x_n are there for all."""
    gone = {v + "_": (np.nan,) * len(env[v + "_"]) for v in VARIABLES if whole(env, v)}
    return {name: value for name, value in env.items() if name not in VARIABLES or callable(value)} | gone


def integral(env, name, body):
    """body(env) summed over the line of x, of z_i, or over the whole space of z."""
    every = whole(env, name)
    size, depth = len(env[name + "_"]) if every else 1, env["depth"]
    line = np.arange(-14, 14, STEP[size])
    axes = [line.reshape(-1, *[1] * (depth + k)) for k in range(size)]
    inner = bind(env, name, tuple(axes) if every else axes[0])
    values = body({**inner, "depth": depth + size}) * functools.reduce(np.multiply, map(np.ones_like, axes))
    return values.sum(axis=tuple(-1 - depth - k for k in range(size))) * STEP[size] ** size


def normal(x, mean, variance):
    return np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def derivative(env, name, body):
    """By a complex step, exact to rounding."""
    return np.imag(body(bind(env, name, look(env, name) + 1e-30j))) / 1e-30


def divergence(env, p, q):
    return integral(env, p.params[0], lambda e: p.body(e) * np.log(p.body(e) / q.body(e)))


def anything(function, rng):
    """A random density, or smooth function, or decoder: the body of what the page introduces as any."""
    a, b, c, shift = rng.uniform(-1, 1, (4, 5))
    weights, (s1, s2) = rng.dirichlet([3, 3]), rng.uniform(0.8, 1.4, 2)

    def others(env):
        return sum(np.sin(1 + part) for name in function.params[1:] for part in _parts(look(env, name)))

    def density(env):
        x, told = look(env, function.params[0]), others(env)
        return weights[0] * normal(x, a[0] + told, s1**2) + weights[1] * normal(x, b[0] - told, s2**2)

    def smooth(env):
        x = look(env, function.params[0])
        return np.sin(a[0] * x + b[0]) + c[0] * x**3

    def slope(env):
        x = look(env, function.params[0])
        return a[0] * np.cos(a[0] * x + b[0]) + 3 * c[0] * x**2

    def decoder(env):
        code = sum((k + 1) * part for k, part in enumerate(_parts(look(env, function.params[0]))))
        return tuple(a[j] * np.sin(b[j] * code + shift[j]) for j in range(SIZES["D"]))

    return {"p": density, "q": density, "f": smooth, "f'": slope, r"\hat{x}": decoder}[function.name]


def _parts(value):
    return value if isinstance(value, tuple) else (value,)

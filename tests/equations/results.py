"""What the readers make of every displayed equation: notebooks/equations.json, from which the book takes its marks.

`make equations` writes it; a test compares it with the readers. An equation without an entry gets no mark: one that
is new, or has changed, or stands under a heading where another definition has.
"""

import sys

from common import pages, steps

from . import numeric, symbolic
from .meaning import SIZES
from .oracles import ORACLES

CHAPTERS = ("01_autoencoder", "02_kl_divergence", "03_vae", "04_measuring_generation")
PATH = pages.NOTEBOOKS / "equations.json"


def read(chapter, lang):
    """{anchor: Scope} of a chapter."""
    return steps.scopes(chapter, lang, steps.cells(chapter, lang))


def check_numeric(scope):
    return numeric.check(scope, ORACLES.get((scope.chapter, scope.heading)))


READERS = {"symbolic": symbolic.check, "numeric": check_numeric}


def results(chapter, lang):
    """{hash: entry} of the equations of a chapter under whose headings nothing is wrong.

    An entry has the numbers of "definitions" and "relations", what "instances" the numeric reader looks at, and
    whether an "oracle" that is not a reader agrees with a side.
    """
    found, scopes = {}, read(chapter, lang)
    for equation in steps.equations(scopes, steps.cells(chapter, lang)):
        scope = scopes[equation.heading]
        if any(check(scope) for check in READERS.values()):
            continue
        reading = numeric.Reading(scope)
        instances = set().union(*(reading.instances(step) for step in equation.steps))
        known = {steps.plain(latex) for latex in ORACLES.get((chapter, equation.heading), ())}
        sides = {steps.plain(s.left if s.kind == ":=" else s.right) for s in equation.steps}
        found[equation.hash] = {
            "chapter": chapter,
            "cell": equation.cell,
            "definitions": sum(s.kind == ":=" for s in equation.steps),
            "relations": sum(s.kind != ":=" for s in equation.steps),
            "instances": [f"{i} = {SIZES[i]}" if i in SIZES else i for i in sorted(instances)],
            "oracle": bool(known & sides),
        }
    return found


def everything():
    """The entries of all chapters; the languages share those of equations that they share."""
    found = {}
    for chapter in CHAPTERS:
        for lang in pages.LANGUAGES:
            found |= results(chapter, lang)
    return found


def main():
    found = everything()
    pages.write(PATH, pages.sealed(found))
    told = [c for chapter in CHAPTERS for lang in pages.LANGUAGES for scope in read(chapter, lang).values()
            for check in READERS.values() for c in check(scope)]  # fmt: skip
    print(f"{len(found)} equations are proven by both readers")
    if told:
        sys.exit("not proven, and without a mark:\n  " + "\n  ".join(told))


if __name__ == "__main__":
    main()

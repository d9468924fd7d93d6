"""Make slips on purpose and see whether the checks notice: `make mutate`.

Every token, term and factor of the chapters' displayed equations is altered in turn, and read by tests/equations; every
sign, half, sum and name of genlib/losses.py likewise, and run through library/test_losses.py. A slip is caught, or
equivalent: as true as what stood there, for a reason that equations/mutants.py gives. One that is neither is alive:
it is printed, and the exit status is 1.
"""

import ast
import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from unittest.mock import patch

import test_equations
import test_losses
import torch
from common import steps
from equations import mutants

from genlib import load_mnist, losses

SLIPS = [  # of a loss: what is looked for, and what stands in its place
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r" / ", " * "), (r"\*\*2", ""), (r"\b2\b", "1"),
    (r"\b0\.5\b", "1.0"), (r" - (?:1|0\.5)\b", ""), (r"\bc \* ", ""), (r"\.sum\(1\)", ".mean(1)"),
    (r"\.square\(\)", ""), (r"\.square\(\)", ".abs()"), (r"\.exp\(\)", ""), (r"\blogvar\.exp", "(0.5 * logvar).exp"),
    (r"(?<!\.)\blog\b", "exp"), (r"torch\.log", "torch.exp"), (r"\bmu1\b", "mu2"), (r"\bmu2\b", "mu1"),
    (r"\bsigma1\b", "sigma2"), (r"\bsigma2\b", "sigma1"), (r"\bmu\b", "logvar"), (r"\blogvar\b", "mu"),
]  # fmt: skip


def equation_slips(chapter, cell):
    """What becomes of each slip of one Markdown cell, in English.

    Returns (a Counter of the readers that catch one, joined by "and"; the reasons of those as true as what stood
    there; the living, as text).
    """
    source = dict(steps.cells(chapter, "en"))[cell]
    caught, reasons, alive = Counter(), [], []
    for mutant in mutants.mutants(cell, source):
        told = test_equations.complaints(chapter, "en", cell, mutant.source)
        by = [name for name, all_told in told.items() if any(f"{chapter} [en]" in one for one in all_told)]
        if by:
            caught[" and ".join(by)] += 1
            continue
        reason = mutants.reason(chapter, mutant)
        (reasons if reason else alive).append(reason or f"{chapter}, {mutant}")
    return caught, reasons, alive


def loss_slips():
    """(name and change, altered source) of every slip in what the public losses compute."""
    source = Path(losses.__file__).read_text(encoding="utf-8")
    starts = [0, *(found.end() for found in re.finditer("\n", source))]
    for function in ast.parse(source).body:
        if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
            continue
        for node in function.body:
            if not isinstance(node, ast.Return | ast.Assign):
                continue
            value = node.value
            first = starts[value.lineno - 1] + value.col_offset
            last = starts[value.end_lineno - 1] + value.end_col_offset
            for pattern, new in SLIPS:
                for found in re.compile(pattern).finditer(source, first, last):
                    change = (
                        f"{function.name}: {found[0].strip()} -> {new.strip() or 'nothing'} in {source[first:last]}"
                    )
                    yield change, source[: found.start()] + new + source[found.end() :]


def is_noticed(source, digits):
    """Whether a test of test_losses.py fails with the losses of this source."""
    altered = {}
    exec(compile(source, losses.__file__, "exec"), altered)
    altered = {name: value for name, value in altered.items() if callable(value) and hasattr(test_losses, name)}
    tests = [test for name, test in vars(test_losses).items() if name.startswith("test_")]
    with patch.multiple(test_losses, **altered):  # for now: other tests run in this process too
        for test in tests:
            torch.manual_seed(0)
            try:
                test(*[digits] * test.__code__.co_argcount)
            except BaseException:  # pytest.raises ends in one of its own
                return True
    return False


def main():
    cells = [(chapter, cell) for chapter in test_equations.CHAPTERS for cell, _ in steps.cells(chapter, "en")]
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(equation_slips, *zip(*cells, strict=True)))
    caught = sum((result[0] for result in results), Counter())
    reasons = Counter(reason for result in results for reason in result[1])
    alive = [slip for result in results for slip in result[2]]
    tried = caught.total() + reasons.total() + len(alive)
    print(f"equations: {tried} slips, {caught.total()} caught, {reasons.total()} equivalent")
    for readers, count in caught.most_common():
        print(f"  {count:5} caught by {readers}")
    for reason, count in reasons.most_common():
        print(f"  {count:5} as {reason}")

    check = partial(is_noticed, digits=load_mnist(train=False))
    slips = list(loss_slips())
    if check(Path(losses.__file__).read_text(encoding="utf-8")):
        sys.exit("tests/library/test_losses.py fails without any slip")
    unnoticed = [change for change, source in slips if not check(source)]
    print(f"losses: {len(slips)} slips, {len(slips) - len(unnoticed)} caught")
    if alive + unnoticed:
        sys.exit("alive:\n  " + "\n  ".join(alive + unnoticed))


if __name__ == "__main__":
    main()

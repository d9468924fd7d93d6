"""Make slips in the scripts of explorers and pages on purpose, and see whether the tests of the pages notice.

python tests/slips.py [--each N] [--seed SEED] [NAME ...] alters one token at a time (an operator, a number, true and
false, a name that has a twin), N of each script (default: 2), in a copy of this folder, builds the book there and runs
the tests that open it in Chromium. What no test notices is printed; some such slips no reader could notice either. The
exit status is 1 unless nine in ten are noticed. A slip takes about a minute.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pygments.lexers import JavascriptLexer
from pygments.token import Keyword, Name, Number, Operator

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["genlib/explorer", "book/extension/_static"]
TESTS = {  # of each script, the likeliest first
    "ablation": ["live/test_live_ablation.py"],
    "book": ["book/test_pages.py", "live/test_live_pages.py"],
    "core": ["live/test_live_pages.py", "live/test_live_kl.py", "live/test_live_quiz.py", "live/test_live_training.py"],
    "drag": ["live/test_live_kl.py", "live/test_live_elbo.py"],
    "elbo": ["live/test_live_elbo.py", "library/test_elbo_explorer.py"],
    "kl": ["live/test_live_kl.py"],
    "latent": ["live/test_live_pages.py"],
    "normal": ["live/test_live_kl.py", "live/test_live_elbo.py", "live/test_live_reparameterization.py"],
    "pad": ["live/test_live_playground.py"],
    "panels": ["live/test_live_playground.py"],
    "quiz": ["live/test_live_quiz.py"],
    "reparameterization": ["live/test_live_reparameterization.py"],
    "scatter": ["live/test_live_pages.py", "live/test_live_playground.py"],
    "search": ["book/test_search.py", "book/test_pages.py"],
    "training": ["live/test_live_training.py"],
    "widgets": ["live/test_live_pages.py", "live/test_live_playground.py", "book/test_pages.py"],
}
TWINS = [("+", "-"), ("*", "/"), ("<", ">"), ("<=", "<"), (">=", ">"), ("===", "!=="), ("&&", "||"), ("+=", "-="),
         ("true", "false"), ("min", "max"), ("mu", "sigma"), ("width", "height"), ("left", "right"), ("x", "y"),
         ("floor", "ceil"), ("first", "last")]  # fmt: skip
OTHER = {**{b: a for a, b in TWINS}, **dict(TWINS)}


def slips(source):
    """[(line, what becomes of it, the altered source)] of every slip in a script."""
    found = []
    for at, kind, token in JavascriptLexer(ensurenl=False, stripnl=False).get_tokens_unprocessed(source):
        if kind in Number:
            other = str(int(token) + 1) if token.isdecimal() else f"2 * {token}"
        elif kind in Operator or kind in Name or kind in Keyword.Constant:
            other = OTHER.get(token)
        else:
            continue
        if other:
            altered = source[:at] + other + source[at + len(token) :]
            line = source.count("\n", 0, at) + 1
            found.append((line, f"{altered.splitlines()[line - 1].strip()}   [{token} -> {other}]", altered))
    return found


def fail(room, tests):
    """Whether any of these tests fails in the copy `room`."""
    options = ["-qx", "-p", "no:cacheprovider", "-k", "not firefox and not webkit"]
    command = [sys.executable, "-m", "pytest", *options, *(f"tests/{name}" for name in tests)]
    # a slip may well leave a test waiting for what never comes
    env = {**os.environ, "PATIENCE": "20000", "CI": "true"}
    return subprocess.run(command, cwd=room, env=env, capture_output=True).returncode != 0


def is_noticed(room, path, altered):
    """Whether the tests of the script at `path`, relative to the copy `room`, fail once it is altered."""
    script = room / path
    source = script.read_text(encoding="utf-8")
    script.write_text(altered, encoding="utf-8")
    try:
        return fail(room, TESTS[script.stem])
    finally:
        script.write_text(source, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(TESTS)} (default: all)")
    parser.add_argument("--each", type=int, default=2, help="slips of each script (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="which of them (default: 0)")
    args = parser.parse_args()
    rng, alive, count = random.Random(args.seed), [], 0
    paths = [path.relative_to(ROOT) for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.js"))]
    paths = [path for path in paths if not args.names or path.stem in args.names]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder) / "room"
        shutil.copytree(ROOT, room, ignore=shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__"))
        if fail(room, sorted({name for path in paths for name in TESTS[path.stem]})):
            sys.exit("The tests fail without any slip.")
        for path in paths:
            all_slips = slips((ROOT / path).read_text(encoding="utf-8"))
            chosen = rng.sample(all_slips, min(args.each, len(all_slips)))
            for line, change, altered in chosen:
                count += 1
                noticed = is_noticed(room, path, altered)
                print(f"{'noticed' if noticed else 'ALIVE  '} {path}:{line}: {change}", flush=True)
                alive += [] if noticed else [path]
    print(f"{count - len(alive)} of {count} noticed")
    sys.exit(len(alive) > count / 10)


if __name__ == "__main__":
    main()

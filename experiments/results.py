"""results.json: every run of every experiment, and the numbers that the book's prose takes from them."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, stdev

from genlib import files

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("torch", "torchvision", "numpy")


@dataclass(frozen=True)
class Experiment:
    """Something that is measured, once or for several seeds.

    run(seed): measures and returns {term: number}. recipe: what shapes these numbers, as JSON can
    hold it; runs under another recipe do not count. unit(term): what a term is counted in.
    """

    run: Callable[[int], dict[str, float]]
    recipe: dict
    unit: Callable[[str], str]
    seeds: int = 5


def shaped_by(recipe, **more):
    """A genlib Recipe as the "recipe" of an Experiment: without its seed, with what else shapes the numbers."""
    return {key: value for key, value in asdict(recipe).items() if key != "seed"} | more


def last_epoch(history):
    """{"train.<term>", "test.<term>"}: what a genlib History says after its last epoch."""
    parts = {"train": history.train, "test": history.test}
    return {f"{part}.{term}": record[-1] for part, terms in parts.items() for term, record in terms.items()}


def measure(experiment, seed):
    """One run, with where it comes from. Returns a JSON object."""
    start = time.perf_counter()
    values = experiment.run(seed)
    return {
        "seed": seed,
        "values": values,
        "seconds": round(time.perf_counter() - start, 1),
        "finished": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "commit": commit(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "hardware": hardware(),
    }


def commit():
    """The commit of the code that runs, with a + if genlib or experiments have changed since; "unknown" without git."""

    def git(*arguments):
        return subprocess.run(
            ["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=all", "--", "*.py", "../genlib")
        return git("rev-parse", "--short=10", "HEAD") + "+" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def hardware():
    """The processor's name and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        name = named[0] if named else name
    return f"{name}, {os.cpu_count()} cores"


def read():
    """{experiment: {"script", "recipe", "runs"}} as they were left; ValueError, naming the file, if it is damaged."""

    def parse(data):
        return files.check(files.unsealed(data), {"experiments": dict, "numbers": dict})["experiments"]

    anew = "delete it, and `make results` measures all anew"
    return files.read(RESULTS, parse, instead=anew) if RESULTS.exists() else {}


def current(found, name, experiment):
    """The runs of an experiment under the recipe that it has now, by seed."""
    entry = found.get(name, {})
    runs = entry.get("runs", []) if entry.get("recipe") == experiment.recipe else []
    return {run["seed"]: run for run in runs if run["seed"] < experiment.seeds}


def numbers(found, experiments):
    """{key: number} of every experiment that has all its runs; a key is "<experiment>.<term>".

    A number is {"value": mean, "sd": standard deviation over the seeds (None for one run), "n": runs,
    "experiment", "unit"}.
    """
    made = {}
    for name, experiment in experiments.items():
        runs = current(found, name, experiment)
        if len(runs) < experiment.seeds:
            continue
        for term in runs[0]["values"]:
            values = [runs[seed]["values"][term] for seed in sorted(runs)]
            made[f"{name}.{term}"] = {
                "value": fmean(values),
                "sd": stdev(values) if len(values) > 1 else None,
                "n": len(values),
                "experiment": name,
                "unit": experiment.unit(term),
            }
    return made


def store(name, script, run, experiments):
    """Put a run into results.json beside all others, and make the numbers anew; all or nothing."""
    found, experiment = read(), experiments[name]
    runs = {**current(found, name, experiment), run["seed"]: run}
    found[name] = {"script": script, "recipe": experiment.recipe, "runs": [runs[seed] for seed in sorted(runs)]}
    write(found, experiments)


def write(found, experiments):
    """Write the runs of the experiments that there are, and their numbers; all or nothing."""
    kept = {name: found[name] for name in sorted(found) if name in experiments}
    content = {"experiments": kept, "numbers": numbers(kept, experiments)}
    files.write(RESULTS, files.sealed(content, sort_keys=True))

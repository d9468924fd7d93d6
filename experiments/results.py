"""results.json: every measured number that the book's prose names."""

import json
import os
from pathlib import Path
from statistics import fmean, stdev

RESULTS = Path(__file__).with_name("results.json")


def merge(numbers, *, experiment, unit):
    """Put numbers into results.json beside those of other experiments, all or nothing.

    numbers: {key: list of values, one per seed}. experiment: the script's name.
    unit: a function of the key. Returns nothing.
    """
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"numbers": {}}
    for key, values in numbers.items():
        results["numbers"][key] = {
            "value": fmean(values),
            "sd": stdev(values) if len(values) > 1 else None,
            "n": len(values),
            "experiment": experiment,
            "unit": unit(key),
        }
    draft = RESULTS.with_suffix(".tmp")
    draft.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(draft, RESULTS)

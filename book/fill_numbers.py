"""Fill the measured numbers of the prose from experiments/results.json; `--check` only compares."""

import argparse
import sys

from common import measurements, pages


def main(argv=None, root=pages.ROOT):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; list what differs and exit with 1")
    check = parser.parse_args(argv).check
    try:
        return update(root, check)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None


def update(root, check):
    """Print what differs, and write it unless `check`; returns 1 if `check` finds anything, otherwise 0."""
    changed = measurements.changes(measurements.read(root), root)
    for path, text in changed.items():
        for (key, _, old), (_, _, new) in zip(measurements.markers(path), pages.MARKER.findall(text), strict=True):
            if old != new:
                print(f"{path.relative_to(root)}: {key} {old} -> {new}")
        if not check:
            pages.write(path, text)
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())

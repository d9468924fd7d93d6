"""Pack the built book into one zip: `python book/archive.py [--build _build]`.

Unpacked anywhere, it is read by opening the first of its files, index.html; nothing has to be installed.
"""

import argparse
import io
import sys
import zipfile
from pathlib import Path

from common import pages

BUILD = pages.ROOT / "_build"
FOLDER = "generative-models-step-by-step"  # that unpacking makes
FIRST = "index.html"


def pack(html, path):
    """Write all files below `html` into the zip at `path`, the first page first; hidden ones are for builds alone."""
    files = [file for file in sorted(html.rglob("*")) if file.is_file()]
    names = [file.relative_to(html).as_posix() for file in files]
    shown = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(shown, key=lambda name: name != FIRST):
            archive.write(html / name, f"{FOLDER}/{name}")
    pages.write(path, packed.getvalue())


def main():
    parser = argparse.ArgumentParser(description="Pack the built book into one zip.")
    parser.add_argument("--build", type=Path, default=BUILD, help="what book/build.py has written; default: _build")
    build = parser.parse_args().build.resolve()
    if not (build / "html" / FIRST).exists():
        sys.exit(f"{build / 'html'} holds no book: make it with `make book`.")
    path = build / f"{FOLDER}.zip"
    pack(build / "html", path)
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB. Unpack it and open {FOLDER}/{FIRST}")


if __name__ == "__main__":
    main()

"""Build the book in both languages, strictly: `python book/build.py [--output _build]`.

Every call into Jupyter Book is in this file; whatever else the pages need is in extension.py, a plain Sphinx extension.
"""

import argparse
import hashlib
import json
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from head import protect
from shared import prune

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
CONFIG = ROOT / "_config.yml"
EXPLORER = ROOT / "genlib" / "explorer"  # whose scripts pages take
CHECKED = [ROOT / "notebooks" / "equations.json", ROOT / "experiments" / "results.json"]  # what the book shows of them
LICENCES = {
    "code": '<a href="https://opensource.org/license/mit">MIT</a>',
    "text": '<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>',
    "mnist": '<a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>',
}

LANGUAGES = {
    "en": {
        "language": "en",
        "html_title": "Generative Models, Step by Step",
        "nb_code_prompt_show": "Show code",
        "nb_code_prompt_hide": "Hide code",
        "html_theme_options": {
            "search_bar_text": "Search this book…",
            "toc_title": "On this page",
            "extra_footer": "Code {code} · text {text} · MNIST {mnist}".format(**LICENCES),
        },
    },
    "zh": {
        "language": "zh_CN",
        "smartquotes": False,  # Chinese fonts draw a curly apostrophe as wide as a character: Don’ t
        "html_title": "一步一步学习生成模型",
        "nb_code_prompt_show": "展开代码",
        "nb_code_prompt_hide": "收起代码",
        "html_theme_options": {
            "search_bar_text": "搜索本书……",
            "toc_title": "本页目录",
            "extra_footer": "代码 {code} · 文字 {text} · MNIST {mnist}".format(**LICENCES),
        },
    },
}


def fingerprint(*paths):
    """SHA-256 over names and contents of files, and of all files below folders."""
    digest = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts):
                digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size} ".encode() + file.read_bytes())
    return digest.hexdigest()


def build(lang, output):
    """Bring output/html/<lang> up to date. Returns whether that succeeded without a warning."""
    pages, html, work = ROOT / "notebooks" / lang, output / "html" / lang, output / "work" / lang
    # "settings": what shapes every page, and which pages there are
    names = sorted(path.name for path in pages.iterdir())
    common = fingerprint(CONFIG, BOOK, EXPLORER, *CHECKED)
    expected = {"settings": [sys.version, names, common], "pages": fingerprint(pages)}
    stamp = html / ".complete"
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    if found == expected:
        return True
    # Sphinx would not repeat a warning about a page it has read already, nor notice a half-written one:
    # only after a complete build with the same settings is there something to build upon.
    if found.get("settings") != expected["settings"]:
        shutil.rmtree(html, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    stamp.unlink(missing_ok=True)

    sys.modules.setdefault("rfc3987_syntax", None)  # jsonschema does without; importing it takes two seconds
    from jupyter_book.sphinx import build_sphinx

    settings = LANGUAGES[lang]
    result = build_sphinx(
        str(pages),
        str(html),
        path_config=CONFIG,
        noconfig=True,
        doctreedir=str(work / "doctrees"),
        confoverrides={
            **settings,
            "html_theme_options": {**settings["html_theme_options"], "path_to_docs": f"notebooks/{lang}"},
            "external_toc_path": str(BOOK / "_toc.yml"),
            "nitpicky": True,
            "latex_individualpages": False,  # Jupyter Book reads this key without a default
        },
        force_all=True,  # writes all pages, as titles appear in each other's navigation; reads only changed ones
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if result != 0:
        return False
    whole = stamp.with_suffix(".part")
    whole.write_text(json.dumps(expected))
    whole.replace(stamp)
    return True


def main():
    parser = argparse.ArgumentParser(description="Build the book in both languages.")
    parser.add_argument("--output", type=Path, default=ROOT / "_build", help="default: _build")
    output = parser.parse_args().output.resolve()
    try:
        with ProcessPoolExecutor(len(LANGUAGES)) as pool:
            results = dict(zip(LANGUAGES, pool.map(partial(build, output=output), LANGUAGES), strict=True))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The next build starts afresh.")
    if failed := [lang for lang, succeeded in results.items() if not succeeded]:
        sys.exit(f"The book did not build: {', '.join(failed)}. Warnings are errors here; they are listed above.")
    prune(output / "html" / "shared", output.glob("html/*/*.html"))
    (output / "html" / ".nojekyll").touch()  # else GitHub Pages leaves out what begins with an underscore
    root = (BOOK / "root.html").read_text(encoding="utf-8")
    (output / "html" / "index.html").write_text(protect(root), encoding="utf-8")
    print(f"The book is ready: open {output / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()

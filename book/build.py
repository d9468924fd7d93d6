"""Build the book in both languages, strictly: `python book/build.py [--output _build]`.

Every call into Jupyter Book is in this file; whatever else the pages need is in extension/, a plain Sphinx extension.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from multiprocessing import Process, active_children, parent_process
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread

import yaml
from common import handwritten, measurements, pages, repository
from extension.head import protect
from extension.shared import prune
from filelock import FileLock, Timeout

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
CONFIG = ROOT / "_config.yml"
EXPLORER = ROOT / "genlib" / "explorer"  # whose scripts pages take
CHECKED = [ROOT / "notebooks" / "equations.json", ROOT / "experiments" / "results.json"]  # what the book shows of them
ROOM = 100 << 20  # bytes; the book of both languages takes 77 MB with what Sphinx keeps for the next build
LICENCES = {
    "code": '<a href="https://opensource.org/license/mit">MIT</a>',
    "text": '<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>',
    "mnist": '<a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>',
}

SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
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
        "smartquotes": False,  # Chinese fonts draw a curly apostrophe as wide as a character
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
    sources, html, work = ROOT / "notebooks" / lang, output / "html" / lang, output / "work" / lang
    # "settings": what shapes every page, and which pages there are
    names = sorted(path.name for path in sources.iterdir())
    common = fingerprint(CONFIG, BOOK, EXPLORER, *CHECKED)
    expected = {"settings": [sys.version, names, common], "pages": fingerprint(sources)}
    stamp = html / ".complete"
    found = stamped(stamp)
    if found == expected:
        return True
    # Sphinx would not repeat a warning about a page it has read already, nor notice a half-written one:
    # only after a complete build with the same settings is there something to build upon.
    stamp.unlink(missing_ok=True)
    if found.get("settings") != expected["settings"]:
        shutil.rmtree(html, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)

    sys.modules.setdefault("rfc3987_syntax", None)  # jsonschema does without; importing it takes two seconds
    from jupyter_book.sphinx import build_sphinx

    settings = LANGUAGES[lang]
    result = build_sphinx(
        str(sources),
        str(html),
        path_config=CONFIG,
        noconfig=True,
        doctreedir=str(work / "doctrees"),
        confoverrides={
            **settings,
            "html_theme_options": {**settings["html_theme_options"], "path_to_docs": f"notebooks/{lang}"},
            "external_toc_path": str(BOOK / "_toc.yml"),
            "html_baseurl": address(),
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
    pages.write(stamp, json.dumps(expected))
    return True


def build_in_child(lang, output):
    """Build a language in a process that ends without a word when it is interrupted, or its parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()
    try:
        sys.exit(not build(lang, output))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


def stamped(stamp):
    """What the last complete build noted of its sources; {} of a damaged note, after which all is built afresh."""
    try:
        return pages.check(json.loads(stamp.read_bytes()), dict) if stamp.exists() else {}
    except ValueError:
        return {}


def read_sources():
    """Read each source once before Sphinx does, whose word for a damaged one may be no file's name; ValueError."""
    listed = handwritten.stems()
    for sources in (ROOT / "notebooks" / lang for lang in LANGUAGES):
        for path in sorted(sources.rglob("*")):
            name = path.relative_to(sources)
            if path.suffix not in (".ipynb", ".md") or any(part.startswith(".") for part in name.parts):
                continue  # _config.yml excludes it
            if name.with_suffix("").as_posix() not in listed:
                raise ValueError(f"{path} is not in book/_toc.yml: name it there, or move it out of notebooks/")
            pages.texts(path)
    for name in handwritten.SHAPES:
        handwritten.read(name)
    pages.read(CONFIG, lambda data: pages.check(yaml.safe_load(data), dict))
    from extension import checks, search  # noqa: F401 (each reads a table at once)

    checks.proven()
    measurements.read()


def check_writable(output):
    """Make the folder `output`; OSError, naming it, unless files can be written there."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=output):
            pass
    except OSError as error:
        raise OSError(f"{output}: cannot be written into: {error.strerror}. Name another folder by --output") from error


def check_room(output):
    """Raise OSError, naming the folder, unless the book has room there; Sphinx would end in a traceback."""
    there = sum(file.stat().st_size for file in output.rglob("*") if file.is_file())
    free = shutil.disk_usage(output).free
    if free + there < ROOM:
        told = f"has room for {free >> 20} MB, expected {ROOM >> 20}"
        raise OSError(f"{output}: {told}. Make room, or name another folder by --output")


def main():
    parser = argparse.ArgumentParser(description="Build the book in both languages.")
    parser.add_argument("--output", type=Path, default=ROOT / "_build", help="default: _build")
    output = parser.parse_args().output.resolve()
    try:
        make(output)
    except KeyboardInterrupt:
        sys.exit("Interrupted. The next build starts afresh.")
    except (OSError, ValueError) as error:
        sys.exit(f"The book did not build. {error}")
    print(f"The book is ready: open {output / 'html' / 'index.html'}")


def make(output):
    """Build both languages, and what they share, into the folder `output`, which one build at a time writes into."""
    read_sources()
    check_writable(output)
    lock = FileLock(output / ".lock")  # the system frees it, however this process ends
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        print(f"Another build is writing into {output}; this one waits for it.", flush=True)
        held = lock.acquire()
    with held:
        check_room(output)
        for part in output.glob("html/**/*.part"):
            part.unlink()  # a build that was killed has left it
        build_languages(output)
        write_root(output)


def build_languages(output):
    """Build the languages side by side, in processes of their own; SystemExit if one fails."""
    # Not a pool, whose semaphores need a /dev/shm, which containers may lack.
    processes = {lang: Process(target=build_in_child, args=(lang, output)) for lang in LANGUAGES}
    try:
        for process in processes.values():
            process.start()
        for process in processes.values():
            process.join()
    finally:
        for process in active_children():
            process.kill()
    if failed := [lang for lang, process in processes.items() if process.exitcode]:
        sys.exit(f"The book did not build: {', '.join(failed)}. Warnings are errors here; they are listed above.")


def write_root(output):
    """Write what belongs to no language: the first page, and what hosts and search engines ask for."""
    prune(output / "html" / "shared", output.glob("html/*/*.html"))
    (output / "html" / ".nojekyll").touch()  # else GitHub Pages leaves out what begins with an underscore
    base, root = address(), pages.text(BOOK / "root.html")
    if base:
        root = re.sub('(?<=<link rel="alternate" )(hreflang="[^"]*") href="', rf'\1 href="{base}', root)
        root = root.replace("  <link", f'  <link rel="canonical" href="{base}">\n  <link', 1)
    pages.write(output / "html" / "index.html", protect(root))
    for name, content in crawled(base).items():
        if base:
            pages.write(output / "html" / name, content)
        else:
            (output / "html" / name).unlink(missing_ok=True)


def address():
    """Where the book is served, with a slash at the end; "" as long as the configuration does not say."""
    config = pages.read(CONFIG, lambda data: pages.check(yaml.safe_load(data), dict))
    base = config.get("html", {}).get("baseurl") or repository.site(config.get("repository", {}).get("url") or "")
    return base and f"{base.rstrip('/')}/"


def crawled(base):
    """{name: text} of what search engines ask for: all pages, each with its other language.

    They take robots.txt from the top of a host alone, so that it counts where the book has a host of its own.
    """
    stems = sorted({Path(name).stem for name in pages.names()})
    tags = {lang: settings["language"].replace("_", "-") for lang, settings in LANGUAGES.items()}
    links = {stem: "".join(f'<xhtml:link rel="alternate" hreflang="{tag}" href="{base}{lang}/{stem}.html"/>'
                           for lang, tag in tags.items()) for stem in stems}  # fmt: skip
    urls = [f"<url><loc>{base}{lang}/{stem}.html</loc>{links[stem]}</url>" for lang in tags for stem in stems]
    sitemap = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"<urlset {SITEMAP}>", *urls, "</urlset>", ""])
    return {"sitemap.xml": sitemap, "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n"}


if __name__ == "__main__":
    main()

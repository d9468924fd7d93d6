"""The repository's address, at every place that needs it: _config.yml, which is read, and all that follow it.

These are the notebooks, the READMEs, CITATION.cff and pyproject.toml. Python alone is enough here.
"""

import json
import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
write = runpy.run_path(str(ROOT / "genlib" / "files.py"))["write"]  # import genlib needs torch
GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com"
URL = re.compile(
    r"https://(?:github\.com/[\w-]+/[\w.-]+|(?!github\.com/)[\w.-]+(?::\d+)?(?:/[\w.~-]+)+)(?<!\.git)|file:///\S+"
)
REF = re.compile(r"\w[\w./-]*")

# The first code cell of every notebook: all that it needs is in it. Its identity is a file that no other genlib has.
SETUP = '''\
import importlib.util
import subprocess
import sys
from pathlib import Path

BOOK = "{book}"
find = importlib.util.find_spec
if BOOK and not getattr(find("genlib"), "origin", None):
    print("Installing the book's genlib from", BOOK)
    subprocess.call([sys.executable, "-m", "pip", "install", "-qq", BOOK])
    importlib.invalidate_caches()
found = getattr(find("genlib"), "origin", None)
if not Path(str(found)).with_name("figures.mplstyle").is_file():
    sys.exit(f"""genlib: found {{found}}, expected the one of this book.
Remove any other, pip install {{BOOK or "the book's folder"}}, and restart.""")'''


def source(url, ref):
    """The set-up cell that installs from this address; for "" one that says what to do."""
    return SETUP.format(book=url and f"git+{url}@{ref}")


def checked(url, ref):
    """Both as they are; ValueError unless they are an address and a ref that git, pip and Colab take."""
    if not URL.fullmatch(url):
        raise ValueError(
            f"set-repo: got URL={url!r}, expected {GITHUB}OWNER/NAME, with nothing behind the name: "
            f"make set-repo URL={GITHUB}OWNER/NAME"
        )
    if not REF.fullmatch(ref):
        raise ValueError(f"set-repo: got REF={ref!r}, expected a tag such as v0.1.0: leave REF out for that")
    return url, ref


def address(root=ROOT):
    """(url, ref) as _config.yml has them; url is "" before the book has an address."""
    text = (root / "_config.yml").read_text(encoding="utf-8")
    return tuple(re.search(rf'^  {key}: "?([^"\n]*)"?$', text, flags=re.M)[1] for key in ("url", "branch"))


def version(root=ROOT):
    return re.search(r'^version = "(.*)"', (root / "pyproject.toml").read_text(encoding="utf-8"), flags=re.M)[1]


def colab(url, ref, path):
    """Where Colab opens a notebook of the repository; "" where it cannot, as it reads GitHub alone."""
    return f"{COLAB}/github/{url.removeprefix(GITHUB)}/blob/{ref}/{path}" if url.startswith(GITHUB) else ""


def site(url):
    """Where GitHub Pages serves the book of this repository, with a slash at the end; "" for one that is elsewhere."""
    if not url.startswith(GITHUB):
        return ""
    owner, name = url.removeprefix(GITHUB).lower().split("/")[0], url.rpartition("/")[2]
    return f"https://{owner}.github.io/" + f"{name}/" * (name.lower() != f"{owner}.github.io")


def rendered(url, ref, root=ROOT):
    """{path: its text with this address} of every file that has the address."""
    notebooks = sorted((root / "notebooks").glob("*/*.ipynb"))
    texts = {path: _notebook(path.read_text(encoding="utf-8"), url, ref) for path in notebooks}
    for name, change in (
        ("_config.yml", _config),
        ("README.md", _readme(root, "en", "<repository URL>")),
        ("README.zh-CN.md", _readme(root, "zh", "<仓库地址>")),
        ("CITATION.cff", _citation(version(root))),
        ("pyproject.toml", _package),
    ):
        texts[root / name] = change((root / name).read_text(encoding="utf-8"), url, ref)
    return texts


def differences(root=ROOT):
    """The files that say otherwise than _config.yml."""
    texts = rendered(*address(root), root)
    return [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]


def carry(url, ref, root=ROOT):
    """Write this address everywhere; returns the files that changed."""
    texts = rendered(url, ref, root)
    changed = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in changed:
        write(path, texts[path])
    return changed


def _notebook(text, url, ref):
    notebook = json.loads(text)
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell["source"] = source(url, ref).splitlines(keepends=True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _config(text, url, ref):
    text = re.sub(r"^  url: .*$", lambda _: f'  url: "{url}"', text, flags=re.M)
    return re.sub(r"^  branch: .*$", lambda _: f"  branch: {ref}", text, flags=re.M)


def _readme(root, lang, nowhere):
    def change(text, url, ref):
        stems = sorted(path.stem for path in (root / "notebooks" / lang).glob("*.ipynb") if path.stem != "index")
        links = [f"[{stem}]({colab(url, ref, f'notebooks/{lang}/{stem}.ipynb')})" for stem in stems]
        badge = f"\n![Colab]({COLAB}/assets/colab-badge.svg) {' · '.join(links)}\n" * url.startswith(GITHUB)
        text = re.sub("<!-- badges -->.*?<!-- /badges -->", f"<!-- badges -->{badge}<!-- /badges -->", text, flags=re.S)
        return re.sub(r'git\+[^"]+', f"git+{url}@{ref}" if url else f"git+{nowhere}", text)

    return change


def _citation(number):
    def change(text, url, ref):
        text = re.sub(r"^version: .*$", f"version: {number}", text, flags=re.M)
        text = re.sub(r"^repository-code: .*\n", "", text, flags=re.M)
        return text + f'repository-code: "{url}"\n' * bool(url)

    return change


def _package(text, url, ref):
    urls = f'[project.urls]\nRepository = "{url}"\n\n' * url.startswith("https:")  # the build refuses file:
    return re.sub(r"(?:\[project\.urls\]\n.*\n\n)?(?=\[tool\.setuptools\]\n)", lambda _: urls, text, count=1)

"""`make set-repo`, the set-up cell that it writes, and what that cell does where genlib is, is not, or is another."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib

import pytest
import rooms
from common import pages, repository
from common.pages import ROOT
from packaging.requirements import Requirement

GITHUB = "https://github.com/somebody/book"


@pytest.fixture
def published(tmp_path):
    """(its files, its address) of a git repository that holds this working tree."""
    return rooms.publish(tmp_path)


def test_one_address_everywhere():
    assert repository.differences() == [], "run make set-repo"


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("", "v1"),
        ("github.com/somebody/book", "v1"),
        ("http://github.com/somebody/book", "v1"),
        ("git@github.com:somebody/book", "v1"),
        ("https://github.com/somebody", "v1"),
        (f"{GITHUB}/", "v1"),
        (f"{GITHUB}.git", "v1"),
        (f"{GITHUB}/tree/main", "v1"),
        (f"{GITHUB} ", "v1"),
        (f'{GITHUB}"', "v1"),
        ("file:///a b", "v1"),
        (GITHUB, "-v1"),
        (GITHUB, "v 1"),
    ],
)
def test_a_malformed_address_is_refused(url, ref):
    with pytest.raises(
        ValueError, match=r"set-repo: got (URL|REF)=.*, expected .*: (make set-repo URL=|leave REF out)"
    ):
        repository.checked(url, ref)


@pytest.mark.parametrize("url", [GITHUB, "https://git.example.org:8080/a/b/c", "file:///tmp/book"])
def test_an_address_is_taken(url):
    assert repository.checked(url, "v0.1.0") == (url, "v0.1.0")


def test_the_cell_fits_its_page():
    lines = repository.source("https://github.com/somebody-or-other/step-by-step", "v0.1.0").splitlines()
    assert len(lines) <= 15 and max(map(len, lines)) <= 79


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_carries_the_address_and_takes_it_back(published):
    tree, _ = published

    def texts():
        return {path.relative_to(tree): path.read_text(encoding="utf-8") for path in repository.rendered("", "", tree)}

    def make(*arguments):
        command = ["make", "set-repo", f"PYTHON={sys.executable}", *arguments]
        return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60)

    before = texts()
    for url in ("", "https://github.com/somebody/book.git", "'; touch hacked; '"):
        done = make(f"URL={url}")
        assert done.returncode != 0 and "set-repo: got URL=" in done.stderr and "expected https://" in done.stderr
    assert texts() == before and not (tree / "hacked").exists()

    done = make(f"URL={GITHUB}")
    assert done.returncode == 0 and "git tag v0.1.0" in done.stdout
    now = {str(path): text for path, text in texts().items()}
    assert repository.address(tree) == (GITHUB, "v0.1.0") and repository.differences(tree) == []
    notebooks = [name for name in now if name.endswith(".ipynb")]
    assert len(notebooks) == 12
    for name in notebooks:
        assert f'BOOK = \\"git+{GITHUB}@v0.1.0\\"' in now[name]
    assert tomllib.loads(now["pyproject.toml"])["project"]["urls"] == {"Repository": GITHUB}
    assert f'repository-code: "{GITHUB}"' in now["CITATION.cff"] and "\nversion: 0.1.0\n" in now["CITATION.cff"]
    for name, lang in (("README.md", "en"), ("README.zh-CN.md", "zh")):
        assert f'"genlib-book @ git+{GITHUB}@v0.1.0"' in now[name]
        for stem in ("01_autoencoder", "02_kl_divergence", "03_vae", "playground"):
            assert repository.colab(GITHUB, "v0.1.0", f"notebooks/{lang}/{stem}.ipynb") in now[name]
    assert repository.colab(GITHUB, "v1", "a.ipynb").endswith("/github/somebody/book/blob/v1/a.ipynb")

    assert make(f"URL={GITHUB}", "REF=main").returncode == 0 and repository.address(tree) == (GITHUB, "main")
    repository.carry(*repository.address(), tree)
    assert texts() == {path: (ROOT / path).read_text(encoding="utf-8") for path in before}


# What the cell does. Without site-packages (-S) there is no genlib but that of the working folder.


def cell(url="", ref="v0.1.0"):
    return repository.source(url, ref)


def start(source, folder, *flags, python=sys.executable, **environment):
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        [python, *flags, "-c", source], cwd=folder, env=env | environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("url", ["", GITHUB])
def test_nothing_happens_where_our_genlib_is(url, tmp_path):
    done = start(cell(url), tmp_path, "-S", PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("url", ["", GITHUB])
@pytest.mark.parametrize("name", ["genlib.py", "genlib/__init__.py"])
def test_another_genlib_is_named_and_left_alone(name, url, tmp_path):
    other = tmp_path / name
    other.parent.mkdir(exist_ok=True)
    other.write_text("raise SystemExit('imported')", encoding="utf-8")
    done = start(cell(url), tmp_path, "-S")
    assert done.returncode != 0 and done.stdout == ""
    book = f"git+{url}@v0.1.0" if url else "the book's folder"
    assert done.stderr.splitlines() == [
        f"genlib: found {other}, expected the one of this book.",
        f"Remove any other, pip install {book}, and restart.",
    ]


@pytest.mark.parametrize("folder", [False, True])
def test_without_an_address_two_lines_say_what_to_do(folder, tmp_path):
    if folder:
        (tmp_path / "genlib").mkdir()  # which Python takes for a package, for want of a better one
    done = start(cell(), tmp_path, "-S")
    assert done.returncode != 0 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "genlib: found None, expected the one of this book.",
        "Remove any other, pip install the book's folder, and restart.",
    ]


def test_the_cell_installs_from_the_repository_and_goes_on(published, tmp_path):
    """In an environment that has all but genlib, without a network."""
    tree, url = published
    room, place = tmp_path / "room", tmp_path / "place"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", room], check=True)
    python = room / "bin" / "python"
    where = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with open(f"{where}/others.pth", "w", encoding="utf-8") as file:
        file.write(sysconfig.get_path("purelib"))  # a path file in there, as of an editable genlib, is not read
    place.mkdir()
    source = "".join(pages.load(tree / "notebooks/en/playground.ipynb")["cells"][1]["source"])
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
    assert source == cell(url)
    after = "import genlib, json; print(json.dumps([genlib.__file__, genlib.CHOSEN_CODE]))"
    done = start(f"{source}\n{after}", place, python=python, **offline)
    assert done.returncode == 0, done.stderr
    said, (file, code) = done.stdout.splitlines()[0], json.loads(done.stdout.splitlines()[-1])
    assert said == f"Installing the book's genlib from git+{url}@v0.1.0" and len(done.stdout.splitlines()) == 2
    assert file.startswith(where) and code == [1.19, -3.36, 2.06]
    assert list(place.iterdir()) == []
    again = start(source, place, python=python)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


# What is there stays.


def test_bounds_are_those_of_the_oldest_room():
    """And every room's versions are within them, else pip would replace what it finds there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {bound.name: bound.specifier for bound in map(Requirement, project["dependencies"])}
    for room, lines in rooms.ROOMS.items():
        for pin in map(Requirement, [*rooms.TORCH, *lines]):
            for version in (one.version for one in pin.specifier):
                within = bounds.get(pin.name)
                assert within is None or within.contains(version), f"{room}: {pin}, pyproject.toml: {within}"
    oldest = {pin.name: str(pin.specifier) for pin in map(Requirement, rooms.ROOMS["lowest"])}
    for name in ("ipywidgets", "matplotlib", "numpy", "safetensors", "scikit-learn", "tqdm"):
        assert oldest[name].removeprefix("==").startswith(str(bounds[name]).removeprefix(">=")), name

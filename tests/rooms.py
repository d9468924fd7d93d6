"""Clean rooms: every chapter as a stranger opens it, alone in an empty folder, where others chose the versions.

python tests/rooms.py [ROOM …] [--only STEM …] makes each room anew: a virtual environment with its versions, and a
stand-in for Colab's own package. Each notebook must install genlib by its own first cell, from a git repository made
of this working tree, run to its end, show its first figure within a minute, name the widget manager with each
explorer, and change no package that was there. A room takes some 6 GB and, for all notebooks, about a quarter of an
hour on two cores; it is deleted at the end.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book"))  # as pytest has it

from common import repository  # noqa: E402
from common.pages import VIEW, has_image  # noqa: E402

COLAB = ROOT / "tests" / "colab"  # the folder with the stand-in for google.colab
PATIENCE = 60  # seconds until the first figure
PIP = ["-m", "pip", "--disable-pip-version-check", "-q"]
TORCH = [
    line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line.startswith("torch")
]
OLD_JUPYTER = ["ipywidgets==7.7.1", "ipykernel==6.17.1", "ipython==7.34.0"]
ROOMS = {
    "colab": [*OLD_JUPYTER, "numpy==2.0.2", "matplotlib==3.10.0", "scikit-learn==1.6.1", "tqdm", "safetensors"],
    "ipywidgets8": ["ipywidgets>=8.1", "ipykernel", "ipython", "numpy", "matplotlib", "scikit-learn"],
    "lowest": [*OLD_JUPYTER, "numpy==1.25.2", "matplotlib==3.7.5", "scikit-learn==1.3.2", "tqdm==4.66.1",
               "safetensors==0.4.0"],
}  # fmt: skip


class _Python(KernelSpecManager):
    """Kernels of one interpreter, begun as Colab's are, with google.colab imported, or without."""

    def get_kernel_spec(self, kernel_name):
        start = "import google.colab\n" * self.colab + "from ipykernel.kernelapp import main; main()"
        argv = [str(self.python), "-c", start, "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(argv=argv, display_name="room", language="python")


def run(notebook, folder, *, python=sys.executable, colab=True, paths=()):
    """Run a notebook in place, in a kernel of `python` in `folder`; seconds until its first picture, None without one.

    colab: whether the stand-in for google.colab is loaded first. paths: of the kernel's PYTHONPATH. Raises
    nbclient's CellExecutionError.
    """
    specs = _Python()
    specs.python, specs.colab = python, colab
    start, seen = time.monotonic(), []

    def note(cell, **_):
        if has_image(cell):
            seen.append(time.monotonic() - start)

    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=specs),
        resources={"metadata": {"path": str(folder)}},
        timeout=None,
        record_timing=False,
        on_cell_executed=note,
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    env = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "VIRTUAL_ENV")}
    env["PYTHONPATH"] = os.pathsep.join(map(str, [*paths, *([COLAB] if colab else [])]))
    client.execute(env=env, cleanup_kc=True)
    return seen[0] if seen else None


def unmanaged(notebook):
    """Ids of cells that show an explorer without the manager that Colab needs for it; a progress bar needs none."""
    outputs = [(cell.id, output) for cell in notebook.cells for output in cell.get("outputs", ())]
    views = [(name, output) for name, output in outputs if {VIEW, "image/png"} <= output.get("data", {}).keys()]
    return [name for name, output in views if "custom_widget_manager" not in json.dumps(output.metadata)]


def publish(folder):
    """A git repository of the working tree, after `make set-repo` with its own address; (its files, that address)."""
    origin = folder / "origin"
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "ls-files", "-z", "-co", "--exclude-standard"], check=True, capture_output=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, origin / name)
    url = origin.as_uri()
    subprocess.run([sys.executable, "book/set_repo.py", url], cwd=origin, check=True, capture_output=True)
    tag = f"v{repository.version()}"
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"], ["tag", tag]):
        who = ["-c", "user.name=room", "-c", "user.email=room@example.org"]
        subprocess.run(["git", *who, *command], cwd=origin, check=True)
    return origin, url


def packages(python):
    """{name: version} of what is installed for this interpreter."""
    listed = [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    found = json.loads(subprocess.run(listed, check=True, capture_output=True, text=True).stdout)
    return {package["name"]: package["version"] for package in found}


def made(room, folder):
    """The Python of a new environment with this room's versions."""
    subprocess.run([sys.executable, "-m", "venv", folder / room], check=True)
    python = folder / room / "bin" / "python"
    subprocess.run([python, *PIP, "install", *TORCH, *ROOMS[room]], check=True)
    return python


def visit(room, python, origin, folder, stems):
    """Run these notebooks in a room; what went wrong, as sentences."""
    before, wrong = packages(python), []
    for path in sorted((origin / "notebooks/en").glob("*.ipynb")):
        if stems and path.stem not in stems:
            continue
        place = folder / f"{room}-{path.stem}"
        place.mkdir()
        shutil.copy(path, place)
        notebook, start = nbformat.read(place / path.name, as_version=4), time.monotonic()
        try:
            first = run(notebook, place, python=python)
        except Exception as error:
            wrong.append(f"{room}, {path.stem}: {error}")
            continue
        after = packages(python)
        changed = {name: (old, after.get(name)) for name, old in before.items() if after.get(name) != old}
        print(f"{room}, {path.stem}: {time.monotonic() - start:.0f} s, first figure after {first:.0f} s", flush=True)
        print("  new:", ", ".join(f"{name} {after[name]}" for name in sorted(after.keys() - before.keys())), flush=True)
        if changed:
            wrong.append(f"{room}, {path.stem}: changed {changed}")
        if first > PATIENCE:
            wrong.append(f"{room}, {path.stem}: first figure after {first:.0f} s, expected at most {PATIENCE}")
        if cells := unmanaged(notebook):
            wrong.append(f"{room}, {path.stem}: cells {cells} show a widget that Colab would not")
        if new := sorted(after.keys() - before.keys()):
            subprocess.run([python, *PIP, "uninstall", "-y", *new], check=True)  # the next one is alone again
    return wrong


def main():
    parser = argparse.ArgumentParser(description="Run every chapter in clean rooms.")
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), help=f"of {', '.join(ROOMS)} (default: all)")
    parser.add_argument("--only", nargs="*", metavar="STEM", help="these notebooks, such as playground")
    args = parser.parse_args()
    if unknown := sorted({*args.rooms} - {*ROOMS}):
        parser.error(f"no room {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    wrong = []
    for room in args.rooms:
        with tempfile.TemporaryDirectory() as folder:
            origin, _ = publish(Path(folder))
            wrong += visit(room, made(room, Path(folder)), origin, Path(folder), args.only)
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()

"""Run every chapter once and put its outputs into both languages: python book/execute.py [STEM …]

The English notebook is run; outputs, execution counts and widget state go to the cells of the same
id in the others. A second run on the same machine changes no byte, and a chapter that fails, or is
interrupted, keeps the file it had.
"""

import hashlib
import json
import os
import re
import sys

import matplotlib.font_manager  # which lists the fonts; a kernel that had to would tell of it on stderr
import nbformat
from common import pages
from common.pages import STATE, VIEW
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# What the outputs must not depend on: progress bars, the number of threads (sums change in the last
# digits), the order of sets, an accelerator, the matplotlib backend of whoever runs this.
ENVIRONMENT = {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": ""}
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class ChapterError(Exception):
    """A chapter that cannot be run; says which, where and why."""


class _ThisPython(KernelSpecManager):
    """Kernels run in the interpreter that runs this script, whatever kernel a notebook names."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict())


def execute(stem, root=pages.NOTEBOOKS):
    """Run chapter `stem`, write it in every language and return the files that changed; ChapterError if it cannot."""
    paths = {lang: root / lang / f"{stem}.ipynb" for lang in pages.LANGUAGES}
    paths = {lang: path for lang, path in paths.items() if path.exists()}
    if "en" not in paths:
        raise ChapterError(f"{stem}: there is no en/{stem}.ipynb; a chapter is run from its English notebook")
    for lang, path in paths.items():
        differences = pages.code_differences(pages.load(paths["en"]), pages.load(path))
        if differences:
            raise ChapterError(f"{stem}: en and {lang} must have the same code cells, but " + "; ".join(differences))
    run = _notebook(paths["en"])
    _run(stem, run, paths["en"].parent)
    cells, widgets = _stable(stem, run)
    texts = {path: _with_outputs(path, cells, widgets) for path in paths.values()}
    return [path for path, text in texts.items() if pages.write(path, text)]


def _notebook(path):
    return pages.read(path, lambda data: nbformat.reads(data.decode("utf-8"), as_version=nbformat.NO_CONVERT))


def _run(stem, notebook, folder):
    """Run the notebook in place, in a kernel of its own."""
    place = []
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=_ThisPython()),
        resources={"metadata": {"path": str(folder)}},
        timeout=None,
        shutdown_kernel="immediate",  # what matters has been received; asked to end, one that works would complain
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # local kernels warn that their TCP is not encrypted
        coalesce_streams=True,  # how a stream is cut into messages depends on the clock
        on_cell_start=lambda cell, cell_index: place.append(cell["id"]),
    )
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)  # an empty cell is not run
    env = {**os.environ, **ENVIRONMENT, "MPLCONFIGDIR": matplotlib.get_cachedir()}
    env.pop("MPLBACKEND", None)
    try:
        client.execute(env=env, cleanup_kc=True)
    except CellExecutionError as error:
        raise ChapterError(f"{stem}, cell {place[-1]}: {error.ename}: {error.evalue}\n{error.traceback}") from None
    except Exception as error:
        if hasattr(client, "_async_cleanup_kernel_future"):  # nbclient takes the signal, and stumbles over what it does
            raise KeyboardInterrupt from None
        raise ChapterError(f"{stem}, cell {place[-1] if place else 'none'}: {type(error).__name__}: {error}") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _clean(f"{stem}, cell {cell.id}", cell)


def _clean(place, cell):
    """The outputs of a cell, without what another run would print differently."""
    errors = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")
    if errors and "nbval-ignore-output" not in cell.metadata.get("tags", ()):
        raise ChapterError(f"{place} wrote to stderr, which only cells tagged nbval-ignore-output may:\n{errors}")
    outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    address = re.search(r"<[^<>\n]* at 0x[0-9a-f]+>", json.dumps(outputs))
    if address:
        raise ChapterError(
            f"{place} shows {address[0]}, another address each time; end it with plt.show() or print less"
        )
    return outputs


def _stable(stem, notebook):
    """(outputs and count by cell id, widget state or None), with widget ids that are the same in every run."""
    cells = {
        c.id: {"outputs": c.outputs, "execution_count": c.execution_count} for c in notebook.cells if "outputs" in c
    }
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    views = [o.data[VIEW]["model_id"] for c in cells.values() for o in c["outputs"] if VIEW in o.get("data", {})]
    kept = _reachable(views, {key: json.dumps(model, sort_keys=True) for key, model in state.items()})
    widgets = {STATE: {"state": {key: state[key] for key in kept}, "version_major": 2, "version_minor": 0}}
    text = json.dumps([cells, widgets if kept else None])
    for number, key in enumerate(kept):
        text = text.replace(key, hashlib.sha256(f"{stem} {number}".encode()).hexdigest()[:32])
    return json.loads(text)


def _reachable(views, models):
    """Ids of the models that the displayed `views` need, in order of first appearance.

    models: {id: its state as JSON}. Nothing displayed mentions a link (jslink), so one joins when all
    that it mentions is there.
    """
    mentions = {key: sorted((k for k in models if k in text), key=text.index) for key, text in models.items()}
    kept, waiting = [], [key for key in views if key in models]
    while waiting:
        key = waiting.pop(0)
        if key not in kept:
            kept.append(key)
            waiting += mentions[key]
    for key, others in mentions.items():
        if key not in kept and others and '"_view_name": null' in models[key] and set(others) <= set(kept):
            kept.append(key)
    return kept


def _with_outputs(path, cells, widgets):
    """The notebook at `path` with these outputs, as text."""
    notebook = _notebook(path)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times at which an earlier run began and ended
        if cell.cell_type == "code":
            cell.update(nbformat.from_dict(cells[cell.id]))
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(METADATA, **({"widgets": widgets} if widgets else {}))
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def main(stems):
    known = [name.removesuffix(".ipynb") for name in pages.names(".ipynb")]
    unknown = sorted({*stems} - {*known})
    if unknown:
        raise SystemExit(f"no chapter {', '.join(unknown)}; there are {', '.join(known)}")
    for stem in stems or known:
        print(stem, end=" ", flush=True)
        try:
            changed = execute(stem)
        except (ChapterError, ValueError) as error:
            raise SystemExit(f"failed, its files are as they were.\n{error}") from None
        except OSError as error:  # of one language's file; the other may be written
            raise SystemExit(f"failed.\n{error}") from None
        except KeyboardInterrupt:
            raise SystemExit("interrupted, its files are as they were.") from None
        print("written: " + ", ".join(f"{p.parent.name}/{p.name}" for p in changed) if changed else "unchanged")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Explorers where others chose the versions: in Colab, of which tests/colab has a stand-in, and under ipywidgets 7."""

import ipywidgets
import nbformat
import pytest
import rooms
from common.pages import ROOT, VIEW
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell

from genlib import KLExplorer

MODELS = """\
import torch
from genlib import *
x, y = torch.zeros(10, 784), torch.arange(10)
vae, codes = VAE(latent_dim=2, hidden_dim=4), torch.zeros(10, 3)"""
EXPLORERS = [
    'AblationExplorer(dict.fromkeys(("plain", "noise", "kl", "both"), vae), x, y)',
    "ElboExplorer()",
    "KLExplorer()",
    "LatentExplorer(vae, x, y)",
    "Playground(Autoencoder(), vae, x, y, x, y)",
    "QuizExplorer(x, x)",
    "ReparameterizationExplorer()",
    "SamplesExplorer(*load_comparison())",
    "TrainingExplorer({0: (codes, x)}, y, x)",
]


def test_all_explorers_are_here():
    from genlib import explorer

    assert [source.partition("(")[0] for source in EXPLORERS] == explorer.__all__


def shown(folder, *, colab):
    """The views that a kernel sends for every explorer, as a cell's result and displayed: (id, output) each."""
    sources = [MODELS, *EXPLORERS, *(f"display({source})" for source in EXPLORERS)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    rooms.run(notebook, folder, colab=colab, paths=[ROOT])
    views = [output for cell in notebook.cells for output in cell.outputs if VIEW in output.get("data", {})]
    assert [view.output_type for view in views].count("execute_result") == len(EXPLORERS) == len(views) / 2
    return views, rooms.unmanaged(notebook)


def test_colab_learns_how_to_show_every_explorer(tmp_path):
    views, unmanaged = shown(tmp_path, colab=True)
    assert unmanaged == []
    assert all("image/png" in view.data and view.data[VIEW]["model_id"] for view in views)


def test_elsewhere_nothing_is_said_of_a_manager(tmp_path):
    views, unmanaged = shown(tmp_path, colab=False)
    assert len(unmanaged) == len(views) and not any(view.metadata for view in views)


@pytest.mark.parametrize("widgets", [7, 8])
def test_a_view_and_a_picture_under_either_ipywidgets(widgets, monkeypatch):
    """ipywidgets 7 displays a widget itself, and gives no bundle."""
    if widgets == 7:
        monkeypatch.delattr(ipywidgets.Widget, "_repr_mimebundle_", raising=False)
        monkeypatch.setattr(ipywidgets.Widget, "_ipython_display_", lambda self: None, raising=False)
    explorer = KLExplorer()
    shell = InteractiveShell()
    data, metadata = DisplayFormatter(parent=shell).format(explorer)
    assert data[VIEW]["model_id"] == explorer.model_id and "image/png" in data and metadata == {}

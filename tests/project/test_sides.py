"""No tensor on the wrong side: genlib and every cell, with models trained on the device that sides.py feigns."""

import ast

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from common import pages
from sides import Sides, is_far

import genlib
from genlib import (
    VAE,
    AblationExplorer,
    Autoencoder,
    LatentExplorer,
    Playground,
    QuizExplorer,
    Recipe,
    TrainingExplorer,
    anchors,
    autoencoder_loss,
    classifier,
    fit,
    measures,
    plots,
    train,
    vae_loss,
)
from genlib.models import MODELS, Classifier, load_pretrained, save_weights, ship

CHAPTERS = [path for path in sorted((pages.NOTEBOOKS / "en").glob("*.ipynb"))]


@pytest.fixture(params=["cuda", "mps"])
def kind(request, monkeypatch):
    """The far side, which "auto" then takes."""
    monkeypatch.setattr(train, "_pick", lambda device: torch.device(request.param if device == "auto" else device))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    with Sides(request.param):
        yield request.param


# The make-believe itself.

FAULTS = {
    "two sides": lambda far, near: far + near,
    "a layer": lambda far, near: torch.nn.Linear(3, 3)(far),
    "joined": lambda far, near: torch.cat([far, near]),
    "an index": lambda far, near: near[far[:, 0] > 0],
    "a new tensor": lambda far, near: far * torch.arange(3),
    "drawn": lambda far, near: far + torch.randn(2, 3),
    "numpy": lambda far, near: far.numpy(),
    "matplotlib": lambda far, near: plt.plot(far),
    "trained": lambda far, near: torch.nn.Linear(3, 3).to(far.device)(near),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_noticed(fault, kind):
    near = torch.ones(2, 3)
    with pytest.raises((RuntimeError, TypeError), match=f"{kind}"):
        fault(near.to(kind), near)


def test_what_pytorch_allows_passes(kind):
    near = torch.ones(2, 3)
    far = near.to(kind)
    assert far.device.type == kind and near.device.type == "cpu" and not is_far(far.cpu())
    far = far[torch.tensor([0, 1])] * torch.tensor(2.0) + torch.randn_like(far) + torch.zeros(3, device=far.device)
    layer = torch.nn.Linear(3, 3).to(far.device)
    layer(far).sum().backward()
    assert is_far(layer.weight.grad) and is_far(layer.weight) and layer.weight.device.type == kind
    layer.to("cpu")
    assert not is_far(layer.weight) and layer(near).detach().numpy().shape == (2, 3)
    assert near.to(far).device.type == kind and np.asarray(far.cpu()).shape == (2, 3)
    if kind == "mps":
        with pytest.raises(TypeError, match="float64"):
            far.double()


# genlib.


@pytest.mark.parametrize(("name", "loss"), [("autoencoder", autoencoder_loss), ("vae", vae_loss), ("classifier", None)])
@pytest.mark.parametrize("muon_lr", [0.0, 0.04])
def test_training_takes_the_far_side_and_comes_home(name, loss, muon_lr, kind, test_digits):
    images, labels = (part[:200] for part in test_digits)
    seen, model = [], MODELS[name]()
    rows = images if loss else classifier.rows(images, labels)
    recipe = Recipe(epochs=2, batch_size=100, muon_lr=muon_lr, one_cycle=True)

    def look(epoch, model, history):
        seen.append((history.device, {is_far(parameter) for parameter in model.parameters()}))

    fit(model, rows, recipe, loss=loss or classifier.classifier_loss, test_images=rows, on_epoch=look)
    assert seen == [(kind, {True})] * 2
    assert not any(map(is_far, model.parameters())) and torch.isfinite(next(model.parameters())).all()


@torch.no_grad()
def test_explorers_take_models_and_digits_of_either_side(kind, test_digits):
    images, labels = (part[:50] for part in test_digits)
    autoencoder, vae, small = Autoencoder().to(kind), VAE().to(kind), VAE(latent_dim=2, hidden_dim=8).to(kind)
    for x, y in ((images, labels), (images.to(kind), labels.to(kind))):
        for explorer in (
            LatentExplorer(autoencoder, x, y),
            LatentExplorer(vae, x, y),
            Playground(autoencoder, vae, x, y, x[:3], y[:3]),
            AblationExplorer(dict.fromkeys(("plain", "noise", "kl", "both"), small), x, y),
            QuizExplorer(x[:6], vae.sample(6)),
            TrainingExplorer({0: (autoencoder.encode(x.to(kind)), vae.sample(50)), 1: (images[:, :3], images)}, y, x),
        ):
            assert explorer.picture()


def test_measures_and_pictures_take_images_of_either_side(kind, test_digits, tmp_path):
    images, labels = (part[:200] for part in test_digits)
    far, digits = images.to(kind), labels.to(kind)
    autoencoder, vae = Autoencoder().to(kind), VAE().to(kind)
    known = anchors.anchors(far, digits)
    assert all(map(is_far, known.values()))
    assert measures.scores(far, measures.features(images))["frechet"] >= 0
    for x, others in ((far, images), (images, far), (far, far)):
        distance, index = measures.nearest(x, others)
        assert distance.max() < 0.1 and index.shape == (200,)
    assert measures.balance(digits)[0] >= 0
    plots.image_grid([far[:3], images[:3]])
    plots.latent_scatter(autoencoder.encode(far), digits, mark=autoencoder.encode(far)[0])
    plots.latent_plane(autoencoder.encode(far)[:, :2], digits)
    plots.latent_slice(autoencoder, center=autoencoder.encode(far)[0])
    plots.against_standard_normal(vae.encode(far)[0][:, 0])
    plots.architecture(autoencoder)
    plots.architecture(vae)
    plt.close("all")
    save_weights(ship(Classifier().to(kind)), tmp_path / "c.safetensors", metadata={})
    load_pretrained("autoencoder").to(kind).encode(far)


# The chapters.


class Unasserted(ast.NodeTransformer):
    """What is asserted is computed; after so short a training it need not be true."""

    def visit_Assert(self, node):
        return ast.copy_location(ast.Expr(node.test), node)


def play(path, cells):
    """Run code cells, {id: source}, one after the other."""
    names = {"__name__": "__main__"}
    for name, source in cells.items():
        tree = Unasserted().visit(ast.parse(source))
        try:
            exec(compile(tree, f"{path.stem}, {name}", "exec"), names)
        except Exception as error:
            error.add_note(f"in {path.stem}, cell {name}")
            raise


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Chapters that take seconds: 1000 digits to train with, and no pictures."""
    whole = genlib.load_mnist

    def load_mnist(train=True):
        return tuple(part[:1000] for part in whole()) if train else whole(train=False)

    monkeypatch.setattr(genlib, "load_mnist", load_mnist)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    monkeypatch.chdir(tmp_path)
    before = dict(plt.rcParams)
    yield
    plt.rcParams.update(before)
    torch.set_default_dtype(torch.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["mps"], indirect=True)  # the stricter one
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_cell_runs_on_a_device(path, kind, small):
    play(path, {cell["id"]: cell["source"] for cell in pages.load(path)["cells"] if cell["cell_type"] == "code"})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["cuda"], indirect=True)
def test_a_tensor_left_behind_in_a_cell_is_noticed(kind, small):
    """In chapter 1, where what is looked at after each epoch is brought to the model, and back."""
    path = pages.NOTEBOOKS / "en" / "01_autoencoder.ipynb"
    cells = {cell["id"]: cell["source"] for cell in pages.load(path)["cells"] if cell["cell_type"] == "code"}
    cells = {name: cells[name] for name in ("load", "look", "train", "snapshots")}
    for old, new in ((".to(device)", ""), (".cpu()", "")):
        assert cells["look"].count(old) == 2
        with pytest.raises((RuntimeError, TypeError), match=kind):
            play(path, cells | {"look": cells["look"].replace(old, new)} | {"then": "snapshots[1][1].numpy()"})

"""The explorer's state, errors and picture, and its JavaScript decoder against PyTorch."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats
from torch import nn

from genlib.explorer import scripts
from genlib.explorer.core import pack_layers
from genlib.explorer.latent import INACTIVE_KL, LatentExplorer
from genlib.models import CHOSEN_CODE, VAE, Autoencoder, load_pretrained


def rounded(model):
    """The model, its large matrices rounded to float16 as in the shipped weights."""
    for parameter in model.parameters():
        if parameter.numel() > 2000:
            parameter.data = parameter.data.half().float()
    return model


@pytest.fixture
def digits(test_digits):
    images, labels = test_digits
    return images[:60], labels[:60]


def codes_of(explorer):
    flat = np.frombuffer(explorer.view.codes, "<i2") / explorer.view.scale
    return torch.tensor(flat).view(-1, len(explorer.sliders))


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 20])
def test_autoencoder_of_any_width(latent_dim, digits):
    model = Autoencoder(latent_dim)
    explorer = LatentExplorer(model, *digits)
    step = explorer.sliders[0].step
    assert len(explorer.sliders) == latent_dim and explorer.view.axes == list(range(min(3, latent_dim)))
    with torch.no_grad():
        codes = model.encode(digits[0]).double()
    assert (codes_of(explorer) - codes).abs().max() <= 0.51 * step
    for i, slider in enumerate(explorer.sliders):
        assert slider.continuous_update
        assert slider.min <= codes[:, i].min() and codes[:, i].max() <= slider.max  # every point can be clicked
        assert slider.min <= slider.value <= slider.max and slider.value == getattr(explorer.view, f"z{i + 1}")
    if latent_dim != 3:
        assert torch.allclose(torch.tensor(explorer.z).double(), codes.mean(0), atol=0.51 * step)
    assert explorer.picture()


def test_autoencoder_starts_at_the_chosen_code(digits):
    explorer = LatentExplorer(Autoencoder(), *digits)
    assert tuple(explorer.z) == CHOSEN_CODE
    assert [slider.description for slider in explorer.sliders] == ["z₁", "z₂", "z₃"]


def test_start_is_kept_and_widens_the_range(digits):
    explorer = LatentExplorer(VAE(latent_dim=4, hidden_dim=8), *digits, start=[0, 9.5, 0, -7.25])
    assert explorer.z == [0, 9.5, 0, -7.25]
    assert explorer.sliders[1].max == 9.5 and explorer.sliders[3].min == -7.25
    assert explorer.sliders[0].min <= -3 and explorer.sliders[0].max >= 3  # where the prior lives


def test_vae_shows_its_latents_by_falling_kl(digits):
    model = VAE(latent_dim=6, hidden_dim=16)
    with torch.no_grad():
        for layer, bias in ((model.mu, [0, 3, 0, 1, 2, 0.2]), (model.logvar, [0] * 6)):
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor(bias))  # KL = mu^2 / 2
    explorer = LatentExplorer(model, *digits)
    assert explorer.z == [0] * 6
    assert explorer.view.axes == [1, 4, 3]
    view, active, fold, inactive = explorer.children
    assert view is explorer.view
    assert [s.description for s in active.children] == [
        "z₂\tKL 4.50", "z₅\tKL 2.00", "z₄\tKL 0.50", "z₆\tKL 0.02",
    ]  # fmt: skip
    assert [s.description for s in inactive.children] == ["z₁\tKL 0.0000", "z₃\tKL 0.0000"]
    assert f"2 inactive latents: KL below {INACTIVE_KL} nat" in fold.value and f"{INACTIVE_KL} 奈特" in fold.value
    assert "genlib-nats" in explorer._dom_classes  # by which latent.js adds the unit


def test_sliders_are_linked_to_the_view_in_the_browser(digits):
    explorer = LatentExplorer(Autoencoder(), *digits)
    ends = [(link.source, link.target) for link in explorer._links]
    assert ends == [((s, "value"), (explorer.view, f"z{i}")) for i, s in enumerate(explorer.sliders, 1)]


def test_same_input_same_state_and_small_weights(digits):
    for model, limit in ((rounded(Autoencoder()), 230_000), (rounded(VAE()), 670_000)):
        states = [LatentExplorer(model, *digits).view.get_state() for _ in range(2)]
        assert {k: v for k, v in states[0].items() if k != "layout"} == {
            k: v for k, v in states[1].items() if k != "layout"
        }
        assert len(states[0]["weights"]) < limit


def test_matrices_travel_in_few_bytes_only_where_that_loses_nothing():
    torch.manual_seed(0)
    tiny, exact, inexact = nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(3, 2)
    tiny.weight.data = tiny.weight.data.to(torch.float8_e4m3fn).float()
    exact.weight.data = exact.weight.data.half().float()
    spec, weights = pack_layers(nn.Sequential(tiny, exact, nn.ReLU(), inexact))
    assert [(layer["dtype"], layer["activation"]) for layer in spec] == [
        ("float8", "identity"), ("float16", "relu"), ("float32", "identity"),
    ]  # fmt: skip
    sent = torch.frombuffer(bytearray(weights), dtype=torch.uint8, count=20, offset=spec[0]["offset"])
    assert torch.equal(sent.view(torch.float8_e4m3fn).float(), tiny.weight.flatten())
    for layer, packed in zip((exact, inexact), spec[1:], strict=True):
        for tensor, offset, dtype in (
            (layer.weight, packed["offset"], packed["dtype"]), (layer.bias, packed["bias"], "float32"),
        ):  # fmt: skip
            assert offset % 4 == 0
            sent = np.frombuffer(weights, dtype, tensor.numel(), offset).astype("float32")
            assert (sent == tensor.detach().numpy().ravel()).all()


def spoiled(model, name):
    """The model with a nan among the biases of the layer of this name."""
    with torch.no_grad():
        model.get_submodule(name).bias[0] = torch.nan
    return model


def test_picture_is_a_png_on_white_and_always_the_same(digits):
    assert_picture_stands_on_white_and_repeats(
        LatentExplorer(Autoencoder(), *digits), "LatentExplorer(latent_dim=3, points=60)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": nn.Linear(3, 3)}, "model of type Linear"),
        ({"images": torch.zeros(60, 28, 28)}, r"images of shape \(60, 28, 28\), expected \(N, 784\)"),
        ({"images": torch.zeros(60, 783)}, r"images of shape \(60, 783\), expected \(N, 784\)"),
        ({"images": torch.zeros(0, 784)}, r"images of shape \(0, 784\)"),
        ({"labels": torch.zeros(59, dtype=int)}, r"labels of shape \(59,\), expected \(60,\)"),
        ({"labels": torch.full((60,), 10)}, "from 10 to 10, expected whole numbers from 0 to 9"),
        ({"start": [1, 2]}, r"start \[1.0, 2.0\], expected 3 finite numbers"),
        ({"start": [1, 2, float("nan")]}, "expected 3 finite numbers"),
        ({"images": torch.full((60, 784), 255.0)}, "images of torch.float32 from 255 to 255, .*: images / 127.5 - 1"),
        ({"images": np.zeros((60, 784), "u1")}, "images of torch.uint8 from 0 to 0, expected floats from -1 to 1"),
        ({"images": torch.full((60, 784), torch.nan)}, "images with nan or inf"),
        ({"model": spoiled(Autoencoder(), "encoder.6")}, "Autoencoder, whose code of some image is nan"),
        ({"model": spoiled(VAE(), "logvar")}, "VAE, whose logvar of some image is nan"),
        ({"model": spoiled(VAE(), "decoder.0")}, "with weights that are nan"),
    ],
)
def test_bad_input_is_named(change, message, digits):
    arguments = {"model": Autoencoder(), "images": digits[0], "labels": digits[1]} | change
    with pytest.raises(ValueError, match=message):
        LatentExplorer(**arguments)


def test_decoder_of_other_layers_is_refused(digits):
    model = Autoencoder()
    model.decoder.append(nn.Sigmoid())
    with pytest.raises(ValueError, match=r"got Sigmoid\(\), expected Linear layers"):
        LatentExplorer(model, *digits)


@pytest.mark.parametrize("layer", [nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 3), nn.Flatten()])
def test_other_convolutions_are_refused(layer):
    with pytest.raises(
        ValueError, match=r"pack_layers: got (Conv2d|Flatten)\(.*, expected Linear layers or convolutions"
    ):
        pack_layers(nn.Sequential(layer))


READ = """
import { readFileSync } from "node:fs";
import { bytesOf, fromFloat8, makeNetwork } from "./explorer.mjs";
const { layers, images } = JSON.parse(readFileSync("input.json"));
const read = makeNetwork(layers, bytesOf(readFileSync("weights.bin")));
const logits = images.map((x) => Array.from(read(x)));
console.log(JSON.stringify({ logits, floats: Array.from(fromFloat8(Uint8Array.from({ length: 127 }, (_, i) => i))) }));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_browser_reads_what_the_classifier_reads(test_digits, tmp_path):
    classifier, x = load_pretrained("classifier"), test_digits[0][:40]
    spec, weights = pack_layers(nn.Sequential(*classifier.body, classifier.head))
    (tmp_path / "explorer.mjs").write_text(scripts.module("samples"), encoding="utf-8")
    (tmp_path / "read.mjs").write_text(READ, encoding="utf-8")
    (tmp_path / "weights.bin").write_bytes(weights)
    given = json.dumps({"layers": spec, "images": x.tolist()})
    (tmp_path / "input.json").write_text(given, encoding="utf-8")
    done = subprocess.run(["node", "read.mjs"], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    with torch.no_grad():
        torch.testing.assert_close(torch.tensor(found["logits"]), classifier(x), atol=2e-3, rtol=1e-4)
    floats = torch.arange(127, dtype=torch.uint8).view(torch.float8_e4m3fn).float()
    assert torch.equal(torch.tensor(found["floats"]), floats)


DECODE = """
import { readFileSync } from "node:fs";
import { bytesOf, makeNetwork } from "./explorer.mjs";
const { layers, codes } = JSON.parse(readFileSync("input.json"));
const decode = makeNetwork(layers, bytesOf(readFileSync("weights.bin")));
console.log(JSON.stringify(codes.map((z) => Array.from(decode(z)))));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("make", [Autoencoder, VAE])
def test_browser_decodes_what_pytorch_decodes(make, digits, tmp_path):
    model = rounded(make())
    with torch.no_grad():
        for layer in model.decoder[::2]:
            layer.weight.mul_(4)  # by a power of two: as steep as a trained one, float16 as before
    view = LatentExplorer(model, *digits).view.get_state()
    radius = codes_of(LatentExplorer(model, *digits)).norm(dim=1).max().item()
    directions = nn.functional.normalize(torch.randn(200, model.latent_dim), dim=1)
    codes = directions * torch.linspace(0, 5 * max(radius, 4), 200)[:, None]
    (tmp_path / "explorer.mjs").write_text(view["_esm"], encoding="utf-8")
    (tmp_path / "decode.mjs").write_text(DECODE, encoding="utf-8")
    (tmp_path / "weights.bin").write_bytes(view["weights"])
    given = json.dumps({"layers": view["layers"], "codes": codes.tolist()})
    (tmp_path / "input.json").write_text(given, encoding="utf-8")
    done = subprocess.run(["node", "decode.mjs"], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        expected = model.decode(codes)
    assert expected.std() > 0.05
    pixels = (torch.tensor(json.loads(done.stdout)) - expected).abs().max() / 2  # [-1, 1] -> [0, 1]
    assert pixels < 1e-4  # far below 1/255

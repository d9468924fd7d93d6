import json
import os

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn import decomposition
from torch import nn

from genlib import measures, models
from genlib.__main__ import LOSSES
from genlib.losses import autoencoder_loss
from genlib.models import CHOSEN_CODE, PCA, VAE, Autoencoder, load_pretrained, move_codes, narrowed, save_weights, ship


def shapes(model):
    return [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]


def test_layers_are_the_sources():
    mirror = [(784, 128), (128, 64), (64, 12), (12, 3), (3, 12), (12, 64), (64, 128), (128, 784)]
    assert shapes(Autoencoder()) == mirror
    assert sorted(shapes(VAE())) == sorted([(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)])


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_shapes(latent_dim):
    x = torch.rand(7, 784) * 2 - 1
    z, x_hat = Autoencoder(latent_dim)(x)
    assert z.shape == (7, latent_dim) and x_hat.shape == x.shape and x_hat.abs().max() < 1
    vae = VAE(latent_dim, hidden_dim=30)
    x_hat, mu, logvar = vae(x)
    assert mu.shape == logvar.shape == (7, latent_dim) and x_hat.shape == x.shape
    assert vae.sample(4).shape == (4, 784)


def test_sizes_may_be_integers_of_numpy():
    assert VAE(np.int64(2), hidden_dim=np.int32(30)).sample(np.int64(3)).shape == (3, 784)


def test_reparameterize_has_the_right_distribution():
    mu, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 1.2]])
    z = VAE(2).reparameterize(mu.expand(200_000, 2), logvar.expand(200_000, 2))
    torch.testing.assert_close(z.mean(0), mu[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(0), logvar[0].exp(), atol=0.04, rtol=0)


def test_reparameterized_gradient_against_the_analytic_one():
    """d/dmu E[z^2] = 2 mu and d/dlogvar E[z^2] = exp(logvar), for z ~ N(mu, exp(logvar))."""
    mu, logvar = torch.tensor(0.8, requires_grad=True), torch.tensor(-0.5, requires_grad=True)
    z = VAE(1).reparameterize(mu.expand(400_000, 1), logvar.expand(400_000, 1))
    z.square().mean().backward()
    assert mu.grad.item() == pytest.approx(1.6, abs=0.02)
    assert logvar.grad.item() == pytest.approx(torch.tensor(-0.5).exp().item(), abs=0.02)


def test_pca_against_scikit_learn(train_digits, test_digits):
    images, x = train_digits[0][:3000], test_digits[0][:50]
    model, known = PCA(images, 4), decomposition.PCA(4, whiten=True).fit(images.double().numpy())
    z = model.encode(x)
    expected = torch.tensor(known.transform(x.double().numpy())).float() * (3000 / 2999) ** 0.5  # n, not n - 1
    torch.testing.assert_close(z.abs(), expected.abs(), atol=1e-3, rtol=1e-3)  # signs are nobody's choice
    x_hat = torch.tensor(known.inverse_transform(known.transform(x.double().numpy()))).float()
    torch.testing.assert_close(model.decode(z), x_hat, atol=1e-4, rtol=1e-3)
    assert not z.requires_grad


def test_a_narrowed_matrix_keeps_its_values_within_float8(test_digits):
    weight = 0.1 * torch.randn(50, 40)
    narrow, k = narrowed(weight)
    assert narrow.dtype == torch.float8_e4m3fn and 224 < narrow.float().abs().max() <= 448
    torch.testing.assert_close(narrow.float() / 2.0**k, weight, rtol=2**-4, atol=1e-4)


@pytest.mark.parametrize("call, message", [
    (lambda: Autoencoder().encode(torch.zeros(2, 28, 28)), r"got x of shape \(2, 28, 28\), expected \(B, 784\)"),
    (lambda: Autoencoder().decode(torch.zeros(1, 2)), r"got z of shape \(1, 2\), expected \(B, 3\)"),
    (lambda: VAE().decode(torch.zeros(20)), r"got z of shape \(20,\), expected \(B, 20\)"),
    (lambda: VAE().reparameterize(torch.zeros(1, 2), torch.zeros(1, 3)), "expected equal shapes"),
    (lambda: VAE().sample(0), "got n=0, expected a whole number of at least 1"),
    (lambda: Autoencoder(latent_dim=0), "got latent_dim=0"),
    (lambda: VAE(hidden_dim=2.5), "got hidden_dim=2.5"),
    (lambda: PCA(torch.zeros(9, 28), 3), r"got images of shape \(9, 28\), expected \(B, 784\)"),
    (lambda: PCA(torch.zeros(9, 784), 0), "got latent_dim=0"),
    (lambda: load_pretrained("gan"), r"got 'gan', expected one of \['autoencoder', 'classifier', 'vae'\]"),
    (lambda: move_codes(Autoencoder(), torch.eye(2), torch.zeros(3)), r"got A \(2, 2\) and b \(3,\)"),
])  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_large_matrices_ship_as_float16_and_load_as_those_values():
    for name in ("autoencoder", "vae"):
        state = load_pretrained(name, raw=True).state_dict()
        path = models.resources.files("genlib") / "weights" / f"{name}.safetensors"
        with safe_open(path, "pt") as shipped:
            halves = {key for key in shipped.keys() if shipped.get_tensor(key).dtype == torch.float16}  # noqa: SIM118
            for key, tensor in state.items():
                assert torch.equal(shipped.get_tensor(key).float(), tensor)
        assert halves == {
            key for key, t in state.items() if t.ndim == 2 and min(t.shape) > models.MODELS[name]().latent_dim
        }


def test_moved_codes_change_no_reconstruction(test_digits):
    raw, moved = load_pretrained("autoencoder", raw=True), load_pretrained("autoencoder")
    with torch.no_grad():
        (z_raw, raw_images), (z, images) = raw(test_digits[0]), moved(test_digits[0])
    assert (z - z_raw).abs().max() > 1
    torch.testing.assert_close(images, raw_images, atol=2e-4, rtol=0)


def test_the_chosen_code_is_a_five(train_digits):
    images, labels = train_digits
    model = load_pretrained("autoencoder")
    with torch.no_grad():
        codes = model.encode(images[:200])
    distance = (codes - torch.tensor(CHOSEN_CODE)).norm(dim=1)
    assert labels[distance.argmin()] == 5 and distance.min() < 1e-4
    with torch.no_grad():
        x_hat = model.decode(torch.tensor([CHOSEN_CODE]))
    seen = measures.read(x_hat)
    assert seen["digit"] == 5 and seen["recognised"]
    assert labels[measures.nearest(x_hat, images)[1]] == 5


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_shipped_weights_reach_the_loss_they_name(name, test_digits):
    with safe_open(models.resources.files("genlib") / "weights" / f"{name}.safetensors", "pt") as shipped:
        named = json.loads(shipped.metadata()["test"])
    with torch.no_grad():
        total = LOSSES[name](load_pretrained(name), test_digits[0])["total"].mean().item()
    assert total == pytest.approx(named["total"], abs=0.15)


def test_float16_costs_nothing(test_digits):
    model = load_pretrained("autoencoder")
    before = autoencoder_loss(model, test_digits[0])["total"].mean().item()
    torch.nn.init.normal_(model.decoder[4].weight, std=0.1)
    assert autoencoder_loss(model, test_digits[0])["total"].mean().item() > before  # the loss does see the weights
    fresh = Autoencoder()
    state = {key: tensor.float() for key, tensor in ship(fresh).items()}
    assert max((state[key] - tensor).abs().max() for key, tensor in fresh.state_dict().items()) < 2e-4


def test_save_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    save_weights({"a": torch.ones(2)}, path, metadata={})
    old = path.read_bytes()

    def power_cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", power_cut)
    with pytest.raises(KeyboardInterrupt):
        save_weights({"a": torch.zeros(9)}, path, metadata={})
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]

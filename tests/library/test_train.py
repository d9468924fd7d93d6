import json
import math
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest
import torch
from torch import nn

from genlib.losses import autoencoder_loss, squared_error, vae_loss
from genlib.models import VAE, Autoencoder
from genlib.train import PRESETS, Recipe, fit

SHORT = Recipe(epochs=2, batch_size=100)


def fresh(model=Autoencoder):
    torch.manual_seed(0)
    return model()


def order_seed(seed):
    """The seed that `fit` gives the first epoch of a run."""
    return torch.randint(2**32, (1,), generator=torch.Generator().manual_seed(seed)).item()


def test_one_batch_can_be_overfitted(train_digits):
    x = train_digits[0][:16]
    history = fit(fresh(), x, Recipe(epochs=800, batch_size=16, lr=2e-3), loss=autoencoder_loss)
    assert history.train["total"][-1] < 0.1 * history.train["total"][0]


def test_fit_takes_the_same_steps_as_the_plain_loop(train_digits):
    """The chapter's loop and `fit`, in the same order of the images: equal weights to the last steps."""
    x = train_digits[0][:500]
    model, plain = fresh(), fresh()
    fit(model, x, Recipe(epochs=1, batch_size=100, seed=7), loss=autoencoder_loss)
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-3)
    torch.manual_seed(order_seed(7))
    for batch in x[torch.randperm(500)].split(100):
        _, x_hat = plain(batch)
        loss = squared_error(x_hat, batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("recipe", [SHORT, replace(PRESETS["quick"], epochs=2, batch_size=100)])
def test_runs_repeat_whatever_happens_between_epochs(train_digits, recipe):
    x = train_digits[0][:400]
    first, second, other = fresh(VAE), fresh(VAE), fresh(VAE)
    fit(first, x, recipe, loss=vae_loss)
    fit(second, x, recipe, loss=vae_loss, test_images=x, on_epoch=lambda *_: torch.randn(5))
    fit(other, x, replace(recipe, seed=1), loss=vae_loss)
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_every_epoch_has_its_own_order_and_noise():
    x, orders, noises = torch.arange(40.0)[:, None].expand(40, 784) / 40, [], []

    def loss(model, batch):
        orders.append(tuple(batch[:, 0].tolist()))
        noises.append(torch.randn(1).item())
        return autoencoder_loss(model, batch)

    fit(fresh(), x, Recipe(epochs=5, batch_size=40), loss=loss)
    assert len(set(orders)) == len(set(noises)) == 5
    assert all(sorted(order) == sorted(orders[0]) for order in orders)


def test_history_holds_every_term(train_digits):
    x, seen = train_digits[0][:250], []

    def on_epoch(epoch, model, history):
        seen.append((epoch, history.epochs, len(history.test["kl"])))

    history = fit(fresh(VAE), x, SHORT, loss=vae_loss, test_images=x, on_epoch=on_epoch)
    assert seen == [(1, 1, 1), (2, 2, 2)]
    for record in (history.train, history.test):
        assert set(record) == {"total", "reconstruction", "kl"}
        for total, reconstruction, kl in zip(*(record[k] for k in ("total", "reconstruction", "kl")), strict=True):
            assert total == pytest.approx(reconstruction + kl, rel=1e-5)
    assert history.seconds > 0 and not history.interrupted and history.recipe == SHORT


def test_history_is_the_mean_per_image_also_with_a_short_last_batch(train_digits):
    """250 images in batches of 100: with a rate of nearly 0 the record is the loss of the fresh model."""
    x, model = train_digits[0][:250], fresh()
    expected = autoencoder_loss(model, x)["total"].mean().item()
    history = fit(model, x, Recipe(epochs=1, batch_size=100, lr=1e-12), loss=autoencoder_loss, test_images=x)
    assert history.train["total"] == pytest.approx([expected], rel=1e-5)
    assert history.test["total"] == pytest.approx([expected], rel=1e-5)


def test_ctrl_c_ends_training_with_the_model_usable(tmp_path):
    code = (
        "import torch, os, signal\n"
        "from genlib.train import Recipe, fit\n"
        "from genlib.models import Autoencoder\n"
        "from genlib.losses import autoencoder_loss\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs start with it ignored
        "model = Autoencoder()\n"
        "def stop(epoch, model, history):\n"
        "    if epoch == 3: os.kill(os.getpid(), signal.SIGINT)\n"
        "recipe, x = Recipe(epochs=10**6, batch_size=10), torch.rand(50, 784)\n"
        "history = fit(model, x, recipe, loss=autoencoder_loss, on_epoch=stop)\n"
        "assert history.interrupted and history.epochs == 3 and not model.training\n"
        "assert torch.isfinite(model(torch.rand(2, 784))[1]).all()\n"
        "print('usable')\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert result.stdout == "usable\n", result.stderr


def test_data_and_loss_that_are_not_finite_are_placed():
    x = torch.rand(30, 784)
    bad = x.clone()
    bad[17, 3] = torch.nan
    with pytest.raises(FloatingPointError, match=r"1 rows of images .* row 17"):
        fit(fresh(), bad, SHORT, loss=autoencoder_loss)

    def loss(model, batch):
        return {"total": autoencoder_loss(model, batch)["total"] / (1 if len(batch) == 10 else 0)}

    model = fresh()
    with pytest.raises(FloatingPointError, match="loss is inf in epoch 1, batch 3"):
        fit(model, x[:25], replace(SHORT, batch_size=10), loss=loss)
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.parametrize("call, message", [
    (lambda: fit(fresh(), torch.rand(2, 784), "fast", loss=autoencoder_loss), r"'fast', expected a Recipe or one of"),
    (lambda: fit(fresh(), torch.rand(2, 28, 28), "quick", loss=autoencoder_loss), r"images of shape \(2, 28, 28\)"),
    (lambda: fit(fresh(), torch.rand(0, 784), "quick", loss=autoencoder_loss), "N >= 1"),
    (lambda: Recipe(epochs=0), "got epochs=0"),
    (lambda: Recipe(lr=-1.0), "got lr=-1.0"),
    (lambda: Recipe(lr=math.inf), "got lr=inf"),
    (lambda: Recipe(epochs=2.0), "got epochs=2.0, expected a whole number of at least 1"),
    (lambda: Recipe(batch_size="64"), "got batch_size='64', expected a whole number"),
    (lambda: Recipe(seed=0.5), "got seed=0.5, expected a whole number of at least 0"),
    (lambda: fit(nn.Flatten(), torch.rand(2, 784), SHORT, loss=autoencoder_loss), "got a Flatten without parameters"),
    (lambda: fit(fresh(), 255 * torch.rand(2, 784), SHORT, loss=autoencoder_loss),
     r"got images of torch.float32 from .* to 2\d\d.*, expected floats from -1 to 1.*: images / 127.5 - 1"),
    (lambda: fit(fresh(), torch.ones(2, 784, dtype=torch.uint8), SHORT, loss=autoencoder_loss),
     r"got images of torch.uint8 from 1 to 1, expected floats from -1 to 1.*: images / 127.5 - 1"),
    (lambda: fit(fresh(), torch.rand(2, 784), SHORT, loss=autoencoder_loss, test_images=1.5 * torch.ones(2, 784)),
     r"got test_images of torch.float32 from 1.5 to 1.5.*: test_images.clamp\(-1, 1\)"),
    (lambda: fit(fresh(), torch.rand(2, 784), SHORT, loss=lambda model, x: {"total": model(x)[1].square().mean()}),
     r"'total' of shape \(\) for 2 images, expected \(2,\): one number per image, without a mean"),
    (lambda: fit(fresh(), torch.rand(2, 784), SHORT, loss=lambda model, x: model(x)[1].square().sum(1)),
     'the loss returned Tensor, expected a dict of tensors, one of them named "total"'),
    (lambda: fit(fresh(), torch.rand(2, 784), SHORT, loss=lambda model, x: {"se": model(x)[1].square().sum(1)}),
     r"the loss returned the terms \['se'\]"),
])  # fmt: skip
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_images_of_numpy_are_refused_with_the_way_out():
    for images in (np.zeros((2, 784), np.float32), [[0.0] * 784] * 2):
        with pytest.raises(TypeError, match=r"images as (numpy.ndarray|builtins.list), .* torch.as_tensor\(images\)"):
            fit(fresh(), images, SHORT, loss=autoencoder_loss)


def test_whole_numbers_of_numpy_are_whole_numbers():
    recipe = Recipe(epochs=np.int64(2), seed=np.int32(3))
    assert json.loads(json.dumps(asdict(recipe)))["epochs"] == 2 and recipe == Recipe(epochs=2, seed=3)


def test_a_model_without_biases_is_trained_by_muon_alone():
    model = nn.Sequential(nn.Linear(784, 4, bias=False), nn.Linear(4, 784, bias=False))
    before = model[0].weight.clone()
    fit(model, torch.rand(20, 784), replace(PRESETS["quick"], epochs=1),
        loss=lambda model, x: {"total": squared_error(model(x), x)})  # fmt: skip
    assert not torch.equal(model[0].weight, before)


def test_ctrl_c_between_training_and_testing_leaves_records_of_equal_length():
    def loss(model, x):
        if not model.training and calls.pop() == 0:
            raise KeyboardInterrupt
        return autoencoder_loss(model, x)

    calls = [0, 1]
    history = fit(fresh(), torch.rand(20, 784), SHORT, loss=loss, test_images=torch.rand(20, 784))
    assert history.interrupted and len(history.train["total"]) == len(history.test["total"]) == 1


def test_recipes_are_frozen_and_the_source_is_the_sources():
    source = PRESETS["source"]
    assert (source.epochs, source.batch_size, source.lr, source.muon_lr, source.one_cycle) == (100, 128, 1e-3, 0, False)
    with pytest.raises(FrozenInstanceError):
        source.epochs = 3
    with pytest.raises(TypeError):
        Recipe(learning_rate=1)

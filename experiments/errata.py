"""Measure what the errata say of the source's two VAE losses, and merge it into results.json.

python experiments/errata.py: about a minute on one core.
"""

from dataclasses import replace
from functools import partial

import torch
from results import merge

from genlib.data import load_mnist
from genlib.losses import squared_error, vae_loss
from genlib.models import VAE
from genlib.train import Recipe, fit

RECIPE = Recipe(epochs=3)  # the source's rate and batch, few epochs: a collapse shows at once
IMAGES, SEEDS = 10_000, range(5)
WEIGHTS = {"mean_loss": 1 / (784 * 128), "sum_loss": 1.0}  # c in c * SE + KL


def measure():
    """All numbers of the errata page, {key: list of values, one per seed}; in the units that `unit` states."""
    train, test = load_mnist()[0], load_mnist(train=False)[0]
    mean = train.mean(0)
    centred = (train - mean).double()
    mean_error = squared_error(mean.expand_as(train), train).mean().item()
    numbers = {
        "errata.mean_image.train": [mean_error],
        "errata.kl_bound": [mean_error * WEIGHTS["mean_loss"]],  # no minimum of the loss has a KL above it
        "errata.mean_image.test": [squared_error(mean.expand_as(test), test).mean().item()],
        "errata.top_variance": [torch.linalg.eigvalsh(centred.T @ centred / len(train))[-1].item()],
    }
    for name, c in WEIGHTS.items():
        for seed in SEEDS:
            torch.manual_seed(seed)
            loss, recipe = partial(vae_loss, c=c), replace(RECIPE, seed=seed)
            history = fit(VAE(), train[:IMAGES], recipe, loss=loss, test_images=test, device="cpu")
            for term in ("reconstruction", "kl"):
                numbers.setdefault(f"errata.{name}.test.{term}", []).append(history.test[term][-1])
    return numbers


def unit(key):
    """What a number of this page is counted in."""
    return "nats per image" if "kl" in key else "squared error per image on [-1, 1]"


if __name__ == "__main__":
    merge(measure(), experiment="errata", unit=unit)

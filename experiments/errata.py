"""What the errata say of the source's two VAE losses."""

from dataclasses import replace
from functools import partial

import torch
from results import Experiment, last_epoch, shaped_by

from genlib import VAE, Recipe, fit, load_mnist, squared_error, vae_loss

RECIPE = Recipe(epochs=3)  # the source's rate and batch, few epochs: a collapse shows at once
IMAGES = 10_000
WEIGHTS = {"mean_loss": 1 / (784 * 128), "sum_loss": 1.0}  # c in c * SE + KL


def train(seed, *, c):
    """The terms of a VAE trained with c * SE + KL, after the last epoch."""
    images, test_images = load_mnist()[0][:IMAGES], load_mnist(train=False)[0]
    torch.manual_seed(seed)
    loss = partial(vae_loss, c=c)
    history = fit(VAE(), images, replace(RECIPE, seed=seed), loss=loss, test_images=test_images, device="cpu")
    values = last_epoch(history)
    return {term: values[term] for term in ("test.reconstruction", "test.kl")}


def bound(seed):
    """What needs no training: the error of the mean image, and the bounds that follow from the data alone."""
    images, test_images = load_mnist()[0], load_mnist(train=False)[0]
    mean = images.mean(0)
    centred = (images - mean).double()
    error = squared_error(mean.expand_as(images), images).mean().item()
    return {
        "mean_image.train": error,
        "kl_bound": error * WEIGHTS["mean_loss"],  # no minimum of the loss has a KL above it
        "mean_image.test": squared_error(mean.expand_as(test_images), test_images).mean().item(),
        "top_variance": torch.linalg.eigvalsh(centred.T @ centred / len(images))[-1].item(),
    }


def unit(term):
    return "nats per image" if "kl" in term else "squared error per image on [-1, 1]"


EXPERIMENTS = {
    f"errata.{name}": Experiment(partial(train, c=c), shaped_by(RECIPE, images=IMAGES, c=c), unit)
    for name, c in WEIGHTS.items()
}
EXPERIMENTS["errata"] = Experiment(bound, {"c": WEIGHTS["mean_loss"]}, unit, seeds=1)

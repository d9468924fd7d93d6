"""Losses of both models by recipe and number of latents."""

from dataclasses import replace
from functools import partial

import torch
from results import Experiment, last_epoch, shaped_by

from genlib import PRESETS, VAE, Autoencoder, autoencoder_loss, fit, load_mnist, squared_error, vae_loss


def plain_loss(model, x):
    """A VAE's layers trained as an autoencoder: the squared error from mu, without noise and KL."""
    return {"total": squared_error(model.decode(model.encode(x)[0]), x)}


def run(seed, *, model, latent_dim, loss, recipe):
    """The terms after the last epoch, "train.<term>" and "test.<term>".

    For a VAE's layers also "test.mean_se", the error of test images decoded from mu, without noise.
    """
    images, test_images = load_mnist()[0], load_mnist(train=False)[0]
    torch.manual_seed(seed)
    model = model(latent_dim=latent_dim)
    history = fit(model, images, replace(PRESETS[recipe], seed=seed), loss=loss, test_images=test_images, device="cpu")
    values = last_epoch(history)
    if isinstance(model, VAE):
        with torch.no_grad():
            values["test.mean_se"] = plain_loss(model, test_images)["total"].mean().item()
    return values


def unit(term):
    """What a VAE minimises is a sum of two kinds, in nats once its noise is fixed (chapter 3)."""
    return "nats per image" if term.endswith(".kl") else "per image, pixels on [-1, 1]"


def experiment(model, latent_dim, loss, recipe):
    shape = shaped_by(PRESETS[recipe], model=model.__name__, latent_dim=latent_dim, loss=loss.__name__)
    settings = {"model": model, "latent_dim": latent_dim, "loss": loss, "recipe": recipe}
    return Experiment(partial(run, **settings), shape, unit)


EXPERIMENTS = {  # the long ones first
    "vae.source": experiment(VAE, 20, vae_loss, "source"),
    "autoencoder.source": experiment(Autoencoder, 3, autoencoder_loss, "source"),
    "vae.quick": experiment(VAE, 20, vae_loss, "quick"),
    "vae3.quick": experiment(VAE, 3, vae_loss, "quick"),
    "plain.quick": experiment(VAE, 20, plain_loss, "quick"),
    "plain3.quick": experiment(VAE, 3, plain_loss, "quick"),
    "autoencoder.quick": experiment(Autoencoder, 3, autoencoder_loss, "quick"),
}

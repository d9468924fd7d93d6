"""Losses of both models by recipe and number of latents, and how clear the digits are that their codes give."""

from dataclasses import replace
from functools import partial

import torch
from results import Experiment, last_epoch, shaped_by

from genlib import PRESETS, VAE, Autoencoder, autoencoder_loss, fit, judge, load_mnist, squared_error, vae_loss


def plain_loss(model, x):
    """A VAE's layers trained as an autoencoder: the squared error from mu, without noise and KL."""
    return {"total": squared_error(model.decode(model.encode(x)[0]), x)}


def run(seed, *, model, latent_dim, loss, recipe):
    """The terms after the last epoch, "train.<term>" and "test.<term>", and for a VAE's layers what `decoded` adds."""
    (images, labels), test_images = load_mnist(), load_mnist(train=False)[0]
    torch.manual_seed(seed)
    model = model(latent_dim=latent_dim)
    history = fit(model, images, replace(PRESETS[recipe], seed=seed), loss=loss, test_images=test_images, device="cpu")
    values = last_epoch(history)
    if isinstance(model, VAE):
        values |= {f"test.{term}": value for term, value in decoded(model, images, labels, test_images).items()}
    return values


@torch.no_grad()
def decoded(model, images, labels, test_images, n=500):
    """What mean codes of test images give, and how many of n random codes give clear digits.

    mean_se: the test error of images decoded from mu. clear_*: the share of images of which at
    least 12 of the 15 nearest training images carry one label; decoded from mu of test images,
    from N(0, I), and from a normal with the mean and covariance of all training mu.
    """
    mu, _ = model.encode(images)
    test_mu, _ = model.encode(test_images)
    noise = torch.randn(n, model.latent_dim)
    fitted = mu.mean(0) + noise @ torch.linalg.cholesky(mu.T.cov()).T
    terms = {"mean_se": squared_error(model.decode(test_mu), test_images).mean().item()}
    for name, z in (("test", test_mu[:n]), ("prior", noise), ("fitted", fitted)):
        votes = judge(model.decode(z), images, labels)["votes"]
        terms[f"clear_{name}"] = (votes >= 12).float().mean().item()
    return terms


def unit(term):
    """A share has no unit; what a VAE minimises is a sum of two kinds, in nats once its noise is fixed (chapter 3)."""
    name = term.partition(".")[2]
    if name.startswith("clear"):
        return "share of 500 images"
    return "nats per image" if name == "kl" else "per image, pixels on [-1, 1]"


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

"""A VAE with parts of its loss left out: one epoch of chapter 3's loop, and two latents to look at."""

from dataclasses import replace
from functools import partial

import torch
from results import Experiment, shaped_by

from genlib import VAE, Recipe, fit, kl_to_standard_normal, load_mnist, squared_error

RECIPE = Recipe(epochs=1)  # Adam, 1e-3, batches of 128, as chapter 3 writes it out
STEP = 0.05
WAYS = {"whole": {}, "no_kl": {"kl": 0}, "no_noise": {"noise": 0}, "averaged": {"c": 1 / (784 * 128)}}
# The models that chapter 3 shows first: two latents, with noise on the pixels (c) that is large enough to see what it
# does to the codes.
TWO_RECIPE = Recipe(epochs=20, batch_size=256, lr=4e-3, muon_lr=0.04, one_cycle=True)
TWO = {"images": 10_000, "latent_dim": 2, "hidden_dim": 128}
TWO_WAYS = {"plain": {"noise": 0, "kl": 0}, "noise": {"kl": 0}, "kl": {"noise": 0}, "both": {}}


def broken_loss(model, x, *, noise=1, kl=1, c=1.0):
    """c * squared error + KL, of which each part may be left out."""
    mu, logvar = model.encode(x)
    z = mu + noise * torch.randn_like(mu) * (0.5 * logvar).exp()
    return {"total": c * squared_error(model.decode(z), x) + kl * kl_to_standard_normal(mu, logvar)}


@torch.no_grad()
def look(model, test_images):
    """Of test images: the error decoded from mu, the KL, how wide the codes lie, how wide a posterior is.

    step: how much the picture changes when a code takes a random step of STEP times the spread in every latent.
    """
    mu, logvar = model.encode(test_images)
    spread, x_hat = mu.std(0).mean(), model.decode(mu)
    moved = model.decode(mu + STEP * spread * torch.randn_like(mu))
    return {
        "mean_se": squared_error(x_hat, test_images).mean().item(),
        "kl": kl_to_standard_normal(mu, logvar).mean().item(),
        "spread": spread.item(),
        "sigma": (0.5 * logvar).exp().median().item(),
        "step": squared_error(moved, x_hat).mean().item(),
    }


def run(seed, *, recipe, switches, images=None, **sizes):
    """What `look` finds of a VAE of these sizes, trained on so many images (default: all); switches: of the loss."""
    training_images, test_images = load_mnist()[0][:images], load_mnist(train=False)[0]
    torch.manual_seed(seed)
    model = VAE(**sizes)
    fit(model, training_images, replace(recipe, seed=seed), loss=partial(broken_loss, **switches), device="cpu")
    return look(model, test_images)


def unit(term):
    return {
        "mean_se": "per image, pixels on [-1, 1]",
        "kl": "nats per image",
        "spread": "standard deviation of a latent's mu over the test images, mean of the latents",
        "sigma": "median over latents and test images",
        "step": f"squared error per image between pictures, codes {STEP} times the spread apart in every latent",
    }[term]


def experiment(recipe, switches, **more):
    settings = {"recipe": recipe, "switches": switches, **more}
    return Experiment(partial(run, **settings), shaped_by(recipe, step=STEP, **switches, **more), unit)


EXPERIMENTS = {
    f"ablation.{name}": experiment(TWO_RECIPE, {"c": 0.1, **switches}, **TWO) for name, switches in TWO_WAYS.items()
}
EXPERIMENTS |= {f"broken.{name}": experiment(RECIPE, switches) for name, switches in WAYS.items()}

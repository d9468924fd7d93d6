"""A VAE whose pixels are Bernoulli variables, as in most public listings, and what its likelihood is.

grey: the usual PyTorch example, which puts grey levels where a Bernoulli variable has 0 or 1.
binary: the same layers on binarised digits, where the Bernoulli is a model of the data and log p(x) a number.
"""

from dataclasses import replace
from functools import partial

import torch
from results import Experiment, last_epoch, shaped_by
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from genlib import PRESETS, VAE, Recipe, fit, kl_to_standard_normal, load_mnist

SAMPLES = 5000  # importance samples an image
EXAMPLE = Recipe(epochs=10)  # Adam at 1e-3, batches of 128, as in the usual example
BINARY = PRESETS["quick"]


class BernoulliVAE(VAE):
    """genlib's VAE on pixels from 0 to 1; `decode` gives the logits of their probabilities of being 1."""

    def __init__(self):
        super().__init__()
        self.decoder[-1] = nn.Identity()


def loss(model, x, *, binarise):
    """The negative ELBO in nats, as `fit` takes it. x: (B, 784) on [-1, 1].

    binarise: draw each pixel anew, 1 with its grey level as the probability; otherwise the grey
    level itself stands in the cross-entropy.
    """
    x = (x + 1) / 2
    if binarise:
        x = torch.bernoulli(x)
    logits, mu, logvar = model(x)
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = kl_to_standard_normal(mu, logvar)
    return {"total": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}


def train(seed, recipe, *, binarise):
    """(model, {"train.<term>", "test.<term>"} after the last epoch)."""
    torch.manual_seed(seed)
    model, test = BernoulliVAE(), load_mnist(train=False)[0]
    history = fit(model, load_mnist()[0], replace(recipe, seed=seed), loss=partial(loss, binarise=binarise),
                  test_images=test, device="cpu")  # fmt: skip
    return model, last_epoch(history)


@torch.no_grad()
def log_likelihood(model, x, samples, chunk=500):
    """log p(x) of binary images by importance sampling from q(z|x); Burda, Grosse and Salakhutdinov 2016.

    x: (B, 784) of 0 and 1. Returns (B,), nats. Its expectation rises with `samples` towards log p(x).
    """
    found = []
    for one in x.split(1):
        mu, logvar = model.encode(one)
        q = Normal(mu, (0.5 * logvar).exp())
        weights = []
        for start in range(0, samples, chunk):
            z = q.sample((min(chunk, samples - start),)).squeeze(1)  # (chunk, 20)
            logits = model.decode(z)
            log_px = logits @ one[0] - F.softplus(logits).sum(1)
            weights.append(log_px + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(1))
        found.append(torch.cat(weights).logsumexp(0) - torch.tensor(float(samples)).log())
    return torch.stack(found)


def grey(seed):
    return train(seed, EXAMPLE, binarise=False)[1]


def binary(seed):
    """As `train`, and "test.log_likelihood" of the test digits, binarised once for all seeds."""
    model, values = train(seed, BINARY, binarise=True)
    grey_levels = (load_mnist(train=False)[0] + 1) / 2
    x = torch.bernoulli(grey_levels, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(seed)
    return values | {"test.log_likelihood": log_likelihood(model, x, SAMPLES).mean().item()}


def unit(term):
    return "nats per image"


EXPERIMENTS = {
    "bernoulli.binary": Experiment(
        binary, shaped_by(BINARY, pixels="1 with the grey level as probability", samples=SAMPLES), unit
    ),
    "bernoulli.grey": Experiment(grey, shaped_by(EXAMPLE, pixels="grey levels"), unit),
}

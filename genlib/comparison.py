"""Small models to compare in chapter 4: PCA, an autoencoder and a VAE, of four sizes of code, and how they draw.

`experiments/comparison.py` trains and scores them and writes the file that ships. The autoencoder and the VAE have the
same layers, 784-128-d-128-784.
"""

from dataclasses import dataclass
from importlib import resources

from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from genlib.models import PIXELS, read_weights

KINDS = ("pca", "autoencoder", "vae")
SIZES = (2, 3, 8, 20)  # numbers in the code
ORIGINS = ("prior", "gaussian", "mixture")  # of the codes: N(0, I); one Gaussian, or 50, fitted to training codes
MEASURES = ("recognised", "frechet", "density", "coverage", "edge_width", "distance")
ANCHORS = ("real", "blurred", "overlays", "noise")
HIDDEN = 128


@dataclass(frozen=True)
class Compared:
    """A decoder, and what its codes may be drawn from."""

    decoder: nn.Sequential  # (B, d) to images (B, 784)
    origins: dict[str, MixtureSameFamily]  # a density of codes (d,) for each of ORIGINS
    scores: dict[str, dict[str, float]]  # of 5000 images for each of ORIGINS: each of MEASURES


def load_comparison():
    """({kind: {d: Compared}}, {anchor: scores}), as they ship: of KINDS, SIZES and ANCHORS.

    Scores are those of `measures.scores` beside 5000 test digits, and "distance", the median distance from the nearest
    training image. Raises ValueError, with the file and the way out, if it is missing or damaged.
    """
    return read_weights(resources.files("genlib") / "weights" / "comparison.safetensors", _built)


def make_decoder(kind, d):
    """The decoder of one of KINDS for codes (B, d), with fresh weights."""
    if kind == "pca":
        return nn.Sequential(nn.Linear(d, PIXELS))
    return nn.Sequential(nn.Linear(d, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Tanh())


def mixture(weights, means, roots):
    """A mixture of K Gaussians: weights (K,), means (K, d), Cholesky factors of the covariances, roots (K, d, d)."""
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(means, scale_tril=roots))


def _built(tensors):
    models = {kind: {d: _compared(tensors, kind, d) for d in SIZES} for kind in KINDS}
    return models, {anchor: _named(tensors[f"scores.{anchor}"]) for anchor in ANCHORS}


def _compared(tensors, kind, d):
    place = f"{kind}.{d}"
    decoder = make_decoder(kind, d)
    decoder.load_state_dict({name: tensors[f"{place}.{name}"].float() for name in decoder.state_dict()})
    origins = {
        origin: mixture(*(tensors[f"{place}.{origin}.{part}"] for part in ("weights", "means", "roots")))
        for origin in ORIGINS
    }
    scores = {origin: _named(tensors[f"{place}.{origin}.scores"]) for origin in ORIGINS}
    return Compared(decoder.eval().requires_grad_(False), origins, scores)


def _named(scores):
    return dict(zip(MEASURES, scores.tolist(), strict=True))

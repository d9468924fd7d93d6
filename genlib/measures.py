"""How good images are: what the shipped classifier sees in them, and how they differ from the real digits as a set.

No measure here means anything alone: each stands beside what it says of the pictures in `genlib.anchors`. Sets are
compared at equal sizes, because each measure of a set depends on the size: a Fréchet distance of n images is too
large, the more so the smaller n, and two samples of the same digits have a coverage a little below 1.
"""

from functools import cache

import torch
from torch.nn import functional as F

from genlib.data import to_img
from genlib.models import load_pretrained

THRESHOLD = 0.5  # of the probability of the likeliest digit, above which an image counts as recognised


def read(x):
    """What the classifier reads in each image.

    x: (N, 784) on [-1, 1]. Returns {"digit": (N,), the likeliest of the ten; "confidence": (N,), its
    probability, where "no digit" is the eleventh possibility; "recognised": (N,), whether that exceeds
    THRESHOLD}, on the CPU.
    """
    return _read(features(x))


@torch.no_grad()
def features(x):
    """The classifier's features of images (N, 784): (N, 64), on the CPU, without unit."""
    return torch.cat([_classifier().features(part) for part in x.cpu().float().split(5000)])


def frechet_distance(a, b):
    """The squared Fréchet distance of two sets of features, taken for Gaussians; Heusel et al. 2017.

    |m_a - m_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2)), of means m and covariances S. a: (N, d).
    b: (M, d). Returns a number >= 0, too large by about as much as that of two halves of one set.
    Raises ValueError for other shapes, or fewer than d + 1 images in either set.
    """
    _check("frechet_distance", a, b, 1)
    if min(len(a), len(b)) <= (d := a.shape[1]):
        got = f"{len(a)} and {len(b)} images of {d} features each"
        raise ValueError(
            f"frechet_distance: got {got}, expected at least {d + 1} in both sets, one more than features: "
            "take more images"
        )
    (mean_a, S_a), (mean_b, S_b) = ((f.double().mean(0), f.double().T.cov()) for f in (a, b))
    values, vectors = torch.linalg.eigh(S_a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    mixed = torch.linalg.eigvalsh(root @ S_b @ root).clamp(min=0).sqrt().sum()  # trace of (S_a S_b)^(1/2)
    return ((mean_a - mean_b).square().sum() + S_a.trace() + S_b.trace() - 2 * mixed).clamp(min=0).item()


def density_coverage(a, real, k=5):
    """How densely the features `a` lie among real ones, and how many of the real ones they cover; Naeem et al. 2020.

    Around each real feature lies a ball that reaches to its k-th nearest real neighbour. Density: in how many
    balls an `a` lies on average, divided by k (expected: 1 for real digits; it may exceed 1). Coverage: the share
    of the balls that hold an `a` (expected: 1 - 2^-k for as many real digits). a: (N, d). real: (M, d).
    Returns both. Raises ValueError for other shapes, or no more than k real features.
    """
    _check("density_coverage", a, real, k + 1)
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=1).values  # the nearest is the feature itself
    inside = torch.cdist(a, real) < radius
    return inside.double().sum(1).mean().item() / k, inside.any(0).double().mean().item()


def balance(digit):
    """The shares of the rarest and of the commonest digit; digit: (N,), as `read` gives them."""
    shares = digit.cpu().bincount(minlength=10).double() / len(digit)
    return shares.min().item(), shares.max().item()


def neighbour_vote(x, images, labels, k=15):
    """What the k nearest images, pixel by pixel, say of each of x: a measure that chapter 4 shows to be fooled.

    x: (B, 784). images: (N, 784), labels: (N,), of digits. Returns {"digit": (B,), the commonest label among the k,
    "votes": (B,), how many of the k have it}, on the device of images. Raises ValueError for other shapes, or fewer
    than k images.
    """
    _check("neighbour_vote", x, images, k)
    index = [torch.cdist(part.to(images.device), images).topk(k, largest=False).indices for part in x.split(500)]
    votes, digit = F.one_hot(labels.long()[torch.cat(index)], 10).sum(1).max(1)
    return {"digit": digit, "votes": votes}


def edge_width(x):
    """How wide the edges of the strokes are in each image: a measure of blur.

    6 sum(i (1 - i)) / sum(|grad i|), of the ink i, from 0 to 1 of the image's brightest pixel: on an edge along which
    the ink rises evenly over w pixels that is w. x: (N, 784) on [-1, 1]. Returns (N,), in pixels; 0 for an image
    without edges. It judges no shape: a sharp scribble has sharp edges. Grey strokes beside bright ones count as wide.
    """
    ink = to_img(x)[:, 0]
    ink = ink / ink.amax((1, 2), keepdim=True).clamp(min=1e-6)
    around = F.pad(ink, (1, 1, 1, 1))
    right = (around[:, 1:-1, 2:] - around[:, 1:-1, :-2]) / 2
    down = (around[:, 2:, 1:-1] - around[:, :-2, 1:-1]) / 2
    slope = (right.square() + down.square()).sqrt().sum((1, 2))
    return 6 * (ink * (1 - ink)).sum((1, 2)) / slope.clamp(min=1e-6)


def scores(x, real):
    """All measures of a set of images beside as many real digits.

    x: (N, 784) on [-1, 1]. real: (N, 64), the `features` of the real digits, which serve for every set beside them.
    Returns {"recognised": the share of x, "frechet", "density", "coverage", "rarest", "commonest": shares of the
    digits, "edge_width": the median, in pixels}. Raises ValueError for sets of different sizes.
    """
    if len(x) != len(real):
        raise ValueError(f"scores: got {len(x)} images and {len(real)} real ones, expected as many of each")
    found = features(x)
    seen = _read(found)
    density, coverage = density_coverage(found, real)
    rarest, commonest = balance(seen["digit"])
    return {
        "recognised": seen["recognised"].double().mean().item(),
        "frechet": frechet_distance(found, real),
        "density": density,
        "coverage": coverage,
        "rarest": rarest,
        "commonest": commonest,
        "edge_width": edge_width(x).median().item(),
    }


def nearest(x, images):
    """Is an image a copy? The image of `images` nearest to each of x, pixel by pixel.

    x: (B, 784). images: (N, 784). Returns Euclidean distances (B,) and indices (B,), on the device of images. An exact
    copy lies at 0; what is usual is the distance of digits that were never seen. Raises ValueError for other shapes.
    """
    _check("nearest", x, images, 1)
    distance, index = zip(*(torch.cdist(part.to(images.device), images).min(1) for part in x.split(500)), strict=True)
    return torch.cat(distance), torch.cat(index)


@cache
def _classifier():
    return load_pretrained("classifier")


@torch.no_grad()
def _read(found):
    """What `read` returns, of images whose features (N, 64) are known."""
    probabilities = torch.cat([_classifier().head(part).softmax(1) for part in found.split(5000)])
    confidence, digit = probabilities[:, :10].max(1)
    return {"digit": digit, "confidence": confidence, "recognised": confidence > THRESHOLD}


def _check(function, a, b, least):
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or len(a) < 1 or len(b) < least:
        got = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise ValueError(f"{function}: got {got}, expected (N, d) and (M, d), M at least {least}")

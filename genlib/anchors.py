"""Pictures whose answer is known, good and bad: what a measure says of them is what it can tell.

All take and return images (N, 784) on [-1, 1], and raise ValueError for other shapes.
"""

import torch
from torch.nn import functional as F

from genlib.data import to_img

KINDS = (
    "real", "blurred", "thinner", "thicker",
    "overlays", "averages", "halves", "quarter_turns", "mirrored", "noise",
)  # fmt: skip


def anchors(images, labels):
    """{kind: images (N, 784)}: the digits themselves, altered digits, and pictures made of two digits or of none.

    images: (N, 784) on [-1, 1]. labels: (N,), of at least two kinds. Partners and noise come from torch's generator.
    """
    others = images[strangers(labels)]
    made = (
        images, blurred(images), thinner(images), thicker(images),
        overlays(images, others), averages(images, others), halves(images, others),
        quarter_turns(images), mirrored(images), noise(images),
    )  # fmt: skip
    return dict(zip(KINDS, made, strict=True))


def strangers(labels):
    """For each image the index of a random one with another label; labels: (N,), of at least two kinds."""
    if labels.ndim != 1 or len(labels.unique()) < 2:
        raise ValueError(f"strangers: got {tuple(labels.shape)} labels, expected (N,) of at least two kinds")
    partners = torch.randint(len(labels), labels.shape, device=labels.device)
    while (same := labels[partners] == labels).any():
        partners[same] = torch.randint(len(labels), (int(same.sum()),), device=labels.device)
    return partners


def overlays(a, b):
    """Two digits written over each other: the brighter pixel of each pair."""
    return torch.maximum(*_pair("overlays", a, b))


def averages(a, b):
    """Two digits mixed half and half."""
    return torch.stack(_pair("averages", a, b)).mean(0)


def halves(a, b):
    """The top half of one digit above the bottom half of another."""
    a, b = _pair("halves", a, b)
    return torch.cat([a[:, : 14 * 28], b[:, 14 * 28 :]], 1)


def blurred(x, sigma=1.0):
    """Blurred by a Gaussian with a standard deviation of `sigma` pixels."""
    t = torch.arange(-4.0, 5.0, device=x.device)
    kernel = torch.exp(-t.square() / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    ink = F.conv2d(to_img(x), kernel.view(1, 1, 1, 9), padding=(0, 4))  # black, 0, lies around the picture
    ink = F.conv2d(ink, kernel.view(1, 1, 9, 1), padding=(4, 0))
    return 2 * ink.flatten(1) - 1


def thicker(x):
    """Strokes about one pixel thicker: each pixel becomes the brightest of 2 x 2."""
    return 2 * F.max_pool2d(F.pad(to_img(x), (0, 1, 0, 1)), 2, 1).flatten(1) - 1


def thinner(x):
    """Strokes about one pixel thinner: each pixel becomes the darkest of 2 x 2."""
    return 1 - 2 * F.max_pool2d(F.pad(1 - to_img(x), (0, 1, 0, 1), value=1.0), 2, 1).flatten(1)


def quarter_turns(x):
    """Turned to the left by 90 degrees."""
    return 2 * to_img(x).rot90(1, (2, 3)).flatten(1) - 1


def mirrored(x):
    """Left and right exchanged. A mirrored 0, 1 or 8 is often a digit still."""
    return 2 * to_img(x).flip(3).flatten(1) - 1


def noise(x):
    """As many pictures whose pixels are independent and uniform."""
    return 2 * torch.rand_like(x) - 1


# What a model could draw to please one measure: chapter 4 breaks each measure by one of these.


def repeated(x):
    """The first image, as often as there are images."""
    return x[:1].expand(len(x), -1)


def moved(x):
    """Each image one pixel further right: to the eye the same, and far away pixel by pixel."""
    return 2 * F.pad(to_img(x), (1, -1)).flatten(1) - 1


def half_noise(x):
    """Every other image replaced by noise."""
    return torch.where((torch.arange(len(x), device=x.device) % 2 == 0)[:, None], x, noise(x))


def _pair(function, a, b):
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 784:
        raise ValueError(f"{function}: got shapes {tuple(a.shape)} and {tuple(b.shape)}, expected (N, 784) twice")
    return a, b

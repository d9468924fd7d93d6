"""How the shipped classifier is trained: to read digits, and to refuse pictures made of two digits.

It sees the training images alone. Digits are shifted, turned, thinned, thickened, blurred and dimmed, and stay
digits; of each batch it also sees two kinds of counterfeits, overlays and splices. Averages, turned and mirrored
digits and noise are no part of its training, so that they can test it.
"""

import math

import torch
from torch.nn import functional as F

from genlib import anchors
from genlib.data import to_img
from genlib.models import Classifier
from genlib.train import Recipe

RECIPE = Recipe(epochs=12, batch_size=256, lr=4e-3, one_cycle=True)


def rows(images, labels):
    """Images (N, 784) and labels (N,) as `fit` takes them: (N, 785), the label last."""
    return torch.cat([images, labels[:, None].to(images)], 1)


def classifier_loss(model, rows):
    """Cross-entropy in nats of each digit and of one counterfeit made from it: {"total", "digit", "counterfeit"}.

    rows: (B, 785), an image and its label each. All (B,).
    """
    images, labels = rows[:, :-1], rows[:, -1].long()
    others = images[anchors.strangers(labels)]
    third = len(images) // 3  # overlays are learned quickly, splices are not
    fakes = torch.cat([_overlays(images[:third], others[:third]), _splices(images[third:], others[third:])])
    digit = F.cross_entropy(model(_altered(images)), labels, reduction="none")
    none = torch.full_like(labels, Classifier.NO_DIGIT)
    counterfeit = F.cross_entropy(model(_altered(fakes)), none, reduction="none")
    return {"total": digit + counterfeit, "digit": digit, "counterfeit": counterfeit}


def _overlays(a, b):
    """Overlays in which the second digit is anything from half to fully as bright as the first."""
    strength = 0.5 + 0.5 * torch.rand(len(a), 1, device=a.device)
    return anchors.overlays(a, (b + 1) * strength - 1)


def _splices(a, b):
    """One digit on this side of a line near the middle and another beyond it; every other seam is soft."""
    n = len(a)
    angle, offset = 2 * math.pi * _uniform(n, a), 4 * (2 * _uniform(n, a) - 1)
    width = torch.where(_uniform(n, a) < 0.5, 0.05, 3.5 * _uniform(n, a) + 0.05)  # of the seam, in pixels
    r = torch.arange(28, device=a.device) - 13.5
    distance = angle.sin() * r[:, None].expand(28, 28) + angle.cos() * r - offset  # (n, 28, 28)
    weight = torch.sigmoid(distance / width).flatten(1)
    return weight * a + (1 - weight) * b


def _altered(x):
    """Pictures moved, thinned or thickened, blurred and dimmed, each at random and each within what stays readable."""
    x = _moved(x)
    kind = _uniform(len(x), x)[:, 0]
    x = torch.where(kind < 0.2, anchors.thicker(x), torch.where(kind > 0.85, anchors.thinner(x), x))
    blur = torch.randint(6, (len(x),), device=x.device)
    for number, sigma in enumerate((0.6, 1.0, 1.5)):
        x = torch.where((blur == number)[:, None], anchors.blurred(x, sigma), x)
    dimmed = torch.where(_uniform(len(x), x) < 0.5, 0.6 + 0.4 * _uniform(len(x), x), 1.0)[:, :, 0]
    return (x + 1) * dimmed - 1


def _moved(x):
    """Turned by up to 12 degrees, slanted, scaled by up to 12 % and shifted by up to 2 pixels."""
    n = len(x)
    angle, scale, slant = (2 * _uniform(n, x)[:, 0, 0] - 1 for _ in range(3))
    angle, scale, slant = angle * math.radians(12), 1 + 0.12 * scale, 0.2 * slant
    shift = (2 * torch.rand(n, 2, device=x.device) - 1) * 2 / 14  # the picture reaches from -1 to 1
    c, s = angle.cos() / scale, angle.sin() / scale
    maps = torch.stack([c, slant - s, shift[:, 0], s, c, shift[:, 1]], 1).view(n, 2, 3)
    grid = F.affine_grid(maps, (n, 1, 28, 28), align_corners=False)
    return 2 * F.grid_sample(to_img(x), grid, align_corners=False).flatten(1) - 1


def _uniform(n, like):
    return torch.rand(n, 1, 1, device=like.device)

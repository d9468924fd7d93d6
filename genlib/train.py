"""Training: recipes, the loop, and what it records."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral

import torch
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR
from tqdm.auto import tqdm

from genlib.data import check_pixels


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. The defaults are the source tutorial's; see PRESETS."""

    epochs: int = 100  # passes over the images
    batch_size: int = 128  # images a step
    lr: float = 1e-3  # Adam's rate (the peak with one_cycle); Kingma and Ba 2015
    muon_lr: float = 0.0  # Muon's rate for the weight matrices (Jordan et al. 2024); 0: Adam alone
    muon_steps: int = 3  # Newton-Schulz steps; torch's default 5 is slower and no better here
    one_cycle: bool = False  # rates rise and fall once over the whole training (Smith 2018)
    seed: int = 0  # order of the images and noise of the VAE; the initial weights are the caller's

    def __post_init__(self):
        for name, least in {"epochs": 1, "batch_size": 1, "muon_steps": 1, "seed": 0}.items():
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"Recipe: got {name}={value!r}, expected a whole number of at least {least}")
            object.__setattr__(self, name, int(value))  # frozen; json knows no integers of numpy's
        if not 0 < self.lr < math.inf or not 0 <= self.muon_lr < math.inf:
            raise ValueError(f"Recipe: got lr={self.lr!r}, muon_lr={self.muon_lr!r}, expected > 0 and >= 0, finite")


PRESETS = {
    "source": Recipe(),
    "quick": Recipe(epochs=10, batch_size=512, lr=4e-3, muon_lr=0.04, one_cycle=True),
}


@dataclass
class History:
    """What `fit` records: per epoch the mean per image of every term of the loss.

    train is averaged while the weights still move; test is measured after the epoch.
    """

    recipe: Recipe
    device: str
    train: dict[str, list[float]] = field(default_factory=dict)
    test: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def epochs(self):
        """Epochs completed."""
        return len(self.train.get("total", []))


def fit(model, images, recipe, *, loss, test_images=None, device="auto", on_epoch: Callable | None = None):
    """Train `model` on `images` and return the History; the model is changed in place.

    images, test_images: (N, 784), kept on the device as one tensor. recipe: a Recipe or the
    name of a preset. loss(model, x): named per-image terms, each (B,), one called "total".
    device: "auto" takes CUDA, then MPS, then the CPU; the model comes back to where it was.
    on_epoch(epoch, model, history) is called after each epoch, counted from 1, with the model
    on history.device.

    Runs repeat exactly on one machine: each epoch seeds torch's generators from recipe.seed,
    so that evaluation or on_epoch cannot change the training. Ctrl-C ends the training with
    the model usable. Raises ValueError or TypeError for bad arguments, such as images that do not
    lie on [-1, 1] or a loss that is averaged already, and FloatingPointError, naming the place,
    where data or loss are not finite.
    """
    recipe = _preset(recipe)
    _check_images("images", images)
    if test_images is not None:
        _check_images("test_images", test_images)
    if not any(True for _ in model.parameters()):
        raise ValueError(f"fit: got a {type(model).__name__} without parameters, expected a model that can be trained")
    home = next(model.parameters()).device
    device = _pick(device)
    history = History(recipe, str(device))
    images = images.to(device)
    test_images = None if test_images is None else test_images.to(device)
    model.to(device)
    steps = -(-len(images) // recipe.batch_size)
    optimizers = _optimizers(model, recipe)
    schedules = [_schedule(optimizer, recipe, steps) for optimizer in optimizers]
    # Drawn, not counted up: torch's CPU generator looks at the low 32 bits of a seed alone.
    seeds = torch.randint(2**32, (recipe.epochs,), generator=torch.Generator().manual_seed(recipe.seed)).tolist()
    start = time.perf_counter()
    quiet = bool(os.environ.get("TQDM_DISABLE"))  # tqdm itself obeys it in a terminal, not in a notebook
    bar = tqdm(total=recipe.epochs * steps, unit="batch", leave=False, disable=quiet)
    try:
        for epoch in range(1, recipe.epochs + 1):
            torch.manual_seed(seeds[epoch - 1])
            model.train()
            sums = {}
            shuffled = images[torch.randperm(len(images)).to(device)]
            for step, x in enumerate(shuffled.split(recipe.batch_size), 1):
                terms = _checked_terms(loss(model, x), len(x))
                total = terms["total"].mean()
                if not torch.isfinite(total):
                    raise FloatingPointError(
                        f"fit: the loss is {total.item()} in epoch {epoch}, batch {step}; the weights are those "
                        "before this batch. Lower the rate or look at the model's outputs."
                    )
                for optimizer in optimizers:
                    optimizer.zero_grad()
                total.backward()
                for stepper in (*optimizers, *schedules):
                    stepper.step()
                for name, term in terms.items():
                    sums[name] = sums.get(name, 0) + term.detach().sum()
                bar.update()
            tested = {} if test_images is None else _evaluate(model, test_images, loss)
            _record(history.train, sums, len(images))  # once both are known: Ctrl-C may come in between
            if test_images is not None:
                _record(history.test, tested, len(test_images))
            bar.set_postfix(epoch=epoch, loss=f"{history.train['total'][-1]:.2f}")
            if on_epoch is not None:
                on_epoch(epoch, model, history)
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        bar.close()
        model.to(home).eval()
        history.seconds = time.perf_counter() - start
    return history


@torch.no_grad()
def _evaluate(model, images, loss):
    """Sums over the images of every term of the loss, in eval mode."""
    model.eval()
    sums = {}
    for x in images.split(5000):
        for name, term in _checked_terms(loss(model, x), len(x)).items():
            sums[name] = sums.get(name, 0) + term.sum()
    return sums


def _record(record, sums, n):
    for name, value in sums.items():
        record.setdefault(name, []).append(float(value) / n)


def _optimizers(model, recipe):
    """Adam for all, or Muon for the matrices and Adam for the rest."""
    matrices = [p for p in model.parameters() if recipe.muon_lr and p.ndim == 2]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in taken]
    optimizers = [torch.optim.Adam(rest, lr=recipe.lr, fused=True)] if rest else []
    if matrices:
        # weight_decay=0: torch's default of 0.1 would shrink the weights, which the source does not.
        optimizers.append(torch.optim.Muon(matrices, lr=recipe.muon_lr, weight_decay=0.0, ns_steps=recipe.muon_steps))
    return optimizers


def _schedule(optimizer, recipe, steps):
    if not recipe.one_cycle:
        return LambdaLR(optimizer, lambda step: 1.0)
    # cycle_momentum=False: Muon's momentum and Adam's betas stay as they are.
    peak, total = optimizer.param_groups[0]["lr"], recipe.epochs * steps + 1  # + 1: it steps once when made
    return OneCycleLR(optimizer, peak, total_steps=total, cycle_momentum=False)


def _preset(recipe):
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in PRESETS:
        raise ValueError(f"fit: got recipe {recipe!r}, expected a Recipe or one of {sorted(PRESETS)}")
    return PRESETS[recipe]


def _pick(device):
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _checked_terms(terms, n):
    """The terms of the loss of n images, if each is one number per image: of a mean, the record would be wrong."""
    if not isinstance(terms, dict) or "total" not in terms:
        got = f"the terms {sorted(terms)}" if isinstance(terms, dict) else type(terms).__name__
        raise ValueError(f'fit: the loss returned {got}, expected a dict of tensors, one of them named "total"')
    for name, term in terms.items():
        if tuple(term.shape) != (n,):
            got = f"{name!r} of shape {tuple(term.shape)} for {n} images"
            raise ValueError(f"fit: the loss returned {got}, expected ({n},): one number per image, without a mean")
    return terms


def _check_images(name, images):
    if not isinstance(images, torch.Tensor):
        check_pixels("fit", name, images)
    if images.ndim != 2 or len(images) == 0:
        raise ValueError(f"fit: got {name} of shape {tuple(images.shape)}, expected (N, 784) with N >= 1")
    finite = torch.isfinite(images).all(1)
    if not finite.all():
        rows = (~finite).nonzero().flatten().tolist()
        raise FloatingPointError(
            f"fit: {len(rows)} rows of {name} hold values that are not finite, first row {rows[0]}"
        )
    check_pixels("fit", name, images[:, :784])  # what follows may be a label, see genlib.classifier

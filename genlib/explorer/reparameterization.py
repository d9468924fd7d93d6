"""Two ways to follow an expectation while mu moves: dots that slide, and dots that stay and are weighed anew."""

import math

import anywidget
import torch
import traitlets
from torch.distributions import Normal

from genlib.explorer import core, scripts
from genlib.plots import NEGATIVE, POSITIVE

_RANGES = {"mu": (-1.0, 2.5), "sigma": (0.3, 1.2)}
_STEP = 0.05
TARGET = 3.0  # f(z) = (z - TARGET)^2
DOTS = 24


class _ReparameterizationView(anywidget.AnyWidget):
    """Both panels, and the estimates of d/dmu E[f(z)] so far."""

    _esm = scripts.module("reparameterization")
    mu = traitlets.Float().tag(sync=True)
    sigma = traitlets.Float().tag(sync=True)
    start = traitlets.Dict().tag(sync=True)
    draw = traitlets.Int(20).tag(sync=True)  # which draw of epsilon is shown; those before it are remembered
    target = traitlets.Float(TARGET).tag(sync=True)
    dots = traitlets.Int(DOTS).tag(sync=True)
    colors = traitlets.List([POSITIVE, NEGATIVE]).tag(sync=True)


class ReparameterizationExplorer(core.Explorer):
    """Sliders for mu and sigma of z ~ N(mu, sigma^2), and two estimates of the gradient of E[(z - 3)^2] by mu.

    Above, the same epsilon slide along the curve with mu, and their slopes are averaged. Below, dots drawn at the
    start stay where they are; when mu moves they get other weights, and f(z) (z - mu) / sigma^2 is averaged
    (Williams 1992). mu: from -1 to 2.5, sigma: from 0.3 to 1.2, rounded to steps of 0.05. Raises ValueError for a
    number outside these ranges.
    """

    figsize = (7, 5)

    def __init__(self, *, mu=0.5, sigma=0.8):
        traits = core.normal_traits("ReparameterizationExplorer", {"mu": mu, "sigma": sigma}, _RANGES, _STEP)
        start = {name: slider["value"] for name, slider in traits.items()}
        self.view = _ReparameterizationView(**start, start=start)
        self.sliders, self._links = core.linked_sliders(self.view, traits)
        super().__init__([self.view, core.slider_box(self.sliders)])

    def estimates(self):
        """{"exact", "reparameterized", "score"}: the gradient by mu, and what the dots that are shown make of it."""
        mu, sigma = self.view.mu, self.view.sigma
        eps = noise(self.view.draw, self.view.dots)
        start = _normal(self.view.start["mu"], self.view.start["sigma"])
        fixed = start.mean + start.stddev * eps
        weight = (_normal(mu, sigma).log_prob(fixed) - start.log_prob(fixed)).exp()
        score = weight * (fixed - TARGET).square() * (fixed - mu) / sigma**2
        slopes = 2 * (mu + sigma * eps - TARGET)
        return {"exact": 2 * (mu - TARGET), "reparameterized": slopes.mean().item(), "score": score.mean().item()}

    def __repr__(self):
        return f"ReparameterizationExplorer(mu={self.view.mu:g}, sigma={self.view.sigma:g})"

    def _draw(self, figure):
        found = self.estimates()
        mu, sigma = self.view.start["mu"], self.view.start["sigma"]
        z = torch.linspace(-3, 5, 200)
        dots = mu + sigma * noise(self.view.draw, self.view.dots)
        for ax, name, color in zip(
            figure.subplots(2, sharex=True), ("reparameterized", "score"), (POSITIVE, NEGATIVE), strict=True
        ):
            ax.plot(z, (z - TARGET).square(), color="0.5")
            ax.plot(dots, (dots - TARGET).square(), "o", color=color, markersize=5)
            ax.set(ylabel="$f(z)$", title=f"{name}: {found[name]:.2f}, exact {found['exact']:.2f}", xlim=(-3, 5))
        ax.set_xlabel("$z$")


def _normal(mu, sigma):
    return Normal(torch.tensor(mu, dtype=torch.float64), sigma)


def noise(draw, n):
    """n standard normal numbers, the same ones that the view takes for its draw number `draw` (from 1 on)."""
    state, values = (draw * 0x9E3779B9) & 0xFFFFFFFF, []

    def uniform():  # mulberry32
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 4294967296

    for _ in range(n):
        radius, angle = math.sqrt(-2 * math.log(1 - uniform())), 2 * math.pi * uniform()
        values.append(radius * math.cos(angle))
    return torch.tensor(values, dtype=torch.float64)

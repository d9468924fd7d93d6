"""The bound that can be dragged: a guess at a posterior, and how log p(x) divides into its ELBO and its gap."""

import anywidget
import torch
import traitlets
from torch.distributions import Normal

from genlib.explorer import core, scripts
from genlib.losses import kl_normal
from genlib.plots import INK, NEGATIVE, POSITIVE, THIRD

_RANGES = {"mu": (-3.0, 3.0), "sigma": (0.1, 2.0)}
_STEP = 0.05
_DIGITS = 4  # shown of a value, as in elbo.js
_REACH, _POINTS = 16.0, 8001  # of the grid in z: beyond lies nothing, and the sine is smooth between its points


class _ElboView(anywidget.AnyWidget):
    """The curves over z, and the terms of the ELBO of q = N(mu, sigma^2)."""

    _esm = scripts.module("elbo")
    mu = traitlets.Float().tag(sync=True)
    sigma = traitlets.Float().tag(sync=True)
    x = traitlets.Float().tag(sync=True)
    noise = traitlets.Float().tag(sync=True)
    start = traitlets.Dict().tag(sync=True)
    limits = traitlets.Dict({part: list(ends) for part, ends in _RANGES.items()}).tag(sync=True)
    step = traitlets.Float(_STEP).tag(sync=True)
    colors = traitlets.List([POSITIVE, NEGATIVE, THIRD]).tag(sync=True)  # of ELBO and q, gap, posterior


class ElboExplorer(core.Explorer):
    """A guess q = N(mu, sigma^2) at a posterior, dragged or set by sliders, and log p(x) = ELBO + gap.

    The model is small enough to integrate: one latent with the prior N(0, 1), one pixel with
    p(x|z) = N(x; sin 2z, noise^2). mu: from -3 to 3, sigma: from 0.1 to 2, rounded to steps of 0.05.
    x: the pixel, from -2 to 2. noise: from 0.1 to 2. Values are in nats.
    Raises ValueError for a number outside these ranges.
    """

    figsize = (7, 4.6)

    def __init__(self, *, mu=0.6, sigma=0.4, x=0.9, noise=0.3):
        for name, value, low, high in (("x", x, -2, 2), ("noise", noise, 0.1, 2)):
            core.checked_range("ElboExplorer", name, value, low, high)
        traits = core.normal_traits("ElboExplorer", {"mu": mu, "sigma": sigma}, _RANGES, _STEP)
        start = {name: slider["value"] for name, slider in traits.items()}
        self.view = _ElboView(**start, start=start, x=float(x), noise=float(noise))
        self.sliders, self._links = core.linked_sliders(self.view, traits)
        super().__init__([self.view, core.slider_box(self.sliders)])

    @property
    def parameters(self):
        """The guess as it stands (with a kernel: as dragged): {"mu", "sigma"}."""
        return {name: slider.value for name, slider in zip(_RANGES, self.sliders, strict=True)}

    def terms(self):
        """What the view shows, by PyTorch's quadrature, in nats.

        {"log_px", "elbo", "gap", "likelihood": E_q[log p(x|z)], "kl": KL(q || p(z))}.
        """
        z, log_joint = self._grid()
        mu, sigma = self.parameters.values()
        q = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
        log_px = torch.trapezoid(log_joint.exp(), z).log()
        log_q = q.log_prob(z)
        log_likelihood = log_joint - Normal(0.0, 1.0).log_prob(z)
        likelihood = torch.trapezoid(log_q.exp() * log_likelihood, z)
        kl = kl_normal(q.mean, q.stddev, 0.0, 1.0)
        gap = torch.trapezoid(log_q.exp() * (log_q - log_joint + log_px), z)
        values = {"log_px": log_px, "elbo": likelihood - kl, "gap": gap, "likelihood": likelihood, "kl": kl}
        return {name: value.item() for name, value in values.items()}

    def __repr__(self):
        return f"ElboExplorer({', '.join(f'{name}={value:g}' for name, value in self.parameters.items())})"

    def _grid(self):
        z = torch.linspace(-_REACH, _REACH, _POINTS, dtype=torch.float64)
        x = torch.tensor(self.view.x, dtype=torch.float64)
        log_likelihood = Normal(torch.sin(2 * z), self.view.noise).log_prob(x)
        return z, log_likelihood + Normal(0.0, 1.0).log_prob(z)

    def _draw(self, figure):
        z, log_joint = self._grid()
        terms, (mu, sigma) = self.terms(), self.parameters.values()
        top, bottom = figure.subplots(2, height_ratios=(4, 1))
        top.plot(z, Normal(0.0, 1.0).log_prob(z).exp(), "--", color=INK, label="$p(z)$")
        top.fill_between(z, (log_joint - terms["log_px"]).exp(), color=THIRD, alpha=0.35, label=r"$p(z\mid x)$")
        top.plot(z, Normal(mu, sigma).log_prob(z).exp(), color=POSITIVE, label=r"$q(z\mid x)$")
        top.set(xlim=(-4, 4), ylim=(0, None), xlabel="$z$")
        top.legend(frameon=False, loc="upper left")
        low = min(-3.0, terms["elbo"] - 0.5)
        bottom.barh(0, terms["elbo"] - low, left=low, color=POSITIVE, alpha=0.7)
        bottom.barh(0, terms["gap"], left=terms["elbo"], color=NEGATIVE, alpha=0.7)
        bottom.axvline(terms["log_px"], color="0.1", linewidth=2)
        bottom.set(xlim=(low, 0), yticks=[], xlabel="nat")
        log_px, elbo = round(terms["log_px"], _DIGITS), round(terms["elbo"], _DIGITS)
        gap = log_px - elbo  # not rounded by itself, so that the sum is right
        parts = (f"${value:.{_DIGITS}f}$" for value in (elbo, gap, log_px))
        bottom.set_title("ELBO {} + gap {} = $\\log p(x)$ {}".format(*parts), fontsize=11)

"""Two Gaussians to drag, the integrand of their KL divergence, and the values of both its directions."""

import anywidget
import torch
import traitlets
from torch.distributions import Normal

from genlib.explorer import core, scripts
from genlib.losses import kl_normal
from genlib.plots import INK, NEGATIVE, POSITIVE

_RANGES = {"mu": (-3.0, 3.0), "sigma": (0.2, 2.0)}  # within kl.js's axis from -8 to 8, with 2.5 sigma to spare
_STEP = 0.05


class _KLView(anywidget.AnyWidget):
    """The drawing and the values, of p = N(mu1, sigma1^2) and q = N(mu2, sigma2^2)."""

    _esm = scripts.module("kl")
    mu1 = traitlets.Float().tag(sync=True)
    sigma1 = traitlets.Float().tag(sync=True)
    mu2 = traitlets.Float().tag(sync=True)
    sigma2 = traitlets.Float().tag(sync=True)
    reverse = traitlets.Bool(False).tag(sync=True)  # whether KL(q || p) is the direction that is shaded
    colors = traitlets.List([POSITIVE, NEGATIVE]).tag(sync=True)
    limits = traitlets.Dict({part: list(ends) for part, ends in _RANGES.items()}).tag(sync=True)
    step = traitlets.Float(_STEP).tag(sync=True)


class KLExplorer(core.Explorer):
    """Two Gaussians p and q, to be taken by their curves or by sliders, the integrand p log(p / q) and both KLs.

    mu1, sigma1: mean and standard deviation of p; mu2, sigma2: those of q. Means from -3 to 3, standard
    deviations from 0.2 to 2, rounded to the sliders' step of 0.05. Values and areas are in nats.
    Raises ValueError for a number outside these ranges.
    """

    figsize = (7, 4.4)

    def __init__(self, *, mu1=1.0, sigma1=0.8, mu2=-0.5, sigma2=1.5):
        given = {"mu1": mu1, "sigma1": sigma1, "mu2": mu2, "sigma2": sigma2}
        traits = core.normal_traits("KLExplorer", given, _RANGES, _STEP)
        start = {name: slider["value"] for name, slider in traits.items()}
        self.view = _KLView(**start)
        self.sliders, self._links = core.linked_sliders(self.view, traits)
        self._start = start
        super().__init__([self.view, core.slider_box(self.sliders).add_class("genlib-pairs")])

    @property
    def parameters(self):
        """The current values (with a kernel: as dragged), named as `kl_normal` takes them."""
        return {name: slider.value for name, slider in zip(self._start, self.sliders, strict=True)}

    def __repr__(self):
        return f"KLExplorer({', '.join(f'{name}={value:g}' for name, value in self.parameters.items())})"

    def _draw(self, figure):
        p = Normal(self._start["mu1"], self._start["sigma1"])
        q = Normal(self._start["mu2"], self._start["sigma2"])
        x = torch.linspace(-8, 8, 1601)
        log_ratio = p.log_prob(x) - q.log_prob(x)
        integrand = p.log_prob(x).exp() * log_ratio
        top, bottom = figure.subplots(2, sharex=True)
        for density, style, name in ((p, "-", "$p$"), (q, "--", "$q$")):
            top.plot(x, density.log_prob(x).exp(), style, color=INK, label=name)
        for name, where, color in (("$+$", log_ratio > 0, POSITIVE), ("$-$", log_ratio < 0, NEGATIVE)):
            bottom.fill_between(x, integrand, where=where, color=color, alpha=0.6, linewidth=0, label=name)
        bottom.axhline(0, color=INK, linewidth=0.8)
        forward = kl_normal(**self._start).item()
        reverse = kl_normal(*(self._start[name] for name in ("mu2", "sigma2", "mu1", "sigma1"))).item()
        top.set_title(rf"$\mathrm{{KL}}(p\,\|\,q) = {forward:.3f}$ nat   $\mathrm{{KL}}(q\,\|\,p) = {reverse:.3f}$ nat")
        top.set(ylim=(0, None), xlim=(-8, 8))
        bottom.set(xlabel="$x$", ylabel=r"$p\,\log(p/q)$")
        for ax in (top, bottom):
            ax.legend(frameon=False, loc="upper right")

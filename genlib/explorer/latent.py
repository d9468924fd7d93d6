"""Sliders for a code, the digit it decodes to, and where it lies among encoded digits."""

import anywidget
import ipywidgets
import torch
import traitlets
from torch import nn

from genlib.data import to_img
from genlib.explorer import core, scripts
from genlib.losses import kl_to_standard_normal
from genlib.models import CHOSEN_CODE
from genlib.plots import latent_scatter

INACTIVE_KL = 0.01  # nats per image; a latent below it carries nothing that its reader could notice
_PRIOR_RANGE = 3.0  # N(0, 1) puts 99.7 % of its mass between -3 and 3
_PICTURE_POINTS = 500  # more labels than these hide one another in a picture that does not turn


class _LatentView(anywidget.AnyWidget, core.ScatterTraits):
    """The decoded digit beside the codes in space; one float trait z1, z2, ... per latent."""

    _esm = scripts.module("latent")
    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)

    def __init__(self, start, **traits):
        self.add_traits(**{f"z{i}": traitlets.Float(v).tag(sync=True) for i, v in enumerate(start, 1)})
        super().__init__(**traits)


class LatentExplorer(core.Explorer):
    """Sliders for a code, the digit it decodes to, and where it lies among encoded digits.

    model: an Autoencoder or a VAE of any latent_dim. images: (N, 784) on [-1, 1], up to about
    2000, and labels: (N,), digits: the points of the scatter (codes; for a VAE, mu). start:
    latent_dim numbers, in the latents' own order; by default 0 for a VAE, CHOSEN_CODE for an
    autoencoder with three latents, otherwise the mean code.

    A VAE's latents come in falling order of their mean KL over `images` (in nats, shown with
    each), those below INACTIVE_KL folded away; the scatter's axes are the first three. A slider
    spans the codes' 0 % to 100 % quantiles, so that every point can be clicked, widened to the start
    and, for a VAE, to +-3, where the prior lives. Codes and start are rounded to the sliders' step.
    Raises ValueError for input of another kind or shape.
    """

    def __init__(self, model, images, labels, start=None):
        images, labels = _checked(model, images, labels)
        codes, kl = _encode(model, images)
        start = _start(start, codes, is_vae=kl is not None)
        low, high, decimals = _ranges(codes, start, is_vae=kl is not None)
        start = [round(v, decimals) + 0.0 for v in start.tolist()]  # + 0.0: no negative zero
        order = sorted(range(len(start)), key=lambda i: -kl[i]) if kl else list(range(len(start)))
        axes = order[:3]
        spec, weights = core.pack_layers(model.decoder)
        self.view = _LatentView(
            start,
            layers=spec,
            weights=weights,
            **core.pack_points(codes, labels, axes, low, high, decimals),
        )
        traits = {
            f"z{i + 1}": {
                "value": start[i],
                "min": low[i],
                "max": high[i],
                "step": 10.0**-decimals,
                "readout_format": f".{max(decimals, 0)}f",
                "description": _name(i, kl),
            }
            for i in range(len(start))
        }
        self.sliders, self._links = core.linked_sliders(self.view, traits)
        active = [i for i in order if kl is None or kl[i] >= INACTIVE_KL or i in axes]
        inactive = [i for i in order if i not in active]
        children = [self.view, self._slider_box(active)]
        if inactive:
            fold = ipywidgets.HTML(_FOLD.format(n=len(inactive), kl=INACTIVE_KL))
            children += [fold.add_class("genlib-fold"), self._slider_box(inactive)]
        shown = core.padded(codes[:, axes])
        mark = [start[i] for i in axes] + [0.0] * (3 - len(axes))
        with torch.no_grad():
            digit = to_img(model.decode(codes.new_tensor([start]).float().to(core.device_of(model))).cpu())[0, 0]
        self._pictured = digit, shown[:_PICTURE_POINTS], labels[:_PICTURE_POINTS], mark, axes
        super().__init__(children)
        if kl is not None:
            self.add_class("genlib-nats")  # latent.js adds the unit in the page's language

    @property
    def z(self):
        """The current code, a list of latent_dim floats in the latents' own order (with a kernel: as dragged)."""
        return [slider.value for slider in self.sliders]

    def __repr__(self):
        return f"LatentExplorer(latent_dim={len(self.sliders)}, points={len(self.view.labels)})"

    def _draw(self, figure):
        digit, codes, labels, mark, axes = self._pictured
        left, right = figure.add_gridspec(1, 2, width_ratios=(2, 3))
        left, right = figure.add_subplot(left), figure.add_subplot(right, projection="3d")
        core.show_digit(left, digit)
        left.set_xlabel("\n".join(f"$z_{{{i + 1}}} = {value:g}$" for i, value in zip(axes, mark, strict=False)))
        latent_scatter(codes, labels, mark=mark, ax=right)
        names = [f"$z_{{{i + 1}}}$" for i in axes] + [""] * (3 - len(axes))
        right.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])

    def _slider_box(self, latents):
        box = core.slider_box([self.sliders[i] for i in latents])
        return box.add_class("genlib-long") if len(self.sliders) > 3 else box  # room for more than a symbol


# Both languages travel, as a page in either shows the same output; the style sheet in latent.js hides the other one.
_FOLD = (
    "<details><summary data-lm-suppress-shortcuts>"
    '<span lang="en">{n} inactive latents: KL below {kl:g} nat</span>'
    '<span lang="zh">不活跃的 {n} 维：KL 低于 {kl:g} 奈特</span>'  # noqa: RUF001
    "</summary></details>"
)


def _name(latent, kl):
    symbol = core.subscripted("z", latent + 1)
    return symbol if kl is None else f"{symbol}\tKL {kl[latent]:.{2 if kl[latent] >= INACTIVE_KL else 4}f}"


def _checked(model, images, labels):
    """Images (N, 784) float32 and labels (N,) on the CPU, if all three can be explored."""
    decoder = getattr(model, "decoder", None)
    if not isinstance(decoder, nn.Sequential) or not hasattr(model, "encode") or not hasattr(model, "latent_dim"):
        raise ValueError(
            f"LatentExplorer: got a model of type {type(model).__name__}, expected one with latent_dim, encode "
            "and an nn.Sequential named decoder, such as genlib.models.Autoencoder or VAE"
        )
    return core.checked_digits("LatentExplorer", images, labels)


@torch.no_grad()
def _encode(model, images):
    """Codes (N, latent_dim) float64 and, for a VAE, each latent's mean KL in nats, otherwise None."""
    encoded = model.encode(images.to(core.device_of(model)))
    mu, logvar = encoded if isinstance(encoded, tuple) else (encoded, None)
    core.checked_finite("LatentExplorer", model, **({"code": mu} if logvar is None else {"mu": mu, "logvar": logvar}))
    kl = None if logvar is None else kl_to_standard_normal(mu.reshape(-1, 1), logvar.reshape(-1, 1))
    return mu.cpu().double(), None if kl is None else kl.view(mu.shape).mean(0).tolist()


def _start(start, codes, *, is_vae):
    """The code to begin with, (latent_dim,) float64."""
    D = codes.shape[1]
    if start is None:
        start = torch.zeros(D) if is_vae else CHOSEN_CODE if len(CHOSEN_CODE) == D else codes.mean(0)
    start = torch.as_tensor(start, dtype=torch.float64).detach().cpu()
    if start.shape != (D,) or not start.isfinite().all():
        raise ValueError(f"LatentExplorer: got start {start.tolist()}, expected {D} finite numbers, one per latent")
    return start


def _ranges(codes, start, *, is_vae):
    """Each slider's ends and the decimals of the codes, as core.rounded_ends gives them."""
    low, high = torch.minimum(codes.amin(0), start), torch.maximum(codes.amax(0), start)
    if is_vae:
        low, high = low.clamp(max=-_PRIOR_RANGE), high.clamp(min=_PRIOR_RANGE)
    return core.rounded_ends(low, high)

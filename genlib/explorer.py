"""Explorers: widgets that run a model in the reader's browser, with or without a kernel.

All share one JavaScript module, explorer.js; a view's `kind` says which of its views to show.
The sliders are plain ipywidgets, tied to the view by jslink, so that a page without a kernel
needs nothing but the widgets' state.
"""

import base64
import io
import math
import warnings
from pathlib import Path

import anywidget
import ipywidgets
import matplotlib.style
import torch
import traitlets
from ipywidgets.widgets.widget_int import SliderStyle
from matplotlib.figure import Figure
from torch import nn

from genlib.data import to_img
from genlib.losses import kl_to_standard_normal
from genlib.models import CHOSEN_CODE, PIXELS
from genlib.plots import DIGIT_COLORS, latent_scatter

INACTIVE_KL = 0.01  # nats per image; a latent below it carries nothing that its reader could notice
_PRIOR_RANGE = 3.0  # N(0, 1) puts 99.7 % of its mass between -3 and 3
_PICTURE_POINTS = 500  # more labels than these hide one another in a picture that does not turn
_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh"}  # what explorer.js computes
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def pack_layers(layers):
    """An nn.Sequential of Linear, ReLU and Tanh as what explorer.js computes with.

    Returns (spec, weights): per linear layer its sizes, activation, dtype and byte offsets, and
    the bytes. A matrix travels as float16 where that loses nothing, otherwise, like every
    bias, as float32; the browser thus has PyTorch's own numbers. Raises ValueError for any other layer.
    """
    spec, weights = [], bytearray()
    for layer in layers:
        if isinstance(layer, nn.Linear):
            matrix = layer.weight.detach().cpu().float()
            half = torch.equal(matrix.half().float(), matrix)
            entry = {"in": layer.in_features, "out": layer.out_features, "activation": "identity"}
            entry |= {"dtype": "float16" if half else "float32", "offset": len(weights)}
            weights += matrix.numpy().astype("<f2" if half else "<f4").tobytes()
            weights += bytes(-len(weights) % 4)  # a Float32Array starts at a multiple of 4
            bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias.detach().cpu()
            spec.append(entry | {"bias": len(weights)})
            weights += bias.numpy().astype("<f4").tobytes()
        elif type(layer) in _ACTIVATIONS and spec and spec[-1]["activation"] == "identity":
            spec[-1]["activation"] = _ACTIVATIONS[type(layer)]
        else:
            raise ValueError(f"pack_layers: got {layer}, expected Linear layers, each with a ReLU, a Tanh or nothing")
    return spec, bytes(weights)


class _View(anywidget.AnyWidget):
    """What every explorer's view shares: the module, and the name of the view in it."""

    _esm = Path(__file__).with_name("explorer.js")
    kind = traitlets.Unicode().tag(sync=True)


class _LatentView(_View):
    """The decoded digit beside the codes in space; one float trait z1, z2, ... per latent."""

    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)  # (N, latent_dim) int16, in units of 1 / scale
    scale = traitlets.Float().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)  # (N,) uint8
    colors = traitlets.List().tag(sync=True)  # one per digit
    axes = traitlets.List().tag(sync=True)  # up to three latents, counted from 0
    ranges = traitlets.List().tag(sync=True)  # [low, high] of each of these axes

    def __init__(self, start, **traits):
        self.add_traits(**{f"z{i}": traitlets.Float(v).tag(sync=True) for i, v in enumerate(start, 1)})
        super().__init__(kind="latent", **traits)


class LatentExplorer(ipywidgets.VBox):
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
        spec, weights = pack_layers(model.decoder)
        self.view = _LatentView(
            start,
            layers=spec,
            weights=weights,
            codes=(codes * 10.0**decimals).round().numpy().astype("<i2").tobytes(),
            scale=10.0**decimals,
            labels=labels.numpy().astype("u1").tobytes(),
            colors=list(DIGIT_COLORS),
            axes=axes,
            ranges=[[low[i], high[i]] for i in axes],
        )
        shared = {"layout": ipywidgets.Layout(), "style": SliderStyle(description_width="initial")}  # a smaller state
        self.sliders = [
            ipywidgets.FloatSlider(
                value=start[i],
                min=low[i],
                max=high[i],
                step=10.0**-decimals,
                readout_format=f".{max(decimals, 0)}f",
                description=_name(i, kl),
                continuous_update=True,
                **shared,
            )
            for i in range(len(start))
        ]
        self._links = [
            ipywidgets.jslink((slider, "value"), (self.view, f"z{i}")) for i, slider in enumerate(self.sliders, 1)
        ]
        active = [i for i in order if kl is None or kl[i] >= INACTIVE_KL or i in axes]
        inactive = [i for i in order if i not in active]
        children = [self.view, self._slider_box(active)]
        if inactive:
            fold = ipywidgets.HTML(_FOLD.format(n=len(inactive), kl=INACTIVE_KL))
            children += [fold.add_class("genlib-fold"), self._slider_box(inactive)]
        shown = torch.zeros(len(codes), 3).double()  # padded if there are fewer than three latents
        shown[:, : len(axes)] = codes[:, axes]
        mark = [start[i] for i in axes] + [0.0] * (3 - len(axes))
        with torch.no_grad():
            digit = to_img(model.decode(codes.new_tensor([start]).float().to(_device(model))).cpu())[0, 0]
        self._pictured = digit, shown[:_PICTURE_POINTS], labels[:_PICTURE_POINTS], mark, axes
        super().__init__(children)

    @property
    def z(self):
        """The current code, a list of latent_dim floats in the latents' own order (with a kernel: as dragged)."""
        return [slider.value for slider in self.sliders]

    def __repr__(self):
        return f"LatentExplorer(latent_dim={len(self.sliders)}, points={len(self.view.labels)})"

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        return bundle | {"image/png": base64.b64encode(self.picture()).decode()}

    def picture(self):
        """The explorer at its start as a PNG, the same bytes each time, for readers without a browser's help."""
        digit, codes, labels, mark, axes = self._pictured
        with matplotlib.style.context("default"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Attempting to set identical")  # the axes that pad two latents
            figure = Figure(figsize=(8, 4), dpi=100, facecolor="white", layout="constrained")
            left, right = figure.add_gridspec(1, 2, width_ratios=(2, 3))
            left, right = figure.add_subplot(left), figure.add_subplot(right, projection="3d")
            left.imshow(digit.numpy(), cmap="gray", vmin=0, vmax=1)
            left.set(xticks=[], yticks=[])
            left.set_xlabel("\n".join(f"$z_{{{i + 1}}} = {value:g}$" for i, value in zip(axes, mark, strict=False)))
            latent_scatter(codes, labels, mark=mark, ax=right)
            names = [f"$z_{{{i + 1}}}$" for i in axes] + [""] * (3 - len(axes))
            right.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
            png = io.BytesIO()
            figure.savefig(png, format="png", metadata={"Software": None})  # no version: bytes depend on the data alone
        return png.getvalue()

    def _slider_box(self, latents):
        box = ipywidgets.Box([self.sliders[i] for i in latents]).add_class("genlib-sliders")
        return box.add_class("genlib-long") if len(self.sliders) > 3 else box  # room for more than a symbol


# Both languages travel, as a page in either shows the same output; explorer.js hides the other one.
_FOLD = (
    "<details><summary data-lm-suppress-shortcuts>"
    '<span lang="en">{n} inactive latents: KL below {kl:g} nat</span>'
    '<span lang="zh">{n} 个不活跃的隐变量：KL 低于 {kl:g} nat</span>'  # noqa: RUF001
    "</summary></details>"
)


def _name(latent, kl):
    symbol = "z" + str(latent + 1).translate(_SUBSCRIPTS)
    return symbol if kl is None else f"{symbol}  KL {kl[latent]:.{2 if kl[latent] >= INACTIVE_KL else 4}f} nat"


def _device(model):
    return next(model.parameters()).device


def _checked(model, images, labels):
    """Images (N, 784) float32 and labels (N,) on the CPU, if all three can be explored."""
    decoder = getattr(model, "decoder", None)
    if not isinstance(decoder, nn.Sequential) or not hasattr(model, "encode") or not hasattr(model, "latent_dim"):
        raise ValueError(
            f"LatentExplorer: got a model of type {type(model).__name__}, expected one with latent_dim, encode "
            "and an nn.Sequential named decoder, such as genlib.models.Autoencoder or VAE"
        )
    images, labels = torch.as_tensor(images).detach().cpu().float(), torch.as_tensor(labels).detach().cpu()
    if images.ndim != 2 or images.shape[1] != PIXELS or len(images) == 0:
        raise ValueError(f"LatentExplorer: got images of shape {tuple(images.shape)}, expected (N, {PIXELS}), N > 0")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"LatentExplorer: got labels of shape {tuple(labels.shape)}, expected ({len(images)},)")
    if labels.is_floating_point() or labels.min() < 0 or labels.max() > 9:
        raise ValueError(
            f"LatentExplorer: got {labels.dtype} labels from {labels.min().item()} to {labels.max().item()}, "
            "expected whole numbers from 0 to 9"
        )
    return images, labels


@torch.no_grad()
def _encode(model, images):
    """Codes (N, latent_dim) float64 and, for a VAE, each latent's mean KL in nats, otherwise None."""
    encoded = model.encode(images.to(_device(model)))
    mu, logvar = encoded if isinstance(encoded, tuple) else (encoded, None)
    if not mu.isfinite().all():
        raise ValueError("LatentExplorer: got a model that encodes some image as nan or inf, expected finite codes")
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
    """Each slider's ends, two lists of latent_dim floats, and the decimals that all codes are rounded to."""
    low, high = torch.minimum(codes.amin(0), start), torch.maximum(codes.amax(0), start)
    if is_vae:
        low, high = low.clamp(max=-_PRIOR_RANGE), high.clamp(min=_PRIOR_RANGE)
    reach = max(low.abs().max().item(), high.abs().max().item(), 1e-6)
    # Hundredths, finer for codes within +-1; never more than an int16 holds.
    decimals = min(max(2, 2 - math.floor(math.log10(reach))), math.floor(math.log10(32766 / reach)))
    low, high = (low * 10.0**decimals).floor(), (high * 10.0**decimals).ceil()
    high = torch.maximum(high, low + 10)  # a latent that never varies still gets a slider that moves
    return *([round(v / 10.0**decimals, decimals) for v in ends.tolist()] for ends in (low, high)), decimals

"""What all explorers share: the view that runs in the reader's browser, with or without a kernel, and the picture.

A view's JavaScript is one ES module (see scripts.py), which fetches nothing. Sliders are plain ipywidgets, tied to a
view by jslink, so that a page without a kernel needs nothing but the widgets' state.
"""

import base64
import io
import math
import warnings

import anywidget
import ipywidgets
import matplotlib.style
import torch
import traitlets
from ipywidgets.widgets.widget_int import SliderStyle
from matplotlib.figure import Figure
from torch import nn

from genlib.data import check_pixels
from genlib.models import PIXELS
from genlib.plots import DIGIT_COLORS

_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh"}  # what core.js computes
_DTYPES = {"float8": torch.float8_e4m3fn, "float16": torch.float16, "float32": torch.float32}  # narrow ones first
_LETTERS = {"mu": "μ", "sigma": "σ"}  # noqa: RUF001
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class ScatterTraits(traitlets.HasTraits):
    """Labelled codes, as scatter.js draws them."""

    codes = traitlets.Bytes().tag(sync=True)  # ([sets,] N, latent_dim) int16, in units of 1 / scale
    scale = traitlets.Float().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)  # (N,) uint8
    colors = traitlets.List(list(DIGIT_COLORS)).tag(sync=True)  # one per digit
    axes = traitlets.List().tag(sync=True)  # up to three latents, counted from 0
    ranges = traitlets.List().tag(sync=True)  # [low, high] of each of these axes


class Explorer(ipywidgets.VBox):
    """A widget that also has a picture of itself, for readers without a browser's help."""

    figsize = (8, 4)  # of the picture, in inches
    _ipython_display_ = None  # that of ipywidgets 7 comes before a bundle, and shows no picture

    def _repr_mimebundle_(self, **kwargs):
        """(data, metadata): the live view and the picture, and in Colab the widget manager that can show the view.

        ipywidgets names no manager, and Colab's hook, which would, sees what is displayed, not a cell's result.
        """
        data, metadata = anywidget.AnyWidget._repr_mimebundle_(self)  # needs no more than any widget has
        return data | {"image/png": base64.b64encode(self.picture()).decode()}, metadata

    def picture(self):
        """The explorer at its start as a PNG, the same bytes each time."""
        with matplotlib.style.context("default"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Attempting to set identical")  # the axes that pad two latents
            figure = Figure(figsize=self.figsize, dpi=100, facecolor="white", layout="constrained")
            self._draw(figure)
            png = io.BytesIO()
            figure.savefig(png, format="png", metadata={"Software": None})  # no version: bytes depend on the data alone
        return png.getvalue()

    def _draw(self, figure):
        raise NotImplementedError


def linked_sliders(view, traits):
    """A slider for each trait of a view, tied to it: (sliders, links), the links to be kept.

    traits: {name: value, min, max, step, readout_format and description as a dict}. All share one
    layout and one style, for a smaller state.
    """
    looks = {"layout": ipywidgets.Layout(), "style": SliderStyle(description_width="initial")}
    sliders = [ipywidgets.FloatSlider(**settings, continuous_update=True, **looks) for settings in traits.values()]
    links = [ipywidgets.jslink((slider, "value"), (view, name)) for name, slider in zip(traits, sliders, strict=True)]
    return sliders, links


def normal_traits(function, given, ranges, step):
    """Means and standard deviations on the sliders' steps, as linked_sliders takes them.

    given: {name: value}, a name being "mu" or "sigma", or one of these and a number, as in "mu1". ranges:
    {"mu": (low, high), "sigma": (low, high)}. Raises ValueError, naming the function, for a value outside its range.
    """
    traits = {}
    for name, value in given.items():
        part = name.rstrip("0123456789")
        low, high = ranges[part]
        traits[name] = {
            "value": stepped(checked_range(function, name, value, low, high), step),
            "min": low,
            "max": high,
            "step": step,
            "readout_format": ".2f",
            "description": subscripted(_LETTERS[part], name.removeprefix(part)),
        }
    return traits


def slider_box(sliders):
    """A box of sliders, in as many columns as fit."""
    return ipywidgets.Box(sliders).add_class("genlib-sliders")


def checked_range(function, name, value, low, high):
    """The value as a float; ValueError, naming the function, unless it lies from low to high."""
    value = float(value)
    if not low <= value <= high:  # nor is nan
        raise ValueError(f"{function}: got {name} = {value:g}, expected a number from {low:g} to {high:g}")
    return value


def stepped(value, step):
    """The value on a slider's steps."""
    return round(round(value / step) * step, 6) + 0.0  # + 0.0: no negative zero


def padded(codes):
    """Codes (N, d) of one to three latents as (N, 3) float64, for a picture with three axes."""
    return torch.nn.functional.pad(codes.double(), (0, 3 - codes.shape[1]))


def subscripted(letter, number):
    """A letter with a number below it, such as z₁."""
    return letter + str(number).translate(_SUBSCRIPTS)


def show_digit(ax, digit):
    """A picture (28, 28) on [0, 1], without ticks."""
    ax.imshow(digit.numpy(), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])


def pack_layers(layers):
    """An nn.Sequential of Linear, Conv2d, ReLU, Tanh and Flatten as what core.js computes with.

    Returns (spec, weights): per linear layer or convolution its sizes, activation, dtype and byte offsets, and the
    bytes. A matrix travels as float8 (e4m3) or float16 where that loses nothing, otherwise, like every bias, as
    float32; the browser thus has PyTorch's own numbers. Convolutions are of 3 x 3, padded by 1, on square pictures
    whose rows a Flatten puts one after another. Raises ValueError for any other layer, and for weights that are nan
    or inf.
    """
    spec, weights = [], bytearray()
    for layer in layers:
        if not all(parameter.isfinite().all() for parameter in layer.parameters()):
            raise ValueError(f"pack_layers: got {layer} with weights that are nan or inf, expected finite numbers")
        if isinstance(layer, nn.Linear) or _is_packable(layer):
            matrix = layer.weight.detach().cpu().float()
            dtype = next(name for name, narrow in _DTYPES.items() if torch.equal(matrix.to(narrow).float(), matrix))
            entry = {"in": matrix.shape[1], "out": matrix.shape[0], "activation": "identity"}
            if isinstance(layer, nn.Conv2d):
                entry["stride"] = layer.stride[0]
            entry |= {"dtype": dtype, "offset": len(weights)}
            weights += matrix.to(_DTYPES[dtype]).flatten().view(torch.uint8).numpy().tobytes()
            weights += bytes(-len(weights) % 4)  # a Float32Array starts at a multiple of 4
            bias = torch.zeros(len(matrix)) if layer.bias is None else layer.bias.detach().cpu()
            spec.append(entry | {"bias": len(weights)})
            weights += bias.numpy().astype("<f4").tobytes()
        elif type(layer) in _ACTIVATIONS and spec and spec[-1]["activation"] == "identity":
            spec[-1]["activation"] = _ACTIVATIONS[type(layer)]
        elif not (isinstance(layer, nn.Flatten) and spec and "stride" in spec[-1]):
            expected = "Linear layers or convolutions of 3 x 3, each with a ReLU, a Tanh or nothing"
            raise ValueError(f"pack_layers: got {layer}, expected {expected}")
    return spec, bytes(weights)


def _is_packable(layer):
    """Whether it is a convolution of the one kind that core.js computes."""
    kind = ((3, 3), (1, 1), (1, 1), 1, "zeros")
    return isinstance(layer, nn.Conv2d) and kind == (
        layer.kernel_size, layer.padding, layer.dilation, layer.groups, layer.padding_mode,
    )  # fmt: skip


def rounded_ends(low, high):
    """Slider ends around low and high, (latent_dim,) each, as two lists, and the decimals that codes are rounded to."""
    reach = max(low.abs().max().item(), high.abs().max().item(), 1e-6)
    # Hundredths, finer for codes within +-1; never more than an int16 holds.
    decimals = min(max(2, 2 - math.floor(math.log10(reach))), math.floor(math.log10(32766 / reach)))
    low, high = (low * 10.0**decimals).floor(), (high * 10.0**decimals).ceil()
    high = torch.maximum(high, low + 10)  # a latent that never varies still gets a slider that moves
    return *([round(v / 10.0**decimals, decimals) for v in ends.tolist()] for ends in (low, high)), decimals


def pack_points(codes, labels, axes, low, high, decimals):
    """The values of ScatterTraits for codes (..., N, latent_dim), labels (N,) and ends from rounded_ends."""
    return {
        "codes": (codes * 10.0**decimals).round().numpy().astype("<i2").tobytes(),
        "scale": 10.0**decimals,
        "labels": labels.numpy().astype("u1").tobytes(),
        "axes": axes,
        "ranges": [[low[i], high[i]] for i in axes],
    }


def pack_images(images):
    """Images (..., 784) on [-1, 1] as MNIST's own bytes."""
    return ((images + 1) * 127.5).round().clamp(0, 255).cpu().numpy().astype("u1").tobytes()


def checked_finite(function, model, **encoded):
    """ValueError, naming the function, if what the model gave (name: tensor) has nan or inf."""
    for name, values in encoded.items():
        if not values.isfinite().all():
            got = f"{type(model).__name__}, whose {name} of some image is nan or inf"
            raise ValueError(f"{function}: got {got}, expected finite numbers: train it again, at a lower rate, say")


def device_of(model):
    return next(model.parameters()).device


def checked_digits(function, images, labels):
    """Images (N, 784) float32 and labels (N,) on the CPU; ValueError, naming the function, for anything else."""
    images = torch.as_tensor(images).detach().cpu()
    if images.ndim != 2 or images.shape[1] != PIXELS or len(images) == 0:
        raise ValueError(f"{function}: got images of shape {tuple(images.shape)}, expected (N, {PIXELS}), N > 0")
    check_pixels(function, "images", images)
    return images.float(), checked_labels(function, labels, len(images))


def checked_labels(function, labels, count):
    """Labels (count,) on the CPU; ValueError, naming the function, for anything but digits."""
    labels = torch.as_tensor(labels).detach().cpu()
    if labels.shape != (count,):
        raise ValueError(f"{function}: got labels of shape {tuple(labels.shape)}, expected ({count},)")
    if labels.is_floating_point() or labels.min() < 0 or labels.max() > 9:
        raise ValueError(
            f"{function}: got {labels.dtype} labels from {labels.min().item()} to {labels.max().item()}, "
            "expected whole numbers from 0 to 9"
        )
    return labels

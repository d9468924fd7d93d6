"""A two-latent model trained with and without noise and KL: a switch between clouds of codes and decoded planes."""

import anywidget
import torch
import traitlets
from matplotlib.patches import Ellipse

from genlib.data import to_img
from genlib.explorer import core, scripts
from genlib.losses import kl_to_standard_normal, squared_error
from genlib.plots import DIGIT_COLORS, INK, latent_plane, latent_slice

WAYS = ("plain", "noise", "kl", "both")
_GRID = 9  # decoded images along each side of the plane, its ends included
_ELLIPSES = 40  # posteriors that are drawn, of the first images
_NAMES = {"plain": "neither", "noise": "noise only", "kl": "KL only", "both": "noise and KL"}


class _AblationView(anywidget.AnyWidget):
    """The cloud, its posteriors and the plane of the way that is chosen."""

    _esm = scripts.module("ablation")
    ways = traitlets.List(list(WAYS)).tag(sync=True)
    way = traitlets.Unicode(WAYS[-1]).tag(sync=True)
    window = traitlets.Float().tag(sync=True)  # both pictures show [-window, window] squared
    codes = traitlets.Bytes().tag(sync=True)  # (ways, N, 2) int16, in units of window / 32767
    widths = traitlets.Bytes().tag(sync=True)  # (ways, _ELLIPSES, 2) float32, standard deviations of posteriors
    labels = traitlets.Bytes().tag(sync=True)  # (N,) uint8
    planes = traitlets.Bytes().tag(sync=True)  # (ways, 28 * _GRID, 28 * _GRID) uint8
    facts = traitlets.Dict().tag(sync=True)  # way: [squared error, spread of mu, KL, median sigma], as text
    colors = traitlets.List(list(DIGIT_COLORS)).tag(sync=True)


class AblationExplorer(core.Explorer):
    """A switch between four VAEs with two latents, trained plainly, with noise only, with KL only, and with both.

    models: {"plain", "noise", "kl", "both": a VAE of latent_dim 2}. images: (N, 784) on [-1, 1] and labels: (N,),
    digits: those whose codes are shown. window: how far both pictures reach from 0. Shows the means as digits,
    the first 40 posteriors as ellipses of one standard deviation, the prior as circles of one and two, and beside
    them the decoded plane. Of "plain" and "kl", whose decoders see no noise, no ellipses are shown.
    Raises ValueError for other names, latents or shapes.
    """

    figsize = (11, 5.6)

    def __init__(self, models, images, labels, *, window=4.0):
        if set(models) != set(WAYS) or any(model.latent_dim != 2 for model in models.values()):
            got = {name: model.latent_dim for name, model in models.items()}
            raise ValueError(f"AblationExplorer: got models with latents {got}, expected 2 for each of {WAYS}")
        images, labels = core.checked_digits("AblationExplorer", images, labels)
        encoded = {way: _encoded(models[way], images) for way in WAYS}
        unit = window / 32767
        self.view = _AblationView(
            window=float(window),
            codes=torch.stack([(mu / unit).clamp(-32767, 32767).round() for mu, _, _ in encoded.values()])
            .numpy().astype("<i2").tobytes(),
            widths=torch.stack([sigma[:_ELLIPSES] for _, sigma, _ in encoded.values()]).numpy().astype("<f4").tobytes(),
            labels=labels.numpy().astype("u1").tobytes(),
            planes=b"".join(_plane(models[way], window) for way in WAYS),
            facts={way: encoded[way][2][: 2 if way == "plain" else 4] for way in WAYS},  # plain leaves logvar untrained
        )  # fmt: skip
        self._pictured = models, encoded, labels
        super().__init__([self.view])

    def __repr__(self):
        return f"AblationExplorer(points={len(self.view.labels)}, way={self.view.way!r})"

    def _draw(self, figure):
        models, encoded, labels = self._pictured
        window = self.view.window
        for ax, plane, way in zip(*figure.subplots(2, 4), WAYS, strict=True):
            mu, sigma, _ = encoded[way]
            inside = mu.abs().amax(1) < window
            latent_plane(mu[inside], labels[inside], ax=ax)
            if way in ("noise", "both"):
                for center, width in zip(mu[:_ELLIPSES].tolist(), sigma[:_ELLIPSES].tolist(), strict=True):
                    ax.add_patch(Ellipse(center, 2 * width[0], 2 * width[1], fill=False, edgecolor="0.1"))
            for radius in (1, 2):
                ax.add_patch(Ellipse((0, 0), 2 * radius, 2 * radius, fill=False, edgecolor=INK, linestyle="--"))
            ax.set(xlim=(-window, window), ylim=(-window, window), title=_NAMES[way])
            latent_slice(models[way], span=window, n=_GRID, ax=plane)


@torch.no_grad()
def _encoded(model, images):
    """Of images: mu (N, 2), sigma (N, 2), and as text squared error from mu, spread of mu, KL and median sigma."""
    mu, logvar = (part.cpu() for part in model.encode(images.to(core.device_of(model))))
    core.checked_finite("AblationExplorer", model, mu=mu, logvar=logvar)
    sigma = (0.5 * logvar).exp()
    error = squared_error(model.decode(mu.to(core.device_of(model))).cpu(), images).mean()
    kl = kl_to_standard_normal(mu, logvar).mean()
    return mu, sigma, [f"{error:.0f}", f"{mu.std(0).mean():.2f}", f"{kl:.1f}", f"{sigma.median():.2f}"]


@torch.no_grad()
def _plane(model, window):
    """The bytes of the plane, decoded on a grid whose upper row has the largest second latent."""
    steps = torch.linspace(-window, window, _GRID)
    codes = torch.stack([steps.expand(_GRID, -1), steps.flip(0)[:, None].expand(-1, _GRID)], -1)
    images = to_img(model.decode(codes.reshape(-1, 2).to(core.device_of(model))).cpu())
    sheet = images.view(_GRID, _GRID, 28, 28).permute(0, 2, 1, 3).reshape(28 * _GRID, -1)
    return (sheet * 255).round().numpy().astype("u1").tobytes()

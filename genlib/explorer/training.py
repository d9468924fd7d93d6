"""A slider over the epochs of a training: the codes of labelled images move, and reconstructions sharpen."""

import anywidget
import torch
import traitlets

from genlib.data import check_pixels, to_img
from genlib.explorer import core, scripts
from genlib.models import PIXELS
from genlib.plots import latent_scatter


class _TrainingView(anywidget.AnyWidget, core.ScatterTraits):
    """The reconstructions and the codes after the epoch at `index`."""

    _esm = scripts.module("training")
    epochs = traitlets.List().tag(sync=True)
    errors = traitlets.List().tag(sync=True)  # squared error per image, one for each epoch
    pixels = traitlets.Bytes().tag(sync=True)  # (1 + epochs, M, 784) uint8: the originals first
    index = traitlets.Int().tag(sync=True)  # into epochs


class TrainingExplorer(core.Explorer):
    """A slider over the epochs of a training: the codes of labelled images move, and reconstructions sharpen.

    snapshots: {epoch: (codes (N, d), x_hat (M, 784))} with the same N, M and d in 1, 2 or 3 throughout.
    labels: (N,), the digits of the codes. images: (M, 784), the originals of x_hat; both on
    [-1, 1]. Starts with the last epoch. Raises ValueError for input of another kind or shape.
    """

    figsize = (8, 6)

    def __init__(self, snapshots, labels, images):
        images = torch.as_tensor(images).detach().cpu()
        check_pixels("TrainingExplorer", "images", images)
        images = images.float()
        epochs, codes, x_hat = _checked(snapshots, len(labels), images)
        labels = core.checked_labels("TrainingExplorer", labels, codes.shape[1])
        d = codes.shape[-1]
        low, high, decimals = core.rounded_ends(codes.flatten(0, 1).amin(0), codes.flatten(0, 1).amax(0))
        errors = (x_hat - images).square().sum(-1).mean(-1)
        self.view = _TrainingView(
            epochs=epochs,
            errors=[round(error, 2) for error in errors.tolist()],
            pixels=core.pack_images(torch.cat([images[None], x_hat])),
            index=len(epochs) - 1,
            **core.pack_points(codes, labels, list(range(d)), low, high, decimals),
        )
        self._pictured = images, x_hat[-1], core.padded(codes[-1]), labels
        super().__init__([self.view])

    @property
    def epoch(self):
        """The epoch that is shown (with a kernel: as dragged)."""
        return self.view.epochs[self.view.index]

    def __repr__(self):
        return f"TrainingExplorer(epochs={len(self.view.epochs)}, points={len(self.view.labels)})"

    def _draw(self, figure):
        images, x_hat, codes, labels = self._pictured
        rows, space = figure.subfigures(2, 1, height_ratios=(1, 2))
        for ax, row in zip(rows.subplots(2, 1), (images, x_hat), strict=True):
            core.show_digit(ax, torch.cat(list(to_img(row)[:, 0]), dim=1))
        latent_scatter(codes, labels, ax=space.add_subplot(projection="3d"))


def _checked(snapshots, N, images):
    """The epochs in order, codes (E, N, d) float64 and reconstructions (E, M, 784), if all fit together."""
    if not snapshots:
        raise ValueError("TrainingExplorer: got no snapshots, expected {epoch: (codes, x_hat)} with at least one")
    shape = tuple(images.shape)
    if len(shape) != 2 or shape[1] != PIXELS:
        raise ValueError(f"TrainingExplorer: got images of shape {shape}, expected (M, {PIXELS})")
    epochs = sorted(snapshots)
    d = snapshots[epochs[0]][0].shape[-1]
    if d not in (1, 2, 3):
        raise ValueError(f"TrainingExplorer: got codes with {d} numbers, expected 1, 2 or 3, which can be drawn")
    for epoch in epochs:
        codes, x_hat = snapshots[epoch]
        if codes.shape != (N, d) or x_hat.shape != shape:
            raise ValueError(
                f"TrainingExplorer: got codes {tuple(codes.shape)} and reconstructions {tuple(x_hat.shape)} "
                f"of epoch {epoch}, expected {(N, d)} and {shape}, like the labels and the images"
            )
        if not (codes.isfinite().all() and x_hat.isfinite().all()):
            raise ValueError(f"TrainingExplorer: got nan or inf in epoch {epoch}, expected finite numbers")
    # detached: who records them without torch.no_grad has the same numbers
    codes, x_hat = (torch.stack([torch.as_tensor(snapshots[e][i]).detach().cpu() for e in epochs]) for i in (0, 1))
    return epochs, codes.double(), x_hat.float()

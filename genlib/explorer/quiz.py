"""Which of these digits were never written by anybody? Written ones and decoded ones, mixed, to be told apart."""

import anywidget
import torch
import traitlets

from genlib.data import check_pixels
from genlib.explorer import core, scripts
from genlib.models import PIXELS
from genlib.plots import NEGATIVE, POSITIVE, image_grid


class _QuizView(anywidget.AnyWidget):
    """A grid of pictures, each a button that says whether it was written."""

    _esm = scripts.module("quiz")
    pixels = traitlets.Bytes().tag(sync=True)  # (N, 784) uint8
    made = traitlets.List().tag(sync=True)  # N bools: never written by anybody
    columns = traitlets.Int().tag(sync=True)
    colors = traitlets.List([POSITIVE, NEGATIVE]).tag(sync=True)  # of a right guess and of a wrong one


class QuizExplorer(core.Explorer):
    """Written and made digits in one grid, shuffled; the reader points at those that nobody wrote.

    written, made: (N, 784) and (M, 784) on [-1, 1]. columns: of the grid. seed: of the shuffle.
    Raises ValueError for other shapes, or if one of the two is empty.
    """

    figsize = (8, 2.9)

    def __init__(self, written, made, *, columns=6, seed=0):
        for name, images in (("written", written), ("made", made)):
            if images.ndim != 2 or images.shape[1] != PIXELS or len(images) == 0:
                raise ValueError(
                    f"QuizExplorer: got {name} of shape {tuple(images.shape)}, expected (N, {PIXELS}), N > 0"
                )
            check_pixels("QuizExplorer", name, images)
        order = torch.randperm(len(written) + len(made), generator=torch.Generator().manual_seed(seed))
        images = torch.cat([part.detach().cpu() for part in (written, made)])[order]
        self.view = _QuizView(pixels=core.pack_images(images), made=(order >= len(written)).tolist(), columns=columns)
        self._pictured = images
        super().__init__([self.view])

    def __repr__(self):
        return f"QuizExplorer(written={self.view.made.count(False)}, made={self.view.made.count(True)})"

    def _draw(self, figure):
        columns = self.view.columns
        blank = -torch.ones(-len(self._pictured) % columns, PIXELS)
        image_grid(torch.cat([self._pictured, blank]).split(columns), ax=figure.subplots())

import io
import re
from base64 import b64decode
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from common import pages
from IPython.core.pylabtools import print_figure
from matplotlib.collections import Collection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.image import imread
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from torch.distributions import Normal

from genlib import plots
from genlib.data import to_img
from genlib.models import VAE, Autoencoder
from genlib.train import History, Recipe


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def drawn_sheet(ax):
    return torch.as_tensor(ax.images[0].get_array().filled())


def test_image_grid_puts_each_image_in_its_place():
    rows = torch.rand(2, 3, 784) * 2 - 1
    ax = plots.image_grid(list(rows), labels=["a", "b"])
    sheet = drawn_sheet(ax)
    assert sheet.shape == (56, 84)
    torch.testing.assert_close(sheet[28:56, 56:84], to_img(rows[1, 2:])[0, 0])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    with pytest.raises(ValueError, match=r"rows of \[3, 2\] images"):
        plots.image_grid([rows[0], rows[1, :2]])


def test_training_curves_draw_the_history():
    history = History(Recipe(), "cpu", train={"total": [9.0, 5.0], "kl": [1.0, 2.0]}, test={"total": [8.0, 6.0]})
    lines = {line.get_label(): line.get_ydata().tolist() for line in plots.training_curves(history).lines}
    assert lines == {"total, train": [9.0, 5.0], "total, test": [8.0, 6.0], "kl, train": [1.0, 2.0]}


def test_of_a_training_interrupted_in_its_first_epoch_there_are_no_curves(recwarn):
    ax = plots.training_curves(History(Recipe(), "cpu", interrupted=True))
    assert not ax.lines and ax.get_legend() is None and not recwarn.list


def test_latent_scatter_puts_each_label_at_its_code():
    codes, labels = torch.randn(12, 3), torch.arange(12) % 10
    ax = plots.latent_scatter(codes, labels, mark=(1.0, 2.0, 3.0))
    assert [text.get_text() for text in ax.texts] == [str(label) for label in labels.tolist()]
    positions = torch.tensor([text.get_position_3d() for text in ax.texts])
    torch.testing.assert_close(positions, codes)
    assert [tuple(part) for part in ax.lines[0].get_data_3d()] == [(1.0,), (2.0,), (3.0,)]
    faces = {text.get_text(): text.get_bbox_patch().get_facecolor() for text in ax.texts}
    assert len(set(faces.values())) == 10
    with pytest.raises(ValueError, match=r"codes \(4, 2\) and 4 labels, expected \(N, 3\)"):
        plots.latent_scatter(torch.zeros(4, 2), torch.zeros(4))


def test_latent_plane_draws_each_digit_once():
    codes, labels = torch.randn(30, 2), torch.arange(30) % 10
    ax = plots.latent_plane(codes, labels)
    for digit, collection in enumerate(ax.collections):
        torch.testing.assert_close(torch.tensor(collection.get_offsets().tolist()), codes[labels == digit])
    with pytest.raises(ValueError, match=r"expected \(N, 2\)"):
        plots.latent_plane(torch.zeros(4, 3), torch.zeros(4))


def test_against_standard_normal_draws_a_density():
    ax = plots.against_standard_normal(torch.randn(50_000))
    area = sum(bar.get_width() * bar.get_height() for bar in ax.patches)
    assert area == pytest.approx(1, abs=1e-6)
    t, density = (torch.tensor(axis.tolist()) for axis in ax.lines[0].get_data())
    torch.testing.assert_close(density, Normal(0.0, 1.0).log_prob(t).exp())


@pytest.mark.parametrize("model", [Autoencoder(4), VAE(4, hidden_dim=30)])
def test_latent_slice_rises_to_the_right_and_upwards(model):
    center = torch.tensor([0.1, 0.2, 0.3, 0.4])
    ax = plots.latent_slice(model, center=center, axes=(1, 3), span=2, n=3)
    with torch.no_grad():
        corner = to_img(model.decode((center + torch.tensor([0, 2.0, 0, 2.0]))[None]))[0, 0]
    torch.testing.assert_close(drawn_sheet(ax)[:28, 56:], corner)
    assert ax.images[0].get_extent() == pytest.approx([-1.8, 2.2, -1.6, 2.4])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{2}$", "$z_{4}$")
    with pytest.raises(ValueError, match=r"axes \(0, 4\), expected two different ones below 4"):
        plots.latent_slice(model, axes=(0, 4))


@pytest.mark.parametrize("model, widths", [
    (Autoencoder(3), ["784", "128", "64", "12", "3", "12", "64", "128", "784"]),
    (VAE(), ["784", "400", "20", "20", "20", "400", "784"]),
])  # fmt: skip
def test_architecture_shows_every_layer(model, widths):
    texts = [text.get_text() for text in plots.architecture(model).texts]
    assert [text for text in texts if text.isdigit()] == widths
    assert {"$x$", "$z$", r"$\hat{x}$"} <= set(texts)


def test_kl_integrand_shades_by_sign():
    x = torch.linspace(-8, 8, 2001)
    p, q = (Normal(mu, sigma).log_prob(x).exp() for mu, sigma in ((0.0, 1.0), (1.0, 1.5)))
    above, below = plots.kl_integrand(x, p, q).collections[:2]
    assert above.get_paths()[0].vertices[:, 1].min() >= 0 > below.get_paths()[0].vertices[:, 1].min()
    balanced = plots.kl_integrand(x, p, q, balanced=True).collections
    assert min(collection.get_paths()[0].vertices[:, 1].min() for collection in balanced) >= 0


def test_kl_contours_mark_the_least():
    mu, sigma = torch.linspace(-1, 1, 21), torch.linspace(0.5, 2, 16)
    kl = (mu[None] - 0.5).square() + (sigma[:, None] - 1.5).square()
    (cross,) = plots.kl_contours(mu, sigma, kl).lines
    assert cross.get_xydata()[0].tolist() == pytest.approx([0.5, 1.5])


def test_what_is_carried_keeps_its_rank():
    ax = plots.carried(-1.0, 0.5, 2.0, 1.5)
    ends = torch.stack([torch.as_tensor(line.get_xdata()) for line in ax.lines])
    torch.testing.assert_close((ends[:, 0] + 1) / 0.5, (ends[:, 1] - 2) / 1.5)
    assert (ends.diff(dim=0) > 0).all() and len(ends) == 13


def test_balls_reach_the_kth_neighbour_and_are_filled_where_something_was_made():
    real, made = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [9.0, 0.0]]), torch.tensor([[0.2, 0.1]])
    balls = plots.neighbour_balls(real, made, k=1).patches
    assert [ball.get_radius() for ball in balls] == pytest.approx([1, 1, 2, 6])
    assert [ball.get_facecolor()[3] > 0 for ball in balls] == [True, True, False, False]


def test_log_bound_and_density_fits_draw_what_they_are_given():
    bound = plots.log_bound()
    upper, lower = (line.get_ydata() for line in bound.lines[:2])
    assert (upper - lower).min() >= 0
    x = torch.linspace(0, 1, 5)
    fits = plots.density_fits(x, x, [("q", 2 * x)])
    assert fits.lines[0].get_ydata().tolist() == pytest.approx((2 * x).tolist())


# -- Light and dark pages ----------------------------------------------------------------------------------------------

GROUNDS = "#ffffff", "#121212"  # of light pages, and of the theme's dark ones
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks" / "en"
x, t = torch.linspace(-8, 8, 201), torch.linspace(0.5, 2, 16)
p, q = (Normal(mu, sigma).log_prob(x).exp() for mu, sigma in ((0.0, 1.0), (1.0, 1.5)))
LOSSES = {name: [9.0, 5.0] for name in ("total", "squared_error", "kl", "wave", "noise")}
FIGURES = {
    "image_grid": lambda: plots.image_grid([torch.zeros(2, 784)], labels=["x"], columns=["1", "2"]),
    "training_curves": lambda: plots.training_curves(History(Recipe(), "cpu", train=LOSSES, test=LOSSES)),
    "latent_scatter": lambda: plots.latent_scatter(torch.randn(20, 3), torch.arange(20) % 10, mark=(0, 0, 0)),
    "latent_plane": lambda: plots.latent_plane(torch.randn(20, 2), torch.arange(20) % 10),
    "against_standard_normal": lambda: plots.against_standard_normal(torch.randn(500)),
    "latent_slice": lambda: plots.latent_slice(Autoencoder(), n=3),
    "architecture": lambda: plots.architecture(VAE()),
    "latent_curve": lambda: plots.latent_curve(lambda z: torch.stack([z, z], -1), 0.2)[0][0],
    "log_bound": plots.log_bound,
    "density_fits": lambda: plots.density_fits(x, p, [("a", q), ("b", q), ("c", q)]),
    "kl_integrand": lambda: plots.kl_integrand(x, p, q),
    "carried": lambda: plots.carried(-1.0, 0.5, 2.0, 1.5),
    "neighbour_balls": lambda: plots.neighbour_balls(torch.randn(9, 2), torch.randn(4, 2)),
    "kl_contours": lambda: plots.kl_contours(x, t, (x[None] - 1).square() + t[:, None]),
}


def luminance(color):
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(color, grounds=GROUNDS):
    """The least contrast of a color to any of these grounds, as WCAG defines it."""
    pairs = [sorted((luminance(color), luminance(ground))) for ground in grounds]
    return min((high + 0.05) / (low + 0.05) for low, high in pairs)


def colors_of(figure):
    """(what, color, contrast) of everything in a drawn figure that a reader has to see; grid lines only help."""
    figure.canvas.draw()
    grid = {line for ax in figure.axes for axis in ax._axis_map.values() for line in axis.get_gridlines()}
    for text in figure.findobj(lambda a: isinstance(a, Text) and a.get_visible() and a.get_text().strip()):
        box = text.get_bbox_patch()
        yield "text", text.get_color(), contrast(text.get_color(), [box.get_facecolor()] if box else GROUNDS)
    for line in figure.findobj(lambda a: isinstance(a, Line2D) and a.get_visible() and a not in grid):
        drawn = [line.get_color()] if line.get_linestyle() != "None" else []
        drawn += [line.get_markerfacecolor(), line.get_markeredgecolor()] if line.get_marker() != "None" else []
        if len(line.get_xdata()) and drawn:  # a marker with a rim reads by either
            yield "line", drawn, min(max(contrast(color, [ground]) for color in drawn) for ground in GROUNDS)
    for shape in figure.findobj(lambda a: isinstance(a, Collection | Patch)):
        for color in [*map(to_rgba, [shape.get_facecolor()] if isinstance(shape, Patch) else shape.get_facecolor())]:
            if color[3] > 0.1:  # what is fainter is a ground
                yield "area", color, contrast(color)
        if isinstance(shape, Collection) and len(shape.get_facecolor()) == 0:
            yield from (("line", color, contrast(color)) for color in shape.get_edgecolor())


def test_no_figure_is_left_out_here():
    assert {*FIGURES} == {name for name, value in vars(plots).items()
                          if getattr(value, "__module__", "") == "genlib.plots" and name[0] != "_"}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_figures_read_on_light_and_dark_pages(name):
    with plt.style.context("genlib.figures"):
        figure = FIGURES[name]().figure
        found = list(colors_of(figure))
        assert {"text", "line"} <= {what for what, *_ in found}
        assert not [entry for entry in found if entry[2] < (4 if entry[0] == "text" else 3)]
        pixels = imread(io.BytesIO(print_figure(figure)))  # as the inline backend prints it
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()


def test_the_style_s_colors_are_those_of_the_plots():
    with plt.style.context("genlib.figures"):
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert [color.upper() for color in cycle[:3]] == [plots.POSITIVE, plots.NEGATIVE, plots.THIRD]
        assert to_rgb(plt.rcParams["text.color"]) == to_rgb(cycle[-1]) == to_rgb(plots.INK)
        best = ((luminance("white") + 0.05) / (luminance(GROUNDS[1]) + 0.05)) ** 0.5
        assert contrast(plots.INK) == pytest.approx(best, abs=0.04)  # no colour has more
        assert all(contrast(color) >= 3 for color in cycle)
    assert all(contrast(color) >= 3 for color in plots.DIGIT_COLORS)


CHAPTERS = [path.stem for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
            if "genlib.figures" in path.read_text(encoding="utf-8")]  # fmt: skip


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_figures_of_chapters_have_no_ground_and_no_color_that_vanishes(chapter):
    figures = 0
    for cell in pages.load(NOTEBOOKS / f"{chapter}.ipynb")["cells"]:
        literals = re.findall(r"color\w*=\W*\"(#?\w[\w.]*)\"", cell["source"]) if "outputs" in cell else []
        assert all(contrast(color) >= 3 for color in literals), f"{cell['id']}: {literals}"
        for output in cell.get("outputs", []):
            if output["output_type"] == "display_data" and (png := output["data"].get("image/png")):
                alpha = imread(io.BytesIO(b64decode(png)))[..., 3]
                assert (alpha[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all(), cell["id"]
                figures += 1
    assert figures


def test_latent_curve_shades_a_density_around_the_decoded_line():
    (left, right), density = plots.latent_curve(
        lambda z: torch.stack([torch.tanh(z), torch.sin(z)], -1), 0.2, reach=2.0
    )
    step = 4.0 / 199
    assert density.sum().item() * step**2 == pytest.approx(1, abs=0.01)
    # far more draws than the quadrature has points, and nothing in common with it
    z = torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    x = torch.stack([torch.tanh(z), torch.sin(z)], -1) + 0.2 * torch.randn(400_000, 2)
    inside = ((x[:, 0] > 0) & (x[:, 1] > 0.5)).float().mean().item()
    grid = torch.linspace(-2, 2, 200)
    assert density[grid > 0.5][:, grid > 0].sum().item() * step**2 == pytest.approx(inside, abs=0.01)
    shown = right.images[0].get_array()[..., 3]
    assert shown.argmax() == density.argmax() and left.get_xlabel() == "$z$" and right.get_ylabel() == "$x_2$"
    plt.close(left.figure)

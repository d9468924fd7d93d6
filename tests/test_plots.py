import matplotlib.pyplot as plt
import pytest
import torch
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


def test_log_bound_and_density_fits_draw_what_they_are_given():
    bound = plots.log_bound()
    upper, lower = (line.get_ydata() for line in bound.lines[:2])
    assert (upper - lower).min() >= 0
    x = torch.linspace(0, 1, 5)
    fits = plots.density_fits(x, x, [("q", 2 * x)])
    assert fits.lines[0].get_ydata().tolist() == pytest.approx((2 * x).tolist())

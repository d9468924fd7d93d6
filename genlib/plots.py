"""The book's figures: labels are symbols and plain identifiers, so that one figure serves every language."""

from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator
from torch import nn

from genlib.data import to_img

# Every colour reads on white and on the book's dark ground, see figures.mplstyle. One per digit: matplotlib's ten,
# the bright ones darkened.
DIGIT_COLORS = (
    "#1F77B4", "#D96A00", "#2CA02C", "#D62728", "#9467BD",
    "#95614F", "#D363B0", "#7F7F7F", "#94941A", "#0F98A8",
)  # fmt: skip
# Signs of an integrand and pairs of curves: blue and vermilion, also told apart in grey; a third with them: green.
POSITIVE, NEGATIVE, THIRD = "#0072B2", "#D55E00", "#009E73"
INK = "#797979"  # text, axes, and what stands beside a colour


def image_grid(rows, *, labels=(), columns=(), ax=None):
    """Rows of images, such as originals above reconstructions.

    rows: sequence of R tensors (C, 784) on [-1, 1]. labels: R row labels. columns: C column
    labels. Returns the axes. Raises ValueError if the rows differ in length.
    """
    if len({len(row) for row in rows}) != 1:
        raise ValueError(f"image_grid: got rows of {[len(row) for row in rows]} images, expected equal lengths")
    R, C = len(rows), len(rows[0])
    ax = ax or plt.subplots(figsize=(min(0.75 * C + 0.6, 10), 0.75 * R + 0.2), layout="constrained")[1]
    pixels = torch.stack([to_img(row.detach().cpu()) for row in rows])  # (R, C, 1, 28, 28)
    sheet = pixels[:, :, 0].permute(0, 2, 1, 3).reshape(R * 28, C * 28)
    ax.imshow(sheet.numpy(), cmap="gray", vmin=0, vmax=1)
    ax.set_yticks([28 * r + 14 for r in range(len(labels))], labels)
    ax.set_xticks([28 * c + 14 for c in range(len(columns))], columns)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def training_curves(history, *, ax=None):
    """Every term of the loss by epoch: training lines solid, test lines dashed. Returns the axes.

    Of a training that was interrupted in its first epoch there is nothing to draw: the axes are empty.
    """
    ax = ax or plt.subplots(figsize=(6, 3), layout="constrained")[1]
    for color, (name, values) in enumerate(history.train.items()):
        epochs = range(1, len(values) + 1)
        ax.plot(epochs, values, f"C{color}-", label=f"{name}, train")
        if name in history.test:
            ax.plot(epochs, history.test[name], f"C{color}--", label=f"{name}, test")
    ax.set(xlabel="epoch", ylabel="per image")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    if history.epochs:
        ax.set_ylim(0, 3 * history.train["total"][-1])
        ax.legend(frameon=False)
    return ax


def latent_scatter(codes, labels, *, mark=None, ax=None):
    """Each image's label, on its digit's colour, at its code in space.

    codes: (N, 3). labels: (N,), digits. mark: (3,), a code shown by a cross. Returns the
    3-D axes. Raises ValueError for codes that are not three-dimensional.
    """
    _check_codes(codes, labels, 3)
    ax = ax or plt.figure(figsize=(7, 6), layout="constrained").add_subplot(projection="3d")
    codes = codes.detach().cpu()
    for code, label in zip(codes.tolist(), labels.tolist(), strict=True):
        color = DIGIT_COLORS[label]
        box = {"boxstyle": "round,pad=0.1", "facecolor": color, "edgecolor": "white", "linewidth": 0.3}
        ax.text(*code, str(label), fontsize=6.5, ha="center", va="center", color=_ink(color), bbox=box)
    if mark is not None:
        cross = {"color": "black", "markersize": 13, "markeredgecolor": "white", "markeredgewidth": 1.2}  # one shows
        ax.plot(*torch.as_tensor(mark)[:, None].tolist(), "X", zorder=5, **cross)
    low, high = codes.min(0).values.tolist(), codes.max(0).values.tolist()
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    ax.set(xlabel="$z_1$", ylabel="$z_2$", zlabel="$z_3$")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_major_locator(MaxNLocator(5))  # more of them run into the names of the axes
    return ax


def latent_plane(codes, labels, *, ax=None):
    """Each image as its digit, in its colour, at two coordinates of its code.

    codes: (N, 2). labels: (N,), digits. Returns the axes. Raises ValueError for other shapes.
    """
    _check_codes(codes, labels, 2)
    ax = ax or plt.subplots(figsize=(5, 5), layout="constrained")[1]
    codes, labels = codes.detach().cpu(), labels.cpu()
    for digit, color in enumerate(DIGIT_COLORS):
        ax.scatter(*codes[labels == digit].T.numpy(), s=22, marker=f"${digit}$", color=color, linewidth=0.3)
    ax.set_aspect("equal")
    return ax


def against_standard_normal(values, *, ax=None):
    """The histogram of values (N,) beside the density of N(0, 1). Returns the axes."""
    ax = ax or plt.subplots(figsize=(5, 3), layout="constrained")[1]
    t = torch.linspace(-4, 4, 201)
    ax.hist(values.detach().cpu().numpy(), 80, range=(-4, 4), density=True, color=POSITIVE, alpha=0.5)
    ax.plot(t, _normal(t), color=NEGATIVE, linestyle="--", label=r"$\mathcal{N}(0, 1)$")
    ax.set(xlabel="$z$", ylabel="density", xlim=(-4, 4))
    ax.legend(frameon=False)
    return ax


@torch.no_grad()
def latent_slice(model, *, center=None, axes=(0, 1), span=2.0, n=15, ax=None):
    """A plane of the latent space, decoded on an n by n grid.

    center: (latent_dim,), the code in the middle (default 0). axes: the two coordinates that
    vary, each from -span to +span around the center. Returns the axes.
    """
    center = torch.zeros(model.latent_dim) if center is None else torch.as_tensor(center).cpu().float()
    i, j = axes
    if i == j or not all(0 <= axis < model.latent_dim for axis in axes):
        raise ValueError(f"latent_slice: got axes {axes}, expected two different ones below {model.latent_dim}")
    steps = torch.linspace(-span, span, n)
    codes = center.repeat(n, n, 1)  # (rows: z_j falling, columns: z_i rising, latent_dim)
    codes[:, :, i] += steps
    codes[:, :, j] += steps.flip(0)[:, None]
    ax = ax or plt.subplots(figsize=(5.5, 5.5), layout="constrained")[1]
    device = next(model.parameters()).device
    pixels = to_img(model.decode(codes.flatten(0, 1).to(device)).cpu())  # (n * n, 1, 28, 28)
    sheet = pixels.view(n, n, 28, 28).permute(0, 2, 1, 3).reshape(n * 28, n * 28)
    low_i, high_i = center[i].item() - span, center[i].item() + span
    low_j, high_j = center[j].item() - span, center[j].item() + span
    ax.imshow(sheet.numpy(), cmap="gray", vmin=0, vmax=1, extent=(low_i, high_i, low_j, high_j))
    ax.set(xlabel=f"$z_{{{i + 1}}}$", ylabel=f"$z_{{{j + 1}}}$")
    return ax


def latent_curve(decode, s, *, marks=(-2.0, -1.0, 0.0, 1.0, 2.0), reach=1.6, ax=None):
    """How a prior on a line becomes a density of two pixels: the line, the curve it is bent into, and p(x) around it.

    decode: z (N,) to the two pixels (N, 2). s: the standard deviation of both pixels around it. marks: codes shown
    on the line and on the curve. reach: both pixels are shown from -reach to reach. ax: two axes.
    Returns them, and the density (200, 200) that is shaded, its rows the second pixel, by quadrature over z.
    """
    left, right = ax if ax is not None else plt.subplots(1, 2, figsize=(9, 4), layout="constrained")[1]
    z = torch.linspace(-4, 4, 801)
    prior = _normal(z)
    images = decode(z)  # (N, 2)
    x = torch.linspace(-reach, reach, 200)
    near = [_normal(x[:, None], pixel, s) for pixel in images.T]
    density = (near[1] * prior) @ near[0].T * (z[1] - z[0])  # (second pixel, first pixel)
    shade = torch.zeros(200, 200, 4)
    shade[..., :3] = torch.tensor(to_rgb(POSITIVE))
    shade[..., 3] = 0.75 * density / density.max()
    right.imshow(shade.numpy(), origin="lower", extent=(-reach, reach, -reach, reach))
    right.plot(*images[z.abs() <= 2.6].T, color=NEGATIVE, linewidth=1.5)
    left.fill_between(z, prior, color=POSITIVE, alpha=0.4, linewidth=0)
    left.plot(z, torch.zeros_like(z), color=NEGATIVE, linewidth=1.5)
    for mark in marks:
        before, place, after = decode(torch.tensor([mark - 0.01, mark, mark + 0.01]))
        along = (after - before) / (after - before).norm()
        aside = torch.stack([along[1], -along[0]])  # a name stands on the curve's outer side
        aside = -aside if aside @ place < 0 else aside
        for axes, at, shift in ((left, (mark, 0.0), (0, -12)), (right, place.tolist(), (14 * aside).tolist())):
            axes.plot(*at, "o", color=NEGATIVE, markersize=6)
            name = f"{mark:g}".replace("-", "\N{MINUS SIGN}")
            axes.annotate(name, at, shift, textcoords="offset points", color=INK, ha="center", va="center")
    left.set(xlabel="$z$", ylabel="$p(z)$", ylim=(-0.05, None))
    right.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    return (left, right), density


def architecture(model, *, ax=None):
    """A model's layers, read from the model itself: a bar per layer, its height the logarithm of its width.

    model: an Autoencoder or a VAE. Returns the axes.
    """
    decoder = [layer for layer in model.decoder if isinstance(layer, nn.Linear)]
    if hasattr(model, "encoder"):
        encoder = [layer for layer in model.encoder if isinstance(layer, nn.Linear)]
        columns = [[("x", encoder[0].in_features)]]
        columns += [[("", layer.out_features)] for layer in encoder[:-1]]
        columns += [[("z", model.latent_dim)]]
    else:
        columns = [[("x", model.hidden.in_features)], [("", model.hidden.out_features)]]
        columns += [[(r"\mu", model.latent_dim), (r"\log\sigma^2", model.latent_dim)], [("z", model.latent_dim)]]
    columns += [[("", layer.out_features)] for layer in decoder[:-1]]
    columns += [[(r"\hat{x}", decoder[-1].out_features)]]
    ax = ax or plt.subplots(figsize=(8, 3), layout="constrained")[1]
    bars = [_bars(ax, at, boxes) for at, boxes in enumerate(columns)]
    arrow = {"arrowstyle": "->", "color": INK}
    for at, (left, right) in enumerate(pairwise(bars)):
        for y_left in left:
            for y_right in right:
                ax.annotate("", (at + 0.78, y_right), (at + 0.22, y_left), arrowprops=arrow)
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(-1.45, 1.3))
    ax.axis("off")
    return ax


def log_bound(*, ax=None):
    """log t below its tangent t - 1, which it touches at t = 1 only. Returns the axes."""
    ax = ax or plt.subplots(figsize=(5, 3), layout="constrained")[1]
    t = torch.linspace(0.05, 3, 400)
    ax.fill_between(t, t.log(), t - 1, color=POSITIVE, alpha=0.25, linewidth=0)
    ax.plot(t, t - 1, color=POSITIVE, label="$t - 1$")
    ax.plot(t, t.log(), color=INK, label=r"$\log t$")
    ax.plot(1, 0, "o", color=INK)
    ax.set(xlabel="$t$", ylabel="value", xlim=(0, 3))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def density_fits(x, p, fits, *, ax=None):
    """A density, filled, and others fitted to it, as lines.

    x, p: (N,), the grid and the density on it. fits: up to three pairs (label, (N,)).
    Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(7, 3), layout="constrained")[1]
    ax.fill_between(x, p, facecolor=to_rgba(INK, 0.35), edgecolor=INK, label="$p$")
    for color, style, (label, q) in zip((POSITIVE, NEGATIVE, THIRD), ("-", "--", ":"), fits, strict=False):
        ax.plot(x, q, style, color=color, linewidth=2, label=label)
    ax.set(xlabel="$x$", ylabel="density", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


def carried(mu1, sigma1, mu2, sigma2, *, ax=None):
    """How N(mu1, sigma1^2) becomes N(mu2, sigma2^2) with the least work: every part keeps its rank.

    Above, the first density; below, upside down, the second; lines join what holds the same share to its left.
    Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    spread = 3.5 * max(sigma1, sigma2)
    t = torch.linspace(min(mu1, mu2) - spread, max(mu1, mu2) + spread, 400)
    gap = 0.12
    for mu, sigma, color, side, name in ((mu1, sigma1, POSITIVE, 1, "1"), (mu2, sigma2, NEGATIVE, -1, "2")):
        density = side * (gap + _normal(t, mu, sigma))
        ax.fill_between(t, torch.full_like(t, side * gap), density, color=color, alpha=0.5, linewidth=0)
        label = rf"$\mathcal{{N}}(\mu_{name}, \sigma_{name}^2)$"
        ax.text(mu, side * (gap + 0.4 * _normal(torch.tensor(0.0), 0.0, sigma)), label, ha="center", va="center")
    for eps in torch.special.ndtri(torch.linspace(0.05, 0.95, 13)):
        ax.plot([mu1 + sigma1 * eps, mu2 + sigma2 * eps], [gap, -gap], color=INK, linewidth=1)
    ax.set(xlabel="position", yticks=[])
    return ax


def neighbour_balls(real, made, k=2, *, ax=None):
    """Points (N, 2), a ball around each out to its k-th nearest neighbour, and others (M, 2), which may lie inside.

    A ball that holds one of `made` is filled. Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(5, 4), layout="constrained")[1]
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    covered = (torch.cdist(made, real) < radius).any(0)
    for center, r, full in zip(real.tolist(), radius.tolist(), covered.tolist(), strict=True):
        ax.add_patch(Circle(center, r, facecolor=to_rgba(POSITIVE, 0.18 if full else 0), edgecolor=to_rgba(INK, 0.5)))
    ax.plot(*real.T, "o", color=POSITIVE, markersize=5, label="real")
    ax.plot(*made.T, "x", color=NEGATIVE, markersize=7, markeredgewidth=2, label="made")
    ax.set(xlabel="feature 1", ylabel="feature 2", aspect="equal")
    ax.legend(frameon=False)
    return ax


def kl_integrand(x, p, q, *, balanced=False, ax=None):
    """p log(p / q), shaded by its sign, with both densities as lines.

    x, p, q: (N,), the grid and the positive densities on it. balanced: shade
    p log(p / q) - p + q instead, which is nowhere negative and has the same integral.
    Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(6, 3.2), layout="constrained")[1]
    integrand = p * (p / q).log() + (q - p if balanced else 0)
    label = r"$p\,\log(p/q) - p + q$" if balanced else r"$p\,\log(p/q)$"
    ax.fill_between(x, integrand, where=integrand > 0, color=POSITIVE, alpha=0.6, linewidth=0, label=f"{label} $> 0$")
    if (integrand < 0).any() and not balanced:
        ax.fill_between(
            x, integrand, where=integrand < 0, color=NEGATIVE, alpha=0.6, linewidth=0, label=f"{label} $< 0$"
        )
    ax.plot(x, p, color=INK, label="$p$")
    ax.plot(x, q, color=INK, linestyle="--", label="$q$")
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set(xlabel="$x$", ylabel="density, integrand")
    ax.legend(frameon=False, fontsize=9)
    return ax


def kl_contours(mu, sigma, kl, *, levels=(0.02, 0.1, 0.25, 0.5, 1, 2, 4), ax=None):
    """Lines of equal KL over the mean and the standard deviation, a cross at the least of the grid.

    mu: (M,). sigma: (S,). kl: (S, M), in nats. Returns the axes.
    """
    ax = ax or plt.subplots(figsize=(5.5, 3.6), layout="constrained")[1]
    lines = ax.contour(mu, sigma, kl, levels=levels, colors=POSITIVE)
    ax.clabel(lines, fmt="%g", colors=INK)
    row, column = divmod(kl.argmin().item(), len(mu))
    ax.plot(mu[column].item(), sigma[row].item(), "x", color=NEGATIVE, markersize=9, markeredgewidth=2)
    ax.set(xlabel=r"mean $\mu$", ylabel=r"standard deviation $\sigma$")
    return ax


def _normal(x, mu=0.0, sigma=1.0):
    """The density of N(mu, sigma^2) at x."""
    return (-((x - mu) ** 2) / (2 * sigma**2)).exp() / (2 * torch.pi * sigma**2) ** 0.5


def _check_codes(codes, labels, D):
    if codes.ndim != 2 or codes.shape[1] != D or len(codes) != len(labels):
        raise ValueError(f"got codes {tuple(codes.shape)} and {len(labels)} labels, expected (N, {D}) and N")


def _bars(ax, at, boxes):
    """Draw one column of the architecture; the heights at which arrows touch it."""
    middles = [0.0] if len(boxes) == 1 else [0.55, -0.55]
    for (symbol, width), middle in zip(boxes, middles, strict=True):
        height = 0.16 + 0.3 * torch.tensor(float(width)).log10().item()
        color = THIRD if symbol in ("x", r"\hat{x}") else NEGATIVE if symbol else POSITIVE
        ax.bar(at, height, 0.36, bottom=middle - height / 2, color=color)
        ax.text(at, middle - height / 2 - 0.06, str(width), ha="center", va="top", fontsize=10)
        if symbol:
            ax.text(at, middle + height / 2 + 0.05, f"${symbol}$", ha="center", va="bottom", fontsize=12)
    return middles


def _ink(background):
    """Black or white, whichever reads better on the background."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(background)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"  # where both have 4.6 : 1

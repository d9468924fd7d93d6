"""Draw a digit, and see what an autoencoder and a VAE make of it."""

import anywidget
import ipywidgets
import torch
import traitlets
from torch import nn

from genlib.data import to_img
from genlib.explorer import core, scripts
from genlib.losses import kl_to_standard_normal
from genlib.models import VAE, Autoencoder
from genlib.plots import latent_scatter


class _Subject(anywidget.AnyWidget):
    """Something that has to do with the drawn digit: {"images": up to two lists of 784 bytes, "t": in [0, 1]}."""

    subject = traitlets.Dict().tag(sync=True)


class _Pad(_Subject):
    """Where a digit is drawn, or chosen from samples."""

    _esm = scripts.module("pad")
    samples = traitlets.Bytes().tag(sync=True)  # (M, 784) uint8
    sample_labels = traitlets.List().tag(sync=True)


class _Panel(_Subject):
    """What a model makes of the subject; encoder and decoder as core.pack_layers packs them."""

    _esm = scripts.module("panels")
    kind = traitlets.Unicode().tag(sync=True)
    encoder_layers = traitlets.List().tag(sync=True)
    encoder_weights = traitlets.Bytes().tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)

    def __init__(self, encoder, decoder, **traits):
        for name, layers in (("encoder", encoder), ("decoder", decoder)):
            traits[f"{name}_layers"], traits[f"{name}_weights"] = core.pack_layers(layers)
        super().__init__(**traits)


class _AutoencoderPanel(_Panel, core.ScatterTraits):
    """The code among others, and the reconstruction."""


class _VAEPanel(_Panel):
    """mu, sigma and KL of each latent, and what mu and a sample are decoded to."""

    order = traitlets.List().tag(sync=True)  # of the latents, by falling mean KL


class Playground(core.Explorer):
    """Draw a digit, and see side by side what an autoencoder and a VAE make of it.

    autoencoder: an Autoencoder of latent_dim 1, 2 or 3. vae: a VAE. images: (N, 784) on [-1, 1], up to
    about 2000, and labels: (N,), digits: the codes that the drawn one is shown among. samples: (M, 784)
    and sample_labels: (M,), digits to start from, for those who cannot draw; the first one is on
    the pad at first. Raises ValueError for input of another kind or shape.
    """

    figsize = (8, 5)

    def __init__(self, autoencoder, vae, images, labels, samples, sample_labels):
        _check_models(autoencoder, vae)
        images, labels = core.checked_digits("Playground", images, labels)
        samples, sample_labels = core.checked_digits("Playground", samples, sample_labels)
        with torch.no_grad():
            codes = autoencoder.encode(images.to(core.device_of(autoencoder))).cpu().double()
            mu, logvar = (part.cpu() for part in vae.encode(images.to(core.device_of(vae))))
        core.checked_finite("Playground", autoencoder, code=codes)
        core.checked_finite("Playground", vae, mu=mu, logvar=logvar)
        low, high, decimals = core.rounded_ends(codes.amin(0), codes.amax(0))
        kl = kl_to_standard_normal(mu.reshape(-1, 1), logvar.reshape(-1, 1)).view(mu.shape).mean(0).tolist()
        packed = core.pack_images(samples)
        self.pad = _Pad(
            samples=packed,
            sample_labels=sample_labels.tolist(),
            subject={"images": [list(packed[:784])], "t": 0.0},
        )
        self.autoencoder = _AutoencoderPanel(
            autoencoder.encoder,
            autoencoder.decoder,
            kind="autoencoder",
            subject=self.pad.subject,
            **core.pack_points(codes, labels, list(range(codes.shape[1])), low, high, decimals),
        )
        self.vae = _VAEPanel(
            _encoder(vae),
            vae.decoder,
            kind="vae",
            subject=self.pad.subject,
            order=sorted(range(len(kl)), key=lambda i: -kl[i]),
        )
        panels = ipywidgets.Box([self.autoencoder, self.vae]).add_class("genlib-pair")
        self._links = [ipywidgets.jslink((self.pad, "subject"), (panel, "subject")) for panel in panels.children]
        self._pictured = _pictured(autoencoder, vae, samples[:1], codes, labels, self.vae.order)
        super().__init__([self.pad, panels])

    @property
    def image(self):
        """The picture on the pad, (1, 784) on [-1, 1]: with a kernel as drawn, A while between two kept digits.

        None if the pad is empty.
        """
        images = self.pad.subject["images"]
        return torch.tensor(images[:1]) / 127.5 - 1 if images else None

    def __repr__(self):
        return f"Playground(points={len(self.autoencoder.labels)}, samples={len(self.pad.sample_labels)})"

    def _draw(self, figure):
        digit, x_hats, z, codes, labels, latents = self._pictured
        grid = figure.add_gridspec(2, 3, width_ratios=(2, 2, 4))
        core.show_digit(figure.add_subplot(grid[:, 0]), digit)
        for row, x_hat in enumerate(x_hats):
            core.show_digit(figure.add_subplot(grid[row, 1]), x_hat)
        latent_scatter(codes, labels, mark=z, ax=figure.add_subplot(grid[0, 2], projection="3d"))
        names, mu, sigma = latents
        ax = figure.add_subplot(grid[1, 2])
        ax.errorbar(range(len(mu)), mu, sigma, fmt="_", color="0.1", ecolor="0.6", elinewidth=4)
        ax.axhline(0, color="0.5", linewidth=0.8)
        ax.set_xticks(range(len(mu)), names, fontsize=7)
        ax.set_ylabel(r"$\mu \pm \sigma$")


def _check_models(autoencoder, vae):
    if not isinstance(autoencoder, Autoencoder) or autoencoder.latent_dim > 3:
        dim = f" of latent_dim {autoencoder.latent_dim}" if isinstance(autoencoder, Autoencoder) else ""
        raise ValueError(
            f"Playground: got {type(autoencoder).__name__}{dim} as autoencoder, "
            "expected an Autoencoder whose codes can be drawn: latent_dim 1, 2 or 3"
        )
    if not isinstance(vae, VAE):
        raise ValueError(f"Playground: got {type(vae).__name__} as vae, expected a VAE")


def _encoder(vae):
    """The VAE's encoder as plain layers, whose last gives mu and logvar side by side."""
    last = nn.Linear(vae.hidden.out_features, 2 * vae.latent_dim)
    last.weight.data = torch.cat([vae.mu.weight, vae.logvar.weight]).detach()
    last.bias.data = torch.cat([vae.mu.bias, vae.logvar.bias]).detach()
    return nn.Sequential(vae.hidden, nn.ReLU(), last)


@torch.no_grad()
def _pictured(autoencoder, vae, image, codes, labels, order):
    """What _draw shows: the image, both reconstructions, and how each model encodes it."""
    z, x_hat = (part.cpu() for part in autoencoder(image.to(core.device_of(autoencoder))))
    mu, logvar = vae.encode(image.to(core.device_of(vae)))
    x_hats = [to_img(x)[0, 0] for x in (x_hat, vae.decode(mu).cpu())]
    latents = [f"$z_{{{i + 1}}}$" for i in order], mu[0].cpu()[order], (0.5 * logvar[0].cpu()).exp()[order]
    return to_img(image)[0, 0], x_hats, core.padded(z)[0].tolist(), core.padded(codes), labels, latents

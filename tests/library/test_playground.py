"""Playground's state, errors and picture."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from genlib import VAE, Autoencoder, Playground


def spoiled(model, name):
    """The model with a nan among the biases of the layer of this name."""
    with torch.no_grad():
        model.get_submodule(name).bias[0] = torch.nan
    return model


@pytest.fixture
def digits(test_digits):
    images, labels = test_digits
    return images[:40], labels[:40], images[:3], labels[:3]


def unpacked(layers, weights, x):
    """x, sent through packed layers."""
    for layer in layers:

        def tensor(offset, dtype, *shape):
            array = np.frombuffer(weights, dtype, int(np.prod(shape)), offset)
            return torch.tensor(array.astype("float32")).view(shape)

        matrix = tensor(layer["offset"], layer["dtype"], layer["out"], layer["in"])
        x = F.linear(x, matrix, tensor(layer["bias"], "float32", layer["out"]))
        x = {"relu": F.relu, "tanh": torch.tanh, "identity": lambda y: y}[layer["activation"]](x)
    return x


def test_the_networks_travel_whole(digits):
    autoencoder, vae = Autoencoder(), VAE(latent_dim=6, hidden_dim=20)
    playground = Playground(autoencoder, vae, *digits)
    x = digits[0]
    with torch.no_grad():
        for panel, encoded, decoded in (
            (playground.autoencoder, autoencoder.encode(x), autoencoder.decode(autoencoder.encode(x))),
            (playground.vae, torch.cat(vae.encode(x), dim=1), vae.decode(vae.encode(x)[0])),
        ):
            z = unpacked(panel.encoder_layers, panel.encoder_weights, x)
            assert torch.allclose(z, encoded, atol=1e-5)
            z = z[:, : panel.decoder_layers[0]["in"]]
            assert torch.allclose(unpacked(panel.decoder_layers, panel.decoder_weights, z), decoded, atol=1e-5)


def test_latents_come_by_falling_kl(digits):
    vae = VAE(latent_dim=3, hidden_dim=8)
    with torch.no_grad():
        for layer, bias in ((vae.mu, [0.0, 3.0, 1.0]), (vae.logvar, [0.0] * 3)):
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor(bias))
    assert Playground(Autoencoder(), vae, *digits).vae.order == [1, 2, 0]


def test_it_starts_with_the_first_sample_everywhere(digits):
    playground = Playground(Autoencoder(), VAE(), *digits)
    assert playground.pad.subject == playground.autoencoder.subject == playground.vae.subject
    assert torch.allclose(playground.image, digits[2][:1], atol=1e-6)
    assert playground.pad.sample_labels == digits[3].tolist()
    ends = [(link.source, link.target) for link in playground._links]
    assert ends == [
        ((playground.pad, "subject"), (panel, "subject")) for panel in (playground.autoencoder, playground.vae)
    ]
    playground.pad.subject = {"images": [], "t": 0}
    assert playground.image is None


def test_picture_is_always_the_same_and_shows_the_first_sample(digits):
    torch.manual_seed(0)
    models = Autoencoder(), VAE()
    playground = Playground(*models, *digits)
    assert repr(playground) == "Playground(points=40, samples=3)"
    assert playground.picture() == playground.picture()
    other = Playground(*models, *digits[:2], digits[2].flip(0), digits[3].flip(0))
    assert other.picture() != playground.picture()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"autoencoder": VAE()}, "got VAE as autoencoder"),
        ({"autoencoder": Autoencoder(4)}, "got Autoencoder of latent_dim 4 as autoencoder"),
        ({"vae": Autoencoder()}, "got Autoencoder as vae, expected a VAE"),
        ({"images": torch.zeros(40, 28, 28)}, r"images of shape \(40, 28, 28\)"),
        ({"samples": torch.zeros(0, 784)}, r"images of shape \(0, 784\)"),
        ({"sample_labels": torch.zeros(4, dtype=int)}, r"labels of shape \(4,\), expected \(3,\)"),
        ({"samples": torch.full((3, 784), 255.0)}, r"from 255 to 255, .*: images / 127.5 - 1"),
        ({"images": torch.zeros(40, 784).byte()}, "of torch.uint8 from 0 to 0, expected floats"),
        ({"autoencoder": spoiled(Autoencoder(), "encoder.6")}, "Autoencoder, whose code of some image is nan"),
        ({"vae": spoiled(VAE(), "logvar")}, "VAE, whose logvar of some image is nan"),
    ],
)
def test_bad_input_is_named(change, message, digits):
    names = ("images", "labels", "samples", "sample_labels")
    arguments = {"autoencoder": Autoencoder(), "vae": VAE()} | dict(zip(names, digits, strict=True)) | change
    with pytest.raises(ValueError, match=f"Playground: .*{message}"):
        Playground(**arguments)

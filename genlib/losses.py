"""What training minimises, one number per image: nothing here averages over the batch."""

import math

import torch


def squared_error(x_hat, x):
    """Sum over the pixels of (x_hat - x)^2.

    x_hat, x: (B, ...). Returns (B,), per image, in squared pixel units (the book's images
    lie on [-1, 1]). Raises ValueError if the shapes differ.
    """
    _check_same("squared_error", x_hat=x_hat, x=x)
    return (x_hat - x).square().flatten(1).sum(1)


def kl_to_standard_normal(mu, logvar):
    """KL(N(mu, diag exp(logvar)) || N(0, I)); Kingma and Welling 2014, app. B.

    mu, logvar: (B, d). Returns (B,), nats per image.
    Raises ValueError if the shapes differ.
    """
    _check_same("kl_to_standard_normal", mu=mu, logvar=logvar)
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).flatten(1).sum(1)


def kl_normal(mu1, sigma1, mu2, sigma2):
    """KL(N(mu1, sigma1^2) || N(mu2, sigma2^2)) of two Gaussians on the line; chapter 2 derives it.

    Numbers or tensors that broadcast. Returns the tensor of that shape, in nats, not summed.
    Raises ValueError unless both sigma > 0.
    """
    mu1, sigma1, mu2, sigma2 = (torch.as_tensor(v) for v in (mu1, sigma1, mu2, sigma2))
    for name, sigma in (("sigma1", sigma1), ("sigma2", sigma2)):
        if not (sigma > 0).all():
            raise ValueError(f"kl_normal: got {name} = {sigma.min().item():g}, expected > 0")
    return torch.log(sigma2 / sigma1) + (sigma1**2 + (mu1 - mu2) ** 2) / (2 * sigma2**2) - 0.5


def autoencoder_loss(model, x):
    """The autoencoder's loss, as `fit` takes it.

    x: (B, 784). Returns {"total": (B,)}, the squared error per image.
    """
    _, x_hat = model(x)
    return {"total": squared_error(x_hat, x)}


def vae_loss(model, x, *, c=1.0):
    """c * squared error + KL, as `fit` takes it, with one sample per image.

    x: (B, 784). Returns {"total", "reconstruction", "kl"}, each (B,): the
    squared error and the KL in nats. Up to the constant
    (784/2) log(2 pi s^2) the total is the negative ELBO of a Gaussian decoder
    with variance s^2 = 1 / (2 c). Raises ValueError unless c > 0.
    """
    if not (c > 0 and math.isfinite(c)):
        raise ValueError(f"vae_loss: got c = {c!r}, expected 0 < c < inf")
    x_hat, mu, logvar = model(x)
    se = squared_error(x_hat, x)
    kl = kl_to_standard_normal(mu, logvar)
    return {"total": c * se + kl, "reconstruction": se, "kl": kl}


def _check_same(function, **tensors):
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) != 1:
        got = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"{function}: got {got}, expected equal shapes")

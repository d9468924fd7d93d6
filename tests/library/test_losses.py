import math

import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Independent, Normal, kl_divergence

from genlib.losses import autoencoder_loss, kl_normal, kl_to_standard_normal, squared_error, vae_loss
from genlib.models import VAE, Autoencoder


def random_gaussians(*shape):
    return torch.randn(shape).double(), torch.randn(shape).double().exp()


def test_squared_error_is_the_gaussian_log_likelihood():
    """-log N(x; x_hat, 1/2) = SE + (D/2) log pi, summed over the pixels, per image."""
    x, x_hat = torch.randn(2, 5, 784, dtype=torch.float64)
    log_p = Independent(Normal(x_hat, math.sqrt(0.5)), 1).log_prob(x)
    torch.testing.assert_close(squared_error(x_hat, x), -log_p - 392 * math.log(math.pi))


def test_kl_to_standard_normal_against_torch_distributions():
    mu, sigma = random_gaussians(6, 20)
    oracle = kl_divergence(Independent(Normal(mu, sigma), 1), Independent(Normal(torch.zeros(6, 20).double(), 1), 1))
    torch.testing.assert_close(kl_to_standard_normal(mu, 2 * sigma.log()), oracle)


def test_kl_normal_against_torch_distributions():
    (mu1, sigma1), (mu2, sigma2) = random_gaussians(50), random_gaussians(50)
    oracle = kl_divergence(Normal(mu1, sigma1), Normal(mu2, sigma2))
    torch.testing.assert_close(kl_normal(mu1, sigma1, mu2, sigma2), oracle)
    assert kl_normal(0, 1, 0, 1) == 0


def test_kl_normal_against_quadrature():
    p, q = Normal(torch.tensor(0.3).double(), 0.8), Normal(torch.tensor(-1.0).double(), 1.7)

    def integrand(value):
        x = torch.tensor(value).double()
        return (p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))).item()

    assert kl_normal(0.3, 0.8, -1.0, 1.7).item() == pytest.approx(quad(integrand, -15, 15)[0], rel=1e-6)


def test_kl_to_standard_normal_against_monte_carlo():
    mu, logvar = torch.tensor([[0.7, -1.2]]).double(), torch.tensor([[0.4, -0.9]]).double()
    q, prior = Normal(mu, (logvar / 2).exp()), Normal(torch.zeros(1, 2).double(), 1)
    z = q.sample((200_000,))
    ratio = (q.log_prob(z) - prior.log_prob(z)).sum((1, 2))
    standard_error = ratio.std() / len(ratio) ** 0.5
    assert abs(ratio.mean() - kl_to_standard_normal(mu, logvar)[0]) < 4 * standard_error < 0.02


def test_loss_at_initialisation_is_the_images_square(test_digits):
    """A fresh network outputs nearly 0, so that its squared error is nearly the sum of x^2."""
    x = test_digits[0][:2000]
    squares = x.square().sum(1).mean().item()
    assert autoencoder_loss(Autoencoder(), x)["total"].mean().item() == pytest.approx(squares, rel=0.05)
    vae = VAE()
    mu, logvar = vae.encode(x)
    assert squared_error(vae.decode(mu), x).mean().item() == pytest.approx(squares, rel=0.05)
    assert kl_to_standard_normal(mu, logvar).mean() < 0.01 * squares


def test_vae_loss_is_the_negative_elbo_up_to_its_constant():
    """With variance 1 / (2 c): c SE + KL = -ELBO - (784/2) log(2 pi sigma^2), the same noise in both."""
    model, x, c = VAE().double(), torch.rand(4, 784).double() * 2 - 1, 0.25
    torch.manual_seed(1)
    terms = vae_loss(model, x, c=c)
    torch.manual_seed(1)
    x_hat, mu, logvar = model(x)
    sigma = (1 / (2 * c)) ** 0.5
    log_px = Independent(Normal(x_hat, sigma), 1).log_prob(x)
    kl = kl_divergence(Independent(Normal(mu, (logvar / 2).exp()), 1), Independent(Normal(torch.zeros_like(mu), 1), 1))
    torch.testing.assert_close(terms["total"] + 392 * math.log(2 * math.pi * sigma**2), kl - log_px)
    assert set(terms) == {"total", "reconstruction", "kl"} and all(term.shape == (4,) for term in terms.values())


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x_hat \(2, 3\), x \(2, 4\), expected equal shapes"):
        squared_error(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"mu \(1, 3\), logvar \(3,\)"):
        kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(3))
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match=r"got sigma2 = .*, expected > 0"):
            kl_normal(0.0, 1.0, 0.0, bad)
        with pytest.raises(ValueError, match="expected 0 < c < inf"):
            vae_loss(VAE(), torch.zeros(1, 784), c=bad)

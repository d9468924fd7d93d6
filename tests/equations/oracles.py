"""What definitions and last lines are worth by other means: torch.distributions, genlib.losses, scipy's quadrature.

ORACLES[chapter, heading][LaTeX] is a function of an env of the numeric reader. A definition that has one need not be
used by a step.
"""

import numpy as np
import torch
from scipy.integrate import quad
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence

from genlib import losses

from .meaning import bind, look


def tensor(env, *names):
    """The values of names, a family such as z_1, z_2 as one tensor; 0 and 1 stand for themselves."""
    found = [torch.as_tensor(np.array(look(env, name) if isinstance(name, str) else name, float)) for name in names]
    return found if len(found) > 1 else found[0]


def normal(x, mean, sigma):
    """The density of independent normals, one for each element of x."""

    def density(env):
        at, *parameters = torch.broadcast_tensors(*tensor(env, x, mean, sigma))
        return Normal(*parameters).log_prob(at).sum().exp().numpy()

    return density


def categorical_kl(p, q):
    return lambda env: kl_divergence(*(Categorical(torch.tensor(probs).double()) for probs in (p, q))).numpy()


def to_standard_normal(mu, sigma):
    def kl(env):
        mean, spread = tensor(env, mu, sigma)
        return losses.kl_to_standard_normal(mean.reshape(1, -1), 2 * spread.log().reshape(1, -1))[0].numpy()

    return kl


def squared_error(env):
    return losses.squared_error(tensor(env, r"\hat{x}_")[None], tensor(env, "x_")[None])[0].numpy()


def average(name, power=0, center=None):
    """The integral of (x - center)^power times what the page introduced as any density, over its first variable."""

    def value(env):
        middle = center(env) if center else 0
        return quad(lambda x: (x - middle) ** power * env["any"][name](bind(env, "x", x)), -14, 14, limit=200)[0]

    return value


def marginal(env):
    return quad(lambda z: np.prod([env["any"][p](bind(env, "z", z)) for p in ("p(x, z)", "p(z)")]), -14, 14)[0]


def mixture(env):
    return np.mean([env["any"]["q(z, x)"](bind(env, "x", x)) for x in env["x_"]])


def negative_elbo(env):
    """The mean of vae_loss over q(z|x), by Gauss-Hermite quadrature, and its constant."""
    (mu, sigma), c, x = tensor(env, r"\mu_", r"\sigma_"), look(env, "c"), tensor(env, "x_")
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)

    class Model:
        def __call__(self, x):
            noise = np.stack([axis.ravel() for axis in np.meshgrid(nodes, nodes)])
            z = tuple(m + s * e for m, s, e in zip(mu.numpy(), sigma.numpy(), noise, strict=True))
            x_hat = torch.tensor(np.stack(env["any"][r"\hat{x}(z)"](bind(env, "z", z)), 1))
            return x_hat, mu.expand(len(x_hat), -1), 2 * sigma.log().expand(len(x_hat), -1)

    loss = losses.vae_loss(Model(), x.expand(len(nodes) ** 2, -1), c=c)["total"].numpy()
    return loss @ np.outer(weights, weights).ravel() / weights.sum() ** 2 + len(x) / 2 * np.log(np.pi / c)


def slope(factor):
    """The mean of f'(mu + sigma epsilon) times factor(epsilon), by Gauss-Hermite quadrature."""

    def value(env):
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        at = bind(env, "z", look(env, r"\mu") + look(env, r"\sigma") * nodes)
        return env["any"]["f'(z)"](at) * factor(nodes) @ weights / weights.sum()

    return value


def two_gaussians(env):
    return losses.kl_normal(*tensor(env, r"\mu_1", r"\sigma_1", r"\mu_2", r"\sigma_2")).numpy()


def discrete(env):
    return categorical_kl(env["p_"], env["q_"])(env)


def linked(env):
    rho = look(env, r"\rho")
    covariances = (torch.tensor(c, dtype=torch.float64) for c in ([[1, rho], [rho, 1]], [[1, 0], [0, 1]]))
    return kl_divergence(*(MultivariateNormal(torch.zeros(2).double(), c) for c in covariances)).numpy()


CODE, PRIOR, PIXELS = normal("z", r"\mu_", r"\sigma_"), normal("z", 0, 1), normal("x", r"\hat{x}_", "s")
KL_OF_GAUSSIANS = r"\log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{2\sigma_2^2} - \frac{1}{2}"
WEATHER = [1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 8, 1 / 2, 1 / 4, 1 / 8]
KL_OF_COORDINATES = r"\frac{1}{2}\sum_{i=1}^{d} \left(\mu_i^2 + \sigma_i^2 - 1 - \log(\sigma_i^2)\right)"


def decoded(env):
    return PIXELS(bind(env, r"\hat{x}", env["any"][r"\hat{x}(z)"](env)))


ORACLES = {
    ("01_autoencoder", "the-loss"): {r"\mathrm{SE}(x, \hat{x})": squared_error},
    ("02_kl_divergence", "the-cost-of-a-wrong-belief"): {
        r"\sum_{i=1}^{n} p_i \log\frac{p_i}{q_i}": discrete,
        r"\frac{5}{8}\log 2": categorical_kl(*WEATHER),
    },
    ("02_kl_divergence", "the-kl-divergence-is-not-symmetric"): {r"\frac{1}{2}\log 2": categorical_kl(*WEATHER[::-1])},
    ("02_kl_divergence", "the-kl-divergence-of-two-gaussians"): {
        "p(x)": normal("x", r"\mu_1", r"\sigma_1"),
        "q(x)": normal("x", r"\mu_2", r"\sigma_2"),
        KL_OF_GAUSSIANS: two_gaussians,
    },
    ("02_kl_divergence", "kl-divergence-to-the-standard-normal"): {
        "q(z)": normal("z", r"\mu", r"\sigma"),
        "p(z)": PRIOR,
        r"\frac{1}{2}\left(\mu^2 + \exp(\ell) - 1 - \ell\right)": to_standard_normal(r"\mu", r"\sigma"),
    },
    ("02_kl_divergence", "many-dimensions"): {
        "q_i(z_i)": normal("z_i", r"\mu_i", r"\sigma_i"),
        "p_i(z_i)": normal("z_i", 0, 1),
        "q(z)": CODE,
        "p(z)": PRIOR,
        KL_OF_COORDINATES: to_standard_normal(r"\mu_", r"\sigma_"),
    },
    ("02_kl_divergence", "exercise-1-evidence-from-a-coin"): {
        r"\frac{1}{2}\log\frac{9}{8}": categorical_kl([1 / 2, 1 / 2], [1 / 3, 2 / 3]),
        r"\frac{5}{3}\log 2 - \log 3": categorical_kl([1 / 3, 2 / 3], [1 / 2, 1 / 2]),
    },
    ("02_kl_divergence", "exercise-2-why-the-broad-fit-has-the-moments-of-p"): {
        "m": average("p(x)", 1),
        "v": average("p(x)", 2, average("p(x)", 1)),
        "q(x)": normal("x", r"\mu", r"\sigma"),
    },
    ("02_kl_divergence", "exercise-4-when-latents-are-linked"): {r"-\frac{1}{2}\log(1-\rho^2)": linked},
    ("03_vae", "a-model-of-how-images-arise"): {"p(x)": marginal},
    ("03_vae", "the-evidence-lower-bound"): {"p(x)": marginal},
    ("03_vae", "from-the-bound-to-the-loss"): {
        "p(z)": PRIOR,
        r"q(z \mid x)": CODE,
        r"p(x \mid z)": decoded,
        r"\mathrm{SE}(x, \hat{x})": squared_error,
        KL_OF_COORDINATES: to_standard_normal(r"\mu_", r"\sigma_"),
        r"\mathbb{E}_{q(z \mid x)}[c \mathrm{SE}(x, \hat{x}(z))] + \mathrm{KL}(q(z \mid x) \| p(z))"
        r" + \frac{D}{2} \log(\frac{\pi}{c})": negative_elbo,
    },
    ("03_vae", "the-reparameterization-trick"): {
        r"\mathbb{E}_{\varepsilon \sim \mathcal{N}(0, 1)}[f'(\mu + \sigma \varepsilon)]": slope(np.ones_like),
        r"\mathbb{E}_{\varepsilon \sim \mathcal{N}(0, 1)}[f'(\mu + \sigma \varepsilon) \varepsilon]": slope(np.asarray),
    },
    ("03_vae", "do-the-codes-follow-the-prior"): {"q(z)": mixture},
}

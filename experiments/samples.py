"""How good images decoded from codes are, by where the codes come from; and what the measures say of the anchors."""

from dataclasses import replace
from functools import partial
from importlib.resources import files

import torch
from losses import plain_loss
from results import Experiment, shaped_by
from sklearn.mixture import GaussianMixture
from torch.distributions import Normal

from genlib import (
    PCA,
    PRESETS,
    VAE,
    Autoencoder,
    anchors,
    autoencoder_loss,
    fit,
    load_mnist,
    measures,
    squared_error,
    vae_loss,
)
from genlib.models import digest, read_weights

IMAGES = 5000  # of every set; as many test digits stand for the data, the other 5000 are the best that can be had
COPIES = 1000  # of each set, whose nearest training images are looked for
NEIGHBOURS, VOTES = 15, 12  # of the vote of the nearest training images, how many must agree
COMPONENTS = 50
FITTED = 20_000  # codes that the mixture is fitted to


def halves_of_the_test_set(seed):
    """(images, labels) of the 5000 test digits that stand for the data, and of the other 5000: a random division."""
    images, labels = load_mnist(train=False)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    return [(images[part], labels[part]) for part in order.split(IMAGES)]


def scored(sets, real):
    """{"<set>.<measure>": number} for sets of images beside the real ones."""
    training_images, training_labels = load_mnist()
    values, real = {}, measures.features(real)
    for name, x in sets.items():
        found = measures.scores(x, real)
        found["distance"] = measures.nearest(x[:COPIES], training_images)[0].median().item()
        votes = measures.neighbour_vote(x[:COPIES], training_images, training_labels, NEIGHBOURS)["votes"]
        found["vote"] = (votes >= VOTES).double().mean().item()
        values |= {f"{name}.{measure}": value for measure, value in found.items()}
    return values


def anchored(seed):
    """What the measures say of the anchors, made from test digits, and of what could please one measure.

    copies: training images themselves. moved: these, one pixel further right. one: a 1, again and again, that of the
    test digits of which the classifier is surest. half_noise: every other test digit replaced by noise.
    """
    (real, _), (images, labels) = halves_of_the_test_set(seed)
    training_images, _ = load_mnist()
    torch.manual_seed(seed)
    chosen = training_images[torch.randperm(len(training_images))[:IMAGES]]
    sets = {**anchors.anchors(images, labels), "copies": chosen, "moved": anchors.moved(chosen)}
    ones = images[labels == 1]
    best = ones[measures.read(ones)["confidence"].argmax()]
    sets |= {"one": anchors.repeated(best.expand(IMAGES, -1)), "half_noise": anchors.half_noise(images)}
    return scored(sets, real)


def run(seed, *, model, latent_dim, loss, controls):
    """The same of images that a model, PCA or one trained with "quick", decodes from codes of several origins.

    test: of test digits (of a VAE, the mean). aggregate: of training images (of a VAE, sampled from q(z|x)). prior:
    N(0, I). gaussian, mixture: drawn from one Gaussian, or from 50, fitted to the codes of training images as
    `aggregate` has them. means: of a VAE, from 50 fitted to the means of q(z|x), which are codes without noise like
    an autoencoder's. box: uniform on the box around the codes, for the autoencoder alone. Also "se", the error of
    `test`; of a VAE "gain": how much the mixture as prior would raise the ELBO of the test images. And if controls are
    asked for: shuffled, `aggregate` with each latent taken from another image; ranked, `aggregate` with each latent
    stretched so that it alone follows N(0, 1), its order kept; halfway and kin, half-way between the means of two test
    images, of different digits and of the same.
    """
    images, _ = load_mnist()
    (real, _), test = halves_of_the_test_set(seed)
    torch.manual_seed(seed)
    if model is PCA:
        model = PCA(images, latent_dim)
    else:
        model = model(latent_dim=latent_dim)
        fit(model, images, replace(PRESETS["quick"], seed=seed), loss=loss, device="cpu")
    torch.manual_seed(seed)
    drawn, values = codes(model, loss, images[torch.randperm(len(images))], test, seed, controls)
    with torch.no_grad():
        decoded = {name: model.decode(z) for name, z in drawn.items()}
        values["se"] = squared_error(decoded["test"], test[0]).mean().item()
        return scored({name: x.clamp(-1, 1) for name, x in decoded.items()}, real) | values  # PCA's may lie outside


@torch.no_grad()
def codes(model, loss, images, test, seed, controls):
    """{name: (5000, d)}, the codes that `run` decodes, and {"gain": number} of a VAE.

    images: shuffled. test: (images, labels).
    """
    test_images, labels = test
    if isinstance(model, VAE):
        means, (mu, logvar) = model.encode(test_images)[0], model.encode(images)
        z = model.reparameterize(mu, logvar) if loss is vae_loss else mu
    else:
        means, z = model.encode(test_images), model.encode(images)
    noise = torch.randn(IMAGES, model.latent_dim)
    mixture, values = mixture_of(z, seed), {}
    drawn = {
        "test": means,
        "aggregate": z[-IMAGES:],
        "prior": noise,
        "gaussian": z.mean(0) + noise @ torch.linalg.cholesky(z.T.cov()).T,
        "mixture": sampled(mixture),
    }
    if loss is vae_loss:
        drawn["means"] = sampled(mixture_of(mu, seed))
        new = model.reparameterize(*model.encode(test_images)).double()
        values["gain"] = mixture.score(new.numpy()) - Normal(0.0, 1.0).log_prob(new).sum(1).mean().item()
        if controls:
            drawn["shuffled"] = torch.stack([latent[torch.randperm(len(z))[:IMAGES]] for latent in z.T], 1)
            ranks = (z.argsort(0).argsort(0) + 0.5) / len(z)
            drawn["ranked"] = torch.special.ndtri(ranks)[-IMAGES:]
            drawn |= {"halfway": halfway(means, labels, alike=False), "kin": halfway(means, labels, alike=True)}
    if isinstance(model, Autoencoder):
        low, high = z.min(0).values, z.max(0).values
        drawn["box"] = low + (high - low) * torch.rand(IMAGES, model.latent_dim)
    return drawn, values


def halfway(z, labels, alike):
    """(5000, d), the middles of as many random pairs of codes; alike: whether of one digit, or of two."""
    first, second = torch.randint(len(z), (2, 20 * IMAGES))  # one pair in ten is of one digit
    chosen = (first != second) & ((labels[first] == labels[second]) == alike)
    return ((z[first] + z[second]) / 2)[chosen][:IMAGES]


def mixture_of(z, seed):
    """A mixture of Gaussians fitted to codes."""
    torch.set_flush_denormal(True)  # of far components tiny weights remain, with which processors are 50 times slower
    try:
        return GaussianMixture(COMPONENTS, random_state=seed).fit(z[:FITTED].double().numpy())
    finally:
        torch.set_flush_denormal(False)


def sampled(mixture):
    """(5000, d), drawn from the mixture and shuffled."""
    return torch.tensor(mixture.sample(IMAGES)[0], dtype=torch.float32)[torch.randperm(IMAGES)]


def unit(term):
    measure = term.rpartition(".")[2]
    if measure in ("recognised", "coverage", "rarest", "commonest"):
        return f"share of {IMAGES} images"
    return {
        "se": f"squared error per image on [-1, 1], {IMAGES} test images",
        "vote": f"share of {COPIES} images",
        "edge_width": f"pixels, median of {IMAGES} images",
        "gain": "nats per test image, of 5000",
        "frechet": f"squared distance of the classifier's features, {IMAGES} images",
        "density": f"of the classifier's features, {IMAGES} images",
        "distance": f"Euclidean, pixels on [-1, 1], median of {COPIES} images",
    }[measure]


def shape(**more):
    """What shapes the scores beside the training: sizes, and the weights of the classifier that measures."""
    classifier = read_weights(files("genlib") / "weights" / "classifier.safetensors", digest)
    vote = [NEIGHBOURS, VOTES]
    return {"images": IMAGES, "copies": COPIES, "vote": vote, "classifier": classifier[:12], **more}


def experiment(model, latent_dim, loss=None, controls=False):
    recipe = shape(model=model.__name__, latent_dim=latent_dim)
    recipe |= {"components": COMPONENTS, "fitted": FITTED}
    if loss is vae_loss:
        recipe["means"] = COMPONENTS  # of the second mixture
    if controls:
        recipe["controls"] = ["shuffled", "ranked", "halfway", "kin"]
    if loss is not None:
        recipe = shaped_by(PRESETS["quick"], loss=loss.__name__, **recipe)
    settings = {"model": model, "latent_dim": latent_dim, "loss": loss, "controls": controls}
    return Experiment(partial(run, **settings), recipe, unit)


EXPERIMENTS = {
    "samples.vae": experiment(VAE, 20, vae_loss, controls=True),
    "samples.plain": experiment(VAE, 20, plain_loss),
    **{f"samples.vae{d}": experiment(VAE, d, vae_loss) for d in (2, 3, 8)},
    **{f"samples.plain{d}": experiment(VAE, d, plain_loss) for d in (2, 3, 8)},
    "samples.autoencoder": experiment(Autoencoder, 3, autoencoder_loss),
    **{f"samples.pca{d}": experiment(PCA, d) for d in (2, 3, 8, 20)},
    "samples.anchors": Experiment(anchored, shape(), unit),
}

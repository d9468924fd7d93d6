"""How the Fréchet distance depends on the number of images, of which the textbook formula says nothing."""

import torch
from results import Experiment

from genlib import load_mnist, load_pretrained, measures

SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000)


def run(seed):
    """The distance of n training digits from n others ("real.<n>"), and of n draws from the VAE's prior ("prior.<n>").

    The draws come from the shipped VAE.
    """
    torch.manual_seed(seed)
    images, _ = load_mnist()
    most = SIZES[-1]
    chosen = measures.features(images[torch.randperm(len(images))[: 2 * most]])
    prior = measures.features(load_pretrained("vae").sample(most))
    values = {}
    for n in SIZES:
        values[f"real.{n}"] = measures.frechet_distance(chosen[:n], chosen[most : most + n])
        values[f"prior.{n}"] = measures.frechet_distance(prior[:n], chosen[most : most + n])
    return values


EXPERIMENTS = {
    "frechet": Experiment(run, {"sizes": list(SIZES)}, lambda term: "squared distance of the classifier's features")
}

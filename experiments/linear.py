"""The best linear code: principal component analysis, the reference that a network has to beat."""

import torch
from results import Experiment

from genlib import load_mnist, squared_error

COMPONENTS = (3, 12, 13, 20)  # as the autoencoder and the VAE have latents; from 13 on PCA beats the autoencoder


def run(seed):
    """{"<k>.train", "<k>.test"}: the squared error left by k principal components of the training images."""
    train, test = load_mnist()[0].double(), load_mnist(train=False)[0].double()
    mean = train.mean(0)
    _, directions = torch.linalg.eigh((train - mean).T @ (train - mean))  # by rising variance
    values = {}
    for k in COMPONENTS:
        basis = directions[:, -k:]
        for name, images in (("train", train), ("test", test)):
            x_hat = mean + (images - mean) @ basis @ basis.T
            values[f"{k}.{name}"] = squared_error(x_hat, images).mean().item()
    return values


EXPERIMENTS = {
    "pca": Experiment(run, {"components": list(COMPONENTS)}, lambda term: "squared error per image on [-1, 1]", seeds=1)
}

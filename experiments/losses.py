"""Losses of both models by recipe and number of latents, over five seeds.

python experiments/losses.py: about an hour on two quiet cores, one run a core; goes on where it stopped.
Each finished run is a line of losses.jsonl; all of them together make the numbers in results.json.
"""

import argparse
import json
import os
import platform
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from results import merge

from genlib import PRESETS, VAE, Autoencoder, autoencoder_loss, fit, judge, load_mnist, squared_error, vae_loss

RUNS = Path(__file__).with_suffix(".jsonl")
SEEDS = range(5)


def plain_loss(model, x):
    """A VAE's layers trained as an autoencoder: the squared error from mu, without noise and KL."""
    return {"total": squared_error(model.decode(model.encode(x)[0]), x)}


SETTINGS = {  # name: (model, loss, preset)
    "autoencoder.quick": (Autoencoder, autoencoder_loss, "quick"),
    "vae.quick": (VAE, vae_loss, "quick"),
    "vae3.quick": (partial(VAE, latent_dim=3), vae_loss, "quick"),
    "plain.quick": (VAE, plain_loss, "quick"),
    "plain3.quick": (partial(VAE, latent_dim=3), plain_loss, "quick"),
    "autoencoder.source": (Autoencoder, autoencoder_loss, "source"),
    "vae.source": (VAE, vae_loss, "source"),
}


def recipe_of(name, seed):
    return replace(PRESETS[SETTINGS[name][2]], seed=seed)


def run(name, seed):
    """One training: the terms after the last epoch, and for a VAE's layers what `decoded` measures."""
    torch.set_num_threads(1)  # as many runs side by side as there are cores
    make, loss, _ = SETTINGS[name]
    (images, labels), test_images = load_mnist(), load_mnist(train=False)[0]
    torch.manual_seed(seed)
    model, recipe = make(), recipe_of(name, seed)
    history = fit(model, images, recipe, loss=loss, test_images=test_images, device="cpu")
    train = {term: values[-1] for term, values in history.train.items()}
    test = {term: values[-1] for term, values in history.test.items()}
    if isinstance(model, VAE):
        test |= decoded(model, images, labels, test_images)
    return {
        "name": name,
        "seed": seed,
        "train": train,
        "test": test,
        "seconds": round(history.seconds, 1),
        "recipe": asdict(recipe),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }


@torch.no_grad()
def decoded(model, images, labels, test_images, n=500):
    """What mean codes of test images give, and how many of n random codes give clear digits.

    mean_se: the test error of images decoded from mu. clear_*: the share of images of which at
    least 12 of the 15 nearest training images carry one label; decoded from mu of test images,
    from N(0, I), and from a normal with the mean and covariance of all training mu.
    """
    mu, _ = model.encode(images)
    test_mu, _ = model.encode(test_images)
    noise = torch.randn(n, model.latent_dim)
    fitted = mu.mean(0) + noise @ torch.linalg.cholesky(mu.T.cov()).T
    terms = {"mean_se": squared_error(model.decode(test_mu), test_images).mean().item()}
    for name, z in (("test", test_mu[:n]), ("prior", noise), ("fitted", fitted)):
        votes = judge(model.decode(z), images, labels)["votes"]
        terms[f"clear_{name}"] = (votes >= 12).float().mean().item()
    return terms


def finished():
    """The runs that a file of earlier work holds for the recipes as they are now."""
    lines = RUNS.read_text(encoding="utf-8").splitlines() if RUNS.exists() else []
    runs = [json.loads(line) for line in lines]
    return [r for r in runs if r["name"] in SETTINGS and r["recipe"] == asdict(recipe_of(r["name"], r["seed"]))]


def summarise(runs):
    """Every term of every setting that has all its seeds: {key: values}."""
    numbers = {}
    for r in sorted(runs, key=lambda r: r["seed"]):
        for part in ("train", "test"):
            for term, value in r[part].items():
                numbers.setdefault(f"{r['name']}.{part}.{term}", []).append(value)
    return {key: values for key, values in numbers.items() if len(values) == len(SEEDS)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(SETTINGS), help="settings to run (default: all)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    done = {(r["name"], r["seed"]) for r in finished()}
    jobs = [(name, seed) for seed in SEEDS for name in args.names if (name, seed) not in done]
    # spawn: a forked process would share the threads torch has already started
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run, *job) for job in jobs]):
            with RUNS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(future.result()) + "\n")
    merge(summarise(finished()), experiment="losses", unit=lambda key: "nats" if key.endswith("kl") else "per image")


if __name__ == "__main__":
    main()

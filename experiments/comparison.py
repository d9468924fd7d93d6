"""Train and score the small models that chapter 4 compares in the page, and write the file in which they ship.

`python experiments/comparison.py` takes about a quarter of an hour on one core. One seed each: what chapter 4's tables
say comes from samples.py, with larger networks and five seeds.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

import torch
from losses import plain_loss
from samples import COMPONENTS, COPIES, IMAGES, halves_of_the_test_set, mixture_of

import genlib
from genlib import PCA, PRESETS, VAE, anchors, comparison, files, fit, load_mnist, measures, vae_loss
from genlib.models import narrowed, save_weights

PATH = Path(genlib.__file__).parent / "weights" / "comparison.safetensors"
RECIPE = replace(PRESETS["quick"], epochs=20)
LOSSES = {"autoencoder": plain_loss, "vae": vae_loss}


@torch.no_grad()
def densities(z):
    """{"<origin>.<part>": tensor} of the densities for codes z (N, d): of each of ORIGINS the parts of a mixture."""
    d = z.shape[1]
    fitted = mixture_of(z, seed=0)
    mixtures = {
        "prior": (torch.ones(1), torch.zeros(1, d), torch.eye(d)[None]),
        "gaussian": (torch.ones(1), z.mean(0)[None], torch.linalg.cholesky(z.T.cov())[None]),
        "mixture": (fitted.weights_, fitted.means_, torch.linalg.cholesky(torch.tensor(fitted.covariances_))),
    }
    names = ("weights", "means", "roots")
    return {
        f"{origin}.{name}": torch.as_tensor(part).float()
        for origin, parts in mixtures.items()
        for name, part in zip(names, parts, strict=True)
    }


def trained(kind, d, images):
    """(decoder's tensors, codes of the images, of a VAE sampled) of one model."""
    torch.manual_seed(0)
    if kind == "pca":
        model = PCA(images, d)
        tensors = {f"0.{name}": tensor.clone() for name, tensor in model.decoder.state_dict().items()}
    else:
        model = VAE(latent_dim=d, hidden_dim=comparison.HIDDEN)
        fit(model, images, RECIPE, loss=LOSSES[kind], device="cpu")
        tensors = {name: tensor.clone() for name, tensor in model.decoder.state_dict().items()}
        tensors["2.weight"], k = narrowed(tensors["2.weight"])
        for name in ("0.weight", "0.bias"):
            tensors[name] /= 2.0**k
    with torch.no_grad():
        codes = model.encode(images)
        if kind != "pca":
            codes = model.reparameterize(*codes) if kind == "vae" else codes[0]
    return tensors, codes


def scored(x, real, images):
    """The scores of images, in the order of MEASURES."""
    found = measures.scores(x, real)
    found["distance"] = measures.nearest(x[:COPIES], images)[0].median().item()
    return torch.tensor([found[name] for name in comparison.MEASURES])


@torch.no_grad()
def main():
    images, _ = load_mnist()
    (real, _), test = halves_of_the_test_set(0)
    real = measures.features(real)
    torch.manual_seed(0)
    known = anchors.anchors(*test)
    tensors = {f"scores.{name}": scored(known[name], real, images) for name in comparison.ANCHORS}
    for kind in comparison.KINDS:
        for d in comparison.SIZES:
            with torch.enable_grad():
                weights, codes = trained(kind, d, images)
            made = weights | densities(codes[torch.randperm(len(codes))])
            decoder = comparison.make_decoder(kind, d)
            decoder.load_state_dict({name: weights[name].float() for name in decoder.state_dict()})
            for origin in comparison.ORIGINS:
                torch.manual_seed(0)
                density = comparison.mixture(*(made[f"{origin}.{part}"] for part in ("weights", "means", "roots")))
                drawn = decoder(density.sample((IMAGES,))).clamp(-1, 1)  # PCA's may lie outside
                made[f"{origin}.scores"] = scored(drawn, real, images)
                print(kind, d, origin, [round(v, 3) for v in made[f"{origin}.scores"].tolist()], flush=True)
            tensors |= {f"{kind}.{d}.{name}": tensor for name, tensor in made.items()}
    save_weights(tensors, PATH, metadata={"recipe": json.dumps(asdict(RECIPE)), "components": str(COMPONENTS)})


if __name__ == "__main__":
    files.check_target(PATH)
    main()

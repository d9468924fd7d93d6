"""`python -m genlib train NAME`: train a model of the book and write its weights as they ship."""

import argparse
import json
import platform
from dataclasses import asdict, replace
from importlib.metadata import version

import torch

from genlib import classifier, files, measures
from genlib.data import load_mnist
from genlib.losses import autoencoder_loss, vae_loss
from genlib.models import CHOSEN_CODE, MODELS, save_weights, ship
from genlib.train import PRESETS, fit

LOSSES = {"autoencoder": autoencoder_loss, "vae": vae_loss, "classifier": classifier.classifier_loss}
# The shipped weights: of both models the quick recipe, given more epochs.
LONGER = replace(PRESETS["quick"], epochs=40)
SHIPPED = {"autoencoder": LONGER, "vae": LONGER, "classifier": classifier.RECIPE}


@torch.no_grad()
def code_map(model, images, labels, target=CHOSEN_CODE):
    """The affine map (A, b) that turns and scales the codes so that a 5 lies at `target`.

    A is a rotation times a positive factor, b moves the mean code to 0: the cloud of codes keeps
    its shape. Of the fives among the first 200 images whose decoded code the classifier recognises
    as a 5, the map takes the one at the most usual distance from the mean code. Returns A (3, 3), b (3,)
    and the index of that image.
    """
    codes = model.encode(images).double()
    mean = codes.mean(0)
    distance = (codes - mean).norm(dim=1)
    seen = measures.read(model.decode(codes[:200].float()))
    is_five = (labels[:200] == 5) & (seen["digit"] == 5) & seen["recognised"]
    fives = is_five.nonzero().flatten().tolist()
    if not fives:
        raise ValueError("code_map: got a model none of whose decoded fives is recognised as a 5; train it for longer")
    usual = distance.median()
    index = min(fives, key=lambda i: (distance[i] - usual).abs())
    target = torch.tensor(target, dtype=torch.float64)
    arm = codes[index] - mean
    A = target.norm() / arm.norm() * _rotation(arm / arm.norm(), target / target.norm())
    return A.float(), (-A @ mean).float(), index


def _rotation(u, v):
    """The smallest rotation of space that takes the unit vector u to the unit vector v (Rodrigues)."""
    x, y, z = torch.linalg.cross(u, v).tolist()
    K = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=u.dtype)
    return torch.eye(3, dtype=u.dtype) + K + K @ K / (1 + u @ v)


def train(name, recipe, device, path):
    """Train, round, measure and save one model. Returns its mean test loss as shipped.

    Raises OSError, before anything is trained, if `path` cannot be written; KeyboardInterrupt, and writes nothing, if
    the training is interrupted, as its weights would not be of the recipe.
    """
    files.check_target(path)
    images, labels = load_mnist()
    test_images, test_labels = load_mnist(train=False)
    data, test_data = images, test_images
    if name == "classifier":
        data, test_data = classifier.rows(images, labels), classifier.rows(test_images, test_labels)
    torch.manual_seed(recipe.seed)
    model = MODELS[name]()
    history = fit(model, data, recipe, loss=LOSSES[name], device=device)
    if history.interrupted:
        raise KeyboardInterrupt
    tensors = ship(model)
    model.load_state_dict(tensors)
    torch.manual_seed(recipe.seed)
    with torch.no_grad():
        terms = {term: values.mean().item() for term, values in LOSSES[name](model, test_data).items()}
        if name == "classifier":
            terms["accuracy"] = (model(test_images)[:, :10].argmax(1) == test_labels).float().mean().item()
    metadata = {
        "recipe": json.dumps(asdict(recipe)),
        "epochs": str(history.epochs),
        "test": json.dumps({term: round(value, 4) for term, value in terms.items()}),
        "versions": json.dumps({"python": platform.python_version(), "torch": version("torch")}),
    }
    if name == "autoencoder":
        A, b, index = code_map(model, images, labels)
        tensors |= {"code_map.A": A, "code_map.b": b}
        metadata["chosen"] = str(index)
    save_weights(tensors, path, metadata=metadata)
    return terms["total"]


def main():
    parser = argparse.ArgumentParser(prog="python -m genlib", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="train a model on MNIST and write its weights")
    command.add_argument("name", choices=sorted(MODELS))
    command.add_argument("output", nargs="?", help="file to write (default: NAME.safetensors here)")
    command.add_argument("--recipe", choices=sorted(PRESETS), help="a preset instead of the shipped weights' recipe")
    command.add_argument("--epochs", type=int)
    command.add_argument("--seed", type=int)
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    args = parser.parse_args()
    recipe = PRESETS[args.recipe] if args.recipe else SHIPPED[args.name]
    path = args.output or f"{args.name}.safetensors"
    try:
        recipe = replace(recipe, **{k: v for k in ("epochs", "seed") if (v := getattr(args, k)) is not None})
        total = train(args.name, recipe, args.device, path)
    except (OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:
        parser.exit(1, f"Interrupted; {path} is as it was.\n")
    print(f"{path}: test loss {total:.2f} per image")


if __name__ == "__main__":
    main()

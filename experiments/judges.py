"""Does it depend on the classifier that measures? Others, trained anew, look at the anchors and at two models."""

from dataclasses import replace

import torch
from losses import plain_loss
from results import Experiment, shaped_by
from samples import COMPONENTS, FITTED, IMAGES, codes, halves_of_the_test_set
from torch.nn import functional as F

from genlib import PRESETS, VAE, Recipe, anchors, classifier, fit, load_mnist, measures, vae_loss
from genlib.models import Classifier

REFUSING = replace(classifier.RECIPE, epochs=4)  # trained as the shipped one, for a third as long
TEN = Recipe(epochs=3, batch_size=256, lr=4e-3, one_cycle=True)  # an ordinary one: digits as they are, and no other
KINDS, ORIGINS = ("real", "overlays", "averages", "halves", "noise"), ("test", "prior", "gaussian", "mixture")
SURE = 0.95  # confidence from which the ordinary one counts as sure


def ten_loss(model, rows):
    """Cross-entropy of the ten digits, as any classifier of digits is trained; rows as `classifier.rows` has them."""
    return {"total": F.cross_entropy(model(rows[:, :-1])[:, :10], rows[:, -1].long(), reduction="none")}


def trained(recipe, loss, seed):
    """A classifier trained on the training digits."""
    torch.manual_seed(seed)
    judge = Classifier()
    fit(judge, classifier.rows(*load_mnist()), replace(recipe, seed=seed), loss=loss, device="cpu")
    return judge


@torch.no_grad()
def seen(judge, x, classes):
    """(features (N, 64), probabilities (N, classes)) of images."""
    features = torch.cat([judge.features(part) for part in x.split(IMAGES)])
    return features, judge.head(features)[:, :classes].softmax(1)


def run(seed):
    """What two other classifiers, of seeds that the shipped one has not, say of each set of images.

    "<set>.recognised", "<set>.frechet": by one that refuses counterfeits, as the shipped one does. "<set>.sure": of an
    ordinary one of ten classes, the share of images whose likeliest digit has more than SURE. Sets are the anchors,
    `one`, and what a VAE and the same layers without noise and KL decode ("vae.<codes>", "plain.<codes>"). And the
    share of test digits that each reads rightly, "refusing.accuracy" and "ten.accuracy".
    """
    training_images, _ = load_mnist()
    (real, _), test = halves_of_the_test_set(seed)
    judges = trained(REFUSING, classifier.classifier_loss, seed + 1), trained(TEN, ten_loss, seed + 1)
    torch.manual_seed(seed)
    known = anchors.anchors(*test)
    sets = {kind: known[kind] for kind in KINDS}
    sets["one"] = anchors.repeated(test[0][test[1] == 1][:1].expand(IMAGES, -1))
    for name, loss in (("vae", vae_loss), ("plain", plain_loss)):
        torch.manual_seed(seed)
        model = VAE()
        fit(model, training_images, replace(PRESETS["quick"], seed=seed), loss=loss, device="cpu")
        torch.manual_seed(seed)
        shuffled = training_images[torch.randperm(len(training_images))]
        drawn, _ = codes(model, loss, shuffled, test, seed, controls=False)
        with torch.no_grad():
            sets |= {f"{name}.{origin}": model.decode(drawn[origin]) for origin in ORIGINS}
    real_features, _ = seen(judges[0], real, 11)
    values = {}
    for name, x in sets.items():
        features, probability = seen(judges[0], x, 11)
        recognised = probability[:, :10].amax(1) > measures.THRESHOLD
        values[f"{name}.recognised"] = recognised.double().mean().item()
        values[f"{name}.frechet"] = measures.frechet_distance(features, real_features)
        values[f"{name}.sure"] = (seen(judges[1], x, 10)[1].amax(1) > SURE).double().mean().item()
    for name, judge in zip(("refusing", "ten"), judges, strict=True):
        digit = seen(judge, test[0], 10)[1].argmax(1)
        values[f"{name}.accuracy"] = (digit == test[1]).double().mean().item()
    return values


def unit(term):
    if term.endswith("frechet"):
        return f"squared distance of the classifier's features, {IMAGES} images"
    return f"share of {IMAGES} images"


SHAPE = {
    "kinds": list(KINDS),
    "origins": list(ORIGINS),
    "refusing": shaped_by(REFUSING),
    "ten": shaped_by(TEN),
    "sure": SURE,
    "images": IMAGES,
}
EXPERIMENTS = {
    "judges": Experiment(run, shaped_by(PRESETS["quick"], components=COMPONENTS, fitted=FITTED, **SHAPE), unit)
}

import json

import pytest
import torch
from safetensors import safe_open

from genlib import anchors, classifier, load_pretrained
from genlib.models import Classifier, resources
from genlib.train import fit

WEIGHTS = resources.files("genlib") / "weights" / "classifier.safetensors"


def test_shipped_classifier_reads_the_test_digits(test_digits):
    images, labels = test_digits
    with torch.no_grad():
        read = load_pretrained("classifier")(images)[:, :10].argmax(1)
    accuracy = (read == labels).float().mean().item()
    assert accuracy >= 0.99
    with safe_open(WEIGHTS, "pt") as weights:
        assert json.loads(weights.metadata()["test"])["accuracy"] == pytest.approx(accuracy, abs=2e-4)
    assert WEIGHTS.stat().st_size < 300_000


def test_the_head_reads_the_features(test_digits):
    model, x = Classifier(), test_digits[0][:3]
    assert model.features(x).shape == (3, 64) and model(x).shape == (3, 11)
    torch.testing.assert_close(model.head(model.features(x)), model(x))
    with pytest.raises(ValueError, match=r"got x of shape \(3, 28, 28\), expected \(B, 784\)"):
        model(x.view(3, 28, 28))


def test_what_tests_the_classifier_is_no_part_of_its_training(test_digits, monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("seen in training")

    for kind in ("averages", "halves", "quarter_turns", "mirrored", "noise", "anchors"):
        monkeypatch.setattr(anchors, kind, forbidden)
    terms = classifier.classifier_loss(Classifier(), classifier.rows(*(part[:64] for part in test_digits)))
    assert {term: values.shape for term, values in terms.items()} == dict.fromkeys(terms, (64,))
    torch.testing.assert_close(terms["total"], terms["digit"] + terms["counterfeit"])
    # a fresh network gives each of the eleven about the same probability
    assert terms["total"].mean().item() == pytest.approx(2 * torch.tensor(11.0).log().item(), rel=0.1)


def test_altered_digits_stay_pictures_and_splices_hold_both(test_digits):
    images = test_digits[0][:200]
    for x in (classifier._altered(images), classifier._splices(images, images.flip(0))):
        assert x.shape == images.shape and x.min() >= -1.0001 and x.max() <= 1.0001
    black, white = -torch.ones(400, 784), torch.ones(400, 784)
    share = (classifier._splices(white, black) + 1).mean(1) / 2
    assert share.min() > 0.2 and share.max() < 0.8 and abs(share.mean() - 0.5) < 0.03


def test_a_few_steps_teach_it_to_tell_digits_from_counterfeits(train_digits):
    rows = classifier.rows(*(part[:3000] for part in train_digits))
    model = Classifier()
    recipe = classifier.Recipe(epochs=3, batch_size=64, lr=4e-3, one_cycle=True)
    history = fit(model, rows, recipe, loss=classifier.classifier_loss, device="cpu")
    for term in ("digit", "counterfeit"):
        assert history.train[term][-1] < 0.75 * history.train[term][0], term

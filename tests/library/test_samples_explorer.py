"""The samples explorer's state, errors and picture."""

import numpy as np
import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats

from genlib import SamplesExplorer, load_comparison
from genlib.comparison import KINDS, MEASURES, ORIGINS, SIZES


@pytest.fixture(scope="module")
def shipped():
    return load_comparison()


@pytest.fixture(scope="module")
def explorer(shipped):
    return SamplesExplorer(*shipped)


def test_every_choice_has_a_decoder_a_density_and_scores(explorer, shipped):
    view, (models, anchors) = explorer.view, shipped
    assert set(view.layers) == {f"{kind}.{d}" for kind in KINDS for d in SIZES}
    for kind, d in ((kind, d) for kind in KINDS for d in SIZES):
        one = models[kind][d]
        spec = view.layers[f"{kind}.{d}"][0]
        bias = np.frombuffer(view.weights, "<f4", spec["out"], spec["bias"])
        assert (bias == one.decoder[0].bias.numpy()).all()
        for origin in ORIGINS:
            components, offset = view.densities[f"{kind}.{d}.{origin}"]
            sent = np.frombuffer(view.weights, "<f4", components * (1 + d + d * d), offset)
            density = one.origins[origin]
            assert (sent[:components] == density.mixture_distribution.probs.numpy()).all()
            roots = density.component_distribution.scale_tril.numpy().ravel()
            assert (sent[components * (1 + d) :] == roots).all()
            scores = [one.scores[origin][name] for name in MEASURES]
            assert view.scores[f"{kind}.{d}.{origin}"] == pytest.approx(scores, rel=1e-3)
    assert view.scores["real"] == pytest.approx(list(anchors["real"].values()), rel=1e-3)


def test_it_weighs_little(explorer):
    assert len(explorer.view.weights) < 1_400_000 and len(explorer.view.classifier_weights) < 260_000


def test_other_models_are_named(shipped):
    models, anchors = shipped
    with pytest.raises(ValueError, match=r"SamplesExplorer: got models \{'vae': \[2, 3, 8, 20\]\}, expected of"):
        SamplesExplorer({"vae": models["vae"]}, anchors)
    with pytest.raises(ValueError, match="and anchors"):
        SamplesExplorer(models, {})


def test_its_picture_leaves_the_reader_s_random_numbers_alone(explorer):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    explorer.picture()
    assert torch.equal(torch.rand(2), expected)


def test_picture(explorer):
    assert_picture_stands_on_white_and_repeats(explorer, "SamplesExplorer('vae', 20, 'prior')")

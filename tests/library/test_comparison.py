"""The small models of chapter 4: what ships, and that its scores are theirs."""

import pytest
import torch

from genlib import load_comparison, measures
from genlib.comparison import ANCHORS, KINDS, MEASURES, ORIGINS, SIZES, mixture


@pytest.fixture(scope="module")
def shipped():
    return load_comparison()


def test_every_model_has_every_density_and_its_scores(shipped):
    models, anchors = shipped
    assert tuple(models) == KINDS and tuple(anchors) == ANCHORS
    for kind, d in ((kind, d) for kind in KINDS for d in SIZES):
        one = models[kind][d]
        assert tuple(one.origins) == tuple(one.scores) == ORIGINS
        assert all(tuple(scores) == MEASURES for scores in one.scores.values())
        assert one.decoder(one.origins["mixture"].sample((3,))).shape == (3, 784)
        assert not any(parameter.requires_grad for parameter in one.decoder.parameters())


def test_the_prior_is_standard_normal_and_the_mixture_has_fifty_parts(shipped):
    one = shipped[0]["vae"][8]
    expected = torch.distributions.Normal(0.0, 1.0)
    z = torch.randn(20, 8)
    torch.testing.assert_close(one.origins["prior"].log_prob(z), expected.log_prob(z).sum(1))
    assert len(one.origins["mixture"].mixture_distribution.probs) == 50


def test_a_mixture_draws_its_mean_and_covariance():
    weights, means = torch.tensor([0.25, 0.75]), torch.tensor([[0.0, 2.0], [4.0, -2.0]])
    roots = torch.tensor([[[1.0, 0.0], [0.5, 1.0]], [[0.5, 0.0], [0.0, 2.0]]])
    z = mixture(weights, means, roots).sample((100_000,))
    mean = weights @ means
    within = (weights[:, None, None] * (roots @ roots.mT)).sum(0)
    between = (weights[:, None] * (means - mean)).T @ (means - mean)
    torch.testing.assert_close(z.mean(0), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(z.T.cov(), within + between, atol=0.1, rtol=0)


@pytest.mark.parametrize(("kind", "d", "origin"), [("vae", 20, "mixture"), ("autoencoder", 3, "gaussian")])
def test_the_scores_are_those_of_the_models(shipped, kind, d, origin, test_digits):
    one = shipped[0][kind][d]
    torch.manual_seed(1)
    real = measures.features(test_digits[0][torch.randperm(10_000)[:5000]])
    found = measures.scores(one.decoder(one.origins[origin].sample((5000,))), real)
    named = one.scores[origin]
    assert found["recognised"] == pytest.approx(named["recognised"], abs=0.025)
    assert found["frechet"] == pytest.approx(named["frechet"], rel=0.1, abs=4)
    assert found["edge_width"] == pytest.approx(named["edge_width"], rel=0.03)

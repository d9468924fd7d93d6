"""The reparameterization explorer: the browser computes what PyTorch does, and both estimates are right on average."""

import json
import shutil
import subprocess

import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats
from torch.distributions import Normal

from genlib import ReparameterizationExplorer
from genlib.explorer.reparameterization import noise

SETTINGS = [(1, 0.5, 0.8), (1, -1.0, 0.4), (7, 1.5, 1.2), (123, 0.0, 1.0)]


def estimates(draw, mu, sigma):
    explorer = ReparameterizationExplorer()
    explorer.view.draw = draw
    explorer.view.mu, explorer.view.sigma = mu, sigma
    return explorer.estimates()


def test_noise_is_standard_normal_and_differs_from_draw_to_draw():
    drawn = torch.stack([noise(draw, 24) for draw in range(1, 2001)])
    assert drawn.mean().abs() < 0.02 and drawn.std().item() == pytest.approx(1, abs=0.02)
    assert (drawn**4).mean().item() == pytest.approx(3, abs=0.15)
    assert len({tuple(row.tolist()) for row in drawn}) == 2000
    assert torch.corrcoef(drawn.T).fill_diagonal_(0).abs().max() < 0.12


def test_both_estimates_are_autograd_s():
    eps = noise(7, 24)
    fixed = 0.5 + 0.8 * eps
    mu = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    slopes = (mu + 0.9 * eps - 3).square().mean()
    weights = (Normal(mu, 0.9).log_prob(fixed) - Normal(0.5, 0.8).log_prob(fixed)).exp()
    scores = (weights * (fixed - 3).square()).mean()
    found = estimates(7, 1.1, 0.9)
    for name, value in (("reparameterized", slopes), ("score", scores)):
        assert found[name] == pytest.approx(torch.autograd.grad(value, mu)[0].item(), abs=1e-6), name


@pytest.mark.parametrize(("mu", "sigma"), [(0.5, 0.8), (0.2, 0.7)])
def test_both_estimates_are_right_on_average_and_one_scatters_far_more(mu, sigma):
    found = [estimates(draw, mu, sigma) for draw in range(1, 1501)]
    spread = {}
    for name in ("reparameterized", "score"):
        values = torch.tensor([one[name] for one in found])
        spread[name] = values.std().item()
        assert abs(values.mean().item() - found[0]["exact"]) < 5 * spread[name] / 1500**0.5
    assert spread["score"] > 4 * spread["reparameterized"]


def test_the_browser_computes_the_same():
    if shutil.which("node") is None:
        pytest.skip("needs node")
    explorer = ReparameterizationExplorer()
    script = f"""{explorer.view._esm}
const start = {json.dumps(explorer.view.start)};
console.log(JSON.stringify([noise(5, 7), {json.dumps(SETTINGS)}.map(([draw, mu, sigma]) =>
  follow(noise(draw, {explorer.view.dots}), start, {{ mu, sigma }}, {explorer.view.target}))]));
"""
    done = subprocess.run(
        ["node", "--input-type=module", "-"], input=script, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    numbers, found = json.loads(done.stdout)
    assert numbers == pytest.approx(noise(5, 7).tolist(), abs=1e-12)
    for setting, theirs in zip(SETTINGS, found, strict=True):
        for name, value in estimates(*setting).items():
            assert theirs[name] == pytest.approx(value, abs=1e-10), (setting, name)


@pytest.mark.parametrize(
    ("change", "message"), [({"mu": 2.6}, "mu = 2.6, expected"), ({"sigma": 0}, "sigma = 0, expected")]
)
def test_numbers_out_of_range_are_named(change, message):
    with pytest.raises(ValueError, match=f"ReparameterizationExplorer: got {message}"):
        ReparameterizationExplorer(**change)


def test_picture():
    assert_picture_stands_on_white_and_repeats(
        ReparameterizationExplorer(), "ReparameterizationExplorer(mu=0.5, sigma=0.8)"
    )

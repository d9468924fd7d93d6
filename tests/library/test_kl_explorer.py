"""The KL explorer's state, errors and picture, and its JavaScript against the formula and the integral."""

import io
import json
import math
import shutil
import subprocess
from itertools import product

import matplotlib.image
import numpy as np
import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats
from matplotlib.colors import to_rgb
from torch.distributions import Normal

from genlib import KLExplorer, kl_normal
from genlib.plots import NEGATIVE, POSITIVE

NAMES = ("mu1", "sigma1", "mu2", "sigma2")


def test_sliders_start_where_told_and_are_tied_to_the_view():
    start = {"mu1": -3, "sigma1": 0.2, "mu2": 2.05, "sigma2": 2}
    explorer = KLExplorer(**start)
    assert explorer.parameters == start
    assert [slider.description for slider in explorer.sliders] == ["μ₁", "σ₁", "μ₂", "σ₂"]
    assert [(slider.min, slider.max) for slider in explorer.sliders] == [(-3, 3), (0.2, 2)] * 2
    for name, slider, link in zip(NAMES, explorer.sliders, explorer._links, strict=True):
        assert slider.continuous_update
        assert link.source == (slider, "value") and link.target == (explorer.view, name)
        assert getattr(explorer.view, name) == slider.value
    view, box = explorer.children
    assert view is explorer.view and list(box.children) == explorer.sliders
    assert view.colors == [POSITIVE, NEGATIVE] and not view.reverse


def test_parameters_follow_the_sliders():
    explorer = KLExplorer()
    assert kl_normal(**explorer.parameters) == kl_normal(1.0, 0.8, -0.5, 1.5)
    explorer.sliders[3].value = 0.25
    assert explorer.parameters == {"mu1": 1, "sigma1": 0.8, "mu2": -0.5, "sigma2": 0.25}


def test_start_is_rounded_to_the_steps():
    explorer = KLExplorer(mu1=1.23, sigma1=torch.tensor(0.37), mu2=-0.01)
    assert explorer.parameters == {"mu1": 1.25, "sigma1": 0.35, "mu2": 0, "sigma2": 1.5}
    assert math.copysign(1, explorer.parameters["mu2"]) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mu1": 3.1}, "mu1 = 3.1, expected a number from -3 to 3"),
        ({"mu2": float("nan")}, "mu2 = nan"),
        ({"mu2": -float("inf")}, "mu2 = -inf"),
        ({"sigma1": 0}, "sigma1 = 0, expected a number from 0.2 to 2"),
        ({"sigma2": -1}, "sigma2 = -1"),
        ({"sigma2": 2.5}, "sigma2 = 2.5"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        KLExplorer(**change)


def test_picture_is_a_png_on_white_and_always_the_same():
    assert_picture_stands_on_white_and_repeats(KLExplorer(), "KLExplorer(mu1=1, sigma1=0.8, mu2=-0.5, sigma2=1.5)")


def area(explorer, color):
    """How many pixels of a picture are shaded in a colour; beside those of its legend."""
    pixels = matplotlib.image.imread(io.BytesIO(explorer.picture()))[:, :500, :3]
    shaded = 1 - 0.6 * (1 - np.array(to_rgb(color)))
    return int((abs(pixels - shaded).max(-1) < 0.02).sum())


def test_picture_is_shaded_by_sign():
    both, equal = KLExplorer(), KLExplorer(mu1=0, sigma1=1, mu2=0, sigma2=1)
    shares = area(both, POSITIVE) / area(both, NEGATIVE)
    assert shares == pytest.approx(0.871 / 0.1001, rel=0.4)  # edges are not counted, and older Matplotlibs have wider
    assert area(equal, POSITIVE) == area(equal, NEGATIVE) == 0


# -- What the browser computes, in node --------------------------------------------------------------------------------

COMPUTE = """
import { readFileSync } from "node:fs";
import { klAreas, klNormal, logNormal } from "./explorer.mjs";
const numbers = JSON.parse(readFileSync("input.json")).map(([mu1, sigma1, mu2, sigma2]) => {
  const [p, q] = [{ mu: mu1, sigma: sigma1 }, { mu: mu2, sigma: sigma2 }];
  const { above, below } = klAreas(p, q);
  return [klNormal(p, q), above, below, logNormal(-8, p), logNormal(8, q)];
});
console.log(JSON.stringify(numbers));
"""
GRID = list(product((-3.0, 0.0, 0.35, 3.0), (0.2, 0.25, 1.0, 2.0), (-3.0, 0.0, 0.3, 3.0), (0.2, 0.8, 1.0, 2.0)))


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """What kl.js makes of GRID: five tensors (N,), the closed form, both areas, and two log densities."""
    if shutil.which("node") is None:
        pytest.skip("needs node")
    folder = tmp_path_factory.mktemp("kl")
    (folder / "explorer.mjs").write_text(KLExplorer().view._esm, encoding="utf-8")
    (folder / "compute.mjs").write_text(COMPUTE, encoding="utf-8")
    (folder / "input.json").write_text(json.dumps(GRID), encoding="utf-8")
    done = subprocess.run(["node", "compute.mjs"], cwd=folder, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return torch.tensor(json.loads(done.stdout), dtype=torch.float64).T


def test_browser_s_closed_form_is_genlib_s(computed):
    expected = kl_normal(*torch.tensor(GRID, dtype=torch.float64).T)
    assert expected.max() > 400 and (expected.abs() < 1e-9).sum() > 3  # from equal to as far apart as can be
    assert torch.allclose(computed[0], expected, rtol=1e-12, atol=1e-12)
    assert (computed[0] >= 0).all()


def test_browser_s_areas_are_those_of_the_integral(computed):
    mu1, sigma1, mu2, sigma2 = torch.tensor(GRID, dtype=torch.float64).T[..., None]
    x = mu1 + sigma1 * torch.linspace(-10, 10, 20_001, dtype=torch.float64)
    p, q = Normal(mu1, sigma1), Normal(mu2, sigma2)
    integrand = p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))
    _, above, below, *_ = computed
    assert (above - torch.trapezoid(integrand.clamp(min=0), x)).abs().max() < 1e-5
    assert (below + torch.trapezoid(integrand.clamp(max=0), x)).abs().max() < 1e-5
    assert below.min() >= 0 and 0.3 < below.max() < 1 / math.e
    assert torch.allclose(above - below, computed[0], rtol=1e-7, atol=1e-7)


def test_browser_s_log_densities_do_not_vanish_far_out(computed):
    mu1, sigma1, mu2, sigma2 = torch.tensor(GRID, dtype=torch.float64).T
    expected = Normal(mu1, sigma1).log_prob(torch.tensor(-8.0)), Normal(mu2, sigma2).log_prob(torch.tensor(8.0))
    assert expected[0].min() < -1500  # the density itself is 0 there
    assert torch.allclose(computed[3:], torch.stack(expected), rtol=1e-12)

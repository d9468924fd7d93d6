"""The ELBO explorer's state, errors and picture, and its JavaScript against PyTorch's quadrature."""

import json
import shutil
import subprocess

import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats
from matplotlib.figure import Figure
from torch.distributions import Normal

from genlib import ElboExplorer

GUESSES = [(0.6, 0.4), (-3.0, 0.1), (3.0, 2.0), (0.0, 1.0), (0.7, 0.3), (-2.6, 0.2), (1.15, 0.25)]


def test_sliders_start_where_told_and_are_tied_to_the_view():
    explorer = ElboExplorer(mu=-1.23, sigma=0.42)
    assert explorer.parameters == {"mu": -1.25, "sigma": 0.4} == explorer.view.start
    assert [slider.description for slider in explorer.sliders] == ["μ", "σ"]  # noqa: RUF001
    for name, slider, link in zip(("mu", "sigma"), explorer.sliders, explorer._links, strict=True):
        assert link.source == (slider, "value") and link.target == (explorer.view, name)
        assert [slider.min, slider.max] == explorer.view.limits[name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mu": 3.1}, "ElboExplorer: got mu = 3.1, expected a number from -3 to 3"),
        ({"sigma": 0}, "sigma = 0, expected a number from 0.1 to 2"),
        ({"x": float("nan")}, "x = nan"),
        ({"noise": 0.01}, "noise = 0.01, expected a number from 0.1 to 2"),
    ],
)
def test_numbers_out_of_range_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ElboExplorer(**change)


@pytest.mark.parametrize("guess", GUESSES)
def test_elbo_and_gap_add_up_to_what_no_guess_changes(guess):
    terms = ElboExplorer(mu=guess[0], sigma=guess[1]).terms()
    assert terms["elbo"] + terms["gap"] == pytest.approx(terms["log_px"], abs=1e-6)
    assert terms["log_px"] == pytest.approx(ElboExplorer().terms()["log_px"], abs=1e-12) and terms["gap"] > 0
    # a Monte Carlo estimate shares nothing with the quadrature
    generator = torch.Generator().manual_seed(0)
    z = guess[0] + guess[1] * torch.randn(400_000, generator=generator, dtype=torch.float64)
    each = Normal(torch.sin(2 * z), 0.3).log_prob(torch.tensor(0.9))
    assert terms["likelihood"] == pytest.approx(each.mean().item(), abs=5 * each.std().item() / 400_000**0.5)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """What elbo.js makes of GUESSES, and the best guess it finds."""
    if shutil.which("node") is None:
        pytest.skip("needs node")
    folder = tmp_path_factory.mktemp("elbo")
    view = ElboExplorer().view
    (folder / "explorer.mjs").write_text(
        f"""{view._esm}
const model = makeModel({view.x}, {view.noise});
const terms = {json.dumps(GUESSES)}.map(([mu, sigma]) => elboTerms(model, {{ mu, sigma }}));
const coarse = makeModel({view.x}, {view.noise}, COARSE);
console.log(JSON.stringify([terms, bestGuess(coarse, {json.dumps(view.limits)}, {view.step})]));
""",
        encoding="utf-8",
    )
    done = subprocess.run(["node", "explorer.mjs"], cwd=folder, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_browser_s_terms_are_pytorch_s(computed):
    for (mu, sigma), found in zip(GUESSES, computed[0], strict=True):
        expected = ElboExplorer(mu=mu, sigma=sigma).terms()
        for name, theirs in (("elbo", "elbo"), ("gap", "gap"), ("likelihood", "likelihood"), ("kl", "kl")):
            assert found[theirs] == pytest.approx(expected[name], abs=1e-5), (mu, sigma, name)
        assert found["logPx"] == pytest.approx(expected["log_px"], abs=1e-7)


def test_browser_finds_the_best_guess_of_all_steps(computed):
    found = computed[1]
    best = ElboExplorer(mu=found["mu"], sigma=found["sigma"]).terms()["gap"]
    for mu in torch.arange(-2.5, 3.0, 0.25).tolist():
        for sigma in (0.1, 0.3, 0.5, 1.0):
            assert best <= ElboExplorer(mu=mu, sigma=sigma).terms()["gap"] + 1e-9
    for step in ((0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)):
        near = ElboExplorer(mu=found["mu"] + step[0], sigma=found["sigma"] + step[1]).terms()["gap"]
        assert best <= near + 1e-9


@pytest.mark.parametrize(
    ("guess", "title"),
    [
        ((0.6, 0.4), r"ELBO $-1.4705$ + gap $0.6003$ = $\log p(x)$ $-0.8702$"),
        ((3.0, 0.1), r"ELBO $-13.8753$ + gap $13.0051$ = $\log p(x)$ $-0.8702$"),
    ],
)
def test_picture_tells_the_terms_and_cuts_no_bar(guess, title):
    figure = Figure()
    ElboExplorer(mu=guess[0], sigma=guess[1])._draw(figure)
    _, bars = figure.axes
    assert bars.get_title() == title
    low, high = bars.get_xlim()
    assert low < float(title.split("$")[1]) < high  # ends there, in sight, what is left of the gap


def test_picture():
    assert_picture_stands_on_white_and_repeats(ElboExplorer(), "ElboExplorer(mu=0.6, sigma=0.4)")

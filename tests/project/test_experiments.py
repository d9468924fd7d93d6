"""The experiments behind the numbers: how they are run and kept, what they measure, what the chapters conclude."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bernoulli
import linear
import pytest
import results
import run
import samples
import torch
from common import measurements, pages
from conftest import start
from results import Experiment
from scipy.integrate import quad
from torch.distributions import Bernoulli, Normal
from torch.nn.functional import one_hot

from genlib import VAE, kl_to_standard_normal, vae_loss

# -- The results file --------------------------------------------------------------------------------------------------


def test_every_experiment_is_there_under_its_recipe_with_all_its_runs():
    found = measurements.read(part="experiments")
    assert set(found) == set(run.EXPERIMENTS)
    for name, experiment in run.EXPERIMENTS.items():
        assert found[name]["recipe"] == experiment.recipe, f"{name} has another recipe now: `make results`"
        assert [r["seed"] for r in found[name]["runs"]] == list(range(experiment.seeds)), name
        assert (pages.ROOT / "experiments" / f"{found[name]['script']}.py").exists()


def test_every_run_says_where_it_comes_from():
    for name, entry in measurements.read(part="experiments").items():
        for one in entry["runs"]:
            assert set(one) == {"seed", "values", "seconds", "finished", "commit", "versions", "hardware"}, name
            assert one["seconds"] > 0 and one["hardware"] and set(one["versions"]) == {"python", *results.PACKAGES}
            assert one["commit"] != "unknown" and not one["commit"].endswith("+"), f"{name}: run from changed code"


def test_the_numbers_are_those_of_the_runs():
    assert measurements.read() == results.numbers(measurements.read(part="experiments"), run.EXPERIMENTS)


def test_where_training_is_involved_there_are_five_seeds():
    for name, experiment in run.EXPERIMENTS.items():
        assert experiment.seeds >= 5 or name in ("pca", "errata")


# -- Running them ------------------------------------------------------------------------------------------------------


class Threads(ThreadPoolExecutor):
    """A pool that sees what a test has put in the place of the experiments."""

    def __init__(self, workers, mp_context):
        super().__init__(workers)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Two experiments of which the second fails for seed 1; returns the list of the runs made."""
    runs = []

    def good(seed):
        runs.append(("good", seed))
        return {"a": 2.0 * seed, "b": 1.0}

    def bad(seed):
        runs.append(("bad", seed))
        if seed == 1:
            raise ZeroDivisionError("no luck")
        return {"c": float(seed)}

    def unit(term):
        return "nats" if term == "a" else "1"

    experiments = {"good": Experiment(good, {"k": 1}, unit, seeds=3), "bad": Experiment(bad, {}, unit, seeds=2)}
    monkeypatch.setattr(run, "EXPERIMENTS", experiments)
    monkeypatch.setattr(run, "SCRIPT", dict.fromkeys(experiments, "fake"))
    monkeypatch.setattr(run, "ProcessPoolExecutor", Threads)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results.json")
    return runs


def stored():
    return json.loads(results.RESULTS.read_text(encoding="utf-8"))


def test_what_fails_is_told_and_the_rest_is_kept(made):
    failed = run.run(["good", "bad"], 2)
    assert failed == ["bad, seed 1: ZeroDivisionError no luck"]
    assert [r["seed"] for r in stored()["experiments"]["bad"]["runs"]] == [0]
    numbers = stored()["numbers"]
    assert set(numbers) == {"good.a", "good.b"}, "an experiment without all its runs has no number"
    assert numbers["good.a"] == {"value": 2, "sd": 2, "n": 3, "experiment": "good", "unit": "nats"}


def test_it_goes_on_where_it_stopped(made, monkeypatch):
    run.run(["good"], 1)
    runs = stored()["experiments"]["good"]["runs"]
    results.write({"good": {"script": "fake", "recipe": {"k": 1}, "runs": runs[:1]}}, run.EXPERIMENTS)
    made.clear()
    run.run(["good"], 2)
    assert sorted(made) == [("good", 1), ("good", 2)] and "good.a" in stored()["numbers"]
    made.clear()
    run.run(["good"], 2)
    assert made == []
    run.run(["good"], 2, again=True)
    assert len(made) == 3


def test_another_recipe_makes_all_runs_anew(made, monkeypatch):
    run.run(["good"], 1)
    made.clear()
    monkeypatch.setitem(run.EXPERIMENTS, "good", Experiment(run.EXPERIMENTS["good"].run, {"k": 2}, str, seeds=3))
    assert results.numbers(results.read(), run.EXPERIMENTS) == {}
    run.run(["good"], 1)
    assert len(made) == 3 and stored()["experiments"]["good"]["recipe"] == {"k": 2}


def test_an_interrupted_write_leaves_the_old_file(made, monkeypatch):
    run.run(["good"], 1)
    before = results.RESULTS.read_bytes()

    def broken(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        results.store("good", "fake", {"seed": 0, "values": {"a": 9.0, "b": 9.0}}, run.EXPERIMENTS)
    assert results.RESULTS.read_bytes() == before


def test_damaged_results_and_a_full_disk_end_with_a_word(made, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run.py", "good", "--workers", "1"])

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, pytest.raises(SystemExit, match=r"No space left on device.*results\.json"):
        patched.setattr(Path, "write_bytes", full)
        run.main()
    run.run(["good"], 1)
    text = results.RESULTS.read_text(encoding="utf-8")
    results.RESULTS.write_text(text.replace('"value": 2.0', '"value": 2.1'), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"results\.json: damaged.* sha256 .*`git checkout -- .*results\.json`"):
        run.main()


def test_the_command_measures_what_the_file_says(tmp_path):
    """PCA from the command line, in its own processes: the numbers of the results file, and a clear word otherwise."""
    shutil.copytree(pages.ROOT / "experiments", tmp_path / "experiments")
    script, kept = tmp_path / "experiments" / "run.py", tmp_path / "experiments" / "results.json"
    kept.unlink()
    done = subprocess.run([sys.executable, script, "pca"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "1/1 pca, seed 0" in done.stdout, done.stderr
    found = json.loads(kept.read_text(encoding="utf-8"))
    for key, number in found["numbers"].items():
        assert number["value"] == pytest.approx(measurements.read()[key]["value"], rel=1e-9)
    done = subprocess.run([sys.executable, script, "pcb"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and "unknown: pcb; expected some of bernoulli.binary" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_interrupted_it_ends_at_once_with_one_line(tmp_path):
    shutil.copytree(pages.ROOT / "experiments", tmp_path / "experiments")
    script, kept = tmp_path / "experiments" / "run.py", tmp_path / "experiments" / "results.json"
    kept.unlink()
    process = start([sys.executable, script, "vae.source", "--workers", "2"])  # many minutes
    deadline = time.monotonic() + 120
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)  # the processes of the runs have begun
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = process.communicate(timeout=60)
    assert said == ("", "Interrupted; every finished run is kept, and the next call goes on from there.\n")


# -- What they measure -------------------------------------------------------------------------------------------------


def test_principal_components_leave_what_singular_values_say(monkeypatch):
    images = torch.randn(200, 30) @ torch.randn(30, 784) / 10
    monkeypatch.setattr(linear, "load_mnist", lambda train=True: (images, None))
    s = torch.linalg.svdvals((images - images.mean(0)).double())
    for k in linear.COMPONENTS:
        assert linear.run(0)[f"{k}.train"] == pytest.approx((s[k:] ** 2).sum().item() / 200)


class OneLatent(torch.nn.Module):
    """Four binary pixels from one latent, and a guess of the posterior that is not quite right."""

    slope, level = torch.tensor([2.0, -1.0, 0.5, 3.0]), torch.tensor([0.1, -0.3, 0.0, 0.5])

    def encode(self, x):
        return ((x - 0.5) @ self.slope)[:, None] / 6, torch.full((len(x), 1), -0.2)

    def decode(self, z):
        return z * self.slope + self.level


def test_importance_sampling_against_quadrature():
    x, model = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]]), OneLatent()

    def density(z, image):
        pixels = Bernoulli(logits=model.decode(torch.tensor([[z]])))
        return (pixels.log_prob(image).sum() + Normal(0.0, 1.0).log_prob(torch.tensor(z))).exp().item()

    exact = [quad(density, -10, 10, args=(image,))[0] for image in x]
    estimate = bernoulli.log_likelihood(model, x, samples=40_000, chunk=7_000)
    torch.testing.assert_close(estimate, torch.tensor(exact).log(), atol=0.01, rtol=0)
    few = torch.stack([bernoulli.log_likelihood(model, x, samples=1) for _ in range(500)]).mean(0)
    assert (few < estimate - 0.05).all(), "with one sample it is the ELBO, a lower bound"


@pytest.mark.parametrize("binarise", [False, True])
def test_the_bernoulli_loss_is_the_negative_elbo(binarise):
    model, x = bernoulli.BernoulliVAE(), torch.rand(6, 784) * 2 - 1
    torch.manual_seed(1)
    terms = bernoulli.loss(model, x, binarise=binarise)
    torch.manual_seed(1)
    grey = (x + 1) / 2
    pixels = torch.bernoulli(grey) if binarise else grey
    logits, mu, logvar = model(pixels)
    expected = -Bernoulli(logits=logits, validate_args=False).log_prob(pixels).sum(1)
    torch.testing.assert_close(terms["reconstruction"], expected)
    torch.testing.assert_close(terms["total"], expected + kl_to_standard_normal(mu, logvar))


@pytest.mark.parametrize("alike", [False, True])
def test_half_way_codes_are_the_middles_of_different_digits_or_of_one(alike):
    labels = torch.arange(10).repeat(600)
    middles = samples.halfway(one_hot(labels).float(), labels, alike)
    assert middles.shape == (samples.IMAGES, 10)
    assert ((middles == 1).sum(1) == alike).all() and ((middles == 0.5).sum(1) == 2 * (not alike)).all()


def test_ranked_codes_follow_the_prior_one_by_one_and_keep_their_order(monkeypatch):
    monkeypatch.setattr(samples, "IMAGES", 200)
    monkeypatch.setattr(samples, "COMPONENTS", 2)
    x, labels = torch.rand(200, 784) * 2 - 1, torch.arange(200) % 10
    drawn, _ = samples.codes(VAE(latent_dim=3), vae_loss, x, (x, labels), seed=0, controls=True)
    assert torch.equal(drawn["ranked"].argsort(0), drawn["aggregate"].argsort(0))
    quantiles = torch.special.ndtri((torch.arange(200) + 0.5) / 200)
    torch.testing.assert_close(drawn["ranked"].sort(0).values, quantiles[:, None].expand(-1, 3))
    assert torch.equal(drawn["shuffled"].sort(0).values, drawn["aggregate"].sort(0).values)


# -- What the chapters conclude ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def value():
    numbers = measurements.read()
    return lambda key: numbers[key]["value"]


@pytest.mark.parametrize("model", ["autoencoder", "vae"])
def test_the_quick_recipe_is_no_worse_than_the_sources(value, model):
    numbers = measurements.read()
    assert value(f"{model}.quick.test.total") <= value(f"{model}.source.test.total")
    assert numbers[f"{model}.quick.test.total"]["n"] == numbers[f"{model}.source.test.total"]["n"] == 5


def test_three_numbers_of_the_autoencoder_beat_three_components_and_not_twenty(value):
    assert value("pca.20.test") < value("autoencoder.quick.test.total") < 0.7 * value("pca.3.test")
    assert value("pca.3.test") < value("errata.mean_image.test")


def test_at_equal_length_the_vae_does_not_reconstruct_better(value):
    assert value("plain.quick.test.mean_se") < 0.9 * value("vae.quick.test.mean_se")
    numbers = measurements.read()
    scatter = sum(numbers[f"{name}.quick.test.mean_se"]["sd"] for name in ("plain3", "vae3"))
    assert value("plain3.quick.test.mean_se") == pytest.approx(value("vae3.quick.test.mean_se"), abs=scatter)


def test_longer_codes_reconstruct_better(value):
    for name in ("plain", "vae"):
        assert value(f"{name}.quick.test.mean_se") < value(f"{name}3.quick.test.mean_se") / 4


def test_anchors_are_told_apart_over_all_seeds(value):
    numbers = measurements.read()

    def worst(kind, sign):
        number = numbers[f"samples.anchors.{kind}.recognised"]
        return number["value"] + sign * 3 * number["sd"]

    assert worst("real", -1) >= 0.93
    assert all(worst(kind, +1) <= 0.15 for kind in ("overlays", "averages", "halves"))
    for kind in ("blurred", "thinner", "thicker"):
        assert abs(value(f"samples.anchors.{kind}.recognised") - value("samples.anchors.real.recognised")) <= 0.1
    distance = {
        kind: value(f"samples.anchors.{kind}.frechet") for kind in ("real", "blurred", "halves", "overlays", "noise")
    }
    assert sorted(distance, key=distance.get) == list(distance)
    assert value("samples.anchors.copies.distance") < 0.1 < 8 < value("samples.anchors.real.distance")


def test_a_mixture_of_its_codes_lets_an_autoencoder_be_sampled(value):
    scores = "samples.autoencoder.{}.{}".format
    for measure, margin in (("recognised", 0.06), ("coverage", 0.02)):
        assert value(scores("mixture", measure)) == pytest.approx(value(scores("test", measure)), abs=margin)
        assert all(
            value(scores("mixture", measure)) > value(scores(draw, measure)) + 0.03
            for draw in ("gaussian", "prior", "box")
        )
    assert value(scores("mixture", "frechet")) < 0.7 * value(scores("gaussian", "frechet"))
    # the first column alone would not have told the box from the Gaussian
    assert value(scores("box", "recognised")) == pytest.approx(value(scores("gaussian", "recognised")), abs=0.03)
    assert value(scores("box", "frechet")) > 2 * value(scores("gaussian", "frechet"))
    # no nearer to the training images than reconstructions are, be it of training or of test images
    assert value(scores("mixture", "distance")) > value(scores("test", "distance")) > 6
    assert value(scores("aggregate", "distance")) == pytest.approx(value(scores("test", "distance")), abs=0.1)


def test_the_vae_s_decoder_can_draw_and_its_prior_is_what_fails(value):
    scores = "samples.vae.{}.{}".format
    assert value(scores("aggregate", "recognised")) > 0.9 > 0.2 > value(scores("prior", "recognised"))
    assert value(scores("prior", "recognised")) > value("samples.anchors.overlays.recognised") + 0.05
    assert value(scores("aggregate", "frechet")) < 15 < 150 < value(scores("prior", "frechet"))
    assert value(scores("gaussian", "recognised")) == pytest.approx(value(scores("prior", "recognised")), abs=0.05)
    assert value(scores("mixture", "recognised")) > 0.75
    # what the twenty latents have to do with one another is all: without it the codes are as poor as the prior's
    assert value(scores("shuffled", "recognised")) < 0.2 < 0.85 < value(scores("ranked", "recognised"))
    assert value(scores("ranked", "frechet")) < 15 < 150 < value(scores("shuffled", "frechet"))
    assert value(scores("halfway", "recognised")) == pytest.approx(value(scores("prior", "recognised")), abs=0.05)
    assert value(scores("halfway", "recognised")) < 0.5 * value(scores("kin", "recognised"))
    assert value(scores("halfway", "frechet")) > 100 > 30 > value(scores("kin", "frechet"))
    assert value(scores("mixture", "distance")) > value(scores("test", "distance")) > 7


def test_what_is_left_of_the_two_claims(value):
    def score(model, draw, measure="recognised"):
        return value(f"samples.{model}.{draw}.{measure}")

    for vae, plain in (("vae", "plain"), ("vae3", "plain3")):
        assert score(vae, "prior", "frechet") < 0.8 * score(plain, "prior", "frechet")
        assert score(plain, "mixture") > score(vae, "mixture")
        assert min(score(name, "mixture") - score(name, "gaussian") for name in (vae, plain)) > 0.1
    assert score("plain", "test") > score("vae", "test") > 0.9 > 0.65 > score("plain3", "test")
    assert score("plain", "mixture", "distance") > score("plain", "test", "distance") > 7
    assert score("plain", "aggregate", "distance") < 0.6 * score("plain", "test", "distance")


def test_each_measure_is_pleased_by_something_that_another_catches(value):
    def anchor(kind, measure):
        return value(f"samples.anchors.{kind}.{measure}")

    assert 0.5 < anchor("overlays", "vote") < 0.75 and anchor("overlays", "recognised") < 0.1
    assert abs(anchor("overlays", "vote") - value("samples.vae.prior.vote")) < 0.1
    assert anchor("one", "recognised") > anchor("real", "recognised") > 0.9 > 0.01 > anchor("one", "coverage")
    assert anchor("copies", "frechet") < 5 and anchor("copies", "distance") < 0.1
    assert anchor("moved", "distance") > anchor("real", "distance") and anchor("moved", "frechet") > 10
    assert anchor("blurred", "density") > anchor("real", "density") + 0.1
    assert anchor("blurred", "edge_width") > 3 * anchor("real", "edge_width")
    assert anchor("half_noise", "coverage") > 0.8 and anchor("half_noise", "recognised") < 0.6
    assert abs(anchor("overlays", "edge_width") - anchor("real", "edge_width")) < 0.2


def test_the_frechet_distance_of_real_digits_is_error_that_falls_like_one_over_n(value):
    errors = [n * value(f"frechet.real.{n}") for n in (100, 1000, 10_000)]
    assert max(errors) < 2 * min(errors) and value("frechet.real.100") > 60
    assert value("frechet.prior.100") > value("frechet.prior.1000") > 100


@pytest.mark.parametrize("size", ["2", "3", "8", ""])  # "": 20
def test_what_survives_of_the_clearer_pictures(value, size):
    def score(model, draw, measure):
        return value(f"samples.{model}{size}.{draw}.{measure}")

    for draw in ("test", "prior", "gaussian", "mixture"):
        assert score("plain", draw, "edge_width") < score("vae", draw, "edge_width")
    assert score("vae", "prior", "frechet") < 0.8 * score("plain", "prior", "frechet")
    assert score("plain", "mixture", "recognised") > score("vae", "mixture", "recognised")
    assert score("plain", "mixture", "frechet") < score("vae", "mixture", "frechet") * 1.0001
    lost = {name: score(name, "test", "recognised") - score(name, "mixture", "recognised") for name in ("plain", "vae")}
    assert max(lost.values()) < 0.05 if size else lost["vae"] > lost["plain"] > 0.08
    if size in ("8", ""):
        assert value(f"samples.plain{size}.se") < value(f"samples.vae{size}.se")
        assert score("plain", "test", "frechet") < score("vae", "test", "frechet")
    assert value(f"samples.pca{size or 20}.mixture.recognised") < 0.1
    assert value("samples.pca20.se") > value("samples.plain8.se")


def test_the_prior_fits_best_with_a_middling_number_of_latents(value):
    distance = {size: value(f"samples.vae{size}.prior.frechet") for size in ("2", "3", "8", "")}
    assert min(distance, key=distance.get) == "8"
    share = {size: value(f"samples.vae{size}.prior.recognised") for size in ("2", "3", "8", "")}
    assert max(share, key=share.get) == "3" and min(share, key=share.get) == ""


def test_other_classifiers_agree_on_the_order_and_an_ordinary_one_is_fooled(value):
    for model in ("vae", "plain"):
        share = {draw: value(f"judges.{model}.{draw}.recognised") for draw in ("test", "mixture", "gaussian", "prior")}
        assert list(share) == sorted(share, key=share.get, reverse=True), model
        assert share["mixture"] - share["gaussian"] > 0.4
    for draw in ("prior", "mixture"):
        assert value(f"judges.vae.{draw}.recognised") > value(f"samples.vae.{draw}.recognised") + 0.03
    assert abs(value("judges.plain.mixture.recognised") - value("judges.vae.mixture.recognised")) < 0.03
    assert value("judges.plain.mixture.frechet") < value("judges.vae.mixture.frechet")
    assert value("judges.overlays.recognised") < 0.1 < value("judges.vae.prior.sure") < value("judges.overlays.sure")


def test_each_part_of_the_loss_does_what_the_chapter_says(value):
    for way in ("broken.no_kl", "ablation.noise"):
        assert value(f"{way}.sigma") < 0.01  # the encoder turns its noise off
    assert value("broken.no_kl.spread") > 2 * value("broken.whole.spread")
    assert value("broken.no_noise.spread") < 0.8 * value("broken.whole.spread")
    assert value("broken.no_noise.kl") < 0.3 * value("broken.whole.kl")
    assert value("broken.averaged.kl") < 0.01 and value("broken.averaged.mean_se") > value("errata.mean_image.test")
    assert value("broken.no_kl.mean_se") < value("broken.whole.mean_se")
    assert (
        value("ablation.kl.spread") < 0.5 < 0.8 < value("ablation.both.spread") < 1.2 < value("ablation.plain.spread")
    )
    assert value("ablation.both.mean_se") == max(
        value(f"ablation.{w}.mean_se") for w in ("plain", "noise", "kl", "both")
    )


def test_the_usual_listing_is_reproduced(value):
    assert value("bernoulli.grey.test.total") == pytest.approx(105.6, abs=1)


def test_the_bound_on_binarised_digits_is_about_five_nats_too_low(value):
    gap = value("bernoulli.binary.test.log_likelihood") + value("bernoulli.binary.test.total")
    assert 4.5 < gap < 5.5

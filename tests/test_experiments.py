"""What the chapters conclude from the measured numbers, checked against the results file."""

import measurements
import pytest


@pytest.fixture(scope="module")
def value():
    numbers = measurements.read()
    return lambda key: numbers[key]["value"]


@pytest.mark.parametrize("model", ["autoencoder", "vae"])
def test_the_quick_recipe_is_no_worse_than_the_sources(value, model):
    numbers = measurements.read()
    assert value(f"{model}.quick.test.total") <= value(f"{model}.source.test.total")
    assert numbers[f"{model}.quick.test.total"]["n"] == numbers[f"{model}.source.test.total"]["n"] == 5


def test_at_equal_length_the_vae_does_not_reconstruct_better(value):
    assert value("plain.quick.test.mean_se") < 0.9 * value("vae.quick.test.mean_se")
    numbers = measurements.read()
    scatter = sum(numbers[f"{name}.quick.test.mean_se"]["sd"] for name in ("plain3", "vae3"))
    assert value("plain3.quick.test.mean_se") == pytest.approx(value("vae3.quick.test.mean_se"), abs=scatter)


def test_longer_codes_reconstruct_better(value):
    for name in ("plain", "vae"):
        assert value(f"{name}.quick.test.mean_se") < value(f"{name}3.quick.test.mean_se") / 4


def test_the_vae_wins_the_draw_with_20_latents_alone(value):
    for code in ("prior", "fitted"):
        assert value("vae.quick.test.clear_prior") > value(f"plain.quick.test.clear_{code}") + 0.03
    assert value("vae3.quick.test.clear_prior") == pytest.approx(value("plain3.quick.test.clear_prior"), abs=0.05)

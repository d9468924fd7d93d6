"""The ablation explorer's state, errors and picture."""

import numpy as np
import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats

from genlib import VAE, AblationExplorer, to_img

WAYS = ("plain", "noise", "kl", "both")


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    return {way: VAE(latent_dim=2, hidden_dim=8) for way in WAYS}


@pytest.fixture
def explorer(models, test_digits):
    return AblationExplorer(models, *(part[:60] for part in test_digits), window=2.0)


def test_the_view_holds_codes_and_widths_of_each_model(explorer, models, test_digits):
    view = explorer.view
    codes = np.frombuffer(view.codes, "<i2").reshape(4, 60, 2) * view.window / 32767
    widths = np.frombuffer(view.widths, "<f4").reshape(4, 40, 2)
    for i, way in enumerate(WAYS):
        with torch.no_grad():
            mu, logvar = models[way].encode(test_digits[0][:60])
        np.testing.assert_allclose(codes[i], mu.clamp(-2, 2), atol=1e-4)
        np.testing.assert_allclose(widths[i], (logvar[:40] / 2).exp(), rtol=1e-5)
        spread = f"{mu.std(0).mean():.2f}"
        assert view.facts[way][1] == spread and len(view.facts[way]) == (2 if way == "plain" else 4)
    assert np.frombuffer(view.labels, "u1").tolist() == test_digits[1][:60].tolist()


def test_planes_rise_to_the_right_and_upwards(explorer, models):
    planes = np.frombuffer(explorer.view.planes, "u1").reshape(4, 9, 28, 9, 28)
    corners = {(0, 0): (-2.0, 2.0), (0, 8): (2.0, 2.0), (8, 0): (-2.0, -2.0), (4, 4): (0.0, 0.0)}
    for i, way in enumerate(WAYS):
        for (row, column), code in corners.items():
            with torch.no_grad():
                expected = to_img(models[way].decode(torch.tensor([code])))[0, 0] * 255
            assert np.abs(planes[i, row, :, column].astype(float) - expected.numpy()).max() <= 0.51


@pytest.mark.parametrize(
    "spoil",
    [
        lambda models: models.pop("kl"),
        lambda models: models.update(more=models["kl"]),
        lambda models: models.update(kl=VAE(latent_dim=3, hidden_dim=8)),
    ],
)
def test_other_models_are_named(models, spoil, test_digits):
    models = dict(models)
    spoil(models)
    with pytest.raises(ValueError, match=r"AblationExplorer: got models with latents \{.*\}, expected 2 for each of"):
        AblationExplorer(models, *(part[:60] for part in test_digits))


def test_a_model_that_gives_nan_is_named(models, test_digits):
    broken = VAE(latent_dim=2, hidden_dim=8)
    broken.logvar.bias.data[0] = torch.nan
    with pytest.raises(ValueError, match="AblationExplorer: got VAE, whose logvar of some image is nan"):
        AblationExplorer({**models, "kl": broken}, *(part[:60] for part in test_digits))


def test_picture(explorer):
    assert_picture_stands_on_white_and_repeats(explorer, "AblationExplorer(points=60, way='both')")

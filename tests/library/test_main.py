import json
import re
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open

from genlib.__main__ import SHIPPED, _rotation, code_map, main
from genlib.models import CHOSEN_CODE, Autoencoder, load_pretrained, move_codes, resources
from genlib.train import History


def test_train_writes_weights_as_they_ship(tmp_path):
    path = tmp_path / "w.safetensors"
    command = [sys.executable, "-m", "genlib", "train", "vae", str(path), "--epochs", "1", "--seed", "3"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    with safe_open(path, "pt") as weights:
        metadata, half = weights.metadata(), weights.get_tensor("hidden.weight")
    recipe = json.loads(metadata["recipe"])
    assert half.dtype == torch.float16 and (recipe["epochs"], recipe["seed"]) == (1, 3)
    assert f"test loss {json.loads(metadata['test'])['total']:.2f}" in result.stdout
    assert 60 < json.loads(metadata["test"])["total"] < 200


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_weights_are_of_the_shipped_recipe(name):
    with safe_open(resources.files("genlib") / "weights" / f"{name}.safetensors", "pt") as weights:
        recipe = json.loads(weights.metadata()["recipe"])
    assert recipe == {key: getattr(SHIPPED[name], key) for key in recipe}


def test_unknown_models_are_refused():
    result = subprocess.run([sys.executable, "-m", "genlib", "train", "gan"], capture_output=True, text=True)
    said = result.stderr.replace("'", "")  # later Pythons quote no choices
    assert result.returncode == 2 and "choose from autoencoder, classifier, vae" in said


@pytest.mark.parametrize("path, message", [
    ("no/such/folder/x", "there is no folder .*no/such/folder: make it first"),
    ("", "that is a folder: name a file"),
])  # fmt: skip
def test_a_target_that_cannot_be_written_is_told_before_the_training(tmp_path, monkeypatch, capsys, path, message):
    monkeypatch.setattr("genlib.__main__.load_mnist", lambda: pytest.fail("has begun to train"))
    monkeypatch.setattr(sys, "argv", ["genlib", "train", "vae", str(tmp_path / path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1 and re.match(f"{re.escape(str(tmp_path / path))}: {message}", capsys.readouterr().err)


def test_an_interrupted_training_writes_nothing_and_says_so(tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        return History(SHIPPED["vae"], "cpu", interrupted=True)  # as fit returns it

    monkeypatch.setattr("genlib.__main__.fit", interrupted)
    monkeypatch.setattr(sys, "argv", ["genlib", "train", "vae", str(tmp_path / "x")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1 and capsys.readouterr().err == f"Interrupted; {tmp_path / 'x'} is as it was.\n"
    assert not (tmp_path / "x").exists()


def test_a_recipe_that_cannot_be_is_told_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["genlib", "train", "vae", str(tmp_path / "x"), "--epochs", "0"])
    with pytest.raises(SystemExit):
        main()
    assert "got epochs=0, expected a whole number of at least 1" in capsys.readouterr().err


def test_the_shipped_map_is_the_one_that_code_map_finds(train_digits):
    raw = load_pretrained("autoencoder", raw=True)
    A, b, index = code_map(raw, *train_digits)
    assert train_digits[1][index] == 5
    move_codes(raw, A, b)
    with torch.no_grad():
        code = raw.encode(train_digits[0][index : index + 1])[0]
        shipped = load_pretrained("autoencoder").encode(train_digits[0][:200])
        torch.testing.assert_close(code, torch.tensor(CHOSEN_CODE), atol=1e-4, rtol=0)
        torch.testing.assert_close(raw.encode(train_digits[0][:200]), shipped, atol=1e-3, rtol=0)


def test_a_model_that_decodes_no_five_is_refused(train_digits):
    with pytest.raises(ValueError, match="none of whose decoded fives is recognised as a 5"):
        code_map(Autoencoder(), *train_digits)


def test_rotation_takes_one_direction_to_the_other_and_keeps_lengths():
    u, v = torch.nn.functional.normalize(torch.randn(2, 3, dtype=torch.float64))
    R = _rotation(u, v)
    torch.testing.assert_close(R @ u, v)
    torch.testing.assert_close(R @ R.T, torch.eye(3, dtype=torch.float64))
    assert torch.linalg.det(R) == pytest.approx(1)

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.datasets.mnist import read_image_file
from torchvision.transforms.v2.functional import normalize, to_dtype

from genlib import data
from genlib.data import to_img

MNIST = Path(data.__file__).parent / "mnist"
LABELS_PER_DIGIT = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # of MNIST's training set


def test_training_set(train_digits):
    images, labels = train_digits
    assert images.shape == (60000, 784) and images.dtype == torch.float32
    assert images.min() == -1 and images.max() == 1
    assert labels.dtype == torch.int64 and labels.bincount().tolist() == LABELS_PER_DIGIT
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    mean_pixel = (images.double().mean() + 1) / 2
    assert mean_pixel == pytest.approx(0.1307, abs=1e-4)  # the constant every MNIST tutorial normalises with


def test_test_set_follows_the_tutorials_normalisation(test_digits, tmp_path):
    """ToTensor then Normalize(0.5, 0.5), as the source tutorial does it."""
    images, labels = test_digits
    assert images.shape == (10000, 784) and labels[:4].tolist() == [7, 2, 1, 0]
    unpacked = tmp_path / "t10k-images-idx3-ubyte"
    unpacked.write_bytes(gzip.decompress((MNIST / f"{unpacked.name}.gz").read_bytes()))
    pixels = read_image_file(str(unpacked))[:50, None]
    expected = normalize(to_dtype(pixels, torch.float32, scale=True), [0.5], [0.5]).flatten(1)
    torch.testing.assert_close(images[:50], expected)


def test_to_img_maps_to_pictures():
    x = torch.linspace(-1, 1, 2 * 784).view(2, 784)
    img = to_img(x)
    assert img.shape == (2, 1, 28, 28)
    assert img.min() == 0 and img.max() == 1 and img.flatten().diff().min() > 0
    assert to_img(torch.full((1, 784), 3.0)).unique().tolist() == [1.0]


@pytest.mark.parametrize("shape", [(784,), (1, 783), (2, 1, 28, 28)])
def test_to_img_names_the_wrong_shape(shape):
    with pytest.raises(ValueError, match=rf"got shape \({shape[0]},.*expected \(N, 784\)"):
        to_img(torch.zeros(shape))


@pytest.mark.parametrize("damage", ["missing", "truncated", "one bit"])
def test_damaged_files_are_named(tmp_path, monkeypatch, damage):
    name = "t10k-labels-idx1-ubyte.gz"
    original = MNIST / name
    copy = tmp_path / "mnist" / name
    copy.parent.mkdir()
    for path in MNIST.glob("*.gz"):
        if path != original:
            shutil.copyfile(path, copy.with_name(path.name))  # without its mode: installed, it may be read-only
    if damage == "truncated":
        copy.write_bytes(original.read_bytes()[:-1])
    elif damage == "one bit":
        content = bytearray(original.read_bytes())
        content[100] ^= 1
        copy.write_bytes(content)
    monkeypatch.setattr(data.resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError) as error:
        data.load_mnist(train=False)
    found = "cannot be read" if damage == "missing" else f"expected md5 {data._MD5[name]}, actual md5"
    for part in (str(copy), found, "git checkout -- ", "install genlib again"):
        assert part in str(error.value)


def test_two_processes_offline_and_nothing_left_behind(tmp_path):
    """Read at the same time, and no trace in the temporary directory, which may be full."""
    code = "from genlib.data import load_mnist; print(load_mnist(train=False)[0].sum().item())"
    env = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env) for _ in range(2)]
    sums = {process.communicate(timeout=120)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0] and len(sums) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []

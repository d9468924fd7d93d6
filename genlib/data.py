"""MNIST, shipped with the package, as one tensor."""

import gzip
import hashlib
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torchvision.datasets.mnist import MNIST, read_image_file, read_label_file

_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


def load_mnist(train=True, *, device="cpu"):
    """The 60,000 training or 10,000 test digits of MNIST (LeCun, Cortes and Burges 1998).

    train: bool, which of the two sets. device: where the tensors shall live.
    Returns images (N, 784) float32 on [-1, 1] and labels (N,) int64.
    Raises ValueError if a shipped file is missing or damaged.

    The archives travel with genlib, are checked against their md5 and unpacked into a
    temporary directory at each call: no network, no cache, nothing left behind.
    """
    split = "train" if train else "t10k"
    with TemporaryDirectory() as folder:
        pixels = read_image_file(_unpacked(f"{split}-images-idx3-ubyte.gz", folder))
        labels = read_label_file(_unpacked(f"{split}-labels-idx1-ubyte.gz", folder))
    images = pixels.flatten(1).to(device, torch.float32)  # (N, 28, 28) -> (N, 784)
    return images / 127.5 - 1, labels.to(device)


def to_img(x):
    """Network values as pictures.

    x: (N, 784) on [-1, 1]; values outside are clamped. Returns (N, 1, 28, 28) on [0, 1].
    Raises ValueError for any other shape.
    """
    if x.ndim != 2 or x.shape[1] != 784:
        raise ValueError(f"to_img: got shape {tuple(x.shape)}, expected (N, 784)")
    return ((x + 1) / 2).clamp(0, 1).view(-1, 1, 28, 28)


def _unpacked(name, folder):
    """The path in `folder` of one shipped archive, unpacked, if it is the canonical one."""
    path = resources.files("genlib") / "mnist" / name
    remedy = (
        "Install genlib again from the book's repository, or put the original file there "
        f"(torchvision lists its mirrors: {', '.join(MNIST.mirrors)})."
    )
    try:
        archive = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be read ({error.strerror}); expected md5 {_MD5[name]}, actual md5: none. {remedy}"
        ) from error
    actual = hashlib.md5(archive, usedforsecurity=False).hexdigest()
    if actual != _MD5[name]:
        raise ValueError(f"{path}: damaged; expected md5 {_MD5[name]}, actual md5 {actual}. {remedy}")
    unpacked = Path(folder, name.removesuffix(".gz"))
    unpacked.write_bytes(gzip.decompress(archive))
    return str(unpacked)

"""MNIST, shipped with the package, as one tensor."""

import gzip
import hashlib
import math
from importlib import resources

import torch
from torchvision.datasets.mnist import MNIST

from genlib import files

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

    The archives travel with genlib, are checked against their md5 and unpacked in memory at each
    call: no network, no cache, nothing left behind.
    """
    split = "train" if train else "t10k"
    pixels = _unpacked(f"{split}-images-idx3-ubyte.gz", header=16).view(-1, 784)
    labels = _unpacked(f"{split}-labels-idx1-ubyte.gz", header=8)
    return pixels.to(device, torch.float32) / 127.5 - 1, labels.to(device, torch.int64)


def to_img(x):
    """Network values as pictures.

    x: (N, 784) on [-1, 1]; values outside are clamped. Returns (N, 1, 28, 28) on [0, 1].
    Raises ValueError for any other shape.
    """
    if x.ndim != 2 or x.shape[1] != 784:
        raise ValueError(f"to_img: got shape {tuple(x.shape)}, expected (N, 784)")
    return ((x + 1) / 2).clamp(0, 1).view(-1, 1, 28, 28)


def check_pixels(function, name, images):
    """Raise ValueError or TypeError, naming the function and the way out, unless `images` are floats on [-1, 1].

    Values a little outside, as rounding leaves them, pass.
    """
    if not isinstance(images, torch.Tensor):
        got = f"{function}: got {name} as {type(images).__module__}.{type(images).__name__}"
        raise TypeError(f"{got}, expected a torch tensor: torch.as_tensor({name}) makes one")
    if images.numel() == 0:
        return
    low, high = (end.item() for end in images.aminmax())  # nan if there is one
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{function}: got {name} with nan or inf, expected numbers from -1 to 1")
    if not images.is_floating_point() or low < -1.001 or high > 1.001:
        way_out = f"{name} / 127.5 - 1" if high > 2 or not images.is_floating_point() else f"{name}.clamp(-1, 1)"
        got = f"{function}: got {name} of {images.dtype} from {low:g} to {high:g}"
        raise ValueError(f"{got}, expected floats from -1 to 1, as load_mnist gives them: {way_out}, say")


def _unpacked(name, *, header):
    """The bytes of one shipped archive after its header, (n,) uint8, if it is the canonical one."""

    def parse(archive):
        actual = hashlib.md5(archive, usedforsecurity=False).hexdigest()
        if actual != _MD5[name]:
            raise ValueError(f"expected md5 {_MD5[name]}, actual md5 {actual}")
        return torch.frombuffer(bytearray(gzip.decompress(archive)), dtype=torch.uint8, offset=header)

    again = "install genlib again from the book's repository, or put the original file there"
    mirrors = f"torchvision lists its mirrors: {', '.join(MNIST.mirrors)}"
    return files.read(resources.files("genlib") / "mnist" / name, parse, instead=f"{again} ({mirrors})")

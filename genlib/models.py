"""The models of the book, the classifier that measures their images, and the weights that ship."""

import json
from functools import partial
from hashlib import sha256
from importlib import resources
from numbers import Integral

import torch
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional as F

from genlib import files

PIXELS = 28 * 28
CHOSEN_CODE = (1.19, -3.36, 2.06)  # where the shipped autoencoder keeps the code of a 5


class Autoencoder(nn.Module):
    """784-128-64-12-latent_dim and its mirror, ReLU between, tanh at the end.

    A deep autoencoder (Hinton and Salakhutdinov 2006) with the widths of the
    source tutorial. latent_dim: int > 0, numbers in the code.
    """

    def __init__(self, latent_dim=3):
        super().__init__()
        _check_positive(latent_dim=latent_dim)
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(
            nn.Linear(PIXELS, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 12), nn.ReLU(),
            nn.Linear(12, latent_dim),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 12), nn.ReLU(),
            nn.Linear(12, 64), nn.ReLU(),
            nn.Linear(64, 128), nn.ReLU(),
            nn.Linear(128, PIXELS), nn.Tanh(),
        )  # fmt: skip

    def encode(self, x):
        """x: (B, 784) on [-1, 1]. Returns the codes (B, latent_dim)."""
        _check_width("x", x, PIXELS)
        return self.encoder(x)

    def decode(self, z):
        """z: (B, latent_dim). Returns images (B, 784) on (-1, 1)."""
        _check_width("z", z, self.latent_dim)
        return self.decoder(z)

    def forward(self, x):
        """x: (B, 784). Returns codes (B, latent_dim), x_hat (B, 784)."""
        z = self.encode(x)
        return z, self.decode(z)


class PCA(nn.Module):
    """Principal component analysis as a model: the best linear code by squared error (Baldi and Hornik 1989).

    images: (N, 784), whose mean and latent_dim directions of largest variance it keeps. Codes have the covariance I
    over these images, which no reconstruction depends on. latent_dim: int > 0. Raises ValueError for other shapes.
    """

    def __init__(self, images, latent_dim=3):
        super().__init__()
        _check_positive(latent_dim=latent_dim)
        _check_width("images", images, PIXELS)
        self.latent_dim = latent_dim
        mean = images.double().mean(0)
        variances, directions = torch.linalg.eigh((images.double() - mean).T.cov(correction=0))  # rising
        directions = directions[:, -latent_dim:].flip(1)
        scale = variances[-latent_dim:].flip(0).clamp(min=1e-12).sqrt()
        self.encoder, self.decoder = nn.Linear(PIXELS, latent_dim), nn.Linear(latent_dim, PIXELS)
        weights = (directions / scale).T, -(mean @ directions) / scale, directions * scale, mean
        for parameter, value in zip(self.parameters(), weights, strict=True):
            parameter.requires_grad_(False).copy_(value)

    def encode(self, x):
        """x: (B, 784) on [-1, 1]. Returns the codes (B, latent_dim)."""
        _check_width("x", x, PIXELS)
        return self.encoder(x)

    def decode(self, z):
        """z: (B, latent_dim). Returns images (B, 784), which may lie a little outside [-1, 1]."""
        _check_width("z", z, self.latent_dim)
        return self.decoder(z)


class VAE(nn.Module):
    """A variational autoencoder, one hidden layer (Kingma and Welling 2014).

    784-hidden_dim-(mu, logvar); latent_dim-hidden_dim-784, ReLU, tanh output.
    latent_dim, hidden_dim: int > 0.
    """

    def __init__(self, latent_dim=20, hidden_dim=400):
        super().__init__()
        _check_positive(latent_dim=latent_dim, hidden_dim=hidden_dim)
        self.latent_dim = latent_dim
        self.hidden = nn.Linear(PIXELS, hidden_dim)
        self.mu = nn.Linear(hidden_dim, latent_dim)
        self.logvar = nn.Linear(hidden_dim, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim), nn.ReLU(),
            nn.Linear(hidden_dim, PIXELS), nn.Tanh(),
        )  # fmt: skip

    def encode(self, x):
        """x: (B, 784) on [-1, 1]. Returns mu, logvar, (B, latent_dim) each."""
        _check_width("x", x, PIXELS)
        h = F.relu(self.hidden(x))
        return self.mu(h), self.logvar(h)

    def reparameterize(self, mu, logvar):
        """A sample of N(mu, diag exp(logvar)), differentiable in both.

        mu, logvar: (B, latent_dim).
        """
        if mu.shape != logvar.shape:
            got = f"mu {tuple(mu.shape)} and logvar {tuple(logvar.shape)}"
            raise ValueError(f"got {got}, expected equal shapes")
        eps = torch.randn_like(mu)
        return mu + eps * (0.5 * logvar).exp()

    def decode(self, z):
        """z: (B, latent_dim). Returns means of p(x|z), (B, 784) on (-1, 1)."""
        _check_width("z", z, self.latent_dim)
        return self.decoder(z)

    @torch.no_grad()
    def sample(self, n):
        """n images (n, 784), decoded from draws from the prior N(0, I)."""
        _check_positive(n=n)
        z = torch.randn(n, self.latent_dim, device=self.mu.weight.device)
        return self.decode(z)

    def forward(self, x):
        """x: (B, 784). Returns x_hat of one sample of q(z|x), mu, logvar."""
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


class Classifier(nn.Module):
    """Reads a digit, or refuses a picture: four convolutions, 64 features, the ten digits and "no digit".

    It measures what images show (see `genlib.measures`); `genlib.classifier` trains it.
    """

    NO_DIGIT = 10

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(64 * 4 * 4, 64), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(64, 11)

    def features(self, x):
        """x: (B, 784) on [-1, 1]. Returns what the last hidden layer makes of it, (B, 64)."""
        _check_width("x", x, PIXELS)
        return self.body(x.view(-1, 1, 28, 28))

    def forward(self, x):
        """x: (B, 784) on [-1, 1]. Returns logits (B, 11): of the digits 0 to 9 and, last, of "no digit"."""
        return self.head(self.features(x))


MODELS = {"autoencoder": Autoencoder, "vae": VAE, "classifier": Classifier}


def load_pretrained(name, *, raw=False):
    """A model with the weights that ship with genlib, in eval mode on the CPU.

    name: "autoencoder", "vae" or "classifier". Large matrices are stored as float16 and used as those
    same values in float32, so that a browser decodes what PyTorch decodes.
    The autoencoder's codes are moved by the shipped affine map z -> A z + b, which changes
    no reconstruction (see `move_codes`); raw=True leaves them as training left them.
    Raises ValueError for an unknown name, and for a file that is missing, damaged or another model's.
    """
    _check_name("load_pretrained", name)
    return read_weights(resources.files("genlib") / "weights" / f"{name}.safetensors", partial(_built, name, raw=raw))


def _built(name, tensors, *, raw):
    code_map = [tensors.pop(f"code_map.{part}", None) for part in "Ab"]
    model = MODELS[name]()
    model.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    if code_map[0] is not None and not raw:
        move_codes(model, *code_map)
    return model.eval()


def read_weights(path, make=dict):
    """What `make` makes of the tensors (name: tensor) in the file at `path`, which `save_weights` has written.

    Raises ValueError, with the file and the way out, if it is missing or damaged: if its tensors are not those of the
    digest that it carries; also if `make` cannot use them.
    """

    def parse(data):
        length = int.from_bytes(data[:8], "little")
        said = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get("sha256", "nothing")
        tensors = load(data)
        if said != (found := digest(tensors)):
            raise ValueError(f"its tensors have the sha256 {found}, but it says {said}")
        return make(tensors)

    return files.read(path, parse, instead="install genlib again from the book's repository")


def digest(tensors):
    """SHA-256 of tensors (name: tensor): of name, dtype, shape and bytes of each, in the order of the names."""
    found = sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


@torch.no_grad()
def move_codes(model, A, b):
    """Replace each code z of an Autoencoder by A z + b, in place; reconstructions stay as they are.

    The last encoder layer absorbs the map and the first decoder layer its inverse.
    A: (d, d), invertible; b: (d,), d = latent_dim. Raises ValueError for other shapes.
    """
    d = model.latent_dim
    if A.shape != (d, d) or b.shape != (d,):
        raise ValueError(f"move_codes: got A {tuple(A.shape)} and b {tuple(b.shape)}, expected ({d}, {d}) and ({d},)")
    last, first = model.encoder[-1], model.decoder[0]
    A64, b64 = A.double(), b.double()
    decode_weight = first.weight.double() @ torch.linalg.inv(A64)
    first.bias.copy_(first.bias.double() - decode_weight @ b64)
    first.weight.copy_(decode_weight)
    last.weight.copy_(A64 @ last.weight.double())
    last.bias.copy_(A64 @ last.bias.double() + b64)


def ship(model):
    """The model's state dict as it ships: large matrices and kernels as float16, the rest as it is.

    Layers that touch the code or a single channel, and biases, stay float32; the loss grows by less than 0.01.
    """
    narrow = getattr(model, "latent_dim", 1)
    return {
        key: tensor.half() if tensor.ndim > 1 and min(tensor.shape[:2]) > narrow else tensor
        for key, tensor in model.state_dict().items()
    }


def narrowed(weight):
    """(float8, k): a weight matrix times 2^k, which fills the range of numbers of one byte (e4m3), rounded to those.

    The layer before is to be divided by 2^k: a ReLU between passes a factor on.
    """
    k = int((448 / weight.abs().max()).log2().floor())  # 448 is float8's largest number
    return (weight * 2.0**k).to(torch.float8_e4m3fn), k


def save_weights(tensors, path, *, metadata):
    """Write tensors (name: tensor) to a safetensors file at `path`, whole or not at all, with their digest.

    metadata: str to str. Raises OSError, with the file, if that cannot be; an old file is then as it was.
    """
    metadata = {**metadata, "sha256": digest(tensors)}
    files.write(path, save({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, metadata))


def _check_name(function, name):
    if name not in MODELS:
        raise ValueError(f"{function}: got {name!r}, expected one of {sorted(MODELS)}")


def _check_width(name, x, width):
    if x.ndim != 2 or x.shape[1] != width:
        raise ValueError(f"got {name} of shape {tuple(x.shape)}, expected (B, {width})")


def _check_positive(**sizes):
    for name, size in sizes.items():
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"got {name}={size!r}, expected a whole number of at least 1")

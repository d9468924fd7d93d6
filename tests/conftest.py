import matplotlib
import pytest
import torch

from genlib.data import load_mnist

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def test_digits():
    return load_mnist(train=False)


@pytest.fixture(scope="session")
def train_digits():
    return load_mnist()

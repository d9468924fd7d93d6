"""The first page's quiz: its state, its errors and its picture."""

import numpy as np
import pytest
import torch
from conftest import assert_picture_stands_on_white_and_repeats

from genlib import QuizExplorer


@pytest.fixture
def explorer(test_digits):
    return QuizExplorer(test_digits[0][:6], test_digits[0][6:11], columns=4, seed=1)


def test_pictures_are_shuffled_with_their_answers(explorer, test_digits):
    pixels = np.frombuffer(explorer.view.pixels, "u1").reshape(11, 784)
    given = ((test_digits[0][:11] + 1) * 127.5).round().numpy().astype("u1")
    order = [next(i for i in range(11) if (given[i] == row).all()) for row in pixels]
    assert sorted(order) == list(range(11)) != order
    assert explorer.view.made == [i >= 6 for i in order]


@pytest.mark.parametrize(
    ("written", "made", "message"),
    [
        (torch.zeros(2, 28, 28), torch.zeros(1, 784), r"written of shape \(2, 28, 28\), expected \(N, 784\)"),
        (torch.zeros(2, 784), torch.zeros(0, 784), r"made of shape \(0, 784\)"),
        (torch.zeros(2, 784), torch.full((1, 784), 255.0), "made of torch.float32 from 255 to 255, expected floats"),
    ],
)
def test_other_shapes_are_named(written, made, message):
    with pytest.raises(ValueError, match=f"QuizExplorer: got {message}"):
        QuizExplorer(written, made)


def test_picture(explorer):
    assert_picture_stands_on_white_and_repeats(explorer, "QuizExplorer(written=6, made=5)")

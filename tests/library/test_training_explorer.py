"""TrainingExplorer's state, errors and picture."""

import numpy as np
import pytest
import torch

from genlib import TrainingExplorer, squared_error

LABELS = torch.arange(5)


def snapshots(d=3, epochs=(0, 1, 2)):
    """{epoch: (codes (5, d), x_hat (2, 784))}, the codes growing and the pictures getting brighter."""
    return {epoch: (torch.randn(5, d) * (epoch + 1), torch.full((2, 784), epoch / 2 - 1)) for epoch in epochs}


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_state_is_the_snapshots_in_order(d):
    frames = dict(reversed(snapshots(d).items()))
    images = torch.rand(2, 784) * 2 - 1
    explorer = TrainingExplorer(frames, LABELS, images)
    view = explorer.view
    assert view.epochs == [0, 1, 2] and explorer.epoch == 2
    codes = torch.tensor(np.frombuffer(view.codes, "<i2") / view.scale).view(3, 5, d)
    expected = torch.stack([frames[epoch][0] for epoch in (0, 1, 2)])
    assert (codes - expected).abs().max() <= 0.51 / view.scale
    for axis, (low, high) in enumerate(view.ranges):
        assert low <= codes[..., axis].min() and codes[..., axis].max() <= high
    pixels = torch.tensor(np.frombuffer(view.pixels, "u1").copy()).view(4, 2, 784) / 127.5 - 1
    assert (pixels[0] - images).abs().max() <= 0.51 / 127.5
    assert torch.allclose(pixels[1:, 0, 0], torch.tensor([-1, -0.5, 0]), atol=0.01)
    errors = [squared_error(frames[epoch][1], images).mean().item() for epoch in (0, 1, 2)]
    assert view.errors == pytest.approx(errors, abs=0.006)


def test_picture_is_always_the_same_and_shows_the_last_epoch():
    frames = snapshots()
    explorer = TrainingExplorer(frames, LABELS, torch.zeros(2, 784))
    assert repr(explorer) == "TrainingExplorer(epochs=3, points=5)"
    assert explorer.picture() == explorer.picture()
    last = TrainingExplorer({2: frames[2]}, LABELS, torch.zeros(2, 784))
    first = TrainingExplorer({0: frames[0]}, LABELS, torch.zeros(2, 784))
    assert explorer.picture() == last.picture() != first.picture()


def test_snapshots_taken_without_no_grad_are_as_good():
    plain = snapshots()
    tracked = {epoch: tuple(part.clone().requires_grad_() for part in frame) for epoch, frame in plain.items()}
    one, other = (TrainingExplorer(frames, LABELS, torch.zeros(2, 784)) for frames in (plain, tracked))
    assert one.picture() == other.picture()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"snapshots": {}}, "got no snapshots"),
        ({"images": torch.zeros(2, 28, 28)}, r"images of shape \(2, 28, 28\), expected \(M, 784\)"),
        ({"images": torch.zeros(3, 784)}, r"reconstructions \(2, 784\) of epoch 0, expected \(5, 3\) and \(3, 784\)"),
        ({"labels": torch.arange(4)}, r"codes \(5, 3\) .* of epoch 0, expected \(4, 3\)"),
        ({"labels": torch.full((5,), 10)}, "from 10 to 10, expected whole numbers from 0 to 9"),
        ({"snapshots": snapshots(4)}, "codes with 4 numbers, expected 1, 2 or 3"),
        ({"snapshots": snapshots() | {3: snapshots(2)[0]}}, r"codes \(5, 2\) .* of epoch 3"),
        ({"snapshots": {0: (torch.full((5, 3), torch.nan), torch.zeros(2, 784))}}, "nan or inf in epoch 0"),
        ({"images": torch.full((2, 784), 255)}, "images of torch.int64 from 255 to 255"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"snapshots": snapshots(), "labels": LABELS, "images": torch.zeros(2, 784)} | change
    with pytest.raises(ValueError, match=f"TrainingExplorer: .*{message}"):
        TrainingExplorer(**arguments)

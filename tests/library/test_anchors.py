import pytest
import torch

from genlib import anchors, to_img


@pytest.fixture
def pair(test_digits):
    images, labels = test_digits
    return images[labels == 3][:20], images[labels == 8][:20]


def test_anchors_are_pictures_of_every_kind_and_leave_the_digits_alone(test_digits):
    images, labels = (part[:50] for part in test_digits)
    before = images.clone()
    made = anchors.anchors(images, labels)
    assert tuple(made) == anchors.KINDS and torch.equal(made["real"], before) and torch.equal(images, before)
    for kind, x in made.items():
        assert x.shape == images.shape and x.min() >= -1 and x.max() <= 1, kind
        assert kind == "real" or (x != images).any(1).all(), kind


def test_what_pleases_one_measure(test_digits):
    x = test_digits[0][:30]
    assert torch.equal(anchors.repeated(x), x[:1].expand(30, -1))
    before, after = to_img(x)[:, 0], to_img(anchors.moved(x))[:, 0]
    torch.testing.assert_close(after[:, :, 1:], before[:, :, :-1])
    assert (after[:, :, 0] == 0).all()
    half = anchors.half_noise(x)
    assert torch.equal(half[::2], x[::2]) and (half[1::2] != x[1::2]).float().mean() > 0.99
    assert abs(half[1::2].mean()) < 0.02 and half.abs().max() <= 1


def test_strangers_have_another_label():
    labels = torch.tensor([7] * 99 + [1])
    assert (labels[anchors.strangers(labels)] != labels).all()
    with pytest.raises(ValueError, match="at least two kinds"):
        anchors.strangers(labels[:99])


def test_two_digits_become_one_picture(pair):
    a, b = pair
    i, j = 7, 400  # a pixel of the top half and one of the bottom half
    assert torch.equal(anchors.overlays(a, b)[:, i], torch.stack([a[:, i], b[:, i]]).amax(0))
    torch.testing.assert_close(anchors.averages(a, b)[:, j], 0.5 * a[:, j] + 0.5 * b[:, j])
    assert torch.equal(anchors.halves(a, b)[:, i], a[:, i]) and torch.equal(anchors.halves(a, b)[:, j], b[:, j])
    assert torch.equal(to_img(anchors.halves(a, b))[:, :, 14:], to_img(b)[:, :, 14:])


def test_blur_keeps_the_ink_and_spreads_it_by_sigma():
    x = -torch.ones(1, 784)
    x[0, 14 * 28 + 14] = 1
    ink = to_img(anchors.blurred(x, 1.5))[0, 0]
    at = torch.arange(28.0) - 14
    assert ink.sum().item() == pytest.approx(1, abs=1e-5)
    assert (ink.sum(0) * at.square()).sum().sqrt().item() == pytest.approx(1.5, abs=0.05)
    assert (ink.sum(1) * at.square()).sum().sqrt().item() == pytest.approx(1.5, abs=0.05)


def test_strokes_get_thinner_and_thicker_around_what_they_were(pair):
    x = pair[0]
    assert (anchors.thinner(x) <= x + 1e-6).all() and (x <= anchors.thicker(x) + 1e-6).all()
    width = [(to_img(f(x)) > 0.5).float().sum().item() for f in (anchors.thinner, lambda x: x, anchors.thicker)]
    assert width[0] < 0.8 * width[1] < 0.8 * 0.8 * width[2]


def test_turns_and_mirrors(pair):
    x = pair[0]
    turned = x
    for _ in range(4):
        turned = anchors.quarter_turns(turned)
    torch.testing.assert_close(turned, x)
    torch.testing.assert_close(anchors.mirrored(anchors.mirrored(x)), x)
    assert torch.equal(to_img(anchors.quarter_turns(x))[0, 0, 0], to_img(x)[0, 0, :, 27])  # right side up to the top
    assert torch.equal(to_img(anchors.mirrored(x))[0, 0, :, 0], to_img(x)[0, 0, :, 27])


def test_other_shapes_are_refused(pair):
    with pytest.raises(ValueError, match=r"overlays: got shapes \(20, 784\) and \(19, 784\), expected \(N, 784\)"):
        anchors.overlays(pair[0], pair[1][1:])
    with pytest.raises(ValueError, match=r"expected \(N, 784\)"):
        anchors.blurred(torch.zeros(2, 28, 28))

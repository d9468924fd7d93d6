import pytest
import torch

from genlib.judge import judge


def test_judge_against_a_search_by_hand(test_digits):
    images, labels = (part[:300] for part in test_digits)
    x = images[:5] + 0.1 * torch.randn(5, 784)
    verdict = judge(x, images, labels, k=7)
    for i in range(5):
        order = sorted(range(300), key=lambda n: (x[i] - images[n]).square().sum().item())[:7]
        seen = [labels[n].item() for n in order]
        assert verdict["votes"][i] == max(seen.count(digit) for digit in seen) == seen.count(verdict["digit"][i])
        assert verdict["distance"][i].item() == pytest.approx((x[i] - images[order[0]]).norm().item(), rel=1e-3)


def test_judge_knows_most_test_digits(train_digits, test_digits):
    verdict = judge(test_digits[0][:300], *train_digits)
    assert (verdict["digit"] == test_digits[1][:300]).float().mean() > 0.9


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x \(2, 3\), images \(5, 784\) and 5 labels"):
        judge(torch.zeros(2, 3), torch.zeros(5, 784), torch.zeros(5))

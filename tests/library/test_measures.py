"""The measures against other computations, and what they say of pictures whose answer is known."""

import pytest
import samples
import torch
from scipy.linalg import sqrtm
from sklearn.neighbors import KNeighborsClassifier

from genlib import anchors, load_pretrained, measures

N = 5000  # of each set, as in the experiments


@pytest.fixture(scope="module")
def sets(test_digits):
    """{kind: scores beside 5000 other test digits} of the anchors and of what the shipped models decode."""
    torch.manual_seed(0)
    order = torch.randperm(2 * N)
    images, labels = (part[order[:N]] for part in test_digits)
    real = measures.features(test_digits[0][order[N:]])
    vae, autoencoder = load_pretrained("vae"), load_pretrained("autoencoder")
    with torch.no_grad():
        made = {
            **anchors.anchors(images, labels),
            "vae": vae.decode(vae.encode(images)[0]),
            "autoencoder": autoencoder(images)[1],
            "one": images[labels == 1][:1].expand(N, -1),
        }
    return {kind: measures.scores(x, real) for kind, x in made.items()}


def test_frechet_distance_against_scipy():
    a, b = torch.randn(500, 8) @ torch.randn(8, 8), torch.randn(300, 8) @ torch.randn(8, 8) + 1
    (m, S), (n, T) = ((f.double().mean(0), f.double().T.cov()) for f in (a, b))
    root = torch.tensor(sqrtm((S @ T).numpy()).real)
    expected = (m - n).square().sum() + (S + T - 2 * root).trace()
    assert measures.frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-6)
    assert measures.frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert measures.frechet_distance(a, a + 2) == pytest.approx(32, rel=1e-5)
    assert measures.frechet_distance(a, 3 * a) == pytest.approx(
        ((2 * m).square().sum() + 4 * S.trace()).item(), rel=1e-5
    )


def test_frechet_distance_of_small_samples_is_too_large():
    few, many = ([measures.frechet_distance(*torch.randn(2, n, 8)) for _ in range(5)] for n in (100, 2000))
    assert min(few) > 5 * max(many) > 0


def test_frechet_distance_needs_one_image_more_than_features_in_both_sets():
    enough, few = torch.randn(9, 8), torch.randn(8, 8)
    assert 0 < measures.frechet_distance(enough, torch.randn(9, 8)) < float("inf")
    for a, b in ((few, enough), (enough, few)):
        told = rf"got {len(a)} and {len(b)} images of 8 features each, expected at least 9 in both.*take more images"
        with pytest.raises(ValueError, match=told):
            measures.frechet_distance(a, b)


def test_scores_need_one_image_more_than_the_classifier_has_features(test_digits):
    real = measures.features(test_digits[0][:65])
    assert real.shape[1] + 1 == len(real) < samples.IMAGES == N
    assert measures.scores(test_digits[0][65:130], real)["frechet"] > 0
    with pytest.raises(ValueError, match="got 64 and 64 images of 64 features each, expected at least 65"):
        measures.scores(test_digits[0][65:129], real[:64])


def test_density_and_coverage_by_hand():
    a, real, k = torch.randn(40, 3), torch.randn(30, 3), 4
    inside = [[False] * 30 for _ in range(40)]
    for j in range(30):
        radius = sorted((real[j] - real[m]).norm().item() for m in range(30) if m != j)[k - 1]
        for i in range(40):
            inside[i][j] = (a[i] - real[j]).norm().item() < radius
    density, coverage = measures.density_coverage(a, real, k)
    assert density == pytest.approx(sum(map(sum, inside)) / (k * 40))
    assert coverage == pytest.approx(sum(any(column) for column in zip(*inside, strict=True)) / 30)


def test_density_and_coverage_of_two_samples_of_one_distribution():
    density, coverage = measures.density_coverage(*torch.randn(2, 3000, 4), k=5)
    assert density == pytest.approx(1, abs=0.05) and coverage == pytest.approx(1 - 2**-5, abs=0.015)


def test_balance_counts_digits_that_never_come():
    assert measures.balance(torch.tensor([1, 1, 1, 7])) == (0, 0.75)


def test_nearest_finds_copies(train_digits):
    images, x = train_digits[0][:2000], train_digits[0][[5, 1999]].clone()
    x[1, 0] += 0.3
    distance, index = measures.nearest(x, images)
    assert index.tolist() == [5, 1999]
    torch.testing.assert_close(distance, torch.tensor([0.0, 0.3]), atol=0.05, rtol=0)


def test_nearest_tells_copies_from_new_digits(train_digits, test_digits):
    copies, _ = measures.nearest(anchors.noise(train_digits[0][:200]) * 0.05 + train_digits[0][:200], train_digits[0])
    new, _ = measures.nearest(test_digits[0][:200], train_digits[0])
    assert copies.max() < 1 < 4 < new.median()


def test_the_vote_against_scikit_learn(train_digits, test_digits):
    (images, labels), x = (part[:3000] for part in train_digits), test_digits[0][:200]
    vote = measures.neighbour_vote(x, images, labels, k=7)
    votes = 7 * KNeighborsClassifier(7).fit(images, labels).predict_proba(x)
    assert vote["votes"].tolist() == votes.max(1).round().astype(int).tolist()
    assert (votes[range(200), vote["digit"]].round() == vote["votes"].numpy()).all()


@pytest.mark.parametrize("width", [2, 4, 8])
def test_an_even_edge_has_its_width(width):
    r = torch.arange(28) - 13.5
    disc = ((9 - (r[:, None] ** 2 + r**2).sqrt()) / width + 0.5).clamp(0, 1)  # of radius 9, its edge of this width
    assert measures.edge_width((2 * disc - 1).reshape(1, 784)).item() == pytest.approx(width, rel=0.08)


def test_blur_widens_edges_evenly_and_dimming_does_not(test_digits):
    x = test_digits[0][:500]
    widths = [measures.edge_width(y).median().item() for y in (x, *(anchors.blurred(x, s) for s in (0.5, 1, 1.5)))]
    assert widths == sorted(widths) and widths[3] > 2 * widths[1] > 3 * widths[0]
    torch.testing.assert_close(measures.edge_width(0.6 * (x + 1) - 1), measures.edge_width(x), rtol=1e-4, atol=1e-4)
    assert measures.edge_width(-torch.ones(1, 784)).item() == 0


def test_reading_agrees_with_the_labels_and_with_itself(test_digits):
    images, labels = (part[:2000] for part in test_digits)
    seen = measures.read(images)
    assert (seen["digit"] == labels).float().mean() > 0.98
    assert torch.equal(seen["recognised"], seen["confidence"] > measures.THRESHOLD)
    assert seen["confidence"].min() >= 0 and seen["confidence"].max() <= 1


# What each measure can tell and cannot: without this, no claim of the book may stand on it.


def test_digits_are_recognised_and_what_is_made_of_two_is_not(sets):
    share = {kind: found["recognised"] for kind, found in sets.items()}
    assert share["real"] >= 0.93
    assert max(share[kind] for kind in ("overlays", "averages", "halves")) <= 0.15
    assert share["noise"] < 0.01
    assert all(abs(share[kind] - share["real"]) <= 0.1 for kind in ("blurred", "thinner", "thicker"))
    assert share["vae"] > 0.9 and share["autoencoder"] > 0.75
    assert share["quarter_turns"] < share["mirrored"] < share["real"] - 0.15


def test_distances_rise_from_digits_to_noise(sets):
    distance = {kind: found["frechet"] for kind, found in sets.items()}
    assert distance["real"] < 0.6 * distance["vae"]
    assert distance["vae"] < 0.5 * distance["autoencoder"]
    bad = [distance[kind] for kind in ("overlays", "averages", "halves", "quarter_turns", "mirrored", "noise")]
    assert distance["autoencoder"] < min(bad)
    assert max(bad) == distance["noise"] > 3 * distance["averages"]


def test_coverage_and_density_fall_from_digits_to_noise(sets):
    assert sets["real"]["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)
    assert sets["real"]["density"] == pytest.approx(1, abs=0.05)
    for kind in ("overlays", "averages", "quarter_turns", "noise"):
        assert sets[kind]["coverage"] < 0.6 * sets["vae"]["coverage"], kind
        assert sets[kind]["density"] < 0.6 * sets["vae"]["density"], kind


def test_one_perfect_digit_drawn_again_and_again_does_not_pass(sets):
    assert sets["one"]["recognised"] == 1  # this measure alone would be content
    assert sets["one"]["coverage"] < 0.01 and sets["one"]["commonest"] == 1 and sets["one"]["rarest"] == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="scores: got 2 images and 3 real ones, expected as many"):
        measures.scores(torch.zeros(2, 784), torch.zeros(3, 64))
    with pytest.raises(ValueError, match=r"got \(9, 64\) and \(9, 784\), expected \(N, d\) and \(M, d\)"):
        measures.scores(torch.zeros(9, 784), torch.zeros(9, 784))  # images in the place of features
    with pytest.raises(ValueError, match=r"frechet_distance: got \(9, 8\) and \(9, 7\)"):
        measures.frechet_distance(torch.zeros(9, 8), torch.zeros(9, 7))
    with pytest.raises(ValueError, match=r"density_coverage: got \(3, 2\) and \(5, 2\).*at least 6"):
        measures.density_coverage(torch.zeros(3, 2), torch.zeros(5, 2))
    with pytest.raises(ValueError, match=r"neighbour_vote: got \(2, 784\) and \(9, 784\).*at least 15"):
        measures.neighbour_vote(torch.zeros(2, 784), torch.zeros(9, 784), torch.zeros(9))
    with pytest.raises(ValueError, match=r"nearest: got \(2, 3\) and \(5, 784\)"):
        measures.nearest(torch.zeros(2, 3), torch.zeros(5, 784))

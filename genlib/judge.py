"""A judge of decoded images that is not the model: the training images nearest to them."""

import torch


@torch.no_grad()
def judge(x, images, labels, *, k=15):
    """Which digit each image resembles, by the k images nearest to it pixel by pixel.

    x: (B, 784), to be judged. images: (N, 784) and their labels (N,), digits. Returns
    {"digit": (B,), the commonest label among the k nearest; "votes": (B,), how many of the k
    carry it; "distance": (B,), Euclidean, to the nearest}. Raises ValueError for other shapes.
    """
    if x.ndim != 2 or images.ndim != 2 or x.shape[1] != images.shape[1] or len(images) != len(labels):
        got = f"x {tuple(x.shape)}, images {tuple(images.shape)} and {len(labels)} labels"
        raise ValueError(f"judge: got {got}, expected (B, 784), (N, 784) and N")
    distances, nearest = torch.cdist(x, images).topk(k, largest=False)
    votes, digit = torch.nn.functional.one_hot(labels[nearest], 10).sum(1).max(1)
    return {"digit": digit, "votes": votes, "distance": distances[:, 0]}

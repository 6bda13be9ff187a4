"""Leaves out boxes that say the same as a surer one: non-maximum suppression."""

import torch
from torch import Tensor


def suppressed(boxes: Tensor, scores: Tensor, labels: Tensor, overlap: float, most: int) -> Tensor:
    """The numbers of the boxes that are kept, the surest first, at most so many; of equal scores, the first box.

    A box is left out if its intersection over union with a surer one of its class that is kept is above `overlap`.

    Shapes: boxes (n, 4), left, top, right, bottom; scores (n,), labels (n,) integers; the result (m,).

    Example:
        >>> boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
        >>> suppressed(boxes, torch.tensor([0.8, 0.9, 0.7]), torch.tensor([0, 0, 0]), 0.5, 100)
        tensor([1, 2])
    """
    order = scores.argsort(descending=True, stable=True)
    boxes, labels = boxes[order].double(), labels[order]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)  # (n, 2) -> (n,)
    left, kept = torch.ones(len(order), dtype=torch.bool, device="cpu"), list[int]()
    while len(kept) < most and bool(left.any()):
        best = int(left.nonzero()[0])
        kept.append(best)
        corner = torch.maximum(boxes[:, :2], boxes[best, :2])  # (n, 2)
        other = torch.minimum(boxes[:, 2:], boxes[best, 2:])  # (n, 2)
        shared = (other - corner).clamp_min(0).prod(1)  # (n, 2) -> (n,)
        same = shared > overlap * (areas + areas[best] - shared)
        left &= ~(same & (labels == labels[best]))
        left[best] = False
    return order[torch.tensor(kept, dtype=torch.int64, device="cpu")]

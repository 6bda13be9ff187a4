"""Stores overlaps of boxes as torchvision and pycocotools have them: what a box costs, and which say the same."""

import numpy as np
import torch
from pycocotools import mask
from tools import let_torchvision_import, store

let_torchvision_import()
from torchvision.ops import box_iou, generalized_box_iou, generalized_box_iou_loss  # noqa: E402


def boxes(count: int, seed: int) -> torch.Tensor:
    """Boxes (count, 4) in a picture of 100 pixels."""
    random = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=random, dtype=torch.float64) * 70
    return torch.cat([corner, corner + torch.rand(count, 2, generator=random, dtype=torch.float64) * 30 + 0.5], 1)


left, right = boxes(30, 0), boxes(30, 1)
right[:10] = left[:10] + torch.randn(10, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
wide = [torch.cat([one[:, :2], one[:, 2:] - one[:, :2]], 1).numpy() for one in (left, right)]
lowest = left.clone().requires_grad_()
generalized_box_iou_loss(lowest, right, reduction="sum").backward()
store(
    "boxes",
    ["torchvision", "pycocotools", "torch"],
    left=left.numpy(),
    right=right.numpy(),
    iou=box_iou(left, right).numpy(),
    coco_iou=mask.iou(*wide, np.zeros(len(right))),
    giou=generalized_box_iou(left, right).numpy(),
    slope=lowest.grad.numpy(),
)

"""Pooling over windows and over whole grids, features last."""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from netwright.layers.conv import PerAxis, check_window, per_axis, slide, window_rank
from netwright.layers.pointwise import is_relu
from netwright.net.node import LeafNode
from netwright.net.part import Leaf


class MaxPool(Leaf):
    """The largest value in every window: yₚ = max_d x_(stride·p + d).

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1.

    Fields:
        window: its extent in positions, one number for every axis or one each.
        stride: step in positions; 0, the default, steps by whole windows, so that every value is seen once.
        padding: positions of −∞ on either side of every axis.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.MaxPool(2), input=(24, 24, 20)).plan.outputs
        {'output': (12, 12, 20)}

    Torch: torch.nn.MaxPool1d, MaxPool2d, MaxPool3d
    """

    window: PerAxis = 2
    _: KW_ONLY
    stride: PerAxis = 0
    padding: PerAxis = 0
    ports = "*s c -> *t c"

    def __post_init__(self) -> None:
        check_window(self, "window")

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return pooled_sizes(self, self.window, self.stride, self.padding, known)

    def after(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return (self, before) if is_relu(before) else None  # the same values from a quarter of the work

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = (per_axis(v, rank) for v in (self.window, self.stride or self.window, self.padding))
        x = x.movedim(-1, 1)  # (b, *s, c) -> (b, c, *s)
        y = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1](x, window, stride, padding)  # -> (b, c, *t)
        return y.movedim(1, -1)  # (b, c, *t) -> (b, *t, c)


class AvgPool(Leaf):
    """The mean of every window: yₚ = (1 / window) Σ_d x_(stride·p + d); padding counts as zeros.

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1.

    Fields:
        window: its extent in positions, one number for every axis or one each.
        stride: step in positions; 0, the default, steps by whole windows.
        padding: zeros on either side of every axis, in positions.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.AvgPool(2), input=(7, 3)).plan.outputs
        {'output': (3, 3)}

    Torch: torch.nn.AvgPool1d, AvgPool2d, AvgPool3d
    """

    window: PerAxis = 2
    _: KW_ONLY
    stride: PerAxis = 0
    padding: PerAxis = 0
    ports = "*s c -> *t c"

    def __post_init__(self) -> None:
        check_window(self, "window")

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return pooled_sizes(self, self.window, self.stride, self.padding, known)

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = (per_axis(v, rank) for v in (self.window, self.stride or self.window, self.padding))
        x = x.movedim(-1, 1)  # (b, *s, c) -> (b, c, *s)
        y = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1](x, window, stride, padding)  # -> (b, c, *t)
        return y.movedim(1, -1)  # (b, c, *t) -> (b, *t, c)


def pooled_sizes(
    leaf: Leaf, window: PerAxis, stride: PerAxis, padding: PerAxis, known: Mapping[str, Any]
) -> dict[str, Any]:
    """The sizes a pooling gives."""
    rank = window_rank(leaf, known, "window", "stride", "padding")
    if rank is None:
        return {}
    spread = [extent - 1 for extent in per_axis(window, rank)]
    added = [2 * side for side in per_axis(padding, rank)]
    return slide(known, spread, added, per_axis(stride or window, rank), "window", window)

"""Pooling over windows and over whole grids, features last."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.layers.pointwise import is_relu
from netwright.layers.window import (
    PerAxis,
    channels_first,
    check_window,
    features_last,
    other_windows,
    per_axis,
    planar,
    slide,
    window_rank,
    window_reach,
)
from netwright.net.leaf import Kept, LeafFault, LeafNode, Span, Unfit, with_options
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, filled, lengths_of, mean_of_own


class WindowPool(Leaf, abstract=True):
    """What takes one number from every window: its options, the sizes that it gives, and the positions that it sees."""

    window: PerAxis = 2
    _: KW_ONLY
    stride: PerAxis | None = None
    padding: PerAxis = 0
    ports = "*s c -> *t c"
    family = "pool"
    slides = True

    def __post_init__(self) -> None:
        check_window(self, "window", *(["stride"] if self.stride is not None else []))
        check_window(self, "padding", least=0)

    @property
    def steps(self) -> PerAxis:
        """The stride; whole windows where none is given."""
        return self.window if self.stride is None else self.stride

    def options(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Window, stride and padding for each axis of what `channels_first` gives."""
        return (
            planar(per_axis(self.window, rank), 1),
            planar(per_axis(self.steps, rank), 1),
            planar(per_axis(self.padding, rank), 0),
        )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "window", "stride", "padding")
        if rank is None:
            return {}
        extents, sides = per_axis(self.window, rank), per_axis(self.padding, rank)
        if any(side > extent // 2 for extent, side in zip(extents, sides, strict=True)):
            raise Unfit(
                "its window can lie in padding by more than half",
                expected=f"padding of at most half the window {self.window}",
                got=f"padding {self.padding}",
            )
        spread, added = [extent - 1 for extent in extents], [2 * side for side in sides]
        return slide(known, spread, added, per_axis(self.steps, rank), "window")

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault == "shortens" and self.stride is None:
            yield from with_options(self, stride=1)
        if fault == "input":
            yield from other_windows(self, "window", sizes)

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        options = (self.window, self.steps, self.padding)
        rank = max((len(value) for value in options if isinstance(value, tuple)), default=1)
        extents, steps, before = (per_axis(value, rank) for value in options)
        return window_reach([extent - 1 for extent in extents], [*before], steps)


class MaxPool(WindowPool):
    """The largest value in every window: yₚ = max_d x_(stride·p + d − padding).

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1.

    Fields:
        window: its extent in positions, one number for every axis or one each; 2 halves the grid.
        stride: step in positions; None, the default, steps by whole windows, so that every value is seen once.
        padding: positions of −∞ on either side of every axis; 0. At most half the window.

    Raises:
        NetError: an option that is not a whole number.
        SizeError: the window is larger than the padded input, or more than half of it is padding.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.MaxPool(2), input=(24, 24, 20)).plan.outputs
        {'output': (12, 12, 20)}

    Torch: torch.nn.MaxPool1d, MaxPool2d, MaxPool3d
    """

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return (self, before) if is_relu(before) else None  # the same values from a quarter of the work

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        places = 8 * math.prod((*sizes["t"], sizes["c"]))  # of the largest, as int64
        return Kept(inputs=("*",), bytes=places, in_use=places)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = self.options(rank)
        if any(padding):  # a window past the end holds the last element too, so its copies do not change the largest
            x = ended_run(x, lengths_of(lengths, "s", rank))  # (b, *s, c)
        pool = F.max_pool3d if rank == 3 else F.max_pool2d
        y = pool(channels_first(x), window, stride, padding)  # (b, *s, c) -> (b, c, *t)
        return features_last(y, rank)  # (b, c, *t) -> (b, *t, c)


class AvgPool(WindowPool):
    """The mean of every window: yₚ = (1 / window) Σ_d x_(stride·p + d − padding); padding counts as zeros.

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1.

    Fields:
        window: its extent in positions, one number for every axis or one each; 2 halves the grid.
        stride: step in positions; None, the default, steps by whole windows, so that every value is seen once.
        padding: zeros on either side of every axis, in positions; 0. At most half the window.

    Raises:
        NetError: an option that is not a whole number.
        SizeError: the window is larger than the padded input, or more than half of it is padding.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.AvgPool(2), input=(7, 3)).plan.outputs
        {'output': (3, 3)}

    Torch: torch.nn.AvgPool1d, AvgPool2d, AvgPool3d
    """

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        rank = len(sizes["s"])
        if rank < 3:
            return Kept(inputs=("*",))
        padded = [size + 2 * side for size, side in zip(sizes["s"], per_axis(self.padding, rank), strict=True)]
        copy = 4 * math.prod((*padded, sizes["c"]))
        return Kept(bytes=copy, in_use=2 * copy)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = self.options(rank)
        if any(padding):
            for i, length in enumerate(lengths_of(lengths, "s", rank)):
                x = filled(x, length, 0.0, i + 1)  # (b, *s, c)
        x, dtype = channels_first(x), x.dtype  # (b, *s, c) -> (b, c, *s)
        if rank == 3:  # torch has no kernel for bf16 volumes on the processor, and none for windows that the zeros fit
            x = F.pad(x, [side for side in reversed(padding) for _ in range(2)])  # (b, c, *s) -> (b, c, *s + padding)
            y = F.avg_pool3d(x.to(torch.promote_types(dtype, torch.float32)), window, stride).to(dtype)
        else:
            y = F.avg_pool2d(x, window, stride, padding)
        return features_last(y, rank)  # (b, c, *t) -> (b, *t, c)


class GlobalMaxPool(Leaf):
    """The largest value of every feature over all positions: y = maxₚ xₚ. Equal maxima share the gradient.

    Shapes: input (*s, c), output (c,).

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.GlobalMaxPool(), input=(7, 7, 20)).plan.outputs
        {'output': (20,)}

    Torch: torch.nn.AdaptiveMaxPool2d(1), then Flatten
    """

    ports = "*s c -> c"
    family = "pool"

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return (self, before) if is_relu(before) else None  # one ReLU a feature, not one a position

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), outputs=("*",)) if sizes["s"] else Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        positions = tuple(range(1, x.ndim - 1))
        for axis, length in zip(positions, lengths_of(lengths, "s", len(positions)), strict=True):
            x = filled(x, length, float("-inf"), axis)  # (b, *s, c)
        return x.amax(positions) if positions else x  # (b, *s, c) -> (b, c)


class GlobalAvgPool(Leaf):
    """The mean of every feature over all positions: y = (1 / ∏ s) Σₚ xₚ.

    Shapes: input (*s, c), output (c,).

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.GlobalAvgPool(), input=(7, 7, 20)).plan.outputs
        {'output': (20,)}

    Source: Lin et al. 2013, arXiv 1312.4400
    Torch: torch.nn.AdaptiveAvgPool2d(1), then Flatten
    """

    ports = "*s c -> c"
    family = "pool"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        positions = tuple(range(1, x.ndim - 1))
        if not positions:
            return x  # (b, c)
        return mean_of_own(x, lengths_of(lengths, "s", len(positions)), positions)  # (b, *s, c) -> (b, c)

"""Pooling over windows and over whole grids, features last."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.layers.pointwise import is_relu
from netwright.layers.window import (
    PerAxis,
    before_same,
    channels_first,
    check_window,
    extended,
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
    padding: PerAxis | Literal["same"] = 0
    ceil: bool = False
    ports = "*s c -> *t c"
    family = "pool"
    slides = True

    def __post_init__(self) -> None:
        check_window(self, "window", *(["stride"] if self.stride is not None else []))
        if not isinstance(self.padding, str):
            check_window(self, "padding", least=0)
        elif self.padding != "same":
            raise NetError(
                what="there is no such padding",
                where=type(self).__name__,
                expected='a number, one for each axis, or "same"',
                got=repr(self.padding),
                mend=did_you_mean(self.padding, ("same",)),
            )
        elif self.ceil:
            raise NetError(
                what='padding "same" takes all windows that begin in the input, so ceil says nothing',
                where=type(self).__name__,
                mend="leave ceil out",
            )

    @property
    def steps(self) -> PerAxis:
        """The stride; whole windows where none is given."""
        return self.window if self.stride is None else self.stride

    def options(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Window, stride and padding for each axis of what `channels_first` gives; 0 for `"same"`."""
        return (
            planar(per_axis(self.window, rank), 1),
            planar(per_axis(self.steps, rank), 1),
            planar(per_axis(0 if isinstance(self.padding, str) else self.padding, rank), 0),
        )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "window", "stride", "padding")
        if rank is None:
            return {}
        spread, steps = [extent - 1 for extent in per_axis(self.window, rank)], per_axis(self.steps, rank)
        if isinstance(self.padding, str):  # every position is at the beginning of a window, or would be at stride 1
            return slide(known, spread, spread, steps, "window")
        sides = per_axis(self.padding, rank)
        if any(side > (last + 1) // 2 for last, side in zip(spread, sides, strict=True)):
            raise Unfit(
                "its window can lie in padding by more than half",
                expected=f"padding of at most half the window {self.window}",
                got=f"padding {self.padding}",
            )
        added = [2 * side for side in sides]
        if self.ceil:  # one window more where a rest is left, if it begins before the end of the input
            axes = zip(sides, spread, steps, strict=True)
            added = [min(2 * side + step - 1, side + last) for side, last, step in axes]
        return slide(known, spread, added, steps, "window")

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault == "shortens" and self.stride is None:
            yield from with_options(self, stride=1)
        if fault == "input":
            yield from other_windows(self, "window", sizes)

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        options = (self.window, self.steps, self.padding)
        rank = max((len(value) for value in options if isinstance(value, tuple)), default=1)
        spread = [extent - 1 for extent in per_axis(self.window, rank)]
        before = [last // 2 for last in spread] if isinstance(self.padding, str) else [*per_axis(self.padding, rank)]
        return window_reach(spread, before, per_axis(self.steps, rank))

    def placed(self, x: Tensor, lengths: Lengths, value: float | None) -> tuple[Tensor, list[Tensor | int], list[int]]:
        """Every example with a border, so that its windows begin at multiples of the stride and none goes past an end.

        The border is `value`, or for None what is at the end. Gives what is before and how many windows there are along
        each axis too: (b, *s, c) -> (b, *s + border, c).
        """
        rank = x.ndim - 2
        befores: list[Tensor | int] = []
        counts: list[int] = []
        ends = lengths_of(lengths, "s", rank)
        for axis, (extent, step) in enumerate(
            zip(per_axis(self.window, rank), per_axis(self.steps, rank), strict=True)
        ):
            size, end = x.shape[axis + 1], ends[axis]
            if isinstance(self.padding, str):
                before = before_same(size, extent - 1, step) if end is None else before_same(end, extent - 1, step)
                count = -(-size // step)
            else:
                side = before = per_axis(self.padding, rank)[axis]
                added = min(2 * side + step - 1, side + extent - 1) if self.ceil else 2 * side
                count = (size + added - extent) // step + 1
            x = extended(x, axis + 1, before, (count - 1) * step + extent, end, value)
            befores.append(before)
            counts.append(count)
        return x, befores, counts


class MaxPool(WindowPool):
    """The largest value in every window: yₚ = max_d x_(stride·p + d − padding).

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1, or ⌈s / stride⌉ for
        `"same"`.

    Fields:
        window: its extent in positions, one number for every axis or one each; 2 halves the grid.
        stride: step in positions; None, the default, steps by whole windows, so that every value is seen once.
        padding: positions of −∞ on either side of every axis; 0. At most half the window; `"same"` adds what the last
            window needs, an odd position at the end, as in Keras and TensorFlow.
        ceil: whether positions that are left at the end have a window too, which reaches past it; False.

    Raises:
        NetError: an option that is not a whole number, another padding, `"same"` with ceil.
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
        if self.padding != "same":
            return Kept(inputs=("*",), bytes=places, in_use=places)
        padded = 4 * math.prod((*_spanned(self, sizes["t"]), sizes["c"]))
        return Kept(bytes=places + padded, in_use=places + padded)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = self.options(rank)
        # a window past the end holds the last element too, so its copies do not change the largest
        if self.padding == "same":
            x, _, _ = self.placed(x, lengths, None)  # (b, *s, c) -> (b, *s + border, c)
        elif any(padding) or self.ceil:
            x = ended_run(x, lengths_of(lengths, "s", rank))  # (b, *s, c)
        pool = F.max_pool3d if rank == 3 else F.max_pool2d
        y = pool(channels_first(x), window, stride, padding, ceil_mode=self.ceil)  # (b, *s, c) -> (b, c, *t)
        return features_last(y, rank)  # (b, c, *t) -> (b, *t, c)


class SumPool(WindowPool):
    """The sum of every window: yₚ = Σ_d x_(stride·p + d − padding); padding counts as zeros.

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1, or ⌈s / stride⌉ for
        `"same"`.

    Fields:
        window: its extent in positions, one number for every axis or one each; 2 halves the grid.
        stride: step in positions; None, the default, steps by whole windows, so that every value is seen once.
        padding: zeros on either side of every axis, in positions; 0. At most half the window; `"same"` adds what the
            last window needs, an odd zero at the end, as in Keras and TensorFlow.
        ceil: whether positions that are left at the end have a window too, which reaches past it; False.

    Raises:
        NetError: an option that is not a whole number, another padding, `"same"` with ceil.
        SizeError: the window is larger than the padded input, or more than half of it is padding.

    Example:
        >>> import netwright as nw
        >>> nw.SumPool(2)(nw.batch([[[1.0], [2.0], [3.0], [4.0]]])).flatten().tolist()
        [3.0, 7.0]

    Torch: torch.nn.AvgPool2d with divisor_override=1, and its like
    """

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        padded = 4 * math.prod((*_spanned(self, sizes["t"]), sizes["c"]))
        return Kept(bytes=padded, in_use=2 * padded)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        x, _, _ = self.placed(x, lengths, 0.0)  # (b, *s, c) -> (b, *s + border, c)
        return _sums(self, x)  # (b, *s + border, c) -> (b, *t, c)


class AvgPool(WindowPool):
    """The mean of every window: yₚ = (1 / window) Σ_d x_(stride·p + d − padding).

    Shapes: input (*s, c), output (*t, c) with t = ⌊(s + 2 padding − window) / stride⌋ + 1, or ⌈s / stride⌉ for
        `"same"`.

    Fields:
        window: its extent in positions, one number for every axis or one each; 2 halves the grid.
        stride: step in positions; None, the default, steps by whole windows, so that every value is seen once.
        padding: zeros on either side of every axis, in positions; 0. At most half the window; `"same"` adds what the
            last window needs, an odd zero at the end, as in Keras and TensorFlow.
        ceil: whether positions that are left at the end have a window too, which reaches past it; False.
        count_padding: whether zeros of the padding count in the mean; True, torch's default. False is the mean of the
            real positions in the window, as in Keras. What a window of `ceil` has beyond the padding never counts.

    Raises:
        NetError: an option that is not a whole number, another padding, `"same"` with ceil.
        SizeError: the window is larger than the padded input, or more than half of it is padding.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.AvgPool(2), input=(7, 3)).plan.outputs
        {'output': (3, 3)}

    Torch: torch.nn.AvgPool1d, AvgPool2d, AvgPool3d; count_include_pad is count_padding
    """

    _: KW_ONLY
    count_padding: bool = True

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        if len(sizes["s"]) < 3 and self.padding != "same":
            return Kept(inputs=("*",))
        copy = 4 * math.prod((*_spanned(self, sizes["t"]), sizes["c"]))
        return Kept(bytes=copy, in_use=2 * copy)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        window, stride, padding = self.options(rank)
        told = bool(lengths) and (any(padding) or self.ceil)
        if rank < 3 and not told and self.padding != "same":
            y = F.avg_pool2d(channels_first(x), window, stride, padding, self.ceil, self.count_padding)
            return features_last(y, rank)  # (b, *s, c) -> (b, c, *t) -> (b, *t, c)
        ends, sizes = lengths_of(lengths, "s", rank), x.shape[1:-1]
        x, befores, counts = self.placed(x, lengths, 0.0)  # (b, *s, c) -> (b, *s + border, c)
        y = _sums(self, x)  # (b, *s + border, c) -> (b, *t, c)
        for axis in range(rank):
            size = torch.tensor([sizes[axis]], dtype=torch.int64, device=x.device) if ends[axis] is None else ends[axis]
            assert size is not None
            number = self._counted(axis, rank, size, befores[axis], counts[axis])  # (b, t) or (1, t)
            y = y / number.reshape(-1, *(1,) * axis, counts[axis], *(1,) * (rank - axis)).to(y.dtype)
        return y

    def _counted(self, axis: int, rank: int, size: Tensor, before: Tensor | int, count: int) -> Tensor:
        """How many positions of each window count along one axis; at least 1, in padding that no one reads too."""
        extent, step = per_axis(self.window, rank)[axis], per_axis(self.steps, rank)[axis]
        if self.count_padding and isinstance(self.padding, str):
            return torch.full((1, count), extent, dtype=torch.int64, device=size.device)
        side = per_axis(self.padding, rank)[axis] if self.count_padding and not isinstance(self.padding, str) else 0
        start = torch.arange(count, device=size.device) * step
        start = start - (before if isinstance(before, int) else before.unsqueeze(-1))  # (t,), or (b, t)
        end = (start + extent).minimum(size.unsqueeze(-1) + side)  # (b, t), or (1, t)
        return (end - start.clamp_min(-side)).clamp_min(1)


def _sums(pool: WindowPool, x: Tensor) -> Tensor:
    """The sums over the windows of what has its border already: (b, *s, c) -> (b, *t, c)."""
    rank, dtype = x.ndim - 2, x.dtype
    window, stride, _ = pool.options(rank)
    x = channels_first(x)  # (b, *s, c) -> (b, c, *s)
    if rank < 3:
        return features_last(F.avg_pool2d(x, window, stride, divisor_override=1), rank)  # -> (b, *t, c)
    # torch has no kernel for bf16 volumes on the processor
    wide = x.to(torch.promote_types(dtype, torch.float32))
    return features_last(F.avg_pool3d(wide, window, stride, divisor_override=1).to(dtype), rank)


def _spanned(pool: WindowPool, t: Sequence[Any]) -> list[Any]:
    """How many positions the windows go over along each axis, border and all."""
    axes = zip(t, per_axis(pool.window, len(t)), per_axis(pool.steps, len(t)), strict=True)
    return [(count - 1) * step + extent for count, extent, step in axes]


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

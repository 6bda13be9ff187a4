"""Transposed convolution: what a convolution's gradient does to its input, as a layer that makes grids larger."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from functools import cache, cached_property
from typing import Any, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.fields import at_least
from netwright.inits import Fans, Init, zeros
from netwright.kernels.convolution import channels_last
from netwright.layers.window import (
    PerAxis,
    channels_first,
    check_groups,
    check_window,
    features_last,
    other_groups,
    per_axis,
    planar,
    window_rank,
    window_reach,
)
from netwright.net.leaf import Kept, LeafFault, LeafNode, Span, Unfit, Weight
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, lengths_of
from netwright.sizes.free import FREE, Free
from netwright.sizes.size import Size, same

Spread: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Stride, padding, output padding and dilation for torch, and how much to cut off at the end of each axis."""


class ConvTranspose(Leaf):
    """Transposed convolution over every axis but the last: y_(stride·p + dilation·d − padding) += W_d x_p, then + b.

    Every position of the input is spread over a window of the output, and windows that overlap add up. So a stride of 2
    makes a grid twice as large: the way up in a U-Net, or in a generator.

    Shapes: input (*s, in), output (*t, out) with t = (s − 1) · stride + dilation · (kernel − 1) + 1 − 2 padding +
        output_padding, or t = s · stride for `"same"`; weight (in, out / groups, *kernel), bias (out,).

    Fields:
        out: number of output channels; FREE takes it from what follows.
        kernel: extent of the window, one number for every axis or one each; a bare number takes its rank from the
            input. 2, which with stride 2 fills the output without overlap.
        stride: how far the windows of neighbours are from each other, in positions of the output; 1.
        padding: positions cut off on either side of every axis of the output; 0; `"same"` cuts so that the output is
            stride times as large, an odd position at the end, as in Keras.
        output_padding: positions more at the end of every axis; 0. A convolution with a stride gives one size for
            several inputs, and this chooses among them.
        dilation: distance between the window's taps, in positions; 1, a window without holes.
        groups: channels are split into this many groups that do not see each other; 1, all see all.
        bias: whether b is added; off before a norm, which removes it again.

    Raises:
        NetError: an option that is not a whole number, another padding, an output padding that is neither below the
            stride nor below the dilation, `"same"` with an output padding.
        SizeError: the padding leaves nothing of the output, the axes do not match the kernel, the groups do not divide
            the channels.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.ConvTranspose(8, 2, stride=2), input=(14, 14, 16)).plan.outputs
        {'output': (28, 28, 8)}

    Source: Zeiler et al. 2010, "Deconvolutional networks"
    Torch: torch.nn.ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
    """

    out: int | Free = FREE
    kernel: PerAxis = 2
    _: KW_ONLY
    stride: PerAxis = 1
    padding: PerAxis | Literal["same"] = 0
    output_padding: PerAxis = 0
    dilation: PerAxis = 1
    groups: int = 1
    bias: bool = True
    ports = "*s in -> *t out"
    family = "conv"
    spreads = True

    def __post_init__(self) -> None:
        check_window(self, "kernel", "stride", "dilation")
        check_window(self, "output_padding", least=0)
        if not isinstance(self.padding, str):
            check_window(self, "padding", least=0)
        elif self.padding != "same":
            raise NetError(
                what="there is no such padding",
                where="ConvTranspose",
                expected='a number, one for each axis, or "same"',
                got=repr(self.padding),
                mend=did_you_mean(self.padding, ("same",)),
            )
        at_least(1, self.groups, "the number of groups", type(self).__name__)
        self._check_output_padding()

    def _check_output_padding(self) -> None:
        values = (self.output_padding, self.stride, self.dilation)
        rank = max((len(value) for value in values if isinstance(value, tuple)), default=1)
        if len({len(value) for value in values if isinstance(value, tuple)}) > 1:
            return  # said by `relate`, with all options
        more, *steps = (per_axis(value, rank) for value in values)
        if self.padding == "same" and any(more):
            raise NetError(
                what='padding "same" says the size of the output, and so does an output padding',
                where="ConvTranspose",
                got=f"output_padding {self.output_padding}",
                mend="leave output_padding out",
            )
        if any(extra >= max(step) for extra, step in zip(more, zip(*steps, strict=True), strict=True)):
            raise NetError(
                what="an output padding is below the stride or below the dilation",
                where="ConvTranspose",
                expected=f"below {self.stride} or below {self.dilation}",
                got=repr(self.output_padding),
            )

    def weights(self) -> dict[str, Weight]:
        weight = Weight("in group *window", overlapping_kaiming(self.groups, self.stride))
        return {"weight": weight, **({"bias": Weight("out", zeros)} if self.bias else {})}

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault == "input":
            yield from other_groups(self, self.out, self.groups, sizes)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "kernel", "stride", "padding", "output_padding", "dilation")
        channels, out = known["in"], known["out"]
        check_groups(self.groups, channels, out)
        found: dict[str, Any] = {"group": None if out is None else out // self.groups}
        if out is None and known.get("group") is not None:
            found["out"] = known["group"] * self.groups
        if rank is None:
            return found
        s: tuple[Size | None, ...] = known["s"] or (None,) * rank
        t: tuple[Size | None, ...] = known["t"] or (None,) * rank
        axes = [*zip(per_axis(self.stride, rank), self._more(rank), strict=True)]
        forward = tuple(None if n is None else self._spread(n, *axis) for n, axis in zip(s, axes, strict=True))
        back = tuple(None if n is None else self._gathered(n, *axis) for n, axis in zip(t, axes, strict=True))
        return found | {"window": per_axis(self.kernel, rank), "s": back, "t": forward}

    def _spread(self, n: Size, stride: int, more: int) -> Size:
        """The size that an axis of n positions becomes."""
        size = n * stride + more
        if isinstance(size, int) and size < 1:
            raise Unfit(
                "its padding leaves nothing of its output",
                expected=f"at least {-((more - 1) // stride)} positions along every axis",
                got=f"{n} positions",
            )
        return size

    def _gathered(self, n: Size, stride: int, more: int) -> Size | None:
        """The size of the input that becomes n positions, if that is known."""
        size = (n - more) // stride
        if same(size * stride + more, n):
            return size
        if isinstance(n, int):
            raise Unfit(
                "no input gives an output of this size",
                expected=f"a multiple of {stride} positions" + (f", and {more % stride} more" if more % stride else ""),
                got=f"{n} positions",
            )
        return None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        if lengths:
            x = self._ended(x, lengths)  # (b, *s, in)
        stride, padding, more, dilation, cut = self.spread_options[rank]
        spread = F.conv_transpose3d if rank == 3 else F.conv_transpose2d
        x, weight, bias = channels_first(x), channels_last(w["weight"]), w.get("bias")  # (b, *s, in) -> (b, in, *s)
        apart = torch.is_grad_enabled()  # the gradient of torch's own bias takes up to twice the time of all others
        y = spread(
            x, weight, None if apart else bias, stride, padding, more, self.groups, dilation
        )  # (b, in, *s) -> (b, out, *t + cut)
        if apart and bias is not None:
            y = y.add_(bias.view(-1, *(1 for _ in y.shape[2:])))  # (b, out, *t + cut)
        for axis, extra in enumerate(cut, 2):
            y = y.narrow(axis, 0, y.shape[axis] - extra) if extra else y  # -> (b, out, *t)
        return features_last(y, rank)  # (b, out, *t) -> (b, *t, out)

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        values = (self.kernel, self.stride, self.padding, self.output_padding, self.dilation)
        rank = max((len(value) for value in values if isinstance(value, tuple)), default=1)
        taps, cut = self._taps(rank), [before for before, _ in self._sides(rank)]
        before = [spread - less for spread, less in zip(taps, cut, strict=True)]
        return window_reach(taps, before, per_axis(self.stride, rank))

    def _ended(self, x: Tensor, lengths: Lengths) -> Tensor:
        """Zeros behind the end of an example along every axis on which they would be spread into it."""
        rank = x.ndim - 2
        axes = zip(self._taps(rank), self._sides(rank), per_axis(self.stride, rank), strict=True)
        for i, (length, (spread, (_, after), stride)) in enumerate(
            zip(lengths_of(lengths, "s", rank), axes, strict=True)
        ):
            if spread + 1 - after > stride:
                x = filled(x, length, 0.0, i + 1)  # (b, *s, in)
        return x

    def _taps(self, rank: int) -> list[int]:
        """How far the last tap of the window is from the first, along each axis."""
        axes = zip(per_axis(self.dilation, rank), per_axis(self.kernel, rank), strict=True)
        return [dilation * (kernel - 1) for dilation, kernel in axes]

    def _sides(self, rank: int) -> list[tuple[int, int]]:
        """How much is cut off before and after each axis; below 0 after it, where there is more than the windows."""
        if self.padding == "same":
            totals = [
                spread + 1 - step for spread, step in zip(self._taps(rank), per_axis(self.stride, rank), strict=True)
            ]
            return [(max(total, 0) // 2, total - max(total, 0) // 2) for total in totals]
        axes = zip(per_axis(self.padding, rank), per_axis(self.output_padding, rank), strict=True)
        return [(side, side - more) for side, more in axes]

    def _more(self, rank: int) -> list[int]:
        """How many positions an axis has beyond stride times those of the input."""
        axes = zip(self._taps(rank), self._sides(rank), per_axis(self.stride, rank), strict=True)
        return [spread + 1 - step - before - after for spread, (before, after), step in axes]

    @cached_property
    def spread_options(self) -> dict[int, Spread]:
        """The arguments for torch, by rank: stride, padding, output padding, dilation, and what to cut at the end."""
        values = (self.kernel, self.stride, self.padding, self.output_padding, self.dilation)
        ranks = {len(value) for value in values if isinstance(value, tuple)} or {1, 2, 3}
        return {rank: self._options_for(rank) for rank in ranks}

    def _options_for(self, rank: int) -> Spread:
        sides = self._sides(rank)
        more, cut = ([max(sign * (before - after), 0) for before, after in sides] for sign in (1, -1))
        return (
            planar(per_axis(self.stride, rank), 1),
            planar(tuple(before for before, _ in sides), 0),
            planar(tuple(more), 0),
            planar(per_axis(self.dilation, rank), 1),
            planar(tuple(cut), 0),
        )


@cache
def overlapping_kaiming(groups: int, stride: PerAxis) -> Init:
    """Normal with variance 2 / fan-in for a weight (in, out / groups, *window): windows a stride apart overlap.

    So a value of the output is a sum over in / groups channels and over window / stride positions.
    """

    def init(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
        into = fan.out / groups / math.prod(per_axis(stride, len(shape) - 2))
        return torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu") * math.sqrt(2 / into)

    return init

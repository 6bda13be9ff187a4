"""Convolution in any number of dimensions, features last."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY
from functools import cached_property
from typing import Any, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.fields import at_least
from netwright.inits import kaiming, zeros
from netwright.kernels.convolution import FixedConvolution, channels_last
from netwright.kernels.private import packs_convolution
from netwright.layers.window import (
    PerAxis,
    before_same,
    channels_first,
    check_groups,
    check_window,
    extended,
    features_last,
    other_groups,
    other_windows,
    per_axis,
    planar,
    slide,
    window_rank,
    window_reach,
)
from netwright.net.leaf import Kept, LeafFault, LeafNode, Span, Weight, with_options
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, lengths_of
from netwright.sizes.free import FREE, Free

Padding: TypeAlias = int | tuple[int, ...] | Literal["same", "causal"]
Options: TypeAlias = tuple[tuple[slice, ...], list[int], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Positions to take, zeros to put around where the sides differ, padding, stride, dilation."""


class Conv(Leaf):
    """Convolution over every axis but the last: yₚ = Σ_d W_d x_(stride·p + dilation·d − padding) + b.

    Shapes: input (*s, in), output (*t, out) with t = ⌊(s + padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, padding
        counted on both sides, or ⌈s / stride⌉ for `"same"`; weight (out, in / groups, *kernel), bias (out,).

    Fields:
        out: number of output channels; FREE takes it from what follows.
        kernel: extent of the window, one number for every axis or one each; a bare number takes its rank from the
            input. 3 is the smallest that has a centre.
        stride: step of the window in positions; 1 keeps every position.
        padding: zeros on either side of every axis, in positions; 0, since padded borders are an assumption; `"same"`
            keeps the size at stride 1, and puts an odd zero at the end, as TensorFlow does at every stride;
            `"causal"` puts all zeros before, so that no output sees a later input.
        dilation: distance between the window's taps, in positions; 1, a window without holes.
        groups: channels are split into this many groups that do not see each other; 1, all see all.
        bias: whether b is added; off before a norm, which removes it again.

    Raises:
        NetError: an option that is not a whole number, another padding.
        SizeError: the window is larger than the padded input, the axes do not match the kernel, the groups do not
            divide the channels.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Conv(20, 5), input=(28, 28, 1)).plan.outputs
        {'output': (24, 24, 20)}

    Torch: torch.nn.Conv1d, Conv2d, Conv3d
    """

    out: int | Free = FREE
    kernel: PerAxis = 3
    _: KW_ONLY
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    groups: int = 1
    bias: bool = True
    ports = "*s in -> *t out"
    family = "conv"
    slides = True

    def __post_init__(self) -> None:
        check_window(self, "kernel", "stride", "dilation")
        if not isinstance(self.padding, str):
            check_window(self, "padding", least=0)
        elif self.padding not in ("same", "causal"):
            raise NetError(
                what="there is no such padding",
                where="Conv",
                expected='a number, one for each axis, "same" or "causal"',
                got=repr(self.padding),
                mend=did_you_mean(self.padding, ("same", "causal")),
            )
        at_least(1, self.groups, "the number of groups", type(self).__name__)

    def weights(self) -> dict[str, Weight]:
        weight = Weight("out group *window", kaiming)
        return {"weight": weight, **({"bias": Weight("out", zeros)} if self.bias else {})}

    def hides_future(self, path: str) -> tuple[str, ...]:
        return () if self.padding == "causal" else (f'padding="causal" in {path}',)

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault in ("input", "shortens") and self.padding == 0:
            yield from with_options(self, padding="same")
        if fault == "input":
            yield from other_windows(self, "kernel", sizes)
            yield from other_groups(self, self.out, self.groups, sizes)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "kernel", "stride", "dilation", "padding")
        channels, out = known["in"], known["out"]
        check_groups(self.groups, channels, out)
        found: dict[str, Any] = {"group": None if channels is None else channels // self.groups}
        if channels is None and known.get("group") is not None:
            found["in"] = known["group"] * self.groups
        if rank is None:
            return found
        spread = [d * (k - 1) for d, k in self._taps(rank)]
        added = [before + after for before, after in self.sides(rank)]
        found["window"] = per_axis(self.kernel, rank)
        if rank == 1 and self.memory():
            found["before"] = spread[0]
        return found | slide(known, spread, added, per_axis(self.stride, rank), "kernel")

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        rank = len(sizes["s"])
        sides = self.sides(rank, sizes["s"])
        turned = 4 * math.prod((*sizes["t"], sizes["out"])) if rank == 3 else 0  # volumes are copied, channels last
        if all(before == after for before, after in sides):
            return Kept(inputs=("*",), in_use=turned)
        around = [size + before + after for size, (before, after) in zip(sizes["s"], sides, strict=True)]
        padded = 4 * math.prod((*around, sizes["in"]))
        return Kept(bytes=padded, in_use=padded + turned)

    def forward(self, w: Mapping[str, Any], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank = x.ndim - 2
        options = self._options[rank]
        if self._shifts(rank):  # where zeros go depends on the size
            if lengths:
                x, sides = self._laid(x, lengths), [(0, 0)] * rank  # (b, *s, in) -> (b, *s + padding, in)
            else:
                sides = self.sides(rank, x.shape[1:-1])
            options = self._options_for(rank, sides)
        elif lengths:
            x = self._ended(x, lengths)  # (b, *s, in)
        return self._convolve(w, x, options)  # (b, *s, in) -> (b, *t, out)

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        rank = self._rank
        spread = [d * (k - 1) for d, k in self._taps(rank)]
        return window_reach(spread, [before for before, _ in self.sides(rank)], per_axis(self.stride, rank))

    def memory(self) -> Mapping[str, str] | None:
        """The last inputs that the window still covers, for a causal window along one axis."""
        spread = [d * (k - 1) for d, k in self._taps(self._rank)]
        if self._rank > 1 or max(per_axis(self.stride, 1)) > 1 or self.sides(1) != [(spread[0], 0)]:
            return None
        return {"past": "before in"} if spread[0] else {}

    def step(
        self, w: Mapping[str, Tensor], memory: Mapping[str, Tensor] | None, *inputs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, in)
        before = self._taps(1)[0][0] * (self._taps(1)[0][1] - 1)
        past = memory.get("past") if memory else None
        if past is None:
            past = x.new_zeros(x.shape[0], before, x.shape[-1])  # (b, before, in)
        x = torch.cat([past, x], 1)  # (b, n, in) -> (b, before + n, in)
        y = self._convolve(w, x, self._unpadded)  # (b, before + n, in) -> (b, n, out)
        return y, {"past": x[:, x.shape[1] - before :]} if before else {}

    def prepared(self, w: Mapping[str, Tensor]) -> Mapping[str, Any]:
        weight = w["weight"]
        suits = weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.ndim < 5
        if not suits or not packs_convolution(weight.dtype):
            return w
        return {**w, "product": FixedConvolution(weight, w.get("bias"))}

    def _convolve(self, w: Mapping[str, Any], x: Tensor, options: Options) -> Tensor:
        rank, (taken, around, padding, stride, dilation) = x.ndim - 2, options
        if taken:
            x = x[taken]  # (b, *s, in) -> (b, *t, in)
        x, kind = channels_first(x), x.dtype  # (b, *s, in) -> (b, in, *s)
        if "product" in w:
            y = w["product"](x, around, padding, stride, dilation, self.groups)  # (b, in, *s) -> (b, out, *t)
            return features_last(y, rank)  # (b, out, *t) -> (b, *t, out)
        if around:
            x = F.pad(x, around)  # (b, in, *s) -> (b, in, *s + padding)
        weight, bias = channels_last(w["weight"]), w.get("bias")
        if x.requires_grad and x.is_cpu and lacks_low_gradient(kind, self.groups, stride):
            x, weight, bias = x.float(), weight.float(), None if bias is None else bias.float()
        convolve = F.conv3d if rank == 3 else F.conv2d
        y = convolve(x, weight, bias, stride, padding, dilation, self.groups).to(kind)  # -> (b, out, *t)
        return features_last(y, rank)  # (b, out, *t) -> (b, *t, out)

    def _shifts(self, rank: int) -> bool:
        """Whether the zeros before an axis depend on its size: with a stride, `"same"` adds what the last one needs."""
        return self.padding == "same" and max(per_axis(self.stride, rank)) > 1 and self.skips(rank) is None

    def _laid(self, x: Tensor, lengths: Lengths) -> Tensor:
        """Every example with zeros around, as many as its own size needs."""
        rank = x.ndim - 2
        axes = zip(lengths_of(lengths, "s", rank), self._taps(rank), per_axis(self.stride, rank), strict=True)
        for axis, (length, (dilation, kernel), stride) in enumerate(axes, 1):
            spread = dilation * (kernel - 1)
            count = (-(-x.shape[axis] // stride) - 1) * stride + spread + 1
            size = x.shape[axis]
            before = before_same(size, spread, stride) if length is None else before_same(length, spread, stride)
            x = extended(x, axis, before, count, length, 0.0)  # (b, ..., s, ..., in) -> (b, ..., count, ..., in)
        return x

    def _ended(self, x: Tensor, lengths: Lengths) -> Tensor:
        """Zeros behind the end of an example along every axis on which the window reaches past it."""
        rank = x.ndim - 2
        for i, length in enumerate(lengths_of(lengths, "s", rank)):
            if self.sides(rank)[i][1]:
                x = filled(x, length, 0.0, i + 1)  # (b, *s, in)
        return x

    @property
    def _rank(self) -> int:
        """The number of axes as far as the options say it; else one, which stands for all."""
        values = (self.kernel, self.stride, self.padding, self.dilation)
        return max((len(value) for value in values if isinstance(value, tuple)), default=1)

    @cached_property
    def _options(self) -> dict[int, Options]:
        """The arguments for torch, by rank; kept, since finding them takes a tenth of a convolution at batch one."""
        values = (self.kernel, self.stride, self.padding, self.dilation)
        ranks = {len(value) for value in values if isinstance(value, tuple)} or {1, 2, 3}
        return {rank: self._options_for(rank, self.sides(rank)) for rank in ranks}

    @cached_property
    def _unpadded(self) -> Options:
        """The arguments for torch along one axis where what comes before is given."""
        return self._options_for(1, [(0, 0)])

    def skips(self, rank: int) -> tuple[int, ...] | None:
        """The strides, if a window of one position steps: it sees nothing of the positions between.

        To take the others first gives the same numbers, sooner; and oneDNN's own way overruns its memory on
        processors with AVX2 alone where a window of one position steps by 2.
        """
        stride = per_axis(self.stride, rank)
        single = all(k == 1 for _, k in self._taps(rank)) and not any(map(any, self.sides(rank)))
        return stride if single and max(stride) > 1 else None

    def _options_for(self, rank: int, sides: list[tuple[int, int]]) -> Options:
        around: list[int] = []
        skips = self.skips(rank)
        taken = () if skips is None else (slice(None), *(slice(None, None, step) for step in skips))
        if any(before != after for before, after in sides):
            around, sides = [side for pair in reversed(sides) for side in pair], [(0, 0)] * rank
        padding = planar(tuple(before for before, _ in sides), 0)
        stride, dilation = (planar(per_axis(value, rank), 1) for value in (1 if taken else self.stride, self.dilation))
        return taken, around, padding, stride, dilation

    def sides(self, rank: int, sizes: Sequence[Any] | None = None) -> list[tuple[Any, Any]]:
        """Zeros before and after each axis; with `"same"` and a stride they depend on the sizes.

        Where those are not known, all that there can be are behind it.
        """
        if not isinstance(self.padding, str):
            return [(side, side) for side in per_axis(self.padding, rank)]
        spread = [d * (k - 1) for d, k in self._taps(rank)]
        if self.padding == "causal":
            return [(n, 0) for n in spread]
        found: list[tuple[Any, Any]] = []
        for n, step, size in zip(spread, per_axis(self.stride, rank), sizes or (None,) * rank, strict=True):
            if step == 1:
                found.append((n // 2, n - n // 2))
            elif not isinstance(size, int):
                found.append((0, n))
            else:
                before = before_same(size, n, step)
                found.append((before, max((-(-size // step) - 1) * step + n + 1 - size - before, 0)))
        return found

    def _taps(self, rank: int) -> list[tuple[int, int]]:
        """Dilation and kernel of each axis."""
        return [*zip(per_axis(self.dilation, rank), per_axis(self.kernel, rank), strict=True)]


def lacks_low_gradient(kind: torch.dtype, groups: int, stride: Sequence[int]) -> bool:
    """Whether oneDNN has no kernel for the gradient of the input, and its plain one takes 20 times as long."""
    return kind == torch.bfloat16 and groups > 1 and max(stride) > 1

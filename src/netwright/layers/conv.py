"""Convolution in any number of dimensions, features last."""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any, Literal, TypeAlias

import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.inits import kaiming, zeros
from netwright.net.node import Unfit, Weight
from netwright.net.part import Leaf
from netwright.sizes.free import FREE, Free
from netwright.sizes.size import Size

PerAxis: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = int | tuple[int, ...] | Literal["same", "causal"]

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class Conv(Leaf):
    """Convolution over every axis but the last: yₚ = Σ_d W_d x_(stride·p + dilation·d − padding) + b.

    Shapes: input (*s, in), output (*t, out) with t = ⌊(s + padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, padding
        counted on both sides; weight (out, in / groups, *kernel), bias (out,).

    Fields:
        out: number of output channels; FREE takes it from what follows.
        kernel: extent of the window, one number for every axis or one each; a bare number takes its rank from the
            input.
        stride: step of the window in positions; 1 keeps every position.
        padding: zeros on either side of every axis, in positions; 0, since padded borders are an assumption; `"same"`
            keeps the size at stride 1 (an odd zero goes to the end); `"causal"` puts all zeros before, so that no
            output sees a later input.
        dilation: distance between the window's taps, in positions.
        groups: channels are split into this many groups that do not see each other.
        bias: whether b is added; off before a norm, which removes it again.

    Raises: SizeError when the window is larger than the padded input, or when the axes do not match the kernel.

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

    def __post_init__(self) -> None:
        check_window(self, "kernel", "stride", "dilation")
        if isinstance(self.padding, str) and self.padding not in ("same", "causal"):
            raise NetError(
                what="there is no such padding",
                where="Conv",
                expected='a number, "same" or "causal"',
                got=repr(self.padding),
            )
        if self.padding == "same" and per_axis(self.stride, 1) != (1,) * len(per_axis(self.stride, 1)):
            raise NetError(
                what='padding "same" needs stride 1',
                where="Conv",
                got=f"stride {self.stride}",
                mend="give padding as a number",
            )

    def weights(self) -> dict[str, Weight]:
        weight = Weight("out group *window", kaiming)
        return {"weight": weight, **({"bias": Weight("out", zeros)} if self.bias else {})}

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "kernel", "stride", "dilation", "padding")
        channels, out = known["in"], known["out"]
        for name, size in (("in", channels), ("out", out)):
            if isinstance(size, int) and size % self.groups:
                raise Unfit(f"{self.groups} groups do not divide the {name}put channels", got=f"{size} channels")
        found: dict[str, Any] = {"group": None if channels is None else channels // self.groups}
        if rank is None:
            return found
        kernel = per_axis(self.kernel, rank)
        spread = [d * (k - 1) for d, k in zip(per_axis(self.dilation, rank), kernel, strict=True)]
        added = [sum(pair) for pair in self._sides(rank)]
        found["window"] = kernel
        found |= slide(known, spread, added, per_axis(self.stride, rank), "kernel", self.kernel)
        return found

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        rank = x.ndim - 2
        sides = self._sides(rank)
        symmetric = all(before == after for before, after in sides)
        x = x.movedim(-1, 1)  # (b, *s, in) -> (b, in, *s)
        if not symmetric:
            x = F.pad(x, [side for pair in reversed(sides) for side in pair])  # (b, in, *s + padding)
        padding = tuple(before for before, _ in sides) if symmetric else 0
        y = CONVOLUTIONS[rank](
            x,
            w["weight"],
            w.get("bias"),
            per_axis(self.stride, rank),
            padding,
            per_axis(self.dilation, rank),
            self.groups,
        )  # (b, in, *s) -> (b, out, *t)
        return y.movedim(1, -1)  # (b, out, *t) -> (b, *t, out)

    def _sides(self, rank: int) -> list[tuple[int, int]]:
        """Zeros before and after each axis."""
        if isinstance(self.padding, str):
            spread = [
                d * (k - 1) for d, k in zip(per_axis(self.dilation, rank), per_axis(self.kernel, rank), strict=True)
            ]
            return [(s, 0) if self.padding == "causal" else (s // 2, s - s // 2) for s in spread]
        return [(p, p) for p in per_axis(self.padding, rank)]


def per_axis(value: PerAxis, rank: int) -> tuple[int, ...]:
    """One number for each axis."""
    return value if isinstance(value, tuple) else (value,) * rank


def check_window(leaf: Leaf, *names: str) -> None:
    """Refuse window options that are not whole numbers of at least one, or that differ in rank."""
    for name in names:
        value = getattr(leaf, name)
        sizes = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise NetError(
                what=f"{name} must be a whole number of at least 1, or one for each axis",
                where=type(leaf).__name__,
                got=repr(value),
            )


def window_rank(leaf: Leaf, known: Mapping[str, Any], *names: str) -> int | None:
    """How many axes the window slides over: from the options that say it, or from the input."""
    said = {name: len(getattr(leaf, name)) for name in names if isinstance(getattr(leaf, name), tuple)}
    if len(set(said.values())) > 1:
        raise Unfit("its options differ in the number of axes", got=", ".join(f"{n}: {r}" for n, r in said.items()))
    s, t = known["s"], known["t"]
    rank = next(iter(said.values()), None)
    given = len(s) if s is not None else len(t) if t is not None else None
    if rank is None:
        rank = given
    if rank == 0:
        raise Unfit("it slides over positions, and its input has none: one axis, of channels, is all there is")
    if rank is not None and given is not None and rank != given:
        name = next(iter(said))
        raise Unfit(
            f"its {name} has {rank} axes, its input {given} position axes",
            expected=f"{rank} position axes and an axis of channels",
            got=f"{given} position axes and an axis of channels",
        )
    if rank is not None and rank > 3:
        raise Unfit(f"it slides over at most 3 axes, not {rank}")
    return rank


def slide(
    known: Mapping[str, Any],
    spread: list[int],
    added: list[int],
    stride: tuple[int, ...],
    word: str,
    extent: PerAxis,
) -> dict[str, Any]:
    """The sizes a sliding window gives, t = (s + added − spread − 1) // stride + 1, and back where the stride is 1."""
    rank = len(stride)
    s: tuple[Size | None, ...] = known["s"] or (None,) * rank
    t: tuple[Size | None, ...] = known["t"] or (None,) * rank
    forward = [
        None if n is None else (n + a - e - 1) // k + 1 for n, a, e, k in zip(s, added, spread, stride, strict=True)
    ]
    for n, size in zip(s, forward, strict=True):
        if isinstance(size, int) and size < 1:
            raise Unfit(
                f"its {word} is larger than the picture" if rank == 2 else f"its {word} is larger than the input",
                expected=f"at least {spread[0] + 1 - added[0]} positions along every axis, for {word} {extent}",
                got=f"{n} positions",
            )
    back = [
        m + e - a if m is not None and k == 1 else None for m, a, e, k in zip(t, added, spread, stride, strict=True)
    ]
    return {"s": tuple(back), "t": tuple(forward)}

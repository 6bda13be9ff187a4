"""Grids in another size: nearest, linear and cubic interpolation, up and down, on padded batches too."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.layers.window import (
    PerAxis,
    channels_first,
    check_window,
    features_last,
    per_axis,
    planar,
    window_rank,
)
from netwright.net.leaf import Kept, Span, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, lengths_of, picked_elements
from netwright.sizes.size import Size, same

Interpolation: TypeAlias = Literal["nearest", "linear", "cubic"]
Ratio: TypeAlias = tuple[int, int]  # numerator and denominator
MOST = 10**6  # times larger

FINEST = 1000  # the largest denominator of a factor as a fraction: 1/3 is 1/3, though no float is


class Resize(Leaf):
    """A grid in another size: every output is a weighted mean of the inputs around the place where it stands.

    The grids are laid on each other edge to edge: output i stands at s / t · (i + ½) − ½ of the input, and beyond an
    edge there is what is at the edge.

    Shapes: input (*s, c), output (*t, c) with t the size, or ⌊factor · s⌋.

    Fields:
        size: positions of the output, one number for every axis or one each; the same for all examples.
        factor: how many times larger the output is, one number for every axis or one each; 0.5 is half. Either a size
            or a factor is given. A factor stands for the nearest fraction with a denominator up to 1,000.
        interpolation: `"linear"`, between the neighbours along each axis, which is smooth and never exceeds them;
            `"cubic"` takes four neighbours and is sharper; `"nearest"` copies the input at or before the place
            i · s / t, so that classes stay classes.
        antialias: whether an output that is farther from its neighbours than the inputs are is a mean of all inputs
            between; False. True for pictures that get smaller, which have false patterns otherwise.

    Raises:
        NetError: a size and a factor, or none; a factor that is not above 0; nearest with antialias.
        SizeError: nothing is left, or the axes do not match.

    Example:
        >>> import netwright as nw
        >>> nw.Resize(factor=2, interpolation="nearest")(nw.batch([[[1.0], [2.0]]])).flatten().tolist()
        [1.0, 1.0, 2.0, 2.0]

    Source: Keys 1981, "Cubic convolution interpolation for digital image processing"
    Torch: torch.nn.functional.interpolate, torch.nn.Upsample
    """

    size: PerAxis | None = None
    _: KW_ONLY
    factor: float | tuple[float, ...] | None = None
    interpolation: Interpolation = "linear"
    antialias: bool = False
    ports = "*s c -> *t c"
    family = "shape"

    def __post_init__(self) -> None:
        if (self.size is None) == (self.factor is None):
            raise NetError(
                what="a grid gets another size by a size or by a factor",
                where="Resize",
                got=f"size={self.size!r}, factor={self.factor!r}",
                mend=("nw.Resize(224)", "nw.Resize(factor=2)"),
            )
        if self.size is not None:
            check_window(self, "size")
        factors = self.factor if isinstance(self.factor, tuple) else (self.factor,)
        if not all(factor is None or 1 / FINEST <= factor <= MOST for factor in factors):
            raise NetError(
                what="a factor is a number, or one for each axis",
                where="Resize",
                expected=f"from 1/{FINEST:,} to {MOST:,}",
                got=repr(self.factor),
            )
        if self.antialias and self.interpolation == "nearest":
            raise NetError(
                what="nearest copies one input, so it has no antialias",
                where="Resize",
                mend='nw.Resize(…, interpolation="linear", antialias=True)',
            )

    @cached_property
    def _factors(self) -> tuple[Ratio, ...]:
        """The factor as fractions, one for each axis or one for all; empty where there is a size."""
        if self.factor is None:
            return ()
        factors = self.factor if isinstance(self.factor, tuple) else (self.factor,)
        return tuple(Fraction(value).limit_denominator(FINEST).as_integer_ratio() for value in factors)

    def _ratios(self, rank: int) -> tuple[Ratio | None, ...]:
        """For each axis how many times larger it becomes; None where a size says it."""
        found: tuple[Ratio | None, ...] = self._factors or (None,)
        return found if len(found) == rank else found * rank

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        rank = window_rank(self, known, "size", "factor")
        if rank is None:
            return {}
        if self.size is not None:
            return {"t": per_axis(self.size, rank)}
        s: tuple[Size | None, ...] = known["s"] or (None,) * rank
        t: tuple[Size | None, ...] = known["t"] or (None,) * rank
        ratios = [ratio for ratio in self._ratios(rank) if ratio is not None]
        forward = tuple(None if n is None else _larger(n, ratio) for n, ratio in zip(s, ratios, strict=True))
        for n, m in zip(s, forward, strict=True):
            if m == 0:
                raise Unfit(
                    "it leaves nothing of its input", expected="1 position or more", got=f"{self.factor} of {n}"
                )
        back = tuple(None if m is None else _smaller(m, ratio) for m, ratio in zip(t, ratios, strict=True))
        return {"s": back, "t": forward}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        spans: list[Span] = [(0, 0) if up == down else (-math.inf, math.inf) for up, down in self._factors]
        return {"input": spans[0] if len(spans) == 1 else tuple(spans)} if spans else {}

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        rank, sizes = x.ndim - 2, x.shape[1:-1]
        ratios, ends = self._ratios(rank), lengths_of(lengths, "s", rank)
        if any(end is not None for end in ends) and self.factor is not None and not self.antialias:
            if self.interpolation != "nearest":  # which never takes an input behind the end
                x = ended_run(x, ends)  # (b, *s, c)
            ends = (None,) * rank
        given = per_axis(self.size or 0, rank)
        targets = [t if r is None else n * r[0] // r[1] for n, t, r in zip(sizes, given, ratios, strict=True)]
        exact = all(r is None or r[1] == 1 or n % r[1] == 0 for n, r in zip(sizes, ratios, strict=True))
        if exact and all(end is None for end in ends) and (rank < 3 or self._in_volumes):
            return self._by_torch(x, targets)  # (b, *s, c) -> (b, *t, c)
        y = x.to(torch.promote_types(x.dtype, torch.float32))
        for axis, (target, ratio, end) in enumerate(zip(targets, ratios, ends, strict=True), 1):
            if ratio == (1, 1):
                continue
            scale = x.shape[axis] / target if ratio is None else ratio[1] / ratio[0]
            length = (
                torch.tensor([x.shape[axis]], dtype=torch.int64, device=x.device) if end is None else end
            )  # (1,) or (b,)
            places = length.to(y.dtype)
            scales = places / target if ratio is None else torch.full_like(places, scale)
            y = self._along(y, axis, target, length, scales, scale)  # (b, ..., s, ...) -> (b, ..., t, ...)
        return y.to(x.dtype)  # (b, *t, c)

    @property
    def _in_volumes(self) -> bool:
        """Whether torch has this interpolation over three axes."""
        return self.interpolation != "cubic" and not self.antialias

    def _by_torch(self, x: Tensor, targets: Sequence[int]) -> Tensor:
        rank = x.ndim - 2
        linear = "trilinear" if rank == 3 else "bilinear"
        mode = {"nearest": "nearest", "linear": linear, "cubic": "bicubic"}[self.interpolation]
        size = planar(tuple(targets), 1)
        wide = x.to(torch.promote_types(x.dtype, torch.float32)) if self.antialias else x  # torch has it in no less
        y = F.interpolate(channels_first(wide), size, mode=mode, antialias=self.antialias)  # (b, c, *s) -> (b, c, *t)
        return features_last(y.to(x.dtype), rank)  # (b, c, *t) -> (b, *t, c)

    def _along(self, x: Tensor, axis: int, count: int, length: Tensor, scale: Tensor, widest: float) -> Tensor:
        """The grid with so many positions along one axis; `length` and `scale` are (b,), or (1,) for all examples.

        `widest` is the largest scale that an example can have.
        """
        places = torch.arange(count, device=x.device, dtype=x.dtype)  # (t,)
        index, weight = self._taps(places, length[..., None, None], scale[..., None], widest)  # (b, t, k)
        index = index.clamp_min(0).minimum(length[..., None, None] - 1)
        y: Tensor | None = None
        around = (1,) * (axis - 1), (1,) * (x.ndim - axis - 1)
        for k in range(index.shape[-1]):
            part = weight[..., k].reshape(-1, *around[0], count, *around[1])  # (b, 1, …, t, 1, …)
            one = index[..., k]  # (b, t), or (1, t)
            more = part * (x.index_select(axis, one[0]) if len(one) == 1 else picked_elements(x, one, axis))
            y = more if y is None else y + more
        assert y is not None
        return y

    def _taps(self, places: Tensor, length: Tensor, scale: Tensor, widest: float) -> tuple[Tensor, Tensor]:
        """Which inputs an output takes, and with which weights, (b, t, k) both."""
        if self.interpolation == "nearest":
            places, scale = places.float(), scale.float()  # as torch does for every type, so that both round alike
            index = (places * scale).floor().long().unsqueeze(-1)
            return index, torch.ones_like(index, dtype=scale.dtype)
        centre = scale * (places + 0.5)  # (b, t)
        if self.antialias:
            return _averaged(centre, length, scale, widest, cubic=self.interpolation == "cubic")
        if self.interpolation == "linear":
            place = (centre - 0.5).clamp_min(0)
            before = place.floor()
            taps, part = torch.arange(2, device=places.device), place - before
            weight = torch.stack([1 - part, part], -1)
        else:
            place = centre - 0.5
            before = place.floor()
            taps = torch.arange(-1, 3, device=places.device)
            weight = _cubic((place - before).unsqueeze(-1) - taps, -0.75)
        return before.long().unsqueeze(-1) + taps, weight


def _averaged(centre: Tensor, length: Tensor, scale: Tensor, widest: float, cubic: bool) -> tuple[Tensor, Tensor]:
    """The inputs around a centre and their weights, (b, t, k), where outputs are a mean over what lies between them."""
    stretch, half = scale.clamp_min(1), 2 if cubic else 1  # (b, 1)
    first = (centre - half * stretch + 0.5).floor().clamp_min(0)  # (b, t)
    end = (centre + half * stretch + 0.5).floor().unsqueeze(-1).minimum(length)  # (b, t, 1)
    taps = torch.arange(2 * math.ceil(half * max(widest, 1)) + 1, device=centre.device)
    index = first.unsqueeze(-1) + taps  # (b, t, k)
    apart = (index - centre.unsqueeze(-1) + 0.5) / stretch.unsqueeze(-1)
    weight = _cubic(apart, -0.5) if cubic else (1 - apart.abs()).clamp_min(0)
    weight = torch.where(index < end, weight, 0.0)
    total = weight.sum(-1, keepdim=True)
    return index.long(), weight / torch.where(total == 0, 1, total)  # 0 behind an end, where there is none


def _cubic(apart: Tensor, a: float) -> Tensor:
    """The weight of an input so far apart; `a` is the slope at distance 1."""
    x = apart.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x <= 1, near, torch.where(x < 2, far, 0.0))


def _larger(n: Size, ratio: Ratio) -> Size:
    return n * ratio[0] // ratio[1]


def _smaller(m: Size, ratio: Ratio) -> Size | None:
    """The size that becomes m, where only one does."""
    n = m // ratio[0]
    return n if ratio[1] == 1 and same(n * ratio[0], m) else None

"""What every sliding window shares: options for each axis, the rank they tell, the sizes they give."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, TypeAlias, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.net.leaf import LeafNode, Span, Unfit, with_options
from netwright.net.run.padding import picked_elements
from netwright.sizes.free import Free
from netwright.sizes.size import Size

PerAxis: TypeAlias = int | tuple[int, ...]
Sized = TypeVar("Sized", int, Tensor)


def per_axis(value: PerAxis, rank: int) -> tuple[int, ...]:
    """One number for each axis."""
    return value if isinstance(value, tuple) else (value,) * rank


def check_window(leaf: LeafNode, *names: str, least: int = 1) -> None:
    """Refuse window options that are not whole numbers of at least `least`, one or one for each axis."""
    for name in names:
        value = getattr(leaf, name)
        sizes = value if isinstance(value, tuple) and value else (value,)
        if not all(isinstance(size, int) and not isinstance(size, bool) and size >= least for size in sizes):
            raise NetError(
                what=f"{name} must be a whole number of at least {least}, or one for each axis",
                where=type(leaf).__name__,
                got=repr(value),
            )


def window_rank(leaf: LeafNode, known: Mapping[str, Any], *names: str) -> int | None:
    """How many axes of positions there are: from the options that say it, or from the input."""
    ranks = {name: len(getattr(leaf, name)) for name in names if isinstance(getattr(leaf, name), tuple)}
    if len(set(ranks.values())) > 1:
        raise Unfit("its options differ in the number of axes", got=", ".join(f"{n}: {r}" for n, r in ranks.items()))
    s, t = known["s"], known["t"]
    given = len(s) if s is not None else len(t) if t is not None else None
    rank = next(iter(ranks.values()), given)
    if given == 0:
        raise Unfit(
            "it takes axes of positions, and its input has none",
            expected="position axes and an axis of channels",
            got="one axis, of channels",
        )
    if rank is not None and given is not None and rank != given:
        raise Unfit(
            f"its {next(iter(ranks))} has {_axes(rank)}, its input {_axes(given, 'position ')}",
            expected=f"{_axes(rank, 'position ')} and an axis of channels",
            got=f"{_axes(given, 'position ')} and an axis of channels",
        )
    if rank is not None and rank > 3:
        raise Unfit(f"it takes at most 3 axes of positions, not {rank}")
    return rank


def other_windows(leaf: LeafNode, name: str, sizes: Sequence[Any]) -> Iterator[LeafNode]:
    """The leaf with a window that fits its input: of another rank, then smaller ones; `name` is the window's field."""
    value: PerAxis = getattr(leaf, name)
    if isinstance(value, tuple):
        yield from with_options(leaf, **{name: value[:1] if len(sizes) == 2 else value[0]})
    positions = min((size for size in sizes[:-1] if isinstance(size, int)), default=0)
    for extent in dict.fromkeys((3, positions, 1)):
        if 1 <= extent <= positions:
            yield from with_options(leaf, **{name: (extent,) * len(value) if isinstance(value, tuple) else extent})


def check_groups(groups: int, channels: Size | None, out: Size | None) -> None:
    """Refuse channels that groups do not divide."""
    for name, size in (("input", channels), ("output", out)):
        if isinstance(size, int) and size % groups:
            raise Unfit(
                f"its groups do not divide its {name} channels",
                expected=f"a multiple of {groups}",
                got=f"{size} channels",
            )


def other_groups(leaf: LeafNode, out: int | Free, groups: int, sizes: Sequence[Any]) -> Iterator[LeafNode]:
    """The leaf with more output channels, which its groups divide, or with fewer groups."""
    channels = sizes[-1] if sizes else None
    if isinstance(out, int) and out % groups:
        yield from with_options(leaf, out=-(-out // groups) * groups)
    if isinstance(channels, int) and channels % groups:
        fewer = (g for g in range(groups - 1, 0, -1) if channels % g == 0)
        found = next(g for g in fewer if not isinstance(out, int) or out % g == 0)
        yield from with_options(leaf, groups=found)


def slide(
    known: Mapping[str, Any], spread: list[int], added: list[int], stride: tuple[int, ...], word: str
) -> dict[str, Any]:
    """The sizes a sliding window gives, t = (s + added − spread − 1) // stride + 1, and back where the stride is 1.

    `spread` is how far the last position in a window is from the first, `added` the padding on both sides together.
    """
    rank = len(stride)
    s: tuple[Size | None, ...] = known["s"] or (None,) * rank
    t: tuple[Size | None, ...] = known["t"] or (None,) * rank
    steps = [*zip(s, t, spread, added, stride, strict=True)]
    forward = [None if n is None else (n + a - e - 1) // k + 1 for n, _, e, a, k in steps]
    for n, e, a in zip(s, spread, added, strict=True):
        if isinstance(n, int) and n + a < e + 1:
            raise Unfit(
                f"its {word} is larger than its input",
                expected=f"at least {e + 1 - a} positions along every axis",
                got=f"{n} positions",
            )
    back = [None if m is None or k > 1 else m + e - a for _, m, e, a, k in steps]
    return {"s": tuple(back), "t": tuple(forward)}


def before_same(size: Sized, spread: int, stride: int) -> Sized:
    """How many of the positions that padding "same" adds are before an axis, as TensorFlow counts them.

    The output has ⌈size / stride⌉ positions, and what their windows need beyond the input is shared by both sides; an
    odd position is at the end.
    """
    missing = (-(-size // stride) - 1) * stride + spread + 1 - size
    return (missing.clamp_min(0) if isinstance(missing, Tensor) else max(missing, 0)) // 2


def extended(
    x: Tensor, axis: int, before: Tensor | int, count: int, length: Tensor | None, value: float | None
) -> Tensor:
    """So many positions along an axis of x, which begin `before` the example does.

    Beyond both of its ends there is `value`, or for None what is at the end: (b, ..., s, ...) -> (b, ..., count, ...).
    `before` is a number, or one for each example, (b,).
    """
    places = torch.arange(count, device=x.device) - (before if isinstance(before, int) else before.unsqueeze(-1))
    if length is None and isinstance(before, int):
        sides = [before, count - before - x.shape[axis]]
        if value is None:
            return x.index_select(axis, places.clamp(0, x.shape[axis] - 1))
        return F.pad(x, [0, 0] * (x.ndim - 1 - axis) + sides, value=value)
    size = torch.full((x.shape[0],), x.shape[axis], dtype=torch.int64, device=x.device) if length is None else length
    places = places.expand(x.shape[0], count)  # (b, count)
    end = size.unsqueeze(-1) - 1  # (b, 1)
    y = picked_elements(x, places.clamp_min(0).minimum(end), axis)
    if value is None:
        return y
    inside = ((places >= 0) & (places <= end)).reshape(-1, *(1,) * (axis - 1), count, *(1,) * (x.ndim - axis - 1))
    return torch.where(inside, y, value)


def window_reach(spread: list[int], before: list[int], stride: tuple[int, ...]) -> dict[str, Span | tuple[Span, ...]]:
    """Which positions an output of a sliding window sees, axis by axis: all where the window changes the rate.

    Options of one axis stand for every axis, however many there are.
    """
    sides = zip(spread, before, stride, strict=True)
    spans = tuple((-inf, inf) if step > 1 else (-b, e - b) for e, b, step in sides)
    return {"input": spans[0] if len(spans) == 1 else spans}


def channels_first(x: Tensor) -> Tensor:
    """The view that torch's image kernels want; a line becomes a picture of height one, whose kernels are faster."""
    x = x.permute(0, x.ndim - 1, *range(1, x.ndim - 1))  # (b, *s, c) -> (b, c, *s)
    return x.unsqueeze(2) if x.ndim == 3 else x  # (b, c, n) -> (b, c, 1, n)


def features_last(y: Tensor, rank: int) -> Tensor:
    """The way back from `channels_first`."""
    y = y.squeeze(2) if rank == 1 else y  # (b, c, 1, n) -> (b, c, n)
    return y.permute(0, *range(2, y.ndim), 1)  # (b, c, *t) -> (b, *t, c)


def planar(sizes: tuple[int, ...], one: int) -> tuple[int, ...]:
    """Sizes for each axis of what `channels_first` gives: `one` along the height of a line."""
    return (one, *sizes) if len(sizes) == 1 else sizes


def _axes(rank: int, word: str = "") -> str:
    return f"{rank} {word}{'axis' if rank == 1 else 'axes'}"

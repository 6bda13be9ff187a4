"""What all leaves need for padded batches: where examples end, and how to replace the padding.

A length is an int64 tensor (b,), one number an example, or (b, N) where it differs within an axis before; None where
nothing is padded. Padding is finite but arbitrary, so it is replaced, never multiplied by zero: 0 · ∞ is NaN in
a gradient.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import Tensor

Lengths: TypeAlias = Mapping[str, Any]  # by the leaf's own names: a length, or a tuple of them for a run of axes
NO_LENGTHS: Lengths = MappingProxyType({})
FIRST: Mapping[int, int] = MappingProxyType({})  # (b, N): N is the first axis of an example, whatever the axis


def length_of(lengths: Lengths, name: str) -> Tensor | None:
    """The length of the examples along the axis of this name."""
    return lengths.get(name)


def lengths_of(lengths: Lengths, name: str, rank: int) -> tuple[Tensor | None, ...]:
    """The lengths along a run of axes, one for each."""
    return lengths.get(name) or (None,) * rank


def inside(length: Tensor, size: int) -> Tensor:
    """Which positions lie before the end: (b,) -> (b, size), (b, N) -> (b, N, size)."""
    return torch.arange(size, device=length.device) < length.unsqueeze(-1)


def filled(x: Tensor, length: Tensor | None, value: float, axis: int = 1) -> Tensor:
    """A batch with one value behind the end of every example along an axis of x; 1 is the first of an example."""
    return x if length is None else x.masked_fill(~_inside_of(x, length, axis), value)


def ended(x: Tensor, length: Tensor | None, axis: int = 1) -> Tensor:
    """A batch with the last real element repeated behind the end of every example along an axis of x."""
    if length is None:
        return x
    axis = axis % x.ndim
    end = picked_elements(x, (length - 1).clamp_min(0).unsqueeze(-1), axis)  # (b, ..., n, ...) -> (b, ..., 1, ...)
    return torch.where(_inside_of(x, length, axis), x, end)


def ended_run(x: Tensor, lengths: Sequence[Tensor | None]) -> Tensor:
    """A batch that holds real elements alone: `ended` along the first axes of an example, one for each length."""
    for i in reversed(range(len(lengths))):  # inner axes first: an outer one then repeats elements that are whole
        x = ended(x, lengths[i], 1 + i)
    return x


def last(x: Tensor, length: Tensor | None) -> Tensor:
    """The last real element along the first axis of every example."""
    if length is None:
        return x[:, -1]  # (b, n, ...) -> (b, ...)
    return picked_elements(x, (length - 1).unsqueeze(-1), 1).squeeze(1)  # (b, n, ...) -> (b, 1, ...) -> (b, ...)


def picked_elements(x: Tensor, index: Tensor, axis: int = 1) -> Tensor:
    """The elements at these places along an axis of x: (b, ..., n, ...) and (b, k) give (b, ..., k, ...).

    The index is (b, N, k) where it differs within an axis before.
    """
    axis = axis % x.ndim
    shape = [*x.shape[:axis], index.shape[-1], *x.shape[axis + 1 :]]
    return x.gather(axis, _spread(index, x.ndim, axis).expand(shape))


def own_elements(
    x: Tensor, lengths: Sequence[Tensor | None], axes: Sequence[int], around: Mapping[int, int] = FIRST
) -> Tensor | None:
    """Which values lie before the ends along some axes of x, in a shape that broadcasts to x's; None: all do.

    `lengths` are those of all axes of an example. `around` says for an axis whose lengths are (b, N) which axis of x
    the N is, where it is not the first of an example.
    """
    found: Tensor | None = None
    for axis in axes:
        length = lengths[axis - 1]
        if length is not None:
            mask = _inside_of(x, length, axis, around.get(axis, 1))
            found = mask if found is None else found & mask
    return found


def mean_of_own(x: Tensor, lengths: Sequence[Tensor | None], axes: Sequence[int]) -> Tensor:
    """The mean over axes of x, of every example's own values."""
    mask = own_elements(x, lengths, axes)
    if mask is None:
        return x.mean(tuple(axes))
    whole = math.prod(
        [x.shape[axis] for axis in axes if mask.shape[axis] == 1]
    )  # of the axes that the mask leaves open
    count = mask.sum(tuple(axes)).clamp_min(1) * whole
    return x.masked_fill(~mask, 0.0).sum(tuple(axes)) / count


def _inside_of(x: Tensor, length: Tensor, axis: int, around: int = 1) -> Tensor:
    axis = axis % x.ndim
    return _spread(inside(length, x.shape[axis]), x.ndim, axis, around)


def _spread(index: Tensor, rank: int, axis: int, around: int = 1) -> Tensor:
    """(b, k), or (b, N, k), with axes of size 1, so that k stands at `axis` of that many, and N at `around`."""
    between, after = (1,) * (axis - index.ndim + 1), (1,) * (rank - axis - 1)
    spread = index.reshape(*index.shape[:-1], *between, index.shape[-1], *after)
    return spread if index.ndim == 2 or around == 1 else spread.transpose(1, around)

"""Layers that bring an axis, or several, down to one number."""

import math
from collections.abc import Collection, Mapping
from math import inf
from typing import Any, TypeAlias

from torch import Tensor

from netwright.errors import NetError
from netwright.layers.pointwise import is_relu
from netwright.net.leaf import Kept, LeafNode, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, lengths_of, mean_of_own, own_elements

Axes: TypeAlias = int | tuple[int, ...] | None
Along: TypeAlias = tuple[Tensor | None, ...]  # the lengths of the examples, axis by axis


class Reduction(Leaf, abstract=True):
    """What takes one number from all along some axes of an example."""

    axes: Axes = None
    ports = "*s -> *t"

    def __post_init__(self) -> None:
        check_axes(self, self.axes)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return reduced_sizes(self.axes, known)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        axes = batched(self.axes, x)
        along = lengths_of(lengths, "s", x.ndim - 1)
        return self.over(x, axes, along) if axes else x  # (b, *s) -> (b, *t)

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}  # along the axes that stay

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        """The reduction, over axes of a batch, of what every example has along them."""
        raise NotImplementedError


class Mean(Reduction):
    """The mean over axes: y = (1 / n) Σ x.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.
            `nw.GlobalAvgPool()` is the mean over all but the last.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Mean(0), input=(5, 3)).plan.outputs
        {'output': (3,)}

    Torch: torch.mean
    """

    family = "pool"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        return mean_of_own(x, along, axes)  # (b, *s) -> (b, *t)


class Sum(Reduction):
    """The sum over axes: y = Σ x.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Slice(2), nw.Sum(), input=(8, 8, 5)).plan.outputs
        {'output': ()}

    Torch: torch.sum
    """

    family = "pool"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        mask = own_elements(x, along, axes)
        return (x if mask is None else x.masked_fill(~mask, 0.0)).sum(axes)  # (b, *s) -> (b, *t)


class Extreme(Reduction, abstract=True):
    """What takes the least or the largest value over axes."""

    family = "pool"
    behind_the_end = 0.0  # what padding counts as: nothing can lie beyond it

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return (self, before) if is_relu(before) else None  # fewer values to rectify

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), outputs=("*",))

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        mask = own_elements(x, along, axes)
        x = x if mask is None else x.masked_fill(~mask, self.behind_the_end)
        return x.amax(axes) if self.behind_the_end < 0 else x.amin(axes)  # (b, *s) -> (b, *t)


class Max(Extreme):
    """The largest value over axes: y = max x. Equal maxima share the gradient.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Max(-1), input=(5, 3)).plan.outputs
        {'output': (5,)}

    Torch: torch.amax
    """

    behind_the_end = -inf


class Min(Extreme):
    """The least value over axes: y = min x. Equal minima share the gradient.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Min(-1)(nw.batch([[3.0, 1.0, 2.0]])).tolist()
        [1.0]

    Torch: torch.amin
    """

    behind_the_end = inf


class Product(Reduction):
    """The product over axes: y = ∏ x.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Product(-1)(nw.batch([[3.0, 1.0, 2.0]])).tolist()
        [6.0]

    Torch: torch.prod
    """

    family = "pool"

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        mask = own_elements(x, along, axes)
        y = x if mask is None else x.masked_fill(~mask, 1.0)
        for axis in reversed(axes):  # torch takes one at a time
            y = y.prod(axis)  # (b, ..., n, ...) -> (b, ...)
        return y  # (b, *t)


class Variance(Reduction):
    """The variance over axes: y = (1 / n) Σ (x − m)², with the mean m.

    Shapes: input (*s,), output: s without these axes.

    Fields:
        axes: by position in the example, one or several, negative from the end; None, all of them, as numpy does.

    Raises: SizeError for an axis that the input does not have.

    Example:
        >>> import netwright as nw
        >>> nw.Variance(-1)(nw.batch([[3.0, 1.0, 2.0, 2.0]])).tolist()
        [0.5]

    Torch: torch.var with correction=0
    """

    family = "pool"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * math.prod(sizes["s"]))  # x − m

    def over(self, x: Tensor, axes: tuple[int, ...], along: Along) -> Tensor:
        centre = mean_of_own(x, along, axes)  # (b, *t)
        for axis in axes:
            centre = centre.unsqueeze(axis)  # (b, ..., 1, ...)
        return mean_of_own((x - centre).square(), along, axes)  # (b, *s) -> (b, *t)


def check_axes(leaf: Leaf, axes: Axes) -> None:
    """Refuse axes that are not whole numbers, or stand there twice."""
    several = axes if isinstance(axes, tuple) else () if axes is None else (axes,)
    if axes == () or len(set(several)) < len(several) or not all(type(axis) is int for axis in several):
        raise NetError(
            what="axes are different whole numbers: one, or a tuple of them",
            where=type(leaf).__name__,
            got=repr(axes),
            mend=f"nw.{type(leaf).__name__}() for all of them",
        )


def positions(axes: Axes, rank: int) -> tuple[int, ...]:
    """The axes counted from the front, in order."""
    if axes is None:
        return tuple(range(rank))
    several = axes if isinstance(axes, tuple) else (axes,)
    for axis in several:
        if not -rank <= axis < rank:
            raise Unfit(
                f"its input has no axis {axis}",
                expected=f"{_axes(max(axis + 1, -axis))} or more",
                got=_axes(rank),
            )
    found = sorted({axis % rank for axis in several})
    if len(found) < len(several):
        raise Unfit("it names an axis twice", expected="different axes", got=f"{axes} of {_axes(rank)}")
    return tuple(found)


def reduced_sizes(axes: Axes, known: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sizes that stay, and back to those of the input."""
    if known["s"] is None:
        return None
    gone = positions(axes, len(known["s"]))
    stay = [axis for axis in range(len(known["s"])) if axis not in gone]
    found: dict[str, Any] = {"t": tuple(known["s"][axis] for axis in stay)}
    if known["t"] is not None and len(known["t"]) == len(stay):
        back = dict(zip(stay, known["t"], strict=True))
        found["s"] = tuple(back.get(axis) for axis in range(len(known["s"])))
    return found


def batched(axes: Axes, x: Tensor) -> tuple[int, ...]:
    """The axes in a batch of examples."""
    return tuple(axis + 1 for axis in positions(axes, x.ndim - 1))


def _axes(rank: int) -> str:
    return f"{rank} {'axis' if rank == 1 else 'axes'}"

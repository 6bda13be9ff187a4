"""Layers that move values about and change none of them."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.errors import NetError, shortened
from netwright.layers.reduce import positions
from netwright.net.leaf import Kept, Span, Unfit
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, lengths_of, picked_elements
from netwright.sizes.notation import MOST_AXES
from netwright.sizes.size import Size, names, same

Which: TypeAlias = int | tuple[int | None, int | None]


class Flatten(Leaf):
    """All axes of an example as one vector, the last axis fastest.

    Shapes: input (*s,), output (∏ s,).

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Flatten(), input=(4, 4, 50)).plan.outputs
        {'output': (800,)}

    Torch: torch.nn.Flatten, whose order is channels first
    """

    ports = "*s -> out"
    passes_values = True
    only_reshapes = True
    family = "shape"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        total = size_product(known["s"])
        return None if total is None else {"out": total}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.flatten(1) if x.ndim > 1 else x.unsqueeze(1)  # (b, *s) -> (b, ∏ s)


class Reshape(Leaf):
    """The values of an example in other axes, the last axis fastest: `nw.Reshape(4, 4, 50)`.

    Shapes: input (*s,), output (*shape,) with ∏ s = ∏ shape.

    Fields:
        shape: the new sizes; one of them may be −1: whatever is left.

    Raises:
        NetError: sizes that are not whole numbers, or two of −1.
        SizeError: the values are more or fewer; an axis varies that is not the first on both sides.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Reshape(-1, 50), input=(4, 4, 50)).plan.outputs
        {'output': (16, 50)}

    Torch: torch.nn.Unflatten(1, shape) after Flatten
    """

    shape: tuple[int, ...]
    ports = "*s -> *t"
    ignores_padding = True  # only a first axis may vary, and its elements stay in order
    passes_values = True
    only_reshapes = True
    family = "shape"

    def __init__(self, *shape: int) -> None:
        object.__setattr__(self, "shape", shape)
        self.__post_init__()

    def __post_init__(self) -> None:
        sizes = [size for size in self.shape if type(size) is not int or size != -1]
        if len(sizes) < len(self.shape) - 1 or not all(type(size) is int and size > 0 for size in sizes):
            raise NetError(
                what="a shape is whole numbers of at least 1, one of which may be -1",
                where="Reshape",
                got=repr(self.shape),
                mend="nw.Reshape(4, -1)",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        total, rest = size_product(known["s"]), math.prod(size for size in self.shape if size != -1)
        sizes: list[Size | None] = [None if size == -1 else size for size in self.shape]
        if total is not None:
            if any(names(size) for size in known["s"][1:]) or (names(total) and self.shape[:1] != (-1,)):
                raise Unfit(
                    "it would mix what is behind the end of an example with what is before",
                    expected="one size that varies, the first of the input, and -1 first in the shape",
                    got=f"({', '.join(map(str, known['s']))}) as {self.shape}",
                )
            left = total // rest
            if not same(left * rest, total) or (-1 not in self.shape and not same(total, rest)):
                raise Unfit(
                    "its input has another number of values",
                    expected=f"{'a multiple of ' * (-1 in self.shape)}{rest} values, for {self.shape}",
                    got=f"{total} values",
                )
            sizes = [left if size is None else size for size in sizes]
        return {"t": tuple(sizes)}

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        if -1 not in self.shape:
            return x.reshape(x.shape[0], *self.shape)  # (b, *s) -> (b, *shape)
        rest = math.prod([size for size in self.shape if size != -1])
        left = math.prod(x.shape[1:]) // rest  # said, since no examples say nothing
        return x.reshape(x.shape[0], *[left if size == -1 else size for size in self.shape])  # (b, *s) -> (b, *shape)

    def __repr__(self) -> str:
        return shared_repr(self, f"Reshape({', '.join(map(str, self.shape))})")


class Transpose(Leaf):
    """The axes of an example in another order: axis i of the output is axis `axes[i]` of the input.

    Shapes: input (*s,), output (s_axes[0], s_axes[1], …).

    Fields:
        axes: every axis of the input once, by position, in the order of the output.

    Raises:
        NetError: axes that are not 0 … rank − 1, each once.
        SizeError: the input has another number of axes.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Transpose(2, 0, 1), input=(28, 30, 3)).plan.outputs
        {'output': (3, 28, 30)}

    Torch: torch.permute
    """

    axes: tuple[int, ...]
    ports = "*s -> *t"
    ignores_padding = True
    passes_values = True
    family = "shape"

    def __init__(self, *axes: int) -> None:
        object.__setattr__(self, "axes", axes)
        self.__post_init__()

    def __post_init__(self) -> None:
        whole = all(type(axis) is int for axis in self.axes)
        if not 0 < len(self.axes) <= MOST_AXES or not whole or sorted(self.axes) != list(range(len(self.axes))):
            raise NetError(
                what="a transposition names every axis of its input once, counted from 0",
                where="Transpose",
                got=shortened(repr(self.axes), 100),
                mend="nw.Transpose(1, 0) for a matrix",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        s: tuple[Size | None, ...] = known["s"] if known["s"] is not None else (None,) * len(self.axes)
        t: tuple[Size | None, ...] = known["t"] if known["t"] is not None else (None,) * len(self.axes)
        for sizes, side in ((s, "input"), (t, "output")):
            if len(sizes) != len(self.axes):
                raise Unfit(
                    f"it orders {len(self.axes)} axes, its {side} has {len(sizes)}",
                    expected=f"{len(self.axes)} axes",
                    got=str(len(sizes)),
                )
        return {"s": tuple(t[self.axes.index(i)] for i in range(len(s))), "t": tuple(s[i] for i in self.axes)}

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    @property
    def turned(self) -> tuple[int, ...] | None:
        return self.axes

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.permute(0, *(axis + 1 for axis in self.axes))  # (b, *s) -> (b, *t)

    def __repr__(self) -> str:
        return shared_repr(self, f"Transpose({', '.join(map(str, self.axes))})")


class Slice(Leaf):
    """One element along an axis, or the elements from one place up to, not with, another.

    Shapes: input (*s,), output: s without the axis for one element, with the axis shorter for several.

    Fields:
        which: a place, or (start, stop); negative places count from the example's own end, None is the very start or
            end. `nw.Slice((1, None), axis=0)` leaves the first element out.
        axis: by position in the example; −1, the features.

    Raises:
        NetError: what is neither a place nor two of them.
        SizeError: the axis or the place does not exist, or nothing is left; or would be less the longer an axis is.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Slice(2), input=(8, 8, 5)).plan.outputs, nw.Chain(nw.Slice((1, 3)), input=5).plan.outputs
        ({'output': (8, 8)}, {'output': (2,)})

    Torch: torch.select, torch.narrow
    """

    which: Which
    _: KW_ONLY
    axis: int = -1
    ports = "*s -> *t"
    passes_values = True
    family = "shape"

    def __post_init__(self) -> None:
        ends = self.which if isinstance(self.which, tuple) else (self.which, self.which)
        open_ = isinstance(self.which, tuple)
        if len(ends) != 2 or not all(type(end) is int or (open_ and end is None) for end in ends):
            raise NetError(
                what="a slice is one place, or (start, stop)",
                where="Slice",
                got=repr(self.which),
                mend="nw.Slice(0) for the first, nw.Slice((0, 3)) for the first three",
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        s = known["s"]
        if s is None:
            return None
        (axis,) = positions(self.axis, len(s))
        piece = () if isinstance(self.which, int) else (None if s[axis] is None else self._count(s[axis]),)
        if isinstance(self.which, int) and isinstance(s[axis], int) and not -s[axis] <= self.which < s[axis]:
            raise Unfit(
                f"its input has no element {self.which} along axis {self.axis}",
                expected=f"{-s[axis]} to {s[axis] - 1}",
                got=str(self.which),
            )
        enough = {} if s[axis] is None or isinstance(s[axis], int) else {"enough": self._enough(s[axis])}
        return {"t": (*s[:axis], *piece, *s[axis + 1 :]), **enough}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        axis = self.axis % (x.ndim - 1)
        length = lengths_of(lengths, "s", x.ndim - 1)[axis]
        if isinstance(self.which, int):
            if length is None or self.which >= 0:
                return x.select(axis + 1, self.which)  # (b, ..., n, ...) -> (b, ..., ...)
            place = (length + self.which).unsqueeze(-1)  # (b, 1)
            return picked_elements(x, place, axis + 1).squeeze(axis + 1)  # (b, ..., n, ...) -> (b, ..., ...)
        start, stop, _ = slice(*self.which).indices(x.shape[axis + 1])
        begin = self.which[0] or 0
        if length is None or begin >= 0:  # counted from the beginning, whatever the end
            return x.narrow(axis + 1, start, stop - start)  # (b, ..., n, ...) -> (b, ..., stop − start, ...)
        first = (length + begin).unsqueeze(-1)  # (b, 1)
        places = first + torch.arange(stop - start, device=x.device)  # (b, stop − start)
        return picked_elements(x, places, axis + 1)  # (b, ..., n, ...) -> (b, ..., stop − start, ...)

    def reach(self, training: bool) -> Mapping[str, Span]:
        """Along whichever axis: where its own is, only the number of axes tells."""
        return {"input": (0, self._start)} if self._start >= 0 else {}

    def span(self, port: str, axis: int, run: int, training: bool) -> Span | None:
        """Along its own axis output i sees i + start, along all others i; where start counts from the end, all."""
        if axis != self.axis % run:
            return (0, 0)
        return (self._start, self._start) if self._start >= 0 else None

    @property
    def _start(self) -> int:
        """How many elements stand before the first of several; negative where it is counted from the end."""
        return (self.which[0] or 0) if isinstance(self.which, tuple) else 0

    def _enough(self, n: Size) -> Size:
        """1 or more exactly where an axis of n elements, which differs from example to example, has all of these."""
        start, stop = self.which if isinstance(self.which, tuple) else (self.which, self.which)
        if start is not None and stop is not None and start < 0 <= stop:
            raise Unfit(
                f"it would be shorter the longer axis {self.axis} is",
                expected="both places counted from the same end, since the axis differs from example to example",
                got=f"{self.which} of {n}",
            )
        needed = max(abs(start or 0), abs(stop or 0)) + (isinstance(self.which, int) and self.which >= 0)
        return n - needed + 1

    def _count(self, n: Size) -> Size:
        """How many elements are left of n."""
        assert isinstance(self.which, tuple)
        start, stop = self.which
        if isinstance(n, int):
            count: Size = len(range(*slice(start, stop).indices(n)))
        else:  # as long as every length is long enough, which is checked before the batch
            first = n + start if start is not None and start < 0 else start or 0
            last = n if stop is None else n + stop if stop < 0 else stop
            count = last - first
        if isinstance(count, int) and count < 1:
            raise Unfit(
                f"it leaves nothing of axis {self.axis}", expected="1 element or more", got=f"{self.which} of {n}"
            )
        return count


def size_product(sizes: Sequence[Size | None] | None) -> Size | None:
    """The product of sizes, where all are known."""
    if sizes is None:
        return None
    total: Size = 1
    for size in sizes:
        if size is None:
            return None
        total = total * size
    return total

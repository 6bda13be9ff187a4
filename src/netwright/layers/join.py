"""Layers that bring several values together."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.net.leaf import Kept, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, inside, length_of, lengths_of, picked_elements
from netwright.sizes.notation import MOST_AXES
from netwright.sizes.size import Size, same


class Concatenate(Leaf):
    """Any number of values side by side along one axis.

    Shapes: inputs (..., aᵢ), output (..., Σ aᵢ), for the last axis; the other axes are equal. Along an axis that
        varies, each value follows the true end of the one before.

    Fields:
        axis: by position in the example; −1, the features; 0 puts sequences one after the other.

    Raises:
        NetError: an axis that no value can have.
        SizeError: the other axes differ.

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", 3)
        >>> nw.Graph(nw.Concatenate()(x, nw.Linear(5)(x))).plan.outputs
        {'output': (8,)}

    Torch: torch.cat
    """

    axis: int = -1
    ports = "... a1 -> ... out"
    passes_values = True
    family = "shape"

    def __post_init__(self) -> None:
        if not -MOST_AXES <= self.axis < MOST_AXES:  # the ports name every axis up to it
            raise NetError(
                what=f"a value has at most {MOST_AXES} axes",
                where="Concatenate",
                expected=f"an axis from {-MOST_AXES} to {MOST_AXES - 1}",
                got=f"axis={self.axis!r}",
            )

    def signature(self, count: int) -> str:
        if self.axis < 0:
            before, after = "...", "".join(f" t{i}" for i in range(-self.axis - 1))
        else:
            before, after = " ".join(f"t{i}" for i in range(self.axis)), " *rest"
        values = ", ".join(f"x{i}: {before} a{i}{after}" for i in range(1, count + 1))
        return f"{values} -> {before} out{after}"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        pieces: dict[str, Size | None] = {}
        while (name := f"a{len(pieces) + 1}") in known:
            pieces[name] = known[name]
        open_ = [name for name, size in pieces.items() if size is None]
        total: Size = 0
        for size in pieces.values():
            total = total if size is None else total + size
        if not open_:
            return {"out": total}
        if len(open_) > 1 or known["out"] is None:
            return None
        rest = known["out"] - total
        if isinstance(rest, int) and rest < 1:
            raise Unfit(
                "its inputs are wider than its output together", expected=str(known["out"]), got=f"{total} and more"
            )
        return {open_[0]: rest}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], *x: Tensor, lengths: Lengths = NO_LENGTHS) -> Tensor:
        axis = self.axis if self.axis < 0 else self.axis + 1
        y = torch.cat(x, axis)  # (b, ..., aᵢ) -> (b, ..., Σ aᵢ)
        given = [length_of(lengths, f"a{i}") for i in range(1, len(x))]  # nothing follows the last
        if all(length is None for length in given):
            return y
        to = torch.arange(y.shape[axis], device=y.device)  # (Σ aᵢ,)
        places, end = to.expand(y.shape[0], -1), to.new_zeros(y.shape[0])  # (b, Σ aᵢ), (b,)
        for value, length in zip(x[:-1], given, strict=True):
            size = value.shape[axis]
            end = end + (size if length is None else length)  # (b,)
            if length is not None:  # from its end on, its padding is passed over
                behind = ~inside(end, len(to))  # (b, Σ aᵢ)
                places = places + torch.where(behind, (size - length).unsqueeze(-1), 0)  # (b, Σ aᵢ)
        return picked_elements(y, places.clamp_max(len(to) - 1), axis)  # (b, ..., Σ aᵢ)

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {} if self.axis == -1 else {"x1": (0, 0), "*": (-math.inf, 0)}


class Broadcast(Leaf, abstract=True):
    """What joins any number of values number by number, sizes of 1 and missing leading axes repeated."""

    ports = "x1: *s1 -> *out"
    ignores_padding = True
    family = "shape"

    def signature(self, count: int) -> str:
        return ", ".join(f"x{i}: *s{i}" for i in range(1, count + 1)) + " -> *out"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return broadcast_sizes(known)

    def presume(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return broadcast_ranks(known)

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"*": (0, 0)}


class Add(Broadcast):
    """The sum of any number of values: y = Σᵢ xᵢ, sizes of 1 and missing leading axes repeated.

    Shapes: as numpy broadcasts: aligned at the features, each size the same or 1. A size that is not known yet is
        taken to be that of the other values; so is the number of axes of a state of which nothing else says it.

    Raises: SizeError when sizes differ.

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", 3)
        >>> nw.Graph(nw.Add()(x, nw.Linear()(x))).plan.outputs
        {'output': (3,)}

    Torch: the operator +
    """

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        between = _between(sizes)
        return Kept(in_use=between[-1] if between else 0)

    def forward(self, w: Mapping[str, Tensor], *x: Tensor) -> Tensor:
        y, *rest = aligned_shapes(x)
        for value in rest:
            y = y + value
        return y


class Multiply(Broadcast):
    """The product of any number of values: y = ∏ᵢ xᵢ, sizes of 1 and missing leading axes repeated.

    Shapes: as numpy broadcasts: aligned at the features, each size the same or 1; so one factor a channel scales every
        position. A size that is not known yet is taken to be that of the other values.

    Raises: SizeError when sizes differ.

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", (8, 8, 3))
        >>> gate = nw.Chain(nw.GlobalAvgPool(), nw.Linear(), nw.sigmoid)
        >>> nw.Graph(nw.Multiply()(x, gate(x))).plan.outputs
        {'output': (8, 8, 3)}

    Torch: the operator *
    """

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        between = _between(sizes)
        return Kept(inputs=("*",), factors=True, between=between, in_use=between[-1] if between else 0)

    def forward(self, w: Mapping[str, Tensor], *x: Tensor) -> Tensor:
        y, *rest = aligned_shapes(x)
        for value in rest:
            y = y * value
        return y


class MatMul(Leaf):
    """The matrix product: y = left · right, over the last axis of the left and the one but last of the right.

    Vectors are rows on the left and columns on the right, so it is the inner product of two vectors, a weighted sum of
    rows for a vector and a matrix, and every row's product for a matrix and a vector; leading axes are done one by one.

    Shapes: left (..., n, k), right (..., k, m), output (..., n, m); left (k,) leaves n out, right (k,) leaves m out.

    Raises: SizeError when the axes that are summed over, or the leading ones, differ.

    Example:
        >>> import netwright as nw
        >>> weights, values = nw.Input("weights", 4), nw.Input("values", (4, 3))
        >>> nw.Graph(nw.MatMul()(weights, values)).plan.outputs
        {'output': (3,)}

    Torch: torch.matmul
    """

    ports = "left: *s, right: *t -> *out"
    family = "linear"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        s, t = known["s"], known["t"]
        if s is None or t is None:
            return None
        if not s or not t or (min(len(s), len(t)) > 1 and len(s) != len(t)):
            raise Unfit(
                "its inputs are neither vectors nor have equally many leading axes",
                expected="(..., n, k) and (..., k, m)",
                got=f"{_shape(s)} and {_shape(t)}",
            )
        at = len(t) - min(2, len(t))  # the axis of the right that is summed over
        k = _agreed((s[-1], t[at]), s, t)
        lead = [_agreed(pair, s, t) for pair in zip(s[:-2], t[:-2], strict=True)] if len(s) == len(t) else []
        left = (*(lead or s[:-2]), *s[-2:-1])
        right = (*(lead or t[:-2]), k, *t[at + 1 :]) if len(t) > 1 else (k,)
        top = left if len(s) >= len(t) else right[: len(t) - 2]
        return {"s": (*left, k), "t": right, "out": (*top, *t[at + 1 :])}

    def products(self, sizes: Mapping[str, Any]) -> Any:
        return math.prod((*sizes["out"], sizes["s"][-1]))

    def hides_future(self, path: str) -> tuple[str, ...]:
        return ("mask the scores of later positions with minus infinity before the softmax",)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        left, right = sizes["s"], sizes["t"]
        if len(left) == len(right) or max(len(left), len(right)) < 3:
            return Kept(inputs=("*",), factors=True)
        small, large, other = (left, right, "right") if len(left) < len(right) else (right, left, "left")
        copy = 4 * math.prod((*large[:-2], *small[-2:]))  # one for each matrix of the other
        return Kept(inputs=(other,), bytes=copy, in_use=copy)

    def forward(self, w: Mapping[str, Tensor], left: Tensor, right: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        left = filled(left, lengths_of(lengths, "s", left.ndim - 1)[-1], 0.0, -1)  # (b, ..., n, k)
        row, column = left.ndim == 2, right.ndim == 2
        if row:
            left = left.reshape(
                left.shape[0], *(1,) * max(1, right.ndim - 2), left.shape[-1]
            )  # (b, k) -> (b, ..., 1, k)
        if column:
            right = right.reshape(
                right.shape[0], *(1,) * (left.ndim - 3), right.shape[-1], 1
            )  # (b, k) -> (b, ..., k, 1)
        y = left @ right  # (b, ..., n, k), (b, ..., k, m) -> (b, ..., n, m)
        y = y.squeeze(-1) if column else y  # (b, ..., n, 1) -> (b, ..., n)
        return y.squeeze(-1 if column else -2) if row else y  # (b, ..., 1, m) -> (b, ..., m)


def broadcast_sizes(known: Mapping[str, Any]) -> dict[str, Any] | None:
    """The sizes that broadcasting gives, and back: a size not known yet is that of the other values."""
    values = _values(known)
    shapes: dict[str, tuple[Size | None, ...]] = {name: shape for name, shape in values.items() if shape is not None}
    if len(shapes) < len(values):
        return _last_open(values, known["out"])
    rank = max(map(len, shapes.values()))
    out = known["out"] if known["out"] is not None else (None,) * rank
    if len(out) != rank:
        raise Unfit(
            "its inputs do not have the number of axes of its output",
            expected=f"{len(out)} {'axis' if len(out) == 1 else 'axes'}",
            got=" and ".join(map(_shape, shapes.values())),
        )
    found: list[Size | None] = []
    for back in range(rank, 0, -1):
        sizes = [shape[-back] for shape in shapes.values() if back <= len(shape)]
        found.append(_common(sizes, out[-back], shapes))
    learnt = {
        name: tuple(found[i - len(shape)] if size is None else size for i, size in enumerate(shape))
        for name, shape in shapes.items()
    }
    return {**learnt, "out": tuple(found)}


def _between(sizes: Mapping[str, Any]) -> tuple[Any, ...]:
    """The bytes of what the first two values, three and so on make together, up to all but the last."""
    found: list[Any] = []
    whole: tuple[Any, ...] = ()
    while f"s{len(found) + 2}" in sizes:
        shape = sizes[f"s{len(found) + 1}"]
        rank = max(len(whole), len(shape))
        pairs = zip(*((1,) * (rank - len(side)) + tuple(side) for side in (whole, shape)), strict=True)
        whole = tuple(right if isinstance(left, int) and left == 1 else left for left, right in pairs)
        found.append(4 * math.prod(whole))
    return tuple(found[1:])


def broadcast_ranks(known: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same where nothing else says how many axes a value has: as many as the others have at most."""
    values = _values(known)
    rank = max((len(shape) for shape in values.values() if shape is not None), default=0)
    return {name: (None,) * rank for name, shape in values.items() if shape is None} if rank else None


def _values(known: Mapping[str, Any]) -> dict[str, tuple[Size | None, ...] | None]:
    """The sizes of the values that are given; None where the number of axes is not known."""
    values: dict[str, tuple[Size | None, ...] | None] = {}
    while (name := f"s{len(values) + 1}") in known:
        values[name] = known[name]
    return values


def _last_open(
    values: Mapping[str, tuple[Size | None, ...] | None], out: tuple[Size | None, ...] | None
) -> dict[str, Any] | None:
    """The number of axes of the one value of which it is not known, where all others have fewer than the output."""
    open_ = [name for name, shape in values.items() if shape is None]
    if out is None or len(open_) > 1 or any(shape is not None and len(shape) >= len(out) for shape in values.values()):
        return None
    return {open_[0]: (None,) * len(out)}


def _common(sizes: Sequence[Size | None], out: Size | None, shapes: Mapping[str, Any]) -> Size | None:
    """The one size along an axis, `None` while nothing but ones are known and something is not."""
    given = [size for size in sizes if size is not None and not (isinstance(size, int) and size == 1)]
    if any(not same(given[0], size) for size in given[1:]):
        raise Unfit(
            "its inputs do not have the same sizes",
            expected="equal sizes, or 1, along every axis, counted from the last",
            got=" and ".join(map(_shape, shapes.values())),
        )
    if given:
        return given[0]
    return out if None in sizes else 1


def aligned_shapes(x: Sequence[Tensor]) -> Sequence[Tensor]:
    """The values with axes of size 1 after the batch axis, so that all have the same number of axes."""
    if len({value.ndim for value in x}) == 1:
        return x
    most = max(value.ndim for value in x)
    return [
        value if value.ndim == most else value.reshape(value.shape[0], *(1,) * (most - value.ndim), *value.shape[1:])
        for value in x
    ]


def _agreed(pair: tuple[Size | None, Size | None], s: Sequence[Any], t: Sequence[Any]) -> Size | None:
    """The size that both sides have, as far as one of them is known."""
    left, right = pair
    if left is not None and right is not None and not same(left, right):
        raise Unfit(
            "its inputs cannot be multiplied",
            expected="(..., n, k) and (..., k, m)",
            got=f"{_shape(s)} and {_shape(t)}",
        )
    return right if left is None else left


def _shape(sizes: Sequence[Size | None]) -> str:
    inner = ", ".join("?" if size is None else str(size) for size in sizes)
    return f"({inner},)" if len(sizes) == 1 else f"({inner})"

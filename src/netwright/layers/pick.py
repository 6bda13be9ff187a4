"""Layers in which a value says which elements are taken, or in which order they would stand."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.fields import at_least
from netwright.net.leaf import Kept, Span
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of
from netwright.sizes.notation import MOST_AXES


class Gather(Leaf):
    """The elements of a sequence that indices name: y[i] = input[index[i]]. In a program `x[i]` stands for it.

    Shapes: input (n, *rest), index (*t,) of integers below n, output (*t, *rest).

    Raises: SizeError for an index that is not below n.

    Example:
        >>> import netwright as nw
        >>> pick = nw.Graph(nw.Gather()(nw.Input("x", "3 2"), nw.Input("index", "m <3>")))
        >>> rows = nw.batch([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
        >>> pick({"x": rows, "index": nw.batch([[2, 0]])}).tolist()
        [[[5.0, 6.0], [1.0, 2.0]]]

    Torch: torch.index_select, torch.gather
    """

    ports = "input: n *rest, index: *t <n> -> *out"
    ignores_padding = True
    family = "shape"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        rest, t, out = known["rest"], known["t"], known["out"]
        if t is not None and rest is not None:
            found: dict[str, Any] = {"out": (*t, *rest)}
            if out is not None and len(out) == len(t) + len(rest):
                found |= {"t": tuple(out[: len(t)]), "rest": tuple(out[len(t) :])}
            return found
        return None

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"index": (0, 0)}

    def span(self, port: str, axis: int, run: int, training: bool) -> Span | None:
        """Of the input everything along the axis that is picked from, and along all others what stands there."""
        return (0, 0) if port == "index" or axis >= 0 else None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("index",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, index: Tensor) -> Tensor:
        rows = torch.arange(x.shape[0], device=x.device).view(-1, *(1 for _ in index.shape[1:]))  # (b, 1, ...)
        return x[rows, index.long()]  # (b, n, *rest), (b, *t) -> (b, *t, *rest)


class Ordering(Leaf):
    """The order of the values of a vector: the places of its values from the least to the largest, as indices.

    Equal values keep their order. `nw.Gather` takes the elements in this order, and `nw.Slice((0, 3))` behind it the
    first three. It has no slope.

    Shapes: input (..., k), output (..., k) of integers below k.

    Fields:
        descending: whether the largest value comes first.

    Example:
        >>> import netwright as nw
        >>> nw.Ordering()(nw.batch([[0.3, 0.1, 0.2]])).tolist()
        [[1, 2, 0]]

    Torch: torch.argsort with stable=True
    """

    descending: bool = False
    ports = "... k -> ... k <k>"
    needs_float32 = True
    family = "shape"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        last = float("-inf") if self.descending else float("inf")
        x = filled(x.detach(), length_of(lengths, "k"), last, -1)  # (b, ..., k)
        return x.argsort(dim=-1, descending=self.descending, stable=True)


class Replicate(Leaf):
    """A value several times, along a new axis: `nw.Replicate(3)` of a vector is three equal rows.

    Without a count it takes a second value, and repeats the first for each element of that, such as a vector for each
    element of a sequence.

    Shapes: input (*s,), like (n, ...) if there is no count; output: s with the new axis in its place.

    Fields:
        count: how many times; None, as many as the second value has elements.
        axis: where the new axis stands in the output, counted from the front; 0.

    Raises:
        NetError: a count that is not a whole number of at least 1, an axis that no value can have.
        SizeError: an axis beyond the output's.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Replicate(3), input=4).plan.outputs
        {'output': (3, 4)}
        >>> vector, sequence = nw.Input("vector", 4), nw.Input("sequence", "n 2")
        >>> nw.Graph(nw.Replicate()(vector, sequence)).plan.outputs
        {'output': (n, 4)}

    Torch: torch.Tensor.expand
    """

    count: int | None = None
    axis: int = 0
    ignores_padding = True
    family = "shape"

    def __post_init__(self) -> None:
        if self.count is not None:
            at_least(1, self.count, "the count", "Replicate")
        if not 0 <= self.axis < MOST_AXES:
            raise NetError(
                what=f"a value has at most {MOST_AXES} axes",
                where="Replicate",
                expected=f"an axis from 0 to {MOST_AXES - 1}",
                got=f"axis={self.axis!r}",
            )

    @property
    def ports(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # the ports follow from a field
        """The axes before the new one are named, so that it has its place."""
        before = "".join(f"t{i} " for i in range(self.axis))
        like = ", like: n ..." if self.count is None else ""
        return f"input: {before}*rest{like} -> {before}{'n' if self.count is None else self.count} *rest"

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"*": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return self.count is not None

    def forward(self, w: Mapping[str, Tensor], x: Tensor, like: Tensor | None = None) -> Tensor:
        count = (self.count or 1) if like is None else like.shape[1]
        y = x.unsqueeze(1 + self.axis)  # (b, *t, 1, *rest)
        return y.expand(*y.shape[: 1 + self.axis], count, *y.shape[2 + self.axis :])  # (b, *t, n, *rest)

    def __repr__(self) -> str:
        fields = [] if self.count is None else [str(self.count)]
        return shared_repr(self, f"Replicate({', '.join(fields + ([f'axis={self.axis}'] if self.axis else []))})")

"""Layers that take from a sequence, or move its elements: all of them by the sequence's own end, not the batch's."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from typing import Any

import torch
from torch import Tensor

from netwright.errors import DataError, NetError
from netwright.net.leaf import Kept, Unfit
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, last, length_of, picked_elements
from netwright.sizes.size import Expression


class First(Leaf):
    """The first element of a sequence: y = x₁.

    Shapes: input (n, ...), output (...); indices stay indices.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.First(), input=("n", 3)).plan.outputs
        {'output': (3,)}

    Torch: x[:, 0]
    """

    ports = "n ... -> ..."
    ignores_padding = True
    passes_values = True
    family = "shape"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x[:, 0]  # (b, n, ...) -> (b, ...)


class Last(Leaf):
    """The last element of a sequence: y = xₙ, n being the example's own length.

    Shapes: input (n, ...), output (...); indices stay indices.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Last(), input=("n", 3)).plan.outputs
        {'output': (3,)}

    Torch: x[:, -1] where nothing is padded
    """

    ports = "n ... -> ..."
    passes_values = True
    family = "shape"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",)) if isinstance(sizes["n"], Expression) else Kept()  # gathered where ends differ

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        return last(x, length_of(lengths, "n"))  # (b, n, ...) -> (b, ...)


class OneLess(Leaf, abstract=True):
    """What takes one element away from a sequence."""

    ports = "n ... -> m ..."
    ignores_padding = True
    passes_values = True
    family = "shape"

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        n, m = known["n"], known["m"]
        if isinstance(n, int) and n < 2:
            raise Unfit("it leaves nothing of its input", expected="at least 2 elements", got="1 element")
        return {"m": None if n is None else n - 1, "n": None if m is None else m + 1}


class DropLast(OneLess):
    """All elements of a sequence but the last: y = x₁ … xₙ₋₁.

    Shapes: input (n, ...), output (n − 1, ...); indices stay indices.

    Raises: SizeError for a sequence of one element.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.DropLast(), input=("n", 3)).plan.outputs
        {'output': (n - 1, 3)}

    Torch: x[:, :-1]
    """

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x[:, :-1]  # (b, n, ...) -> (b, n − 1, ...)


class DropFirst(OneLess):
    """All elements of a sequence but the first: y = x₂ … xₙ.

    Shapes: input (n, ...), output (n − 1, ...); indices stay indices.

    Raises: SizeError for a sequence of one element.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.DropFirst(), input=("n", 3)).plan.outputs
        {'output': (n - 1, 3)}

    Torch: x[:, 1:]
    """

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (1, 1)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def is_view(self, training: bool) -> bool:
        return True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x[:, 1:]  # (b, n, ...) -> (b, n − 1, ...)


class Reverse(Leaf):
    """A sequence from its last element to its first: yᵢ = xₙ₊₁₋ᵢ, n being the example's own length.

    Shapes: input (n, ...), output (n, ...); indices stay indices.

    Example:
        >>> import netwright as nw
        >>> nw.Reverse()(nw.batch([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 2.0, 1.0]]

    Torch: torch.flip where nothing is padded
    """

    ports = "n ... -> n ..."
    passes_values = True
    family = "shape"
    reverses = True

    def hides_future(self, path: str) -> tuple[str, ...]:
        around, _, own = path.rpartition("/")
        return (f"leave out nw.Bidirectional at {around}" if own == "turn" else f"leave out {path}",)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        length = length_of(lengths, "n")
        if length is None:
            return x.flip(1)  # (b, n, ...)
        places = torch.arange(x.shape[1], device=x.device)  # (n,)
        turned = length.unsqueeze(-1) - 1 - places  # (b, n); below zero behind the end, where anything will do
        return picked_elements(x, torch.where(turned < 0, places, turned))  # (b, n, ...)


class Delay(Leaf):
    """A sequence some positions later: yᵢ = xᵢ₋ₛ, and `fill` where there is no such element.

    One position later, an output cannot see its own input: what a net needs that is to predict its input.

    Shapes: input (n, ...), output (n, ...); indices stay indices.

    Fields:
        by: s, in positions; 1, the least that hides an element from itself. Negative moves towards the beginning, so
            that every output sees what is to come.
        fill: what stands where nothing came from; 0, the mean of standardized data. For indices, a whole number below
            theirs.

    Raises:
        NetError: a delay by 0, which does nothing.
        DataError: a fill between two indices.

    Example:
        >>> import netwright as nw
        >>> nw.Delay()(nw.batch([[1.0, 2.0, 3.0]])).tolist()
        [[0.0, 1.0, 2.0]]

    Torch: torch.roll and a fill
    """

    by: int = 1
    _: KW_ONLY
    fill: float = 0.0
    ports = "n ... -> n ..."
    passes_values = True
    family = "sequence"

    def __post_init__(self) -> None:
        if type(self.by) is not int or self.by == 0:
            raise NetError(
                what="a delay is by a whole number of positions, not 0", where="Delay", got=repr(self.by), mend="1"
            )

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"before": self.by} if self.by > 0 else {}

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"input": (-self.by, -self.by)}

    def memory(self) -> Mapping[str, str] | None:
        """The inputs that come out next, where they come out later."""
        return {"past": "before ..."} if self.by > 0 else None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        stay = max(x.shape[1] - abs(self.by), 0)
        empty = self._empty(x, x.shape[1] - stay)  # (b, n − stay, ...)
        if self.by > 0:
            return torch.cat([empty, x[:, :stay]], 1)  # (b, n, ...)
        y = torch.cat([x[:, x.shape[1] - stay :], empty], 1)  # (b, n, ...)
        length = length_of(lengths, "n")
        return filled(y, None if length is None else length + self.by, self.fill)  # (b, n, ...)

    def step(
        self, w: Mapping[str, Tensor], memory: Mapping[str, Tensor] | None, *inputs: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        (x,) = inputs  # (b, n, ...)
        past = self._empty(x, self.by) if memory is None else memory["past"]  # (b, before, ...)
        both = torch.cat([past, x], 1)  # (b, before + n, ...)
        return both[:, : x.shape[1]], {"past": both[:, x.shape[1] :]}  # (b, n, ...), (b, before, ...)

    def _empty(self, x: Tensor, count: int) -> Tensor:
        """So many elements of nothing but the fill."""
        if not x.is_floating_point() and self.fill % 1:
            raise DataError(
                what="indices cannot be filled with what is no whole number",
                where="Delay",
                got=repr(self.fill),
                mend="nw.Delay(fill=0), or another index",
            )
        return x.new_full((x.shape[0], count, *x.shape[2:]), self.fill)  # (b, count, ...)

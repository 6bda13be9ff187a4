"""Functions of two values, number by number: division, powers, comparisons and their like."""

from collections.abc import Callable, Collection, Mapping
from math import inf
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.layers.join import aligned_shapes, broadcast_ranks, broadcast_sizes
from netwright.net.leaf import Kept
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run, lengths_of

FUNCTIONS_OF_TWO: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    name: getattr(torch, name)
    for name in (
        *("sub", "div", "pow", "remainder", "maximum", "minimum", "atan2", "hypot", "logaddexp"),
        *("lt", "le", "gt", "ge", "eq", "ne"),
    )
}
"""The functions by their names in torch."""

COMPARISONS = {"lt", "le", "gt", "ge", "eq", "ne"}
"""The functions whose result is 1 or 0."""

ENDLESS = {"div", "pow", "remainder", "atan2", "hypot"}
"""The functions that are infinite, or no number, or have no slope at some values: padding is replaced before."""

NAMES_OF_TWO = {f: name for name, f in FUNCTIONS_OF_TWO.items()}


class Pairwise(Leaf):
    """A function of two values, number by number: y = f(left, right), sizes of 1 and missing leading axes repeated.

    In a program the operators `/ ** %` and the comparisons `< <= > >= == !=` stand for it. A comparison gives 1
    where it is true and 0 elsewhere, and has no slope.

    Shapes: as numpy broadcasts: aligned at the features, each size the same or 1. A size that is not known yet is taken
        to be that of the other value.

    Fields:
        function: the name of a function of torch, or the function itself: `"sub"`, `"div"`, `"pow"`, `"remainder"`,
            `"maximum"`, `"minimum"`, `"atan2"`, `"hypot"`, `"logaddexp"`, and `"lt"`, `"le"`, `"gt"`, `"ge"`, `"eq"`,
            `"ne"`.

    Raises:
        NetError: another function.
        SizeError: sizes that differ.

    Example:
        >>> import netwright as nw
        >>> @nw.program(input=2)
        ... def shares(x):
        ...     return x / nw.Sum()(x)
        >>> shares((1.0, 3.0)).tolist(), shares.paths
        ([0.25, 0.75], ('sum1', 'div1'))

    Torch: torch.div and its like
    """

    function: str | Callable[..., Any]
    ports = "left: *s1, right: *s2 -> *out"
    family = "shape"

    def __post_init__(self) -> None:
        name = self.function if isinstance(self.function, str) else NAMES_OF_TWO.get(self.function, "")
        if name not in FUNCTIONS_OF_TWO:
            near = self.function if isinstance(self.function, str) else getattr(self.function, "__name__", "")
            raise NetError(
                what="this is not a known function of two values",
                where="Pairwise",
                expected=", ".join(FUNCTIONS_OF_TWO),
                got=repr(self.function),
                mend=(did_you_mean(near, FUNCTIONS_OF_TWO), "nw.Function(f, '…, … -> …') for one of your own"),
            )
        object.__setattr__(self, "function", name)

    @property
    def kind_name(self) -> str:
        """The function's name: `div1` in a path."""
        return str(self.function)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return broadcast_sizes(known)

    def presume(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        return broadcast_ranks(known)

    def bounds(self) -> tuple[float, float]:
        return (0, 1) if self.function in COMPARISONS else (-inf, inf)

    def reach(self, training: bool) -> Mapping[str, tuple[float, float]]:
        return {"*": (0, 0)}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        if self.function in COMPARISONS | {"sub"}:
            return Kept()
        return Kept(inputs=("*",), outputs=("*",) if self.function in ("pow", "hypot") else ())

    def forward(self, w: Mapping[str, Tensor], left: Tensor, right: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        if lengths and self.function in ENDLESS:
            left = ended_run(left, lengths_of(lengths, "s1", left.ndim - 1))  # (b, *s1)
            right = ended_run(right, lengths_of(lengths, "s2", right.ndim - 1))  # (b, *s2)
        left, right = aligned_shapes((left, right))
        y = FUNCTIONS_OF_TWO[str(self.function)](left, right)  # (b, *out)
        return y.to(left.dtype) if y.dtype == torch.bool else y

    def __repr__(self) -> str:
        return shared_repr(self, f"Pairwise({self.function!r})")

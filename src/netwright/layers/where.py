"""Choosing between two values in the running net: what an `if` on a value would be."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.net.leaf import Kept
from netwright.net.part import Leaf, shared_repr


class Where(Leaf):
    """One of two values at every position: y = a where condition > 0, else b.

    Shapes: condition (...), a (...), b (...), all of one size; output (...).

    Example:
        >>> import netwright as nw
        >>> x = nw.Input("x", 2)
        >>> size = nw.Graph(nw.where(x, x, -x))
        >>> size((3.0, -4.0)).tolist()
        [3.0, 4.0]

    Torch: torch.where
    """

    ports = "condition: ..., a: ..., b: ... -> ..."
    family = "shape"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=math.prod(sizes["..."]))  # which of the two, as bool

    def forward(self, w: Mapping[str, Tensor], condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(condition > 0, a, b)

    def __repr__(self) -> str:
        return shared_repr(self, "where")


where = Where()
"""`nw.where(condition, a, b)` on values of a net that is being drawn: `a` where the condition is above 0."""

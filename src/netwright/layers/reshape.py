"""Layers that move values about and change none of them."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netwright.net.part import Leaf
from netwright.sizes.size import Size


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

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        s: tuple[Size | None, ...] | None = known["s"]
        if s is None or any(size is None for size in s):
            return None
        return {"out": math.prod(s)}  # type: ignore[arg-type]  # sizes multiply like numbers

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x.flatten(1) if x.ndim > 1 else x.unsqueeze(1)  # (b, *s) -> (b, out)

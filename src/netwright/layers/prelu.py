"""ReLU with a slope that is learned."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.inits import Fans
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf


class PReLU(Leaf):
    """ReLU with a learned slope below 0, one for each feature: y = max(0, x) + weight · min(0, x).

    Shapes: input (..., c), output (..., c); weight (c,), or (1,) with one slope for all.

    Fields:
        per_feature: whether each feature has a slope of its own; True. False, torch's default, is one for all.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(nw.PReLU(), input=2))
        >>> net(nw.batch([[-1.0, 1.0]])).tolist()
        [[-0.25, 1.0]]

    Source: He et al. 2015, arXiv 1502.01852
    Torch: torch.nn.PReLU
    """

    _: KW_ONLY
    per_feature: bool = True
    ports = "... c -> ... c"
    ignores_padding = True
    family = "pointwise"

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("c" if self.per_feature else "one", quarters)}

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"one": 1}

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return F.prelu(x.movedim(-1, 1), w["weight"]).movedim(1, -1)  # (b, ..., c) -> (b, c, ...) -> (b, ..., c)


def quarters(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
    """All a quarter: the slopes of `PReLU` in the paper."""
    return torch.full(shape, 0.25, dtype=torch.float32, device="cpu")

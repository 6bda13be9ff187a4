"""From indices to vectors: learned ones, or unit vectors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.inits import normal, ones
from netwright.layers.linear import Linear
from netwright.net.leaf import Kept, LeafFault, LeafNode, Weight
from netwright.net.part import Leaf
from netwright.sizes.free import FREE, Free


class Embedding(Leaf):
    """A learned vector for every index: y = weight[x].

    Shapes: input (...) of integers below count, output (..., out); weight (count, out). The encoder's vocabulary says
        count.

    Fields:
        out: length of the vectors; FREE takes it from what follows.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.Embedding(64), input="20 <90>").plan.outputs
        {'output': (20, 64)}

    Torch: torch.nn.Embedding
    """

    out: int | Free = FREE
    ports = "... <count> -> ... out"
    family = "linear"

    def weights(self) -> dict[str, Weight]:
        return {"weight": Weight("count out", normal)}

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        return iter([Linear(self.out)] if fault == "numbers" else [])

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return F.embedding(x.long(), w["weight"])  # (b, ...) -> (b, ..., out)


class OneHot(Leaf):
    """A unit vector for every index: 1 at the index, 0 elsewhere.

    Shapes: input (...) of integers below count, output (..., count); one (count,), a fixed array of ones. The
        encoder's vocabulary says count.

    Example:
        >>> import netwright as nw
        >>> nw.initialize(nw.Chain(nw.OneHot(), input="<3>"))(1)
        tensor([0., 1., 0.])

    Torch: torch.nn.functional.one_hot
    """

    ports = "... <count> -> ... count"
    family = "linear"

    def weights(self) -> dict[str, Weight]:
        return {"one": Weight("count", ones, kind="fixed")}

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        return iter([Linear()] if fault == "numbers" else [])

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept()

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        places = torch.arange(len(w["one"]), device=x.device)
        return (x.unsqueeze(-1) == places) * w["one"]  # (b, ...) -> (b, ..., count)

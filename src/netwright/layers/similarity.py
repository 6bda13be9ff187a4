"""Losses of vectors that are compared by the angle between them."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.errors import NetError
from netwright.layers.losses import mean_of_each
from netwright.net.leaf import Kept
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of

NEAR_ZERO = 1e-8  # lengths of vectors below count as this, as in torch


class CosineLoss(Leaf):
    """How far two vectors point in different directions: loss = mean 1 − cos(input, target), from 0 to 2.

    cos(x, y) = x · y / (‖x‖ ‖y‖), where a length below 10⁻⁸ counts as that.

    Shapes: input (*s, d), target (*s, d), loss ().

    Example:
        >>> import netwright as nw
        >>> nw.CosineLoss()({"input": nw.batch([[1.0, 0.0]]), "target": nw.batch([[0.0, 3.0]])}).tolist()
        [1.0]

    Torch: torch.nn.CosineEmbeddingLoss, of vectors that are alike
    """

    ports = "input: *s d, target: *s d -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=8 * math.prod(sizes["s"]) * (sizes["d"] + 2))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        width = length_of(lengths, "d")
        x, target = filled(x, width, 0.0, -1), filled(target, width, 0.0, -1)  # (b, *s, d)
        return mean_of_each(1 - F.cosine_similarity(x, target, -1, NEAR_ZERO), lengths)  # (b, *s) -> (b,)


class InfoNCE(Leaf):
    """Finds for each of n vectors its partner among n others, and the other way round, as in CLIP.

    With the scores sᵢⱼ = cos(inputᵢ, otherⱼ) / temperature: loss = mean over i of −½ log softmax_j(sᵢⱼ) at j = i
    − ½ log softmax_j(sⱼᵢ) at j = i.

    The n pairs are one example: the others of it are what a pair is told from. So the loss of an example never depends
    on what else is in its batch.

    Shapes: input (n, d), other (n, d), loss ().

    Fields:
        temperature: what scores are divided by, above 0; 0.07, with which CLIP starts.

    Raises: NetError for a temperature that is not above 0.

    Example:
        >>> import netwright as nw
        >>> pairs = {"input": nw.batch([[[1.0, 0.0], [0.0, 1.0]]]), "other": nw.batch([[[2.0, 0.0], [0.0, 3.0]]])}
        >>> round(float(nw.InfoNCE(1.0)(pairs)), 4)
        0.3133

    Source: van den Oord et al. 2018, arXiv 1807.03748; both ways: Radford et al. 2021, arXiv 2103.00020
    """

    temperature: float = 0.07
    ports = "input: n d, other: n d -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise NetError(what="a temperature is above 0", where="InfoNCE", got=repr(self.temperature))

    def products(self, sizes: Mapping[str, Any]) -> Any:
        return sizes["n"] * sizes["n"] * sizes["d"]

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        n, d = sizes["n"], sizes["d"]
        return Kept(inputs=("*",), bytes=8 * n * (d + n + 2))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, other: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        own, width = length_of(lengths, "n"), length_of(lengths, "d")
        x, other = (F.normalize(filled(v, width, 0.0, -1), dim=-1, eps=NEAR_ZERO) for v in (x, other))  # (b, n, d)
        scores = x @ other.transpose(1, 2) / self.temperature  # (b, n, d), (b, d, n) -> (b, n, n)
        ways = [filled(s, own, -math.inf, -1).log_softmax(-1) for s in (scores, scores.transpose(1, 2))]  # (b, n, n)
        found = torch.stack([way.diagonal(dim1=1, dim2=2) for way in ways]).mean(0)  # (b, n)
        return mean_of_each(-filled(found, own, 0.0), {"s": (own,)})  # (b, n) -> (b,)

"""The loss of probabilities that are compared with probabilities, which is 0 where they are equal."""

import math
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, replace
from typing import Any

import torch
from torch import Tensor

from netwright.layers.losses import SMALLEST, mean_of_each
from netwright.layers.pointwise import is_softmax, log_softmax_of
from netwright.net.leaf import Kept, LeafNode
from netwright.net.part import Leaf
from netwright.net.run.padding import NO_LENGTHS, Lengths, filled, length_of, lengths_of


class KLDivergence(Leaf):
    """By how much probabilities differ from those of the target: loss = mean Σ t (log t − log p).

    It is in nats. It is the cross entropy less the least that this can be, so the gradients are the same. The input p
    is probabilities, as softmax gives them; where one comes right before, the plan computes both from the logits.
    Alone, a probability below 10⁻³⁰ counts as that. A target t of 0 adds nothing.

    Shapes: input (*s, k), target (*s, k), loss ().

    Fields:
        logits: whether the input is the logits instead; off, since nets end in softmax, which the plan merges with the
            loss by this option.

    Example:
        >>> import netwright as nw
        >>> pair = {"input": nw.batch([[0.5, 0.5]]), "target": nw.batch([[1.0, 0.0]])}
        >>> round(float(nw.KLDivergence()(pair)), 4)
        0.6931

    Torch: torch.nn.KLDivLoss(reduction="batchmean"), which takes logarithms of probabilities
    """

    _: KW_ONLY
    logits: bool = False
    ports = "input: *s k, target: *s k -> loss: ()"
    needs_float32 = True
    is_loss = True
    family = "loss"

    def merged_with(self, before: LeafNode) -> tuple[LeafNode, ...] | None:
        return (replace(self, logits=True),) if not self.logits and is_softmax(before) else None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        one = 4 * math.prod((*sizes["s"], sizes["k"]))
        return Kept(inputs=("target",), bytes=one) if self.logits else Kept(inputs=("*",), bytes=2 * one)

    def forward(self, w: Mapping[str, Tensor], x: Tensor, target: Tensor, *, lengths: Lengths = NO_LENGTHS) -> Tensor:
        classes = length_of(lengths, "k")
        logs = log_softmax_of(x, classes) if self.logits else x.clamp_min(SMALLEST).log()  # (b, *s, k)
        near = filled(target.to(logs.dtype), classes, 1.0, -1)  # (b, *s, k)
        for i, length in enumerate(lengths_of(lengths, "s", near.ndim - 2)):
            near = filled(near, length, 1.0, 1 + i)  # the slope at 0 is infinite
        each = torch.special.xlogy(near, near) - near * logs  # (b, *s, k)
        return mean_of_each(filled(each, classes, 0.0, -1).sum(-1), lengths)  # (b, *s, k) -> (b, *s) -> (b,)

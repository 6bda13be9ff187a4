"""Dropout: values left out at random in training, by noise that does not depend on the batch."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.net.leaf import Kept
from netwright.net.part import Leaf
from netwright.net.run.noise import Noise

SELU_FLOOR = -1.7580993408473766  # −scale · α of SELU: what it gives for very negative values


class Dropout(Leaf):
    """In training every value is 0 with probability `rate`, else x / (1 − rate); in use y = x.

    The noise is keyed by seed, step, part, example and position, so an example is treated alike in every batch.

    Shapes: input (...), output (...).

    Fields:
        rate: the share of values that is dropped, 0 up to, not with, 1; 0.5, the rate of the paper for hidden layers.

    Raises: NetError for a rate outside of that.

    Example:
        >>> import netwright as nw
        >>> sorted(set(nw.Dropout()(nw.batch([[1.0] * 50]), training=True)[0].tolist()))
        [0.0, 2.0]

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"
    Torch: torch.nn.Dropout
    """

    rate: float = 0.5
    ports = "... -> ..."
    family = "norm"

    def __post_init__(self) -> None:
        check_rate(self, self.rate)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=4 * math.prod(sizes["..."]) if self.rate else 0)

    def is_view(self, training: bool) -> bool:
        return not training or self.rate == 0

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, training: bool, random: Noise | None) -> Tensor:
        if not training or self.rate == 0:
            return x
        return x * kept_mask(random, self.rate, x).to(x.dtype) / (1 - self.rate)  # (b, ...)


class AlphaDropout(Leaf):
    """Dropout for nets of SELU: dropped values become SELU's floor α′, and y = a · x + b keeps mean 0 and variance 1.

    α′ ≈ −1.758, a = ((1 − rate)(1 + rate · α′²))^(−½), b = −a · α′ · rate. In use y = x.

    Shapes: input (...), output (...).

    Fields:
        rate: the share of values that is dropped, 0 up to, not with, 1; 0.1, as in the paper's experiments.

    Raises: NetError for a rate outside of that.

    Example:
        >>> import netwright as nw
        >>> nw.AlphaDropout()(nw.batch([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]

    Source: Klambauer et al. 2017, arXiv 1706.02515
    Torch: torch.nn.AlphaDropout
    """

    rate: float = 0.1
    ports = "... -> ..."
    family = "norm"

    def __post_init__(self) -> None:
        check_rate(self, self.rate)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(bytes=math.prod(sizes["..."]) if self.rate else 0)

    def is_view(self, training: bool) -> bool:
        return not training or self.rate == 0

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, training: bool, random: Noise | None) -> Tensor:
        if not training or self.rate == 0:
            return x
        a = ((1 - self.rate) * (1 + self.rate * SELU_FLOOR**2)) ** -0.5
        b = -a * SELU_FLOOR * self.rate
        return torch.where(kept_mask(random, self.rate, x), a * x + b, a * SELU_FLOOR + b)


def kept_mask(random: Noise | None, rate: float, x: Tensor) -> Tensor:
    """Which values stay."""
    assert random is not None  # a run in training mode has noise
    return random.kept(tuple(x.shape), rate)


def check_rate(leaf: Leaf, rate: float) -> None:
    """Refuse what is not a share below all."""
    if not 0 <= rate < 1:
        raise NetError(
            what="a rate is a share of the values, from 0 up to, not with, 1", where=type(leaf).__name__, got=repr(rate)
        )

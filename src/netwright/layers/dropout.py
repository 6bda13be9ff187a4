"""Dropout: values left out at random in training, by noise that does not depend on the batch."""

import math
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor

from netwright.errors import NetError, did_you_mean
from netwright.net.leaf import Kept
from netwright.net.part import Leaf
from netwright.net.run.noise import Noise

Unit: TypeAlias = Literal["value", "feature", "example"]

SELU_FLOOR = -1.7580993408473766  # −scale · α of SELU: what it gives for very negative values


class Dropout(Leaf):
    """In training every value is 0 with probability `rate`, else x / (1 − rate); in use y = x.

    The noise is keyed by seed, step, part, example and position, so an example is treated alike in every batch. Instead
    of single values, whole features or whole examples can be dropped: then what is kept or dropped is so at all
    positions.

    Shapes: input (...), output (...).

    Fields:
        rate: the share of values that is dropped, 0 up to, not with, 1; 0.5, the rate of the paper for hidden layers.
        unit: what is dropped as a whole: `"value"`; `"feature"`, a feature at all positions, since neighbours in a
            picture say nearly the same (spatial dropout); `"example"`, everything, at the end of the branch of a
            `nw.Residual`, so that the example passes it by (stochastic depth, or drop path).

    Raises: NetError for a rate outside of that, or another unit.

    Example:
        >>> import netwright as nw
        >>> sorted(set(nw.Dropout()(nw.batch([[1.0] * 50]), training=True)[0].tolist()))
        [0.0, 2.0]

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"; features:
        Tompson et al. 2015, arXiv 1411.4280; examples: Huang et al. 2016, arXiv 1603.09382
    Torch: torch.nn.Dropout; torch.nn.Dropout1d, Dropout2d and Dropout3d for features
    """

    rate: float = 0.5
    _: KW_ONLY
    unit: Unit = "value"
    ports = "... -> ..."
    family = "norm"

    def __post_init__(self) -> None:
        check_rate(self, self.rate)
        if self.unit not in get_args(Unit):
            raise NetError(
                what="there is no such unit to drop",
                where="Dropout",
                expected=", ".join(map(repr, get_args(Unit))),
                got=repr(self.unit),
                mend=did_you_mean(self.unit, get_args(Unit)),
            )

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        shape = sizes["..."]
        units = {"value": shape, "feature": shape[-1:], "example": ()}[self.unit]
        return Kept(bytes=4 * math.prod(units) if self.rate else 0)

    def is_view(self, training: bool) -> bool:
        return not training or self.rate == 0

    def absorbed_by(self, before: Mapping[str, Any], w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return before

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, training: bool, random: Noise | None) -> Tensor:
        if not training or self.rate == 0:
            return x
        kept = kept_mask(random, self.rate, self._units(x))  # (b, ...), (b, 1, …, c), or (b, 1, …, 1)
        return x * kept.to(x.dtype) / (1 - self.rate)  # (b, ...)

    def _units(self, x: Tensor) -> tuple[int, ...]:
        """The shape of what is kept or dropped, with 1 along the axes of which all is treated alike."""
        if self.unit == "value" or x.ndim == 1:
            return tuple(x.shape)
        return (x.shape[0], *(1,) * (x.ndim - 2), x.shape[-1] if self.unit == "feature" else 1)


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

    def absorbed_by(self, before: Mapping[str, Any], w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return before

    def forward(self, w: Mapping[str, Tensor], x: Tensor, *, training: bool, random: Noise | None) -> Tensor:
        if not training or self.rate == 0:
            return x
        a = ((1 - self.rate) * (1 + self.rate * SELU_FLOOR**2)) ** -0.5
        b = -a * SELU_FLOOR * self.rate
        return torch.where(kept_mask(random, self.rate, tuple(x.shape)), a * x + b, a * SELU_FLOOR + b)


def kept_mask(random: Noise | None, rate: float, shape: tuple[int, ...]) -> Tensor:
    """Which values of this shape, (b, …), stay."""
    assert random is not None  # a run in training mode has noise
    return random.kept(shape, rate)


def check_rate(leaf: Leaf, rate: float) -> None:
    """Refuse what is not a share below all."""
    if not 0 <= rate < 1:
        raise NetError(
            what="a rate is a share of the values, from 0 up to, not with, 1", where=type(leaf).__name__, got=repr(rate)
        )

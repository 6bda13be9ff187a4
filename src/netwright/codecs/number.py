"""Plain numbers, one or several: standardized on the way in, back in their own unit on the way out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Answer, Codec, encoded_together
from netwright.codecs.numeric import (
    ColumnMoments,
    all_finite,
    described,
    exact,
    is_array,
    per_component,
    plain_number,
    scale_of,
    time_as_number,
)
from netwright.codecs.reading import Reading
from netwright.errors import DataError
from netwright.fields import at_least
from netwright.sizes.free import FREE, Free


class Number(Codec):
    """A number, standardized: (x − mean) / deviation on the way in, y · deviation + mean on the way out.

    The mean is subtracted in double precision, so that large numbers such as times stay different; the net sees
    float32, about seven digits of the result.

    Shapes:
        `encode` gives `1`; `decode` takes `1`.

    Fields:
        mean: what is subtracted, in the unit of the numbers; by default the mean of the training data.
        deviation: what is divided by, in the same unit, above 0; by default the standard deviation of the training
            data about its mean, and 1 if all numbers are equal. `Number(0, 1)` does not change numbers.

    Raises:
        NetError: a deviation that is not above 0.
        DataError: what is not a number; NaN, infinity, or beyond float32.

    Example:
        >>> celsius = Number(mean=20, deviation=5)
        >>> celsius.prepare(celsius.encode(30))
        tensor([2.])
        >>> celsius.decode(torch.tensor([-1.0]))
        15.0
    """

    mean: float | Free = FREE
    deviation: float | Free = FREE

    def __post_init__(self) -> None:
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), 1))

    @property
    def scale(self) -> tuple[Any, Any] | None:
        return scale_of(self.mean, self.deviation)

    @property
    def answer(self) -> Answer:
        return "numbers"

    @property
    def encoded(self) -> str:
        return "1"

    @property
    def decoded(self) -> str:
        return "1"

    def encode(self, raw: Any) -> Tensor:
        value = plain_number(raw[0] if is_array(raw) and tuple(raw.shape) == (1,) else raw)
        if type(value) not in (int, float):
            mend = "Boolean() is the codec for True and False" if type(value) is bool else time_as_number(value)
            raise DataError(what="this is not a number", expected="int or float", got=described(value), mend=mend)
        return _finite(exact(value)).reshape(1)

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        if isinstance(raws, np.ndarray) and raws.dtype.kind == "O":
            raws = raws.tolist()  # cells of any type
        if is_array(raws):
            fast = tuple(raws.shape) in ((len(raws),), (len(raws), 1)) and not str(raws.dtype).endswith("bool")
        else:
            fast = set(map(type, raws)) <= {int, float}
        if fast and len(raws):
            try:
                return _finite(exact(raws)).reshape(-1, 1)
            except DataError:
                pass  # once more, row by row, to name the row
        return torch.stack(self._encode_rows(raws))

    def prepare(self, stored: Tensor) -> Tensor:
        return ((stored - self._known("mean")) / self._known("deviation")).float()

    def read(self, output: Tensor, reading: Reading) -> float:
        self._check_decision(reading)
        return float(output) * self._known("deviation") + self._known("mean")

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        moments = ColumnMoments()
        for rows in self._encoded_pieces(raws):
            moments.add(rows)
        mean = moments.mean[0] if self.mean is FREE else self.mean
        deviation = moments.deviation[0] if self.deviation is FREE else self.deviation
        return replace(self, mean=mean, deviation=deviation)


class Vector(Codec):
    """Several numbers, each standardized by itself: (x − mean) / deviation, and back on the way out.

    The mean is subtracted in double precision; the net sees float32, about seven digits of the result.

    Shapes:
        `encode` gives `size`; `decode` takes `size`, and gives a numpy array of float64.

    Fields:
        size: how many numbers; by default as many as in the training data.
        mean: what is subtracted, one number for all or one for each component; by default the training data's, for
            each component.
        deviation: what is divided by, above 0, likewise; 1 for a component that is constant in the training data.
            `Vector(4, mean=0, deviation=1)` does not change numbers.

    Raises:
        NetError: a size below 1; a mean or deviation of another size; a deviation that is not above 0.
        DataError: what is not one list of `size` numbers; NaN, infinity, or beyond float32, with its component.

    Example:
        >>> Vector().fit([[1, 10], [3, 10]])
        Vector(2, (2.0, 10.0), (1.0, 1.0))
    """

    size: int | Free = FREE
    mean: float | Iterable[float] | Free = FREE
    deviation: float | Iterable[float] | Free = FREE

    def __post_init__(self) -> None:
        if self.size is not FREE:
            at_least(1, self.size, "the number of components", "Vector")
        for name in ("mean", "deviation"):
            value = per_component(name, getattr(self, name), self.size)
            object.__setattr__(self, name, value)
            if isinstance(value, tuple) and self.size is FREE:
                object.__setattr__(self, "size", len(value))

    @property
    def scale(self) -> tuple[Any, Any] | None:
        return scale_of(self.mean, self.deviation)

    @property
    def answer(self) -> Answer:
        return "numbers"

    @property
    def encoded(self) -> str:
        return self.decoded

    @property
    def decoded(self) -> str:
        return "?" if self.size is FREE else str(self.size)

    def encode(self, raw: Any) -> Tensor:
        values = exact(raw)
        if values.ndim != 1 or (self.size is not FREE and len(values) != self.size):
            raise DataError(
                what="this is not a vector of the right size",
                expected=f"{'some' if self.size is FREE else self.size} numbers in a row",
                got=f"shape {tuple(values.shape)}",
            )
        return _finite(values)

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        together = encoded_together(raws, self._checked_rows)
        return torch.stack(self._encode_rows(raws)) if together is None else together

    def prepare(self, stored: Tensor) -> Tensor:
        mean, deviation = self._statistic("mean"), self._statistic("deviation")
        return ((stored - mean.to(stored)) / deviation.to(stored)).float()

    def read(self, output: Tensor, reading: Reading) -> np.ndarray:
        self._check_decision(reading)
        return (output.double() * self._statistic("deviation") + self._statistic("mean")).numpy()

    def takes(self, raw: Any) -> bool:
        if is_array(raw):
            return raw.ndim == 1
        return isinstance(raw, list | tuple) and all(getattr(item, "ndim", 0) == 0 and _flat(item) for item in raw)

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        moments, size = ColumnMoments(), self.size
        for rows in self._encoded_pieces(raws):
            moments.add(rows)
            size = rows.shape[1]
        mean = moments.mean if self.mean is FREE else self.mean
        deviation = moments.deviation if self.deviation is FREE else self.deviation
        return replace(self, size=size, mean=mean, deviation=deviation)

    def _checked_rows(self, raws: Any) -> Tensor:
        """An array of many vectors, encoded."""
        if raws.ndim != 2 or self.size not in (FREE, raws.shape[1]):
            raise DataError(what="these are not vectors of the right size")
        return _finite(exact(raws))

    def _statistic(self, name: str) -> Tensor:
        return torch.tensor(self._known(name), dtype=torch.float64, device="cpu")


def _flat(item: object) -> bool:
    return not isinstance(item, list | tuple)


def _finite(values: Tensor) -> Tensor:
    if not all_finite(values):
        place = [int(i) for i in (~values.isfinite()).nonzero()[0]]
        value = float(values[tuple(place)])
        raise DataError(
            what=f"the value is {'NaN' if math.isnan(value) else 'infinite'}",
            where=f"component {place[-1]}" if place else "",
            expected="a finite number",
            got=f"{value}",
            mend="leave such examples out, or fill in a value",
        )
    return values

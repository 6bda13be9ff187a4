"""Dates and times: how late they are, and where in the year, the week and the day."""

import contextlib
import datetime
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Codec, by_row
from netwright.codecs.numeric import ColumnMoments, described, per_component
from netwright.codecs.reading import Reading
from netwright.errors import DataError
from netwright.sizes.free import FREE, Free

START = datetime.datetime(1970, 1, 1)
DAY = 86_400  # seconds
YEAR, WEEK = 365.2425, 7  # days


class Date(Codec):
    """A date or a time: the days since 1970, standardized, and sine and cosine of the year, the week and the day.

    The numbers are (days − mean) / deviation, then sin and cos of 2π · days / 365.2425, of 2π · days / 7, and of
    2π · days, so that the last day of a year stands beside the first day of the next one. A time counts as its clock
    shows it; its zone is not read.

    Shapes:
        `encode` gives `7`.

    Fields:
        mean: what is subtracted, in days since 1970; by default the mean of the training data.
        deviation: what is divided by, in days; by default the standard deviation of the training data, and 1 if all
            are equal.

    Raises:
        DataError: what is neither a date nor a time; a text is read if it is in the form of ISO 8601.

    Example:
        >>> import datetime
        >>> Date(mean=0, deviation=1).encode(datetime.date(1970, 1, 3))[0]
        tensor(2.)
    """

    mean: float | Free = FREE
    deviation: float | Free = FREE

    def __post_init__(self) -> None:
        for name in ("mean", "deviation"):
            object.__setattr__(self, name, per_component(name, getattr(self, name), 1))

    @property
    def encoded(self) -> str:
        return "7"

    @property
    def decoded(self) -> str:
        return "7"

    def encode(self, raw: Any) -> Tensor:
        return self._encoded([_days(raw)])[0]

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        return self._encoded([*by_row(raws, _days)])

    def _encoded(self, found: Sequence[float]) -> Tensor:
        days = torch.tensor(found, dtype=torch.float64, device="cpu")
        late = (days - self._known("mean")) / self._known("deviation")
        turns = (days[:, None] / torch.tensor([YEAR, WEEK, 1.0], dtype=torch.float64, device="cpu")) * (2 * math.pi)
        around = torch.stack([turns.sin(), turns.cos()], -1).flatten(1)  # (n, 6)
        return torch.cat([late[:, None], around], 1).float()

    def read(self, output: Tensor, reading: Reading) -> Any:
        raise DataError(
            what="a date is an input, and no answer of a net",
            got=repr(self),
            mend="nw.Number() of the days since a day",
        )

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        moments = ColumnMoments()
        moments.add(torch.tensor([*by_row(raws, _days)], dtype=torch.float64, device="cpu")[:, None])
        mean = moments.mean[0] if self.mean is FREE else self.mean
        deviation = moments.deviation[0] if self.deviation is FREE else self.deviation
        return replace(self, mean=mean, deviation=deviation)


def _days(raw: Any) -> float:
    """Days since 1970 by the clock, with their fraction."""
    value = raw
    if isinstance(value, np.datetime64) and not np.isnat(value):
        return float((value - np.datetime64("1970-01-01")) / np.timedelta64(DAY, "s"))
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = datetime.datetime.fromisoformat(value)
    real = value == value  # what pandas has for a missing time differs from itself
    if isinstance(value, datetime.datetime) and real:
        return (value.replace(tzinfo=None) - START).total_seconds() / DAY
    if isinstance(value, datetime.date) and real:
        return float(value.toordinal() - START.toordinal())
    raise DataError(
        what="this is no date",
        expected="a date or a time, or a text such as '2024-05-31' or '2024-05-31T18:30'",
        got=described(raw),
    )

"""Says of what a user gave as the range of an axis whether it is one."""

import math
from numbers import Real
from typing import Any, cast

from netwright.errors import DataError, shortened


def expect_range(given: Any, where: str) -> tuple[float, float]:
    """A range from a number to a larger one.

    Raises: DataError for what is none.

    Example:
        >>> expect_range((0, 1), "span")
        (0.0, 1.0)
    """
    pair = cast(Any, tuple(given)) if isinstance(given, tuple | list) else ()
    if len(pair) == 2 and all(isinstance(one, Real) and math.isfinite(one) for one in pair) and pair[0] < pair[1]:
        return float(pair[0]), float(pair[1])
    raise DataError(
        what="a range goes from a finite number to a larger one",
        where=where,
        expected="such as (-1, 1)",
        got=shortened(repr(given), 60),
    )

"""Says of what a user gave as the extent of a picture whether it can be drawn: a range, a number of positions."""

import math
from numbers import Real
from typing import Any, cast

from netwright.errors import DataError, NetError, shortened


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


def expect_few(count: int, most: int, noun: str, where: str) -> None:
    """Refuse more positions than one can tell apart.

    Raises: NetError for more than `most`.
    """
    if count > most:
        raise NetError(
            what=f"so many {noun} would cover each other", where=where, expected=f"at most {most}", got=f"{count:,}"
        )

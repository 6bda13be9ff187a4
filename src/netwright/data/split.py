"""Chooses which examples validate, from the seed alone, so that a resumed or repeated run holds out the same ones."""

import numpy as np
import torch
from torch import Tensor

from netwright.data.order import generator
from netwright.errors import DataError


def split(n: int, validation: float | int, seed: int) -> tuple[Tensor, Tensor]:
    """The indices that train and those that validate, each ascending.

    Args:
        n: examples there are.
        validation: a fraction of them (a float between 0 and 1) or their count (an int).
        seed: which ones; the choice depends on nothing else.

    Returns:
        Two int64 tensors (train,), (validation,) that together hold each of 0 ... n - 1 once. A fraction is rounded to
        the nearest count, and to at least one example on each side.

    Raises:
        DataError: no data, one example, or a validation part that leaves nothing on one side.

    Example:
        >>> train, validation = split(10, 0.2, seed=0)
        >>> len(train), len(validation)
        (8, 2)
    """
    count = _count(n, validation)
    order = torch.randperm(n, generator=generator(seed, "validation"), device="cpu")
    return order[count:].sort().values, order[:count].sort().values


def _count(n: int, validation: float | int) -> int:
    if n == 0:
        raise DataError(what="there is no data to split", where="validation", mend="give at least two examples")
    if n == 1:
        raise DataError(
            what="one example cannot both train and validate",
            where="validation",
            got=f"1 example, validation={validation!r}",
            mend=("give more examples", "validation=None, or examples of its own"),
        )
    if isinstance(validation, float | np.floating) and 0 < validation < 1:
        return min(max(round(n * float(validation)), 1), n - 1)
    whole = isinstance(validation, int | np.integer) and not isinstance(validation, bool)
    if whole and 1 <= validation < n:
        return int(validation)
    if whole and validation >= n:
        raise DataError(
            what="the validation part would leave nothing to train on",
            where="validation",
            expected=f"at most {n - 1:,} of {n:,} examples",
            got=f"{int(validation):,}",
            mend=(f"validation={max(n // 10, 1)}", "validation=0.1"),
        )
    raise DataError(
        what="validation is neither a fraction nor a count",
        where="validation",
        expected=f"a float between 0 and 1, or an int from 1 to {n - 1:,}",
        got=repr(validation),
        mend="validation=0.1",
    )

"""Weights and pictures that scripts and tests compute alike from names, so that no large file is stored."""

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
NEAR_ONE = ("running_var", "layer_scale")  # the ends of the names of arrays that scale


def formula_array(name: str, shape: Sequence[int]) -> Floats:
    """Numbers that follow from a name: of the size that a weight, a bias or a statistic of this shape has.

    `RandomState` gives the same numbers in every version of numpy.
    """
    noise = np.random.RandomState(zlib.crc32(name.encode())).uniform(-1, 1, tuple(shape))
    last = name.rpartition(".")[2]
    if last in NEAR_ONE:
        return 1 + 0.5 * noise
    if last == "weight" and len(shape) > 1:
        return noise * math.sqrt(3 / math.prod(shape[1:]))
    return (1.0 if last == "weight" else 0.0) + 0.2 * noise


def formula_state(names: Mapping[str, Sequence[int]]) -> dict[str, Floats]:
    """The arrays of a whole net."""
    return {name: formula_array(name, shape) for name, shape in names.items()}


def formula_pictures(count: int, size: int) -> Floats:
    """Pictures of standardized numbers, channels first."""
    return 10 * formula_array("pictures", (count, 3, size, size))


def sum_and_length(name: str, array: Floats) -> tuple[float, float]:
    """Two numbers that tell an array from others: its product with the numbers of its name, and its length."""
    return float((array * formula_array(f"{name} to check", array.shape)).sum()), float(np.sqrt((array**2).sum()))


def digest_of(sizes: Mapping[str, int]) -> str:
    """A digest of the names of arrays and how many numbers each has."""
    return hashlib.sha256("\n".join(f"{name} {size}" for name, size in sorted(sizes.items())).encode()).hexdigest()

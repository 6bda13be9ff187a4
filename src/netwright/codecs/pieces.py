"""Cuts a column into pieces of a bounded size, so that no more than a piece of it is encoded or read at once."""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

PIECE = 1 << 20  # bytes of raw values: one piece encoded as float64 is at most 8 MiB
MOST = 4096  # rows of a piece: a row of a few bytes may be encoded as many
SMALL = 24 << 20  # bytes of a column that is read once and kept, where it is looked at several times
LONG, SOME = 256, 8  # of a list with more values, some tell how large its numbers are
NUMBERS = {float, int, bool}
ATOMS = {float, int, bool, str, bytes, complex, type(None)}


def pieces(raws: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """The pieces of a column, each with the number of its first row; a list is in memory already, so it is one piece.

    Example:
        >>> import numpy as np
        >>> [(first, piece.shape) for first, piece in pieces(np.zeros((3, 100_000)))]
        [(0, (1, 100000)), (1, (1, 100000)), (2, (1, 100000))]
    """
    if isinstance(raws, list | tuple) or not len(raws):
        yield 0, raws
        return
    step = max(min(PIECE // max(bytes_of(raws[:1]), 1), MOST), 1)
    for first in range(0, len(raws), step):
        yield first, raws[first : first + step]


def kept_if_small(raws: Sequence[Any]) -> Sequence[Any]:
    """A column in memory where it is small, so that it is read once; else the column as it is.

    Example:
        >>> kept_if_small(range(3))
        [0, 1, 2]
    """
    if isinstance(raws, list | tuple | np.ndarray | Tensor) or not len(raws):
        return raws
    parts: list[Any] = []
    size = 0
    for _, piece in pieces(raws):
        parts.append(piece)
        size += bytes_of(piece)
        if size > SMALL:
            return raws
    kinds = {
        (type(part), part.dtype, part.shape[1:]) if isinstance(part, np.ndarray | Tensor) else None for part in parts
    }
    if len(kinds) == 1 and None not in kinds:
        return cast(Any, torch.cat(parts) if isinstance(parts[0], Tensor) else np.concatenate(parts))
    return [value for part in parts for value in part]


def bytes_of(value: Any) -> int:
    """The memory of a raw value, with everything that it contains."""
    if type(value) in ATOMS:
        return sys.getsizeof(value)
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    own = sys.getsizeof(value)
    if isinstance(value, (dict, Mapping)):
        return own + sum(map(bytes_of, cast(Mapping[Any, Any], value).values()))
    if isinstance(value, list | tuple | set | frozenset):
        if isinstance(value, list) and len(value) > LONG:
            some = cast(list[Any], value)[:: len(value) // SOME]
            if set(map(type, some)) <= NUMBERS:
                return own + len(value) * max(map(sys.getsizeof, some))
        inner = set(map(type, value))
        return own + sum(map(sys.getsizeof if inner <= ATOMS else bytes_of, value))
    if hasattr(value, "getbands"):  # a picture of Pillow, whose pixels are not in Python's own memory
        return own + math.prod(value.size) * len(value.getbands())
    return own + sum(map(bytes_of, vars(value).values())) if hasattr(value, "__dict__") else own

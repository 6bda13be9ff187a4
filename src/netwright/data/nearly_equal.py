"""How the values of one port are compared, so that a text in another case, or a picture moved by a pixel, is found.

Each comparison gives keys, numbers that are equal for nearly equal values; values of equal keys are compared whole.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.numeric import KINDS, as_tensor, is_array, plain_number
from netwright.value import Value

Keys: TypeAlias = NDArray[np.uint64]
Move: TypeAlias = tuple[int, int]  # pixels, along the two sides of a picture

READ = 256  # numbers of one array that its key depends on
CHARACTERS = 1024  # of one text
LEAST_SIDE = 10  # pixels; of a smaller picture the part that stays when it moves says too little
WRITTEN = 32  # numbers; so few are written out, to see how many digits they have
BLOCK = 1 << 21  # numbers that are read at once
SIGN = re.compile(r"(?<=[\s\d)])[-+*/=<>^](?=\s*[\d(])|(?<=\s)[+*/=<>^](?=\s)|^[-+](?=\d)")
BETWEEN = re.compile(r"[\W_]+")
ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}  # the same, but faster
MIX = np.uint64(0x9E3779B97F4A7C15)
WEIGHTS = np.random.default_rng(0).integers(1 << 63, size=READ, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


class Plain(Value, eq=False):
    """Values that have to be equal. Fields: the columns of both parts."""

    training: Any
    held_out: Any

    @property
    def moves(self) -> bool:
        """Whether values are pictures."""
        return False

    @property
    def cost(self) -> int:
        """About how long a key takes, as the count of numbers of an array that are read in that time."""
        return 128 + 16 * max(sum(1 for _ in _written(self.training[i])) for i in self._some())

    def keys(self, values: Any, rows: NDArray[np.int64], move: Move) -> Keys:
        """The key of each of these rows; with a move, that of the same value before it was moved so far."""
        return _hashes(_key(values[i]) for i in rows.tolist())

    def same(self, row: int, other: int, move: Move) -> bool:
        """Whether a value that trains is nearly equal to one that validates, which was moved so far."""
        return bool(_key(self.training[row]) == _key(self.held_out[other]))

    def bits(self, other: int) -> float:
        """How much a value that validates says: its length times the entropy of what it consists of."""
        return entropy_bits("".join(_written(self.held_out[other])))

    def _some(self) -> range:
        return range(0, len(self.training), max(len(self.training) // 16, 1))


class Texts(Plain, eq=False):
    """Texts without case, punctuation and spacing."""

    @property
    def cost(self) -> int:
        return 128 + 2 * max(min(len(self.training[i]), CHARACTERS) for i in self._some())

    def keys(self, values: Any, rows: NDArray[np.int64], move: Move) -> Keys:
        return _hashes(plain_text(values[i][: 2 * CHARACTERS])[:CHARACTERS] for i in rows.tolist())

    def same(self, row: int, other: int, move: Move) -> bool:
        return plain_text(self.training[row]) == plain_text(self.held_out[other])

    def bits(self, other: int) -> float:
        return entropy_bits(plain_text(self.held_out[other][: 2 * CHARACTERS]))


class Arrays(Plain, eq=False):
    """Arrays of one shape. Of a picture only the inner part counts, which stays when it moves by one pixel.

    Fields: `shape` of each value; `sides`, the axes along which pictures move, empty for other arrays; `kind`, the
    number type of both columns.
    """

    shape: tuple[int, ...]
    sides: tuple[int, ...]
    kind: np.dtype[Any]

    @property
    def moves(self) -> bool:
        return bool(self.sides)

    @property
    def cost(self) -> int:
        return min(prod(self.shape), READ)

    def keys(self, values: Any, rows: NDArray[np.int64], move: Move) -> Keys:
        places = self._places(move)
        blocks = np.array_split(rows, max(1, len(rows) * len(places) // BLOCK))
        return np.concatenate(
            [
                _as_whole_numbers(_elements(values, block, places).astype(self.kind)) @ WEIGHTS[: len(places)]
                for block in blocks
            ]
        )  # (rows,)

    def same(self, row: int, other: int, move: Move) -> bool:
        one, moved = (_numpy(values[i]) for values, i in ((self.training, row), (self.held_out, other)))
        return np.array_equal(self._inner(one, (0, 0)), self._inner(moved, move))

    def bits(self, other: int) -> float:
        values = self._inner(_numpy(self.held_out[other]), (0, 0)).ravel()
        return entropy_bits("".join(_written(values))) if len(values) <= WRITTEN else entropy_bits(values[: 4 * READ])

    def _inner(self, array: NDArray[Any], move: Move) -> NDArray[Any]:
        cut = [slice(None)] * array.ndim
        for axis, by in zip(self.sides, move, strict=False):
            cut[axis] = slice(1 + by, array.shape[axis] - 1 + by)
        return array[tuple(cut)]

    def _places(self, move: Move) -> NDArray[np.int64]:
        """Which elements of a flat value its key depends on: all, or some that are spread over it."""
        places = self._inner(np.arange(prod(self.shape)).reshape(self.shape), move).ravel()
        if len(places) <= READ:
            return places
        return places[np.sort(np.random.default_rng(1).permutation(len(places))[:READ])]


def comparison(training: Any, held_out: Any) -> Plain | None:
    """How two columns are compared; None where values are not in memory."""
    columns = (training, held_out)
    if not all(isinstance(values, _IN_MEMORY) for values in columns):
        return None
    shapes = {_shape(value) for values in columns for value in (values[:1] if is_array(values) else values)}
    if None not in shapes and len(shapes) == 1 and prod(next(iter(shapes)) or ()):
        ((shape),) = cast("set[tuple[int, ...]]", shapes)
        if shape:
            kind = np.result_type(*(_numpy(values[0]) for values in columns))
            return Arrays(training, held_out, shape, _sides(shape), kind)
    if all(isinstance(value, str) for values in columns for value in values):
        return Texts(training, held_out)
    return Plain(training, held_out)


def plain_text(text: str) -> str:
    """A text without what does not change its words: case, punctuation, spacing, and how a character is stored.

    The signs of a calculation stay, as in "7 - 5". A single word in ASCII stays as it is: it may be the path of a file,
    a formula or a key, in which every character counts.

    Example:
        >>> plain_text("  Hello,\\tWORLD!"), plain_text("scans/A-1.png")
        ('hello world', 'scans/A-1.png')
    """
    if SIGN.search(text):
        text = SIGN.sub(_sign_name, text)
    if text.isascii():
        if len(text.split(None, 1)) < 2:
            return text.strip()
        return " ".join(text.translate(ASCII).split())
    return BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _sign_name(sign: re.Match[str]) -> str:
    return f" {unicodedata.name(sign[0])} "


def entropy_bits(parts: str | NDArray[Any]) -> float:
    """How many bits the parts have together, if each is drawn as often as it occurs: n log₂ n − Σ c log₂ c.

    Example:
        >>> entropy_bits("abab"), entropy_bits("aaaa")
        (4.0, 0.0)
    """
    found = np.array([*parts]) if isinstance(parts, str) else parts
    counts = np.unique(found, return_counts=True)[1].astype(np.float64)
    total = float(counts.sum())
    return max(total * float(np.log2(total)) - float((counts * np.log2(counts)).sum()), 0.0) if total else 0.0


_IN_MEMORY = (list, tuple, range, np.ndarray, Tensor)


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array of numbers; None for anything else."""
    numeric = isinstance(value, Tensor) or (isinstance(value, np.ndarray) and value.dtype.kind in KINDS)
    return tuple(value.shape) if numeric else None


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes along which pictures of this shape move; channels are first or last, and at most four."""
    axes = (1, 2) if len(shape) == 3 and shape[2] > 4 else (0, 1)
    return axes if len(shape) in (2, 3) and min(shape[axis] for axis in axes) >= LEAST_SIDE else ()


def _numpy(array: Any) -> NDArray[Any]:
    if not isinstance(array, Tensor):
        return cast("NDArray[Any]", array)
    found = as_tensor(array)
    return (found.float() if found.dtype.itemsize == 2 and found.is_floating_point() else found).numpy()


def _elements(values: Any, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[Any]:
    """These elements of the flat values at these rows: (rows, places)."""
    if not is_array(values):
        return np.stack([_numpy(values[i]).ravel()[places] for i in rows.tolist()])
    if isinstance(values, Tensor):
        return _numpy(values.flatten(1)[rows][:, places])
    whole = values.reshape(len(values), -1) if values.flags.c_contiguous else values[rows].reshape(len(rows), -1)
    return whole[np.ix_(rows if values.flags.c_contiguous else np.arange(len(rows)), places)]


def _as_whole_numbers(values: NDArray[Any]) -> Keys:
    """The bits of numbers as whole numbers; those of wide types are mixed, since many end in zeros."""
    if values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    found = values.view(f"u{values.dtype.itemsize}").astype(np.uint64)
    if values.dtype.itemsize > 2:
        found = (found ^ found >> np.uint64(32)) * MIX
        found ^= found >> np.uint64(32)
    return found


def _hashes(values: Iterator[Hashable]) -> Keys:
    return np.fromiter((hash(value) & (1 << 64) - 1 for value in values), dtype=np.uint64)


def _key(value: Any) -> Hashable:
    """What is equal for equal values; a value that Python cannot look up is equal to itself only."""
    found = plain_number(value)
    if isinstance(found, list | tuple):
        return tuple(map(_key, cast("Sequence[Any]", found)))
    if isinstance(found, Mapping):
        return tuple((name, _key(one)) for name, one in cast("Mapping[Any, Any]", found).items())
    if is_array(found):
        return (tuple(found.shape), _numpy(found).tobytes())
    return found if isinstance(found, Hashable) else id(cast("object", found))


def _written(value: Any) -> Iterator[str]:
    """The numbers and texts in a value, as texts."""
    if isinstance(value, np.ndarray | Tensor) and value.ndim:
        for one in _numpy(value).ravel():
            yield from _written(one)
    elif isinstance(value, Mapping):
        yield from _written(list(cast("Mapping[Any, Any]", value).values()))
    elif isinstance(value, list | tuple):
        for one in cast("Sequence[Any]", value):
            yield from _written(one)
    else:
        yield str(int(value) if isinstance(value, bool | np.bool_) else value)

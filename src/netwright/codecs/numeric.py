"""Numbers in any form (Python, numpy, torch) as tensors, and their mean and deviation."""

import datetime
import math
from collections.abc import Generator, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np
import torch
from torch import Tensor

from netwright.around import around
from netwright.errors import DataError, NetError, shortened
from netwright.sizes.free import FREE, Free

AnyArray: TypeAlias = np.ndarray[Any, Any] | Tensor
Statistic: TypeAlias = float | tuple[float, ...] | Free  # one for all components, one for each, or to be fitted
_GRAPHS: ContextVar[bool] = ContextVar("graphs", default=False)
PLAIN = frozenset({str, int, bool, float})
KINDS = "biuf"  # numpy's letters for bool, int, unsigned, float
TIMES = "Mm"  # and for a time and a duration
EXACT = 2.0**53  # below it, float64 holds every integer
CACHED = 100_000  # float64 numbers that stay in a processor's cache while they are read several times
LONGEST = 40  # characters of a raw thing that a message shows


def is_array(raw: object) -> TypeGuard[Any]:  # Any: so that a sequence may be one
    """Whether it is a numpy array or a torch tensor."""
    return isinstance(raw, np.ndarray | Tensor)


def plain_number(raw: Any) -> Any:
    """A numpy scalar or an array without axes as the Python value it holds; anything else unchanged."""
    if type(raw) in PLAIN:
        return raw
    if isinstance(raw, np.generic):
        return raw if raw.dtype.kind in TIMES else raw.item()  # of nanoseconds the Python value is an int
    if is_array(raw) and raw.ndim == 0:
        return raw.item()
    return raw


def arrayed(raw: Any) -> Any:
    """An object that numpy can convert, such as a DataFrame, as an array; anything else unchanged."""
    return (
        np.asarray(raw) if hasattr(raw, "__array__") and not is_array(raw) and not isinstance(raw, np.generic) else raw
    )


def number_table(raw: Any) -> dict[Any, Any] | None:
    """The columns of a table, such as a DataFrame, by their names; None for anything else."""
    names = getattr(raw, "columns", None)
    return None if names is None or not hasattr(raw, "__array__") else {name: raw[name] for name in names}


def described(raw: Any) -> str:
    """A raw value as text for a message: an array by shape and type, anything else by value and type."""
    if is_array(raw):
        return f"an array of shape {tuple(raw.shape)} and type {str(raw.dtype).removeprefix('torch.')}"
    return f"{shortened(repr(raw), LONGEST)} of type {type(raw).__name__}"


def time_as_number(raw: Any) -> str:
    """The mend that turns a time or a duration into a number; the empty text for anything else."""
    kind = raw.dtype.kind if isinstance(raw, np.ndarray | np.generic) else ""
    if kind == "M":
        return 'times.astype("datetime64[s]").astype("int64"), the seconds since 1970'
    if kind == "m":
        return 'durations / np.timedelta64(1, "s"), the seconds'
    if isinstance(raw, datetime.datetime):
        return "time.timestamp(), the seconds since 1970"
    if isinstance(raw, datetime.date):
        return "date.toordinal(), the days since the year 1"
    return "duration.total_seconds()" if isinstance(raw, datetime.timedelta) else ""


@around
def keeping_graphs() -> Generator[None]:
    """Let a tensor that wants a gradient keep its graph when it is encoded; elsewhere, as in data, it is let go."""
    before = _GRAPHS.set(True)
    try:
        yield
    finally:
        _GRAPHS.reset(before)


def as_tensor(array: AnyArray) -> Tensor:
    """An array as a CPU tensor, sharing its memory where torch can."""
    if isinstance(array, Tensor):
        if array.layout != torch.strided:
            raise DataError(
                what="a sparse tensor cannot be read row by row", got=described(array), mend="tensor.to_dense()"
            )
        if array.is_complex():
            raise _not_numbers(array)
        return (array if _GRAPHS.get() else array.detach()).cpu()
    if array.dtype.kind == "O":
        array = _of_cells(array)
    if array.dtype.kind not in KINDS:
        raise _not_numbers(array)
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind in "iu":
        # numpy has two types of 64 bits, and torch knows one of them
        array = array.view(f"{array.dtype.kind}{array.dtype.itemsize}")
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()  # torch warns of the one and refuses the other
    return torch.from_numpy(array)


def numbers(raw: Any) -> Tensor:
    """A number, an array of them or nested lists of them as a tensor of the type they have."""
    if is_array(raw):
        return as_tensor(raw)
    try:
        array = np.asarray(raw)
    except (ValueError, TypeError):
        raise _not_numbers(raw) from None
    if array.dtype.kind not in KINDS:
        raise _not_numbers(array if array.dtype.kind in TIMES else raw)
    return as_tensor(array)


def rows_of_numbers(raws: Sequence[Any]) -> AnyArray | None:
    """Examples as one array, where each example in it has the numbers that it has alone; None where that is not so.

    Lists of numbers of one length become an array, which is much faster than one array for each list.

    Example:
        >>> rows_of_numbers([[1, 2], [3, 4.5]])
        array([[1. , 2. ],
               [3. , 4.5]])
        >>> rows_of_numbers([[1, 2], [3]])
    """
    if is_array(raws):
        return raws
    leaves = set(map(type, map(_first_leaf, raws)))
    if not leaves or not leaves <= PLAIN - {str} or (bool in leaves and len(leaves) > 1):
        return None
    try:
        found = np.asarray(raws)
    except (ValueError, TypeError, OverflowError):
        return None
    rounded = found.dtype.kind == "f" and bool(np.abs(found).max() >= EXACT)  # integers among them, perhaps
    return None if found.dtype.kind not in KINDS or rounded else found


def size_of(raw: Any) -> int:
    """How many numbers nested lists have, by the first one of each level."""
    return len(cast(Any, raw)) * size_of(raw[0]) if isinstance(raw, list | tuple) and raw else 1


def _first_leaf(raw: Any) -> Any:
    while isinstance(raw, list | tuple) and raw:
        raw = cast(Any, raw[0])
    return raw


def _of_cells(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The numbers in an array of Python objects, such as a table with mixed columns gives."""
    cells = [plain_number(cell) for cell in array.ravel().tolist()]
    wrong = next((place for place, cell in enumerate(cells) if type(cell) not in (bool, int, float)), None)
    if wrong is not None:
        place = [int(i) for i in np.unravel_index(wrong, array.shape)]
        raise DataError(
            what="a cell of the table is not a number",
            where=f"component {place[-1]}" if len(place) == 1 else f"index {tuple(place)}",
            expected="a number, or True or False",
            got=described(cells[wrong]),
            mend="leave that column out, or give it an input of its own, such as nw.Category()"
            if isinstance(cells[wrong], str)
            else time_as_number(cells[wrong]) or "array.astype(float), if it stands for a number",
        )
    found = np.array(cells).reshape(array.shape)
    return found if found.dtype.kind in KINDS else found.astype(np.float64)  # integers beyond int64


NARROW = {torch.float16, torch.bfloat16, torch.float32, torch.bool, torch.uint8, torch.int8, torch.int16}


def exact(raw: Any) -> Tensor:
    """Numbers as float32 where their type has no more digits, else as float64; one beyond float32 is an error.

    Numbers must keep their digits until the mean is subtracted: two times of one day are equal in float32.
    """
    given = numbers(raw)
    kept = floats(given)
    return kept if given.dtype in NARROW else given.double()


def floats(raw: Any) -> Tensor:
    """Numbers as float32; one that float32 cannot hold is an error."""
    given = numbers(raw)
    kept = given.float()
    if given.dtype == torch.float64 and not torch.equal(kept.isinf(), given.isinf()):
        raise DataError(
            what="a number is too large for float32",
            expected="at most 3.4e38",
            got=f"{float(given.abs().max()):g}",
            mend="give it in a larger unit, or its logarithm",
        )
    return kept


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite."""
    # a sum is many times faster than a look at each value; where it overflows, it says nothing
    return bool(values.sum().isfinite()) or bool(values.isfinite().all())


def per_component(name: str, value: float | Iterable[float] | Free, size: int | Free) -> Statistic:
    """A mean or deviation that was given, checked: one number, or a tuple of one for each of `size` components."""
    if value is FREE:
        return FREE
    value = plain_number(value)
    many = isinstance(value, Iterable)
    try:
        given = tuple(float(item) for item in cast(Iterable[Any], value if many else (value,)))
    except (TypeError, ValueError):
        raise NetError(what=f"this cannot be a {name}", expected="numbers", got=described(value)) from None
    if many and size is not FREE and len(given) not in (1, size):
        raise NetError(
            what=f"{name} has another number of components",
            expected=f"one number, or {size}",
            got=f"{len(given)}: {given}",
        )
    if not all(math.isfinite(item) for item in given) or (name == "deviation" and min(given) <= 0):
        kind = "finite numbers above zero" if name == "deviation" else "finite numbers"
        raise NetError(what=f"this cannot be a {name}", expected=kind, got=f"{value}")
    return given if many and size != 1 else given[0]


def scale_of(mean: Any, deviation: Any) -> tuple[Any, Any] | None:
    """Mean and deviation in one normal form, so that they can be compared; None if they are open or change nothing."""
    if mean is FREE or deviation is FREE:
        return None
    given = (set(each) if isinstance(each, tuple) else {each} for each in (mean, deviation))
    one = tuple(own.pop() if len(own) == 1 else each for own, each in zip(given, (mean, deviation), strict=True))
    return None if one == (0.0, 1.0) else (one[0], one[1])


class ColumnMoments:
    """Mean and standard deviation of each component, from blocks of rows, in float64.

    A component that is constant has the deviation 1, so that dividing by it changes nothing. Blocks are merged as
    in Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample variances".
    """

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = self._low = self._high = torch.zeros(0, dtype=torch.float32, device="cpu")

    def add(self, rows: Tensor) -> None:
        """Takes in rows (rows, components)."""
        low, high = rows.amin(0).double(), rows.amax(0).double()
        first = not self._count
        self._low = low if first else torch.minimum(self._low, low)
        self._high = high if first else torch.maximum(self._high, high)
        for block in rows.split(max(CACHED // max(rows.shape[1], 1), 1)):
            self._merge(block)

    def _merge(self, block: Tensor) -> None:
        """Takes in so few rows that a float64 copy of them stays in the cache."""
        wide = block.to(torch.float64, copy=True)
        count, mean = len(wide), wide.mean(0)
        squares = wide.sub_(mean).square_().sum(0)
        if not self._count:
            self._count, self._mean, self._squares = count, mean, squares
            return
        total, step = self._count + count, mean - self._mean
        self._squares = self._squares + squares + step.square() * (self._count * count / total)
        self._mean = self._mean + step * (count / total)
        self._count = total

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean of each component."""
        return tuple(self._mean.tolist())

    @property
    def deviation(self) -> tuple[float, ...]:
        """The standard deviation of each component over all rows, 1 where it is constant."""
        deviation = (self._squares / self._count).sqrt()
        constant = (self._low == self._high) | (deviation == 0)
        return tuple(torch.where(constant, 1.0, deviation).tolist())


def _not_numbers(raw: Any) -> DataError:
    return DataError(
        what="these are not numbers",
        expected="a number, an array of them, or lists of equal length that hold them",
        got=described(raw),
        mend=time_as_number(raw),
    )

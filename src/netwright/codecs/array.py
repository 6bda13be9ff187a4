"""The codec of plain arrays: an array in and a tensor out, with the sizes of the port."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.codec import Answer, Codec, by_row, encoded_together, fits
from netwright.codecs.numeric import all_finite, floats, numbers
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Reading
from netwright.errors import DataError, NetError
from netwright.sizes.notation import UNKNOWN, Axis, AxisRun, Port, port


class Array(Codec):
    """Numbers as they are: float32 on the way in, and the net's output tensor on the way out.

    Integers and booleans become float32 too, unless the sizes end in `<v>`: then only integers from 0 to v − 1 are
    taken, and kept as int64.

    Examples may differ in the first axis if it has a name, and in the second if that has another: `encode_all` then
    gives a `Ragged`. In `"n m[n]"`, m differs between the rows of one example too: such rows come as lists, and only
    `encode_all` takes them, for one tensor cannot hold them.

    Shapes:
        `encode` gives and `decode` takes `sizes`.

    Fields:
        sizes: the shape of one example in the notation of ports: `"28 28 1"`, `"n 3"` for any number of rows,
            `"n <50>"` for indices below 50, `"n m[n] 3"` for rows of lists, `"()"` for a single number; or an
            integer, or a tuple of integers and names.

    Raises:
        NetError: sizes that are not valid notation, or leave the number of axes open.
        DataError: another shape; what is not a number; NaN or infinity; an index out of range.

    Example:
        >>> Array((28, 28, 1))
        Array('28 28 1')
        >>> Array("n <50>").encode([3, 49])
        tensor([ 3, 49])
        >>> Array("n <50>").encode_all([[3, 49], [7]])
        Ragged(2 examples of 1 to 2, 3 elements of torch.int64)
    """

    sizes: str | int | tuple[int | str, ...]

    def __post_init__(self) -> None:
        given = (self.sizes,) if isinstance(self.sizes, int) else self.sizes
        if any(isinstance(size, bool) for size in given):  # Python counts True as an integer
            raise NetError(
                what="an array's sizes are whole numbers and names",
                expected='such as 28, (28, 28, 1) or "n 3"',
                got=repr(self.sizes),
            )
        text = given if isinstance(given, str) else " ".join(map(str, given)) or "()"
        found = port(text)
        for axis in found.axes:
            if isinstance(axis, AxisRun):
                raise NetError(
                    what="an array's sizes say every axis by itself",
                    expected="numbers, names, 16*k or ?, then perhaps <v>",
                    got=str(axis),
                    mend="Each(…) takes any number of axes before those of a codec",
                )
        _check_within(found)
        object.__setattr__(self, "sizes", str(found))

    @property
    def answer(self) -> Answer | None:
        return "numbers" if self._port.below is None else None

    @property
    def encoded(self) -> str:
        return str(self.sizes)

    @property
    def decoded(self) -> str:
        return str(self.sizes)

    def encode(self, raw: Any) -> Tensor:
        lengths = {len(row): None for row in self._rows(raw) or ()}
        if len(lengths) > 1:
            raise DataError(
                what="the rows have different lengths: one tensor cannot hold them",
                got=f"rows of {', '.join(map(str, lengths))}",
                mend="encode_all([…]), which gives a Ragged",
            )
        return self._checked(raw, ())

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        together = encoded_together(raws, lambda rows: self._checked(rows, (len(rows),)))
        if together is not None:
            return together
        if self._inner is None:
            return super().encode_all(raws)
        return Ragged.of([*by_row(raws, self._parts)], 2).compact()

    def read(self, output: Tensor, reading: Reading) -> Tensor:
        self._check_decision(reading)
        return output

    def takes(self, raw: Any) -> bool:
        depth = 0
        while isinstance(raw, list | tuple) and raw:
            raw, depth = raw[0], depth + 1
        return depth + getattr(raw, "ndim", 0) == len(self._port.axes)

    @property
    def _port(self) -> Port:
        return port(str(self.sizes))

    @property
    def _varying(self) -> int:
        names = [axis.name if isinstance(axis, Axis) and axis.times == 1 else "" for axis in self._port.axes[:2]]
        named = [name not in ("", UNKNOWN) for name in names]
        if all(named) and len(set(names)) == 2:
            return 2
        return int(named[:1] == [True])

    @cached_property
    def _inner(self) -> "Array | None":
        """The array of one row, where the rows of one example may differ in length."""
        axes = cast(tuple[Axis, ...], self._port.axes)
        if not any(axis.within for axis in axes):
            return None
        return Array(str(replace(self._port, axes=(replace(axes[1], within=""), *axes[2:]))))

    def _parts(self, raw: Any) -> list[Tensor]:
        """One example as its encoded rows."""
        rows = self._rows(raw)
        return [*self.encode(raw)] if rows is None else rows

    def _rows(self, raw: Any) -> list[Tensor] | None:
        """The rows of one example, where they may differ in length and come as a list."""
        if self._inner is None or not isinstance(raw, list | tuple):
            return None
        rows: list[Tensor] = []
        for place, part in enumerate(raw):
            try:
                rows.append(self._inner.encode(part))
            except DataError as error:
                raise error.within(f"index {place}") from None
        return rows

    def _checked(self, raw: Any, batch: tuple[int, ...]) -> Tensor:
        values = floats(raw) if self._port.below is None else _indices(numbers(raw), self._port.below)
        shape = tuple(values.shape)[len(batch) :]
        if not fits(shape, self._port):
            axes = str(self.sizes).replace("()", "").split()
            raise DataError(
                what="the array has another shape",
                expected=f"({', '.join(axes)}{',' if len(axes) == 1 else ''})",
                got=f"{shape}",
                mend="a list is many examples: give one as a tuple or an array" if shape == () and axes else "",
            )
        if not all_finite(values):
            place = tuple(int(i) for i in (~values.isfinite()).nonzero()[0])
            kind = "NaN" if bool(values[place].isnan()) else "infinity"
            raise DataError(
                what=f"the array holds {kind}", where=f"index {place}" if place else "", mend="fill in a value"
            )
        return values


def _check_within(sizes: Port) -> None:
    axes = [axis for axis in sizes.axes if isinstance(axis, Axis)]
    for place, axis in enumerate(axes):
        if axis.within and not (place == 1 and axis.times == 1 and axes[0] == Axis(name=axis.within)):
            raise NetError(
                what="a size that varies within another stands second, behind it",
                where=repr(str(sizes)),
                expected=f"{axis.within} {Axis(name=axis.name, within=axis.within)}",
                got=str(axis),
            )


def _indices(values: Tensor, below: Axis) -> Tensor:
    if values.is_floating_point() or values.dtype == torch.bool:
        raise DataError(
            what="indices are integers", expected=f"<{below}>", got=str(values.dtype).removeprefix("torch.")
        )
    values = values.long()
    high = values.numel() and not below.name and int(values.max()) >= below.times
    if values.numel() and (int(values.min()) < 0 or high):
        worst = int(values.max()) if high else int(values.min())
        expected = "0 or more" if below.name else f"0 to {below.times - 1}"
        raise DataError(what="an index is out of range", expected=expected, got=f"{worst}")
    return values

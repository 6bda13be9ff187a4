"""No coding at all: an array in, a tensor out, with the sizes that the port says."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, fits
from netwright.codecs.numeric import floats, is_array, numbers
from netwright.codecs.reading import Reading
from netwright.errors import DataError, NetError
from netwright.sizes.notation import Axis, Port, Run, port


class Array(Codec):
    """Numbers as they are: float32 on the way in, and the net's output tensor on the way out.

    Integers and booleans become float32 too, unless the sizes end in `<v>`: then only integers from 0 to v − 1 are
    taken, and kept as int64.

    Shapes:
        `encode` gives and `decode` takes `sizes`.

    Fields:
        sizes: the shape of one example in the notation of ports: `"28 28 1"`, `"n 3"` for any number of rows,
            `"n <50>"` for indices below 50, `"()"` for a single number; or an integer, or a tuple of integers and
            names.

    Raises:
        NetError: sizes that are no notation, or leave the number of axes open.
        DataError: another shape; what is not a number; NaN; an index out of range.

    Example:
        >>> Array((28, 28, 1))
        Array('28 28 1')
        >>> Array("n <50>").encode([3, 49])
        tensor([ 3, 49])
    """

    sizes: str | int | tuple[int | str, ...]

    def __post_init__(self) -> None:
        given = (self.sizes,) if isinstance(self.sizes, int) else self.sizes
        text = given if isinstance(given, str) else " ".join(map(str, given)) or "()"
        found = port(text)
        for axis in found.axes:
            if isinstance(axis, Run) or axis.within:
                raise NetError(
                    what="an array's sizes say every axis by itself",
                    expected="numbers, names, 16*k or ?, then perhaps <v>",
                    got=str(axis),
                    mend="Each(…) takes any number of axes before those of a codec",
                )
        object.__setattr__(self, "sizes", str(found))

    @property
    def encoded(self) -> str:
        return str(self.sizes)

    @property
    def decoded(self) -> str:
        return str(self.sizes)

    def encode(self, raw: Any) -> Tensor:
        return self._checked(raw, ())

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        if is_array(raws) and raws.ndim and len(raws):
            try:
                return self._checked(raws, (len(raws),))
            except DataError:
                pass  # once more, row by row, to name the row
        return super().encode_all(raws)

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
        if values.isnan().any():
            place = tuple(int(i) for i in values.isnan().nonzero()[0])
            raise DataError(what="the array holds NaN", where=f"index {place}", mend="fill in a value")
        return values


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

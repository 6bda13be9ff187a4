"""The codec of a row of a table: a codec for each column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self, cast

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, by_row
from netwright.codecs.numeric import described
from netwright.codecs.reading import Reading
from netwright.codecs.table.features import features_of, features_of_one, is_missing, missing_of, width_of
from netwright.codecs.table.nullable import Nullable
from netwright.codecs.table.rows import TableRows, is_frame, rows_of_frame, rows_of_mappings
from netwright.errors import DataError, NetError, did_you_mean
from netwright.value import literal

SHOWN = 8  # names of columns that a message shows


class Record(Codec):
    """A row of a table: the numbers that the codecs of its columns give, side by side.

    A row is a mapping from names of columns to values; many of them are a list of rows, or a DataFrame of pandas,
    polars or pyarrow. Columns that the record does not name are not read. A `Category` gives a 1 for its label among
    zeros, and zeros only for a label that it does not know.

    Shapes:
        `encode` gives `k`, the numbers of all columns.

    Fields:
        columns: the codec of each column by its name, in the order of the numbers. Each gives a number, numbers side
            by side, or a class; `Nullable` takes missing values.
        target: the column with the targets, which training and measuring read from a frame; empty where the targets
            come separately.

    Raises:
        NetError: no column, a name that is no text, the target among the columns, or a codec that cannot stand here.
        DataError: a column that a row has not, a missing value, or one that the codec refuses, with row and column.

    Example:
        >>> from netwright.codecs.category import Category
        >>> from netwright.codecs.number import Number
        >>> person = Record({"age": Number(mean=30, deviation=10), "sex": Category(["female", "male"])})
        >>> person.encode({"sex": "male", "age": 40})
        tensor([1., 0., 1.])
    """

    columns: Mapping[str, Codec] | tuple[tuple[str, Codec], ...]
    target: str = ""

    def __post_init__(self) -> None:
        given = self.columns
        pairs = tuple(given.items() if isinstance(given, Mapping) else given)
        object.__setattr__(self, "columns", pairs)
        if not pairs:
            raise NetError(what="a record needs at least one column", mend='nw.Record({"age": nw.Number()})')
        for name, codec in pairs:
            if not isinstance(cast(Any, name), str) or not isinstance(cast(Any, codec), Codec):
                raise NetError(
                    what="a record maps names of columns to codecs",
                    expected='such as {"age": nw.Number()}',
                    got=f"{name!r}: {codec!r}",
                )
            width_of(codec)
        if self.target in self.codecs:
            raise NetError(what="the target is among the columns that are read", got=repr(self.target))

    @cached_property
    def codecs(self) -> Mapping[str, Codec]:
        """The codec of each column by its name."""
        return dict(cast(tuple[tuple[str, Codec], ...], self.columns))

    @property
    def encoded(self) -> str:
        widths = [width_of(codec) for codec in self.codecs.values()]
        return "?" if None in widths else str(sum(width or 0 for width in widths))

    @property
    def decoded(self) -> str:
        return self.encoded

    @property
    def fitted(self) -> bool:
        return all(codec.fitted for codec in self.codecs.values())

    def encode(self, raw: Any) -> Tensor:
        if not isinstance(raw, Mapping):
            raise DataError(
                what="a row of the table is a mapping from names of columns to values",
                expected="{" + ", ".join(f"{name!r}: …" for name in [*self.codecs][:SHOWN]) + "}",
                got=described(raw),
            )
        row = cast(Mapping[str, Any], raw)
        found: list[Tensor] = []
        for name, codec in self.codecs.items():
            value = self._cell(row, name)
            try:
                found.append(features_of_one(codec, value))
            except DataError as error:
                raise error.within(f"column {name!r}") from None
        return torch.cat(found)

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        rows = raws if isinstance(raws, TableRows) else rows_of_mappings(raws)
        if rows is not None and len(rows) and self.codecs.keys() <= rows.columns.keys():
            try:
                return torch.cat([self._column(name, rows.columns[name]) for name in self.codecs], 1)
            except DataError:
                pass  # once more, row by row, to name the row
        return torch.stack(self._encode_rows(raws))

    def read(self, output: Tensor, reading: Reading) -> Any:
        raise DataError(
            what="a row of a table is an input, and no answer of a net",
            got=described(output),
            mend="the codec of the column that is the answer, such as nw.Category()",
        )

    def takes(self, raw: Any) -> bool:
        return isinstance(raw, Mapping)

    def collected(self, raw: Any) -> Any:
        if not is_frame(raw):
            return super().collected(raw)
        rows = rows_of_frame(raw)
        self.check_columns([*rows.columns])
        return rows

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        rows = raws if isinstance(raws, TableRows) else rows_of_mappings([*raws])
        found: dict[str, Codec] = {}
        for name, codec in self.codecs.items():
            if rows is not None and name in rows.columns:
                values = rows.columns[name]
            else:
                values = [*by_row(raws, lambda row, name=name: self._cell(row, name))]
            try:
                found[name] = codec.fit(values)
            except DataError as error:
                raise error.within(f"column {name!r}") from None
        return replace(self, columns=tuple(found.items()))

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise DataError unless all columns that are read are among those of a frame."""
        for name in self.codecs:
            if name not in names:
                raise _no_column(name, names)

    def check_target(self, names: Sequence[str]) -> None:
        """Raise DataError unless the target is among the columns of a frame."""
        if self.target not in names:
            close = did_you_mean(self.target, [name for name in names if name not in self.codecs])
            raise DataError(
                what=f"the frame has no column {self.target!r}, which is the target",
                where="data",
                got=f"the columns {_listed(names)}",
                mend=(close, "(frame, targets), if the targets are not in the frame"),
            )

    def _column(self, name: str, values: Sequence[Any]) -> Tensor:
        codec = self.codecs[name]
        if not isinstance(codec, Nullable) and missing_of(values).any():
            raise _missing(name)
        return features_of(codec, values)

    def _cell(self, row: Mapping[str, Any], name: str) -> Any:
        """The value of a column; an error if there is none."""
        if name not in row:
            raise _no_column(name, [*row])
        value = row[name]
        if is_missing(value) and not isinstance(self.codecs[name], Nullable):
            raise _missing(name)
        return value

    def _shown(self, value: Any) -> str:
        if not isinstance(value, tuple):
            return literal(value)
        pairs = cast(tuple[tuple[str, Codec], ...], value)
        return "{" + ", ".join(f"{name!r}: {codec!r}" for name, codec in pairs) + "}"


def _missing(name: str) -> DataError:
    return DataError(
        what="the value is missing",
        where=f"column {name!r}",
        expected="a value, as in every row of the training data",
        mend=("fill in a value, or leave the row out", "nw.Nullable(…) as the codec, and the net trained anew"),
    )


def _no_column(name: str, names: Sequence[str]) -> DataError:
    return DataError(
        what=f"there is no column {name!r}",
        expected="the columns that the net was made for",
        got=f"the columns {_listed(names)}",
        mend=did_you_mean(name, names),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:SHOWN])) + (f", … {len(names)} in all" if len(names) > SHOWN else "")

"""Looks at a frame column by column: makes an encoder for its rows and a decoder for its target, and says how."""

import datetime
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, cast

import numpy as np

from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec
from netwright.codecs.number import Number
from netwright.codecs.numeric import plain_number
from netwright.codecs.table.bag_of_words import BagOfWords
from netwright.codecs.table.date import Date
from netwright.codecs.table.features import missing_of, width_of
from netwright.codecs.table.nullable import Nullable
from netwright.codecs.table.record import Record
from netwright.codecs.table.rows import TableRows, is_frame, rows_of_frame
from netwright.errors import DataError, did_you_mean, shortened, with_article
from netwright.value import Value, few_lines

MOST_LABELS = 255  # of a column; rarer ones count as labels that are not known
WORDS = 3  # a text of so many words is no name of a class
MANY = 0.5  # the share of different texts in a column from which they are no classes
SHOWN = 3  # labels or words that the summary shows
IDENTIFIER = re.compile(r"(^|_)(id|index|key|rownames?|uuid)$|[a-z]I[dD]$", re.IGNORECASE)
HEAD = ("column", "taken for", "what it holds", "numbers")


class TableColumn(Value):
    """What a column of a table was taken for.

    Fields:
        name: of the column.
        kind: "number", "category", "boolean", "date", "text", or "left out".
        about: what it holds, or why it is left out, in words.
        codec: of its values; None if it is left out.
    """

    name: str
    kind: str
    about: str
    codec: Codec | None = None


class Table(Value, eq=False):
    """The encoder of the rows of a table and the decoder of its target; prints what each column was taken for.

    Fields:
        input: the encoder, a `Record` of all columns that are read.
        output: the decoder of the target.
        target: the name of the target's column.
        rows: how many rows were looked at.
        columns: what each column was taken for, those that are left out too; the target is the last.
    """

    input: Record
    output: Codec
    target: str
    rows: int
    columns: tuple[TableColumn, ...] = field(default_factory=tuple)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the columns that are left out."""
        return tuple(column.name for column in self.columns if column.codec is None)

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """The lines of the summary: name, kind, what it holds, and how many numbers the net reads of it."""
        return tuple(
            (
                column.name,
                f"target: {column.kind}" if column.name == self.target else column.kind,
                column.about,
                "" if column.codec is None or column.name == self.target else str(width_of(column.codec)),
            )
            for column in self.columns
        )

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        """A line for each column."""
        lines = [HEAD, *self.cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
        body = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        ]
        return "\n".join([f"Table of {self.rows:,} rows, {self.input.encoded} numbers a row", *body])


def table(frame: Any, target: str, *, codecs: Mapping[str, Codec] | None = None) -> Table:
    """Make an encoder for the rows of a table and a decoder for its target.

    Every column is taken for what its values are: a number, a category, a boolean, a date, or a text of several words.
    A column with missing values gets `Nullable` around its codec. A column with a single value, one whose values are
    all missing, and one that names the rows is left out. The codecs learn means, labels and words from the frame.

    Args:
        frame: of pandas, polars or pyarrow.
        target: the name of the column that the net shall give. Texts, booleans and whole numbers of which there are
            two are classes; other numbers are numbers.
        codecs: the codec of columns that shall be taken for something else, such as `{"zip": nw.Category()}`.

    Returns:
        A `Table` with `input`, the encoder, and `output`, the decoder; it prints what each column was taken for.

    Raises:
        DataError: no frame, no rows, no such target, targets that are missing or all equal, or no column to read.

    Example:
        >>> import netwright as nw, pandas as pd
        >>> frame = pd.DataFrame({"age": [22.0, 38.0, None], "sex": ["m", "f", "f"], "survived": ["no", "yes", "yes"]})
        >>> nw.table(frame, target="survived")
        Table of 3 rows, 4 numbers a row
        column    taken for         what it holds                  numbers
        age       number            22 to 38, mean 30; 1 missing   2
        sex       category          2 labels: 'f' (2), 'm' (1)     2
        survived  target: category  2 labels: 'yes' (2), 'no' (1)
    """
    rows = _rows(frame, target)
    known = {} if codecs is None else codecs
    unknown = next((name for name in known if name not in rows.columns), None)
    if unknown is not None:
        raise DataError(
            what=f"the frame has no column {unknown!r}", where="codecs", mend=did_you_mean(unknown, rows.columns)
        )
    columns = [
        _given(name, values, known[name]) if name in known else _column(name, values)
        for name, values in rows.columns.items()
        if name != target
    ]
    read = {column.name: column.codec for column in columns if column.codec is not None}
    if not read:
        why = "\n".join(f"{column.name}: {column.about}" for column in columns)
        raise DataError(what="no column of the frame can be read", where="data", got=why or "only the target")
    end = _target(target, rows.columns[target], known.get(target))
    assert end.codec is not None
    return Table(Record(read, target), end.codec, target, len(rows), (*columns, end))


def _rows(frame: Any, target: str) -> TableRows:
    if not is_frame(frame):
        raise DataError(
            what="this is no frame",
            expected="a DataFrame of pandas or polars, or a table of pyarrow",
            got=with_article(type(frame).__name__),
            mend="pandas.DataFrame(…)",
        )
    rows = rows_of_frame(frame)
    if target not in rows.columns:
        raise DataError(
            what=f"the frame has no column {target!r}, which is the target",
            where="data",
            got=f"the columns {', '.join(map(repr, rows.columns))}",
            mend=did_you_mean(str(target), rows.columns),
        )
    if not len(rows):
        raise DataError(what="the frame has no rows", where="data")
    return rows


def _given(name: str, values: Sequence[Any], codec: Codec) -> TableColumn:
    missing = bool(missing_of(values).any()) and not isinstance(codec, Nullable)
    return _learned(name, "given", f"{type(codec).__name__}, as given", Nullable(codec) if missing else codec, values)


def _learned(name: str, kind: str, about: str, codec: Codec, values: Sequence[Any]) -> TableColumn:
    try:
        return TableColumn(name, kind, about, codec.fit(values))
    except DataError as error:
        raise error.within(f"column {name!r}") from None


def _column(name: str, values: Sequence[Any]) -> TableColumn:
    """What a column holds, by its values."""
    missing = missing_of(values)
    known: Any = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if isinstance(values, np.ndarray):
        known = np.asarray(values)[~missing]
    if not len(known):
        return TableColumn(name, "left out", "every value is missing")
    kinds = {type(value) for value in known}
    if not missing.any() and all(value == known[0] for value in known):
        only = shortened(repr(plain_number(known[0])), 40)
        return TableColumn(name, "left out", f"constant: {only} in every row")
    if isinstance(known, np.ndarray):
        kind, about, codec = _numbers(name, known)
    elif kinds == {bool}:
        yes = sum(known)
        kind, about, codec = "boolean", f"{yes:,} True, {len(known) - yes:,} False", Boolean()
    elif all(issubclass(one, datetime.date) for one in kinds):
        kind, about, codec = "date", f"{min(known):%Y-%m-%d} to {max(known):%Y-%m-%d}", Date()
    elif all(issubclass(one, str | int) for one in kinds):
        kind, about, codec = _texts(name, known)
    else:
        names = ", ".join(sorted(one.__name__ for one in kinds))
        return TableColumn(name, "left out", f"values of type {names}, which stand in no vector of numbers")
    if codec is None:
        return TableColumn(name, kind, about)
    if missing.any():
        codec, about = Nullable(codec), f"{about}; {int(missing.sum()):,} missing"
    return _learned(name, kind, about, codec, values)


def _numbers(name: str, known: "np.ndarray[Any, Any]") -> tuple[str, str, Codec | None]:
    if not np.isfinite(known).all():
        raise DataError(
            what="the value is infinite",
            where=f"column {name!r}",
            expected="a finite number",
            mend="frame.replace([inf, -inf], None), if it stands for a missing value",
        )
    whole, n = known.dtype.kind in "iu", len(known)
    if whole and n > 2 and len(np.unique(known)) == n:
        counts = int(known.max()) - int(known.min()) == n - 1 and bool((np.diff(known) == 1).all())
        if counts or IDENTIFIER.search(name):
            return "left out", f"an identifier: {n:,} different whole numbers in {n:,} rows", None
    return "number", f"{known.min():g} to {known.max():g}, mean {known.mean():.4g}", Number()


def _texts(name: str, known: Sequence[Any]) -> tuple[str, str, Codec | None]:
    counts = Counter(known)
    texts = [str(value) for value in known]
    many = len(counts) > max(MANY * len(known), 2) and len(known) > 2 * SHOWN
    if many and sum(len(text.split()) for text in texts) >= WORDS * len(texts):
        try:
            codec = BagOfWords().fit(texts)
        except DataError:  # no word is common
            return "left out", "texts that have no word in common", None
        words = cast(tuple[str, ...], codec.words)
        return "text", f"{len(words)} common words: {', '.join(words[:SHOWN])}{', …' * (len(words) > SHOWN)}", codec
    if many:
        return "left out", f"an identifier: {len(counts):,} different texts in {len(known):,} rows", None
    common = counts.most_common()
    shown = ", ".join(f"{shortened(repr(label), 24)} ({count:,})" for label, count in common[:SHOWN])
    kept = sorted((label for label, _ in common[:MOST_LABELS]), key=str)
    rare = f"; {len(common) - MOST_LABELS:,} rare ones count as unknown" if len(common) > MOST_LABELS else ""
    about = f"{len(common):,} labels: {shown}{', …' if len(common) > SHOWN else ''}{rare}"
    if len(kept) < 2:
        return "left out", f"one label and missing values: {shown}", None
    return "category", about, Category(kept)


def _target(name: str, values: Sequence[Any], codec: Codec | None) -> TableColumn:
    missing = missing_of(values)
    if missing.any():
        raise DataError(
            what="the target is missing",
            where=f"row {int(missing.argmax())}, column {name!r}",
            got=f"{int(missing.sum()):,} of {len(values):,} rows without a target",
            mend=(f"frame.dropna(subset=[{name!r}])", f"frame.drop_nulls({name!r}), of a frame of polars"),
        )
    different = set(values.tolist() if isinstance(values, np.ndarray) else values)
    if len(different) < 2:
        raise DataError(
            what="all targets are equal: there is nothing to learn",
            where=f"column {name!r}",
            got=f"{next(iter(different))!r} in each of {len(values):,} rows",
            mend="rows with other targets too",
        )
    if codec is not None:
        return _learned(name, "given", f"{type(codec).__name__}, as given", codec, values)
    kinds = {type(value) for value in different}
    if kinds == {bool}:
        return TableColumn(name, "boolean", f"{sum(values):,} True, {len(values) - sum(values):,} False", Boolean())
    whole = all(issubclass(kind, int) for kind in kinds)
    if isinstance(values, np.ndarray) and not (whole and len(different) == 2):
        about = f"{values.min():g} to {values.max():g}, mean {values.mean():.4g}"
        return _learned(name, "number", about, Number(), values)
    counts = Counter(values.tolist() if isinstance(values, np.ndarray) else values).most_common()
    shown = ", ".join(f"{shortened(repr(label), 24)} ({count:,})" for label, count in counts[:SHOWN])
    about = f"{len(counts):,} labels: {shown}{', …' if len(counts) > SHOWN else ''}"
    return _learned(name, "category", about, Category(), values)

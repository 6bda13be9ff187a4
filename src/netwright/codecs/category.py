"""One label of several, and yes or no: the codecs of classification."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs import label_table
from netwright.codecs.codec import Answer, Codec
from netwright.codecs.label_table import LabelCodec
from netwright.codecs.numeric import AnyArray, as_tensor, described, is_array, plain_number
from netwright.codecs.pieces import pieces
from netwright.codecs.reading import THRESHOLD, Decision, Reading
from netwright.errors import DataError

SLACK = 0.01  # how much rounding to bfloat16 may change a sum of probabilities
YES, NO = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")  # texts that stand for True, and for False
NUMBERS = ("bool", "int", "uint", "float")  # the beginnings of the names of numeric types
INT64 = range(-(2**63), 2**63)


class Category(LabelCodec):
    """One of several labels: an index on the way in, a probability for each label on the way out.

    Labels differ if their types do: `True` is not `1`, `7.0` is not `7`, `"7"` is not `7`. A numpy or torch scalar
    counts as the Python value it holds. A row of one label, as in a column of a table, counts as that label.

    Shapes:
        `encode` gives `<k>`, an index below the number of labels; `decode` takes `k` probabilities.

    Fields:
        labels: the labels in the order of the net's outputs; str, int, float or bool, at least two and at most
            1,000,000, all different. By default the sorted labels of the training data.

    Raises:
        NetError: labels that repeat, have no order, or are fewer than two or more than 1,000,000.
        DataError: a label that is not known.

    Example:
        >>> Category(["cat", "dog"]).encode("dog")
        tensor(1)
        >>> Category(range(10))
        Category(range(10))
        >>> Category(range(3)).decode(torch.tensor([0.1, 0.7, 0.2]))
        1
    """

    least: ClassVar[int] = 2

    @property
    def answer(self) -> Answer:
        return "class"

    @property
    def encoded(self) -> str:
        return f"<{self.decoded}>"

    def encode(self, raw: Any) -> Tensor:
        return torch.tensor(
            label_table.index_of(_single(raw), self._table, "categories"), dtype=torch.int64, device="cpu"
        )

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        if is_array(raws):
            column: AnyArray = raws.reshape(-1) if tuple(raws.shape[1:]) == (1,) else raws
            indices = self._encode_integers(column)
            if indices is not None:
                return indices
            raws = column.tolist()
        known = self._table
        try:
            indices = torch.tensor(
                [known[type(raw), raw] for raw in map(plain_number, map(_single, raws))],
                dtype=torch.int64,
                device="cpu",
            )
        except (KeyError, TypeError):
            return torch.stack(self._encode_rows(raws))  # slower, but it names the row
        return indices if len(indices) else torch.stack(self._encode_rows(raws))

    def read(self, output: Tensor, reading: Reading) -> Any:
        if not isinstance(reading, Decision):
            _check_distribution(output)
        return reading.of(self._labels, output)

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        cells = (_different(piece) for _, piece in pieces(raws))
        found = label_table.distinct(map(_single, itertools.chain.from_iterable(cells)))
        if len(found) < 2:
            raise DataError(
                what="a category needs at least two different labels in the training data",
                got=f"only {found[0]!r}" if found else "no examples",
                mend="give the labels: Category([…])",
            )
        return replace(self, labels=found)

    def for_classes(self, count: int) -> Codec:
        return Category(range(count))

    @cached_property
    def _sorted(self) -> tuple[Tensor, Tensor] | None:
        """The labels in ascending order with their indices, if they are all integers that torch can hold."""
        if not all(type(label) is int and label in INT64 for label in self._labels):
            return None
        return torch.tensor(self._labels, dtype=torch.int64, device="cpu").sort()

    def _encode_integers(self, raws: AnyArray) -> Tensor | None:
        """The indices of a whole array of integers; None for another type, or if a label is not known."""
        kind = str(raws.dtype).removeprefix("torch.")
        if raws.ndim != 1 or not len(raws) or "int" not in kind or kind == "uint64" or self._sorted is None:
            return None
        ascending, places = self._sorted
        values = as_tensor(raws).long()
        found = torch.searchsorted(ascending, values).clamp_max_(len(ascending) - 1)
        return places[found] if torch.equal(ascending[found], values) else None


class Boolean(Codec):
    """Yes or no: one byte on the way in, the probability of yes on the way out.

    `True` and `False` are taken, and the numbers 1 and 0 for them, alone or as a row of one. The answer is `True` from
    a probability of one half on.

    Shapes:
        `encode` gives `1`; `decode` takes `1`, the probability of `True`.

    Raises:
        DataError: anything but `True` or `False`, 1 or 0; a probability outside 0..1.

    Example:
        >>> Boolean().decode(torch.tensor([0.8]))
        True
    """

    @property
    def answer(self) -> Answer:
        return "yes or no"

    @property
    def names(self) -> tuple[Any, ...]:
        return (False, True)

    @property
    def encoded(self) -> str:
        return "1"

    @property
    def decoded(self) -> str:
        return "1"

    def encode(self, raw: Any) -> Tensor:
        value = plain_number(_single(raw))
        if type(value) not in (bool, int, float) or value not in (0, 1):
            raise DataError(
                what="this is not a boolean",
                expected="True or False, 1 or 0",
                got=described(value),
                mend=_mend_boolean(value),
            )
        return torch.tensor([value], dtype=torch.uint8, device="cpu")

    def encode_all(self, raws: Sequence[Any]) -> Tensor:
        if is_array(raws) and len(raws) and str(raws.dtype).removeprefix("torch.").startswith(NUMBERS):
            values = as_tensor(raws)
            if values.numel() == len(raws) and values.ndim < 3 and bool(((values == 0) | (values == 1)).all()):
                return values.reshape(-1, 1).to(torch.uint8)
        return torch.stack(self._encode_rows(raws))

    def prepare(self, stored: Tensor) -> Tensor:
        return stored.float()

    def read(self, output: Tensor, reading: Reading) -> Any:
        chances = check_chances(output.reshape(1))
        if isinstance(reading, Decision):
            return bool(chances >= THRESHOLD)  # with argmax the order of the labels would decide a tie
        return reading.of((False, True), torch.cat([1 - chances, chances]))


def _mend_boolean(value: Any) -> tuple[str, ...]:
    """The mends for a text in place of a boolean: the value that it stands for, if it stands for one."""
    if not isinstance(value, str):
        return ()
    meant = [known for known, texts in ((True, YES), (False, NO)) if value.strip().lower() in texts]
    return (*(f"give {known} in place of {value!r}" for known in meant), "nw.Category(), the codec of texts as labels")


def _different(piece: Sequence[Any]) -> Sequence[Any]:
    """The values of a piece of a column; of integers, which are all labels, each once."""
    if not is_array(piece):
        return piece
    integers = "int" in str(piece.dtype) and tuple(piece.shape) in ((len(piece),), (len(piece), 1))
    return np.unique(as_tensor(piece).numpy()).tolist() if integers else piece.tolist()


def _single(raw: Any) -> Any:
    """The only item of a row of one, as in a column of a table; anything else unchanged."""
    one = tuple(raw.shape) == (1,) if is_array(raw) else isinstance(raw, list | tuple) and len(cast(Any, raw)) == 1
    return cast(Any, raw)[0] if one else raw


def check_chances(output: Tensor) -> Tensor:
    """The output, clipped to 0..1; an error if it is not independent probabilities."""
    if bool((output < -SLACK).any()) or bool((output > 1 + SLACK).any()):
        raise DataError(
            what="the output is not a probability",
            expected="values in 0..1",
            got=f"values in {float(output.min()):g}..{float(output.max()):g}",
            mend="end the net with nw.sigmoid",
        )
    return output.float().clamp(0, 1)


def _check_distribution(output: Tensor) -> None:
    total = float(output.double().sum())
    if bool((output < 0).any()) or abs(total - 1) > SLACK:
        raise DataError(
            what="the output is not a distribution over the labels",
            expected="values of 0 or more that sum to 1",
            got=f"values in {float(output.min()):g}..{float(output.max()):g} that sum to {total:g}",
            mend="end the net with nw.softmax",
        )

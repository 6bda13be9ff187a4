"""Several labels at once: tags, each of which is true or false by itself."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from netwright.codecs import label_table
from netwright.codecs.category import check_chances
from netwright.codecs.codec import Answer, by_row
from netwright.codecs.label_table import Label, LabelCodec
from netwright.codecs.numeric import described, is_array
from netwright.codecs.reading import Reading
from netwright.errors import DataError


class Labels(LabelCodec):
    """Any number of labels at once: a 1 for each given label on the way in, a probability for each on the way out.

    The probabilities are independent and need not sum to one. The decision is a tuple of the labels with p ≥ 0.5;
    `Probabilities` gives each label with its own, `Top` the likeliest, `Sample` draws each by itself, `Entropy` sums
    the entropies.

    Shapes:
        `encode` gives `k`, zeros and ones; `decode` takes `k` probabilities.

    Fields:
        labels: the labels in the order of the net's outputs; str, int, float or bool; 1, 1.0 and True differ.
            At most 1,000,000. By default the sorted labels of the training data.

    Raises:
        NetError: labels that repeat, have no order, or are none.
        DataError: a label that is not known; one text instead of a list of labels; a probability outside 0..1.

    Example:
        >>> tags = Labels(["dark", "loud", "slow"])
        >>> tags.encode(["loud", "dark"])
        tensor([1, 1, 0], dtype=torch.uint8)
        >>> tags.decode(torch.tensor([0.9, 0.2, 0.6]))
        ('dark', 'slow')
    """

    @property
    def answer(self) -> Answer:
        return "labels"

    @property
    def encoded(self) -> str:
        return self.decoded

    def encode(self, raw: Any) -> Tensor:
        places = [label_table.index_of(label, self._table, "labels") for label in _items(raw)]
        hot = torch.zeros(len(self._labels), dtype=torch.uint8, device="cpu")
        hot[places] = 1
        return hot

    def prepare(self, stored: Tensor) -> Tensor:
        return stored.float()

    def read(self, output: Tensor, reading: Reading) -> Any:
        return reading.of_each(self._labels, check_chances(output))

    def takes(self, raw: Any) -> bool:
        if is_array(raw):
            return raw.ndim == 1
        nested = (list, tuple, set, frozenset)
        return isinstance(raw, nested) and not any(isinstance(item, nested) or _has_axes(item) for item in raw)

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[tuple[type, Label]] = set()
        for labels in by_row(raws, lambda raw: label_table.distinct(_items(raw))):
            found.update((type(label), label) for label in labels)
        if not found:
            raise DataError(what="there is not one label in the training data", mend="give the labels: Labels([…])")
        return replace(self, labels=label_table.distinct(label for _, label in found))


def _has_axes(item: Any) -> bool:
    return is_array(item) and item.ndim > 0


def _items(raw: Any) -> list[Any]:
    """The labels of one example; a text is one label, not a list of characters."""
    if is_array(raw) and raw.ndim == 1:
        return list(raw.tolist())
    if isinstance(raw, list | tuple | set | frozenset):
        return list(raw)
    raise DataError(
        what="several labels come as a list, tuple or set",
        got=described(raw),
        mend=f"[{raw!r}] for one label" if isinstance(raw, str | int | float) else (),
    )

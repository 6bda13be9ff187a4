"""A sequence of labels of any kind: parts of speech, notes, moves of a game."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from netwright.codecs import label_table
from netwright.codecs.codec import by_row
from netwright.codecs.label_table import Label
from netwright.codecs.numeric import PLAIN, described, is_array, plain_number
from netwright.codecs.text.elements import EDGE, UNKNOWN
from netwright.codecs.text.vocabulary import Listed
from netwright.errors import DataError, NetError
from netwright.sizes.free import FREE


class Tokens(Listed):
    """A sequence of labels: an index for each.

    One raw value is a tuple, a list or an array of one axis. Labels of different types are different, as those of
    `Category`. `text_of` and decoding give the labels as a list; an unknown one is `"<unknown>"`.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`: the labels, the unknown one, the edge.

    Fields:
        vocabulary: the labels in the order of their indices; str, int, float or bool. By default the sorted labels
            of the training data.
        mark_start, mark_end: a mark in front of the sequence, or behind it: True for one extra element, the edge, or
            the name of an element of the vocabulary.
        unknown: one extra element for all labels that are not in the vocabulary; by default they are an error.
        max_length: how many elements are kept, edges included, of a longer sequence; by default all.
        length: the name of the size that varies.

    Raises:
        NetError: labels that repeat or have no order.
        DataError: a label that is not known; an empty sequence, if there is no edge.

    Example:
        >>> codec = Tokens(["noun", "verb"], mark_start=True)
        >>> codec.encode(["verb", "noun"])
        tensor([2, 1, 0])
        >>> codec.text_of([2, 1, 0])
        ['verb', 'noun']
    """

    noun: ClassVar[str] = "label"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (EDGE, UNKNOWN):
            if self.vocabulary is not FREE and name in self._elements:
                raise NetError(what="this label is the name of an extra element in readings", got=repr(name))

    def takes(self, raw: Any) -> bool:
        if is_array(raw):
            return raw.ndim == 1
        return isinstance(raw, list | tuple) and not any(map(_nested, raw))

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[tuple[type, Label]] = set()
        for labels in by_row(raws, lambda raw: label_table.distinct(self._items(raw))):
            found.update((type(label), label) for label in labels)
        if not found:
            raise self._none()
        marks = self._marks_to_learn
        labels = label_table.distinct(label for _, label in found)
        return replace(self, vocabulary=(*marks, *(label for label in labels if label not in marks)))

    def _items(self, raw: Any) -> list[Any]:
        if not self.takes(raw):
            raise DataError(
                what="a sequence of labels is a list, a tuple or an array of one axis",
                got=described(raw),
                mend=f"list({raw!r}) for its characters" if isinstance(raw, str) and raw else (),
            )
        labels: list[Any] = raw.tolist() if is_array(raw) else list(map(plain_number, raw))
        for position, label in enumerate(labels):
            if type(label) not in PLAIN:
                raise DataError(
                    what="this cannot be a label",
                    where=f"position {position}",
                    expected="str, int, float or bool",
                    got=described(label),
                )
        return labels

    def _key(self, element: Any) -> tuple[type, Any]:
        return (type(element), element)

    def _pieces(self, raw: Any) -> list[tuple[type, Any]]:
        return list(map(self._key, self._items(raw)))

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        return [(place, place + 1) for place in range(len(self._items(raw)))]

    def _joined(self, indices: list[int]) -> list[Label]:
        labels = self._elements
        return [labels[index] if index < len(labels) else UNKNOWN for index in indices]

    def _missing(self, raw: Any, place: int, piece: Any) -> DataError:
        try:
            label_table.index_of(piece[1], self._table, "labels")
        except DataError as error:
            mends = (*error.mend, "unknown=True, which gives all such labels one index")
            return error.changed(where=f"position {place}", mend=mends)
        raise AssertionError(f"{piece} is a label")


def _nested(item: Any) -> bool:
    return isinstance(item, list | tuple) or (is_array(item) and item.ndim > 0)

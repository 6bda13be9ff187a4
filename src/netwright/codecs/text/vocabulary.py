"""Elements of a vocabulary, which is given or learned: the common base of characters, words and tokens."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY
from functools import cached_property
from typing import Any, ClassVar

from netwright.codecs import label_table
from netwright.codecs.label_table import Label
from netwright.codecs.text.elements import Elements
from netwright.errors import DataError, did_you_mean
from netwright.sizes.free import FREE, Free

SHOWN = 6  # elements of a vocabulary that a message shows
AROUND = 12  # characters of the text that a message shows on both sides of an element


class Listed(Elements, ABC):
    """Elements with a vocabulary: an element's index is its position there.

    Fields:
        vocabulary: the elements in the order of their indices, all different; by default learned from the training
            data.
        unknown: one extra index, behind those of the vocabulary, for every element that is not in it; by default
            such an element is an error.
    """

    noun: ClassVar[str]  # what an element is called

    vocabulary: Iterable[Any] | Free = FREE
    _: KW_ONLY
    unknown: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.vocabulary is not FREE:
            object.__setattr__(self, "vocabulary", label_table.label_tuple(self.vocabulary, least=1))
            _ = self._named_marks  # raises an error now if a mark is not an element

    @abstractmethod
    def _pieces(self, raw: Any) -> Sequence[Any]:
        """The elements of one raw value, by their keys."""

    @property
    def _marks_to_learn(self) -> tuple[str, ...]:
        """The marks that are elements of the vocabulary; a learned vocabulary begins with them."""
        return tuple(dict.fromkeys(mark for mark in (self.mark_start, self.mark_end) if isinstance(mark, str)))

    @property
    def unknown_index(self) -> int | None:
        return self._count if self.unknown else None

    @property
    def _count(self) -> int | None:
        return None if self.vocabulary is FREE else len(self._elements)

    @property
    def _elements(self) -> Sequence[Label]:
        return self._known("vocabulary")

    def _key(self, element: Any) -> Any:
        """The key of an element, which no other element has."""
        return element

    @cached_property
    def _table(self) -> dict[Any, int]:
        """From an element, by its key, to its index."""
        return {self._key(element): index for index, element in enumerate(self._elements)}

    def _indices(self, raw: Any) -> Sequence[int]:
        table, pieces = self._table, self._pieces(raw)
        if self.unknown:
            other = len(table)
            return [table.get(piece, other) for piece in pieces]
        try:
            return [table[piece] for piece in pieces]
        except KeyError:
            place = next(place for place, piece in enumerate(pieces) if piece not in table)
            raise self._missing(raw, place, pieces[place]) from None

    def _missing(self, raw: Any, place: int, piece: Any) -> DataError:
        """The error for an element that is not in the vocabulary."""
        text = self._text(raw)
        start, end = self._spans(raw)[place]
        before = "…" if start > AROUND else ""
        behind = "…" if len(text) > end + AROUND else ""
        around = before + text[max(start - AROUND, 0) : end + AROUND] + behind
        known = [str(element) for element in self._elements]
        listed = ", ".join(map(repr, known[:SHOWN])) + (", …" if len(known) > SHOWN else "")
        mends = [self._near(piece), f"unknown=True, which gives all such {self.noun}s one index"]
        return DataError(
            what=f"{self.noun} {piece!r} is not in the vocabulary",
            where=f"{self.noun} {place}, in {around!r}",
            expected=f"one of its {len(known):,} {self.noun}s: {listed}",
            mend=[mend for mend in mends if mend],
        )

    def _near(self, piece: str) -> str:
        """The mend that suggests a similar element."""
        return did_you_mean(piece, [str(element) for element in self._elements])

    def _none(self) -> DataError:
        return DataError(
            what=f"there is not one {self.noun} to learn in the training data",
            mend=f"give the vocabulary: {type(self).__name__}(…)",
        )

    def _shown(self, value: Any) -> str:
        return label_table.shown_labels(value) if type(value) is tuple else repr(value)

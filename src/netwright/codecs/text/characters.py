"""A text as its characters, of which the training data has some hundred at most."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import by_row
from netwright.codecs.text.elements import REPLACEMENT
from netwright.codecs.text.vocabulary import Listed
from netwright.errors import NetError
from netwright.sizes.free import FREE


class Characters(Listed):
    """A text as its characters (Unicode code points): an index for each.

    `text_of` gives the same text back; an unknown character becomes U+FFFD.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`: v − 1 characters and the edge, or v characters.

    Fields:
        vocabulary: the characters in the order of their indices, as a text; by default those of the training data,
            sorted by code point.
        mark_start, mark_end: a mark in front of the text, or behind it: True for one extra element, the edge, or
            the name of an element of the vocabulary.
        unknown: one extra element for all characters that are not in the vocabulary; by default they are an error.
        max_length: how many elements are kept, edges included, of a longer text; by default all.
        length: the name of the size that varies.

    Raises:
        NetError: a character that stands twice, or text that is no character.
        DataError: a character that is not in the vocabulary; an empty text, if there is no edge.

    Example:
        >>> codec = Characters("abc", mark_end=True)
        >>> codec.encode("cab")
        tensor([2, 0, 1, 3])
        >>> codec.text_of([2, 0, 1, 3])
        'cab'
        >>> Characters().fit(["hello", "world"])
        Characters('dehlorw')
    """

    noun: ClassVar[str] = "character"

    def __post_init__(self) -> None:
        if isinstance(self.vocabulary, str):
            object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
        super().__post_init__()
        if self.vocabulary is FREE:
            return
        for piece in self._elements:
            if type(piece) is not str or len(piece) != 1:
                raise NetError(what="this is not one character", where="vocabulary", got=repr(piece))
        object.__setattr__(self, "vocabulary", "".join(map(str, self._elements)))

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[str] = set()
        for text in by_row(raws, self._text):
            found.update(text)
        if not found:
            raise self._none()
        marks = self._marks_to_learn
        return replace(self, vocabulary=(*marks, *sorted(found - {*marks})))

    def _pieces(self, raw: Any) -> str:
        return self._text(raw)

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        return [(place, place + 1) for place in range(len(self._text(raw)))]

    def _joined(self, indices: list[int]) -> str:
        elements = self._elements
        return "".join([str(elements[i]) if i < len(elements) else REPLACEMENT for i in indices])

    def _flat(self, raws: Sequence[Any]) -> tuple[Tensor, Tensor]:
        texts = [self._text(raw) for raw in raws]
        points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        places = self._places
        found = places[np.minimum(points, len(places) - 1)]
        if found.size and int(found.min()) < 0:
            return super()._flat(raws)  # slower, and names the character
        return torch.from_numpy(found), torch.tensor([len(text) for text in texts], dtype=torch.int64, device="cpu")

    def _near(self, piece: str) -> str:
        near = [repr(known) for known in map(str, self._elements) if known.casefold() == piece.casefold()]
        return f"did you mean {near[0]}?" if near else ""

    @cached_property
    def _places(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        """The index of every code point; the last entry is for all that lie behind."""
        points = [ord(piece) for piece in self._table]
        other = self.unknown_index if self.unknown_index is not None else -1
        places = np.full(max(points) + 2, other, np.int64)
        places[points] = np.arange(len(points))
        return places

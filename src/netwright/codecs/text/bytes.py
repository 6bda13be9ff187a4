"""A text as its bytes: every text has some, and nothing is learned."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.text.elements import Elements, utf8

COUNT = 256


class Bytes(Elements):
    """A text as its bytes in UTF-8: no vocabulary is learned, and no text is unknown.

    `text_of` gives the same text back; bytes that are no UTF-8 become U+FFFD.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`; v is 256, or 257 with the edge.

    Fields:
        mark_start, mark_end: True for one extra element, the edge, in front of the text, or behind it.
        max_length: how many elements are kept, edges included, of a longer text; by default all.
        length: the name of the size that varies.

    Raises:
        DataError: an empty text, if there is no edge; half a character (a surrogate).

    Example:
        >>> Bytes(mark_start=True).encode("né")
        tensor([256, 110, 195, 169])
        >>> Bytes().text_of([110, 195, 169])
        'né'
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self._named_marks  # no byte has a name: refused at once

    @property
    def _count(self) -> int:
        return COUNT

    @property
    def _elements(self) -> Sequence[int]:
        return range(COUNT)

    def _indices(self, raw: Any) -> Sequence[int]:
        return list(utf8(self._text(raw)))

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        text = self._text(raw)
        return [(place, place + 1) for place, character in enumerate(text) for _ in utf8(character)]

    def _joined(self, indices: list[int]) -> str:
        return bytes(indices).decode(errors="replace")

    def _flat(self, raws: Sequence[Any]) -> tuple[Tensor, Tensor]:
        found = [utf8(self._text(raw)) for raw in raws]
        indices = np.frombuffer(b"".join(found), np.uint8).astype(np.int64)
        return torch.from_numpy(indices), torch.tensor([len(text) for text in found], dtype=torch.int64, device="cpu")

"""What the codecs of sequences share: edges, truncation, columns of many texts, and the readings of their outputs."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.category import Category
from netwright.codecs.codec import Answer, Codec, by_row
from netwright.codecs.each import Each
from netwright.codecs.numeric import described, is_array, plain_number
from netwright.codecs.pieces import pieces
from netwright.codecs.ragged import Ragged, spans
from netwright.codecs.reading import Decision, Reading, Sample
from netwright.errors import DataError, NetError, did_you_mean
from netwright.fields import at_least

EDGE, UNKNOWN = "<edge>", "<unknown>"  # the names of the extra elements in readings
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # an unknown element in a text


class Elements(Codec, ABC):
    """A sequence of elements: an index for each on the way in, a distribution for each on the way out.

    `encode` puts a mark in front of the sequence where `mark_start` asks for one, and behind it where `mark_end` does.
    With `True` the mark is one extra element, the edge, which has the last index and marks both ends. So an input codec
    with `mark_start=True` and an output codec with `mark_end=True` share their indices, and the target at a position is
    the element that follows: nothing has to be shifted. With the name of an element the mark is that element of the
    vocabulary, so the two ends can have different marks, as those of published nets have.

    Decoding gives the raw value of the most probable elements, up to the first mark (the mark that `mark_start` puts in
    front is skipped); `Sample` draws every element instead. The other readings give a list with one answer for each
    position; there the extra elements are called `"<edge>"` and `"<unknown>"`.

    Shapes:
        `encode` gives `n <v>`, v indices at n positions; `decode` takes `n v`. The number of positions is at least
        one, marks included, and at most `max_length`.

    Fields:
        mark_start: a mark in front: True for the edge, or the name of an element of the vocabulary. By default none.
        mark_end: a mark behind, likewise; a sequence that was truncated gets none, since it does not end there.
        max_length: how many elements are kept, marks included; the rest is cut off. By default all are kept.
            `truncated` counts the sequences that are cut.
        length: the name of the size that varies.

    Raises:
        NetError: a mark that is not in the vocabulary.
        DataError: a sequence that holds one of its own marks.
    """

    learns: ClassVar[str] = "vocabulary"  # the field that `fit` fills

    _: KW_ONLY
    mark_start: bool | str = False
    mark_end: bool | str = False
    max_length: int | None = None
    length: str = "n"

    def __post_init__(self) -> None:
        if self.max_length is not None:
            at_least(1, self.max_length, "max_length", type(self).__name__)
        if type(self.length) is str and not self.length.isidentifier():
            raise NetError(what="length is the name of a size", expected="a Python name", got=repr(self.length))

    @property
    @abstractmethod
    def _count(self) -> int | None:
        """The number of elements without the extra ones; None before they are learned."""

    @property
    @abstractmethod
    def _elements(self) -> Sequence[Any]:
        """The elements as readings name them, without the extra ones."""

    @abstractmethod
    def _indices(self, raw: Any) -> Sequence[int]:
        """The index of every element of one raw value, without marks and not truncated."""

    @abstractmethod
    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        """The position of every element in the raw value, without marks and not truncated."""

    @abstractmethod
    def _joined(self, indices: list[int]) -> Any:
        """The raw value of these elements, marks left out."""

    @property
    def unknown_index(self) -> int | None:
        """The index of all elements that are not in the vocabulary; None where there is none."""
        return None

    @property
    def size(self) -> int:
        """v, the number of indices, the extra elements included."""
        count = self._count
        if count is None:
            return self._known(self.learns)  # raises an error if it is not learned
        return count + (self.unknown_index == count) + self._has_edge

    @property
    def edge(self) -> int | None:
        """The index of the edge; None where there is none."""
        return self.size - 1 if self._has_edge else None

    @property
    def start(self) -> int | None:
        """The index of the element with which a sequence begins: its mark, or the edge; None where there is none."""
        return self.edge if self._named_marks[0] is None else self._named_marks[0]

    @property
    def ends(self) -> frozenset[int]:
        """The indices that end a sequence: the end mark and the edge, as far as there are any."""
        return frozenset(index for index in (self._named_marks[1], self.edge) if index is not None)

    @property
    def marks(self) -> frozenset[int]:
        """The indices of all marks, which do not belong to the raw value of a sequence."""
        return frozenset(index for index in (*self._named_marks, self.edge) if index is not None)

    @property
    def _has_edge(self) -> bool:
        return self.mark_start is True or self.mark_end is True

    @cached_property
    def _named_marks(self) -> tuple[int | None, int | None]:
        """The indices of the marks in front and behind that are elements of the vocabulary; None for another mark."""
        found: list[int | None] = []
        for name in (self.mark_start, self.mark_end):
            if isinstance(name, str) and name not in self._elements:
                known = [element for element in self._elements if isinstance(element, str)]
                raise NetError(
                    what="the mark is not an element of the vocabulary",
                    where=type(self).__name__,
                    expected="True, for one extra element, or the name of an element",
                    got=repr(name),
                    mend=did_you_mean(name, known),
                )
            found.append(self._elements.index(name) if isinstance(name, str) else None)
        return found[0], found[1]

    @property
    def elements(self) -> list[Any]:
        """The element of every index; None for the extra elements."""
        extra = {self.edge, self.unknown_index}
        known = [*self._elements, *[None] * (self.size - len(self._elements))]
        return [None if index in extra else element for index, element in enumerate(known)]

    @property
    def answer(self) -> Answer:
        return "elements"

    @property
    def names(self) -> tuple[Any, ...]:
        extra = {self.edge: EDGE, self.unknown_index: UNKNOWN}
        return tuple(extra.get(index, element) for index, element in enumerate(self.elements))

    @property
    def encoded(self) -> str:
        return f"{self.length} <{'?' if self._count is None else self.size}>"

    @property
    def decoded(self) -> str:
        return f"{self.length} {'?' if self._count is None else self.size}"

    def takes(self, raw: Any) -> bool:
        return isinstance(plain_number(raw), str)

    def encode(self, raw: Any) -> Tensor:
        indices = torch.tensor(self._indices(raw), dtype=torch.int64, device="cpu")
        if not len(indices) and not (self.mark_start or self.mark_end):
            raise DataError(
                what="an empty text has no elements",
                got=described(raw),
                mend=("leave it out", "mark_start=True or mark_end=True, which gives it an edge"),
            )
        self._check_unmarked(indices)
        return self._framed(indices, torch.tensor([len(indices)], dtype=torch.int64, device="cpu")).values

    def encode_all(self, raws: Sequence[Any]) -> Tensor | Ragged:
        if not len(raws):
            raise DataError(what="there are no examples")
        if isinstance(raws, str):
            raise DataError(what="this is one text, not many", got=described(raws), mend="[text], a list of one")
        try:
            indices, counts = self._flat(raws)
            self._check_unmarked(indices)
            return self._framed(indices, counts).compact()
        except DataError:
            for _ in by_row(raws, self.encode):  # one of them raises it again, with its row
                pass
            raise

    def truncated(self, raws: Sequence[Any]) -> int:
        """How many of the raw values have more elements, marks included, than `max_length`."""
        if self.max_length is None:
            return 0
        most = self.max_length - bool(self.mark_start) - bool(self.mark_end)
        return sum(int((self._flat(piece)[1] > most).sum()) for _, piece in pieces(raws))

    def offsets(self, raw: Any) -> list[tuple[int, int]]:
        """The span of characters of every element that `encode` gives; marks have empty spans."""
        inside = self._spans(raw)
        length = len(plain_number(raw))
        before = [(0, 0)] if self.mark_start else []
        behind = [(length, length)] if self.mark_end else []
        return [*before, *inside, *behind][: self.max_length]

    def text_of(self, indices: Iterable[int]) -> Any:
        """The text, or the labels, of these elements, marks left out; one index for each position."""
        given: list[int] = indices.tolist() if is_array(indices) else [int(index) for index in indices]
        size = self.size
        for position, index in enumerate(given):
            if not 0 <= index < size:
                raise DataError(
                    what="there is no such element",
                    where=f"position {position}",
                    expected=f"0 to {size - 1}",
                    got=f"{index}",
                )
        marks = self.marks
        return self._joined([index for index in given if index not in marks])

    def read(self, output: Tensor, reading: Reading) -> Any:
        if isinstance(reading, Decision):
            return self.text_of(self._inside(output.argmax(-1).tolist()))
        if isinstance(reading, Sample):
            return self.text_of(self._inside(self._numbered.read(output, reading)))
        return self._named.read(output, reading)

    def _inside(self, indices: list[int]) -> list[int]:
        """The elements between the marks."""
        marks = self.marks
        if self.mark_start and indices[:1] == [self.start]:
            indices = indices[1:]
        return list(itertools.takewhile(lambda index: index not in marks, indices))

    @cached_property
    def _named(self) -> Each:
        """The codec that reads every position with the names of elements."""
        unknown = [UNKNOWN] if self.unknown_index == self._count else []
        return Each(Category([*self._elements, *unknown, *([EDGE] if self.edge is not None else [])]))

    @cached_property
    def _numbered(self) -> Each:
        """The codec that reads every position with the indices of elements."""
        return Each(Category(range(self.size)))

    def _flat(self, raws: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """The indices of all raw values, one after the other, without marks, and how many each value has."""
        indices: list[int] = []
        counts: list[int] = []
        for raw in raws:
            found = self._indices(raw)
            indices.extend(found)
            counts.append(len(found))
        return torch.from_numpy(np.array(indices, dtype=np.int64)), torch.tensor(
            counts, dtype=torch.int64, device="cpu"
        )

    def _framed(self, indices: Tensor, counts: Tensor) -> Ragged:
        """With marks, and cut to `max_length`."""
        whole = counts + bool(self.mark_start) + bool(self.mark_end)
        kept = whole if self.max_length is None else whole.clamp_max(self.max_length)
        if not (self.mark_start or self.mark_end) and torch.equal(kept, counts):
            return Ragged(indices, (kept,))
        positions = spans(torch.full_like(kept, -int(bool(self.mark_start))), kept)  # in the raw value: -1 is the mark
        ends = counts.repeat_interleave(kept)
        first = (counts.cumsum(0) - counts).repeat_interleave(kept)
        places = (first + positions).where(positions >= 0, len(indices)).where(positions != ends, len(indices) + 1)
        end = self.edge if self._named_marks[1] is None else self._named_marks[1]
        marks = torch.tensor([self.start or 0, end or 0], dtype=torch.int64, device="cpu")  # 0 where it is not used
        return Ragged(torch.cat([indices, marks])[places], (kept,))

    def _check_unmarked(self, indices: Tensor) -> None:
        """Refuse a sequence that holds one of its own marks: it would seem to begin or to end there."""
        for mark in self._named_marks:
            places = [] if mark is None else (indices == mark).nonzero().flatten().tolist()
            if mark is not None and places:
                raise DataError(
                    what="the sequence holds one of its own marks",
                    where=f"element {places[0]}",
                    got=repr(self._elements[mark]),
                    mend="leave it out: the encoder puts the marks where they belong",
                )

    def _text(self, raw: Any) -> str:
        """One raw value, which must be a text."""
        text = plain_number(raw)
        if not isinstance(text, str):
            raise DataError(what=f"{type(self).__name__} takes a text", expected="str", got=described(raw))
        return text


def utf8(text: str) -> bytes:
    """The bytes of a text; an error for half a character (a surrogate), which has no bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            what="half a character (a surrogate) has no bytes",
            where=f"character {error.start}",
            got=repr(text[error.start]),
            mend='text.encode("utf-16", "surrogatepass").decode("utf-16"), if its other half is there',
        ) from None

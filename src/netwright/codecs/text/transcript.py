"""The codec of a text whose place in the input is not known: each element says a letter or nothing (CTC)."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, replace
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from netwright.codecs import label_table
from netwright.codecs.codec import Answer, Codec, by_row
from netwright.codecs.numeric import described, plain_number
from netwright.codecs.reading import Decision, Raw, Reading
from netwright.errors import DataError, NetError
from netwright.sizes.free import FREE, Free

BLANK = "<blank>"  # the name in readings of the class that says nothing
AROUND = 12  # characters of the text that a message shows on both sides of a letter
SHOWN = 60  # letters of an alphabet that a message shows


class Transcript(Codec):
    """What is said in a sound, or written in a picture, as a text of an alphabet's letters.

    The net gives for each of its elements, such as frames, the probabilities of the letters and, last, of the blank:
    it does not say where in the input a letter stands. Decoding takes the most probable class of each element, merges
    neighbours that are equal, and leaves out the blanks. `nw.transcribe` searches for the most probable text instead,
    with a grammar or a model of the language if there is one. A net that ends in this decoder is trained with
    `nw.CTCLoss`.

    `nw.probabilities` and other readings give a list with one answer for each element; there the blank is called
    `"<blank>"`.

    Shapes:
        `encode` gives `t <v>`, the indices of t letters; `decode` takes `? k` with k = v + 1 probabilities at any
        number of elements, the blank last.

    Fields:
        alphabet: the letters in the order of their indices, as a text; by default those of the training data, sorted
            by code point.
        length: the name of the number of letters.

    Raises:
        NetError: a letter that stands twice, or text that is no letter.
        DataError: an empty text, or one with a letter that is not in the alphabet.

    Example:
        >>> codec = Transcript("abc")
        >>> codec.encode("cab")
        tensor([2, 0, 1])
        >>> elements = torch.eye(4)[[2, 2, 3, 0, 0, 3, 0, 1]]
        >>> codec.decode(elements)
        'caab'

    Source: Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
        Recurrent Neural Networks"
    """

    alphabet: Iterable[str] | Free = FREE
    _: KW_ONLY
    length: str = "t"

    def __post_init__(self) -> None:
        if not self.length.isidentifier():
            raise NetError(what="length is the name of a size", expected="a Python name", got=repr(self.length))
        if self.alphabet is FREE:
            return
        letters = label_table.label_tuple(tuple(self.alphabet), least=1)
        wrong = next((letter for letter in letters if type(letter) is not str or len(letter) != 1), None)
        if wrong is not None:
            raise NetError(what="this is not one letter", where="alphabet", got=repr(wrong))
        object.__setattr__(self, "alphabet", "".join(map(str, letters)))

    @property
    def letters(self) -> str:
        """The letters in the order of their indices."""
        return self._known("alphabet")

    @property
    def blank(self) -> int:
        """The index of the blank, which is the last class."""
        return len(self.letters)

    @property
    def answer(self) -> Answer:
        return "transcript"

    @property
    def names(self) -> tuple[Any, ...]:
        return (*self.letters, BLANK)

    @property
    def encoded(self) -> str:
        return f"{self.length} <{'?' if self.alphabet is FREE else len(self.letters)}>"

    @property
    def decoded(self) -> str:
        return f"? {'?' if self.alphabet is FREE else self.blank + 1}"

    @property
    def _varying(self) -> int:
        return 1

    def takes(self, raw: Any) -> bool:
        return isinstance(plain_number(raw), str)

    def encode(self, raw: Any) -> Tensor:
        text, table = _text(raw), self._table
        if not text:
            raise DataError(what="an empty text has no letters", got="''", mend="leave it out")
        wrong = next((place for place, letter in enumerate(text) if letter not in table), None)
        if wrong is not None:
            raise self._missing(text, wrong)
        return torch.tensor([table[letter] for letter in text], dtype=torch.int64, device="cpu")

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        found: set[str] = set()
        for text in by_row(raws, _text):
            found.update(text)
        if not found:
            raise DataError(what="there is not one letter to learn in the training data", mend="Transcript('abc…')")
        return replace(self, alphabet="".join(sorted(found)))

    def text_of(self, indices: Iterable[int]) -> str:
        """The text of letters by their indices."""
        letters = self.letters
        return "".join([letters[index] for index in indices])

    def best_path(self, output: Tensor) -> list[int]:
        """The letters of the most probable class at each element (n, k), neighbours merged and blanks left out."""
        classes = output.argmax(-1)  # (n,)
        merged = torch.unique_consecutive(classes).tolist()
        return [index for index in merged if index != self.blank]

    def read(self, output: Tensor, reading: Reading) -> Any:
        if isinstance(reading, Decision | Raw):
            return self.text_of(self.best_path(output))
        names = self.names
        return [reading.at(place).of(names, row) for place, row in enumerate(output)]

    @cached_property
    def _table(self) -> dict[str, int]:
        """From a letter to its index."""
        return {letter: index for index, letter in enumerate(self.letters)}

    def _missing(self, text: str, place: int) -> DataError:
        letter, letters = text[place], self.letters
        before = "…" if place > AROUND else ""
        behind = "…" if len(text) > place + 1 + AROUND else ""
        near = [known for known in letters if known.casefold() == letter.casefold()]
        mends = [f"text.{'lower' if letter.isupper() else 'upper'}()"] if near else ["text.replace(…)"]
        return DataError(
            what=f"the letter {letter!r} is not in the alphabet",
            where=f"letter {place}, in {before + text[max(place - AROUND, 0) : place + 1 + AROUND] + behind!r}",
            expected=f"letters of {letters[:SHOWN] + ('…' if len(letters) > SHOWN else '')!r}",
            mend=[*mends, f"Transcript with {letter!r} in its alphabet"],
        )


def _text(raw: Any) -> str:
    text = plain_number(raw)
    if not isinstance(text, str):
        raise DataError(what="Transcript takes a text", expected="str", got=described(raw))
    return text

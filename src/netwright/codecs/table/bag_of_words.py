"""Texts of a table's column: which of the commonest words they have."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from netwright.codecs.codec import Codec, by_row
from netwright.codecs.label_table import label_tuple
from netwright.codecs.numeric import described
from netwright.codecs.reading import Reading
from netwright.errors import DataError
from netwright.fields import at_least
from netwright.sizes.free import FREE, Free

WORD = re.compile(r"\w+")
LEAST_TEXTS = 2  # a word of one text says nothing about others


class BagOfWords(Codec):
    """A text as a 1 for each known word that it has, and a 0 for the others; order and number do not count.

    Words are runs of letters and digits, without case.

    Shapes:
        `encode` gives `k`, a number for each known word.

    Fields:
        words: the known words; by default those that most texts of the training data have, each at least two.
        size: how many words are learned at most; 100, of which a small table can learn something.

    Raises:
        NetError: a word that stands twice, or a size below 1.
        DataError: what is no text; texts that have no word in common.

    Example:
        >>> BagOfWords(["mr", "mrs"]).encode("Braund, Mr. Owen")
        tensor([1., 0.])
    """

    words: Iterable[str] | Free = FREE
    size: int = 100

    def __post_init__(self) -> None:
        at_least(1, self.size, "the number of words", "BagOfWords")
        if self.words is not FREE:
            object.__setattr__(self, "words", label_tuple(self.words, 1))

    @property
    def encoded(self) -> str:
        return "?" if self.words is FREE else str(len(self._known("words")))

    @property
    def decoded(self) -> str:
        return self.encoded

    def encode(self, raw: Any) -> Tensor:
        own = _words_of(raw)
        return torch.tensor([float(word in own) for word in self._known("words")], dtype=torch.float32, device="cpu")

    def read(self, output: Tensor, reading: Reading) -> Any:
        raise DataError(
            what="a bag of words has no order: it is an input, and no answer of a net",
            got=repr(self),
            mend="nw.Labels([…]), the words as labels",
        )

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        counts: Counter[str] = Counter()
        for words in by_row(raws, _words_of):
            counts.update(words)
        common = sorted(
            (word for word in counts if counts[word] >= LEAST_TEXTS), key=lambda word: (-counts[word], word)
        )
        if not common:
            raise DataError(what="the texts have no word in common", mend="leave the column out")
        return replace(self, words=tuple(common[: self.size]))


def _words_of(raw: Any) -> frozenset[str]:
    if not isinstance(raw, str):
        raise DataError(what="this is no text", expected="a str", got=described(raw))
    return frozenset(WORD.findall(raw.casefold()))

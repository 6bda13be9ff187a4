"""A text as its words and punctuation marks, of which the frequent ones make up the vocabulary."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, replace
from typing import Any, ClassVar, Self

from netwright.codecs.codec import at_place
from netwright.codecs.text.elements import REPLACEMENT
from netwright.codecs.text.vocabulary import Listed
from netwright.errors import DataError, NetError
from netwright.sizes.free import FREE

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")  # letters, digits and _, apostrophes inside; or one mark
CLOSING = frozenset(".,;:!?%)]}…’”")  # marks that follow without a space
OPENING = frozenset("([{“‘")  # marks that the next word follows without one


class Words(Listed):
    r"""A text as its words and punctuation marks: an index for each.

    A word is what `\w+(?:['’]\w+)*|[^\w\s]` matches: letters, digits and underscores, apostrophes inside; or one
    mark. Spaces and line breaks are not kept, so `text_of` gives the words with single spaces, none before a closing
    mark or behind an opening one; an unknown word becomes U+FFFD.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`: the words, the unknown one, the edge.

    Fields:
        vocabulary: the words in the order of their indices; by default those of the training data, the most frequent
            first, equally frequent ones by the alphabet.
        lower: words are read in lower case.
        least: how often a word must occur in the training data to be learned; more than one needs `unknown`.
        start, end: one extra element, the edge, in front of the text, or behind it.
        unknown: one extra element for all words that are not in the vocabulary; by default they are an error.
        most: how many elements are kept, edges included, of a longer text; by default all.
        length: the name of the size that varies.

    Raises:
        NetError: a word that stands twice, or that is not one word; `least` above one without `unknown`.
        DataError: a word that is not in the vocabulary; a text without words, if there is no edge.

    Example:
        >>> codec = Words(unknown=True, lower=True).fit(["The cat sat.", "The dog isn't here."])
        >>> codec
        Words(['.', 'the', 'cat', 'dog', 'here', "isn't", 'sat'], unknown=True, lower=True)
        >>> codec.encode("The cow sat.")
        tensor([1, 7, 6, 0])
        >>> codec.text_of([1, 2, 6, 0])
        'the cat sat.'
    """

    noun: ClassVar[str] = "word"

    _: KW_ONLY
    lower: bool = False
    least: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.least) is int and self.least < 1:
            raise NetError(
                what="a learned word occurs at least once", expected="least of 1 or more", got=f"{self.least}"
            )
        if self.vocabulary is FREE:
            if type(self.least) is int and self.least > 1 and not self.unknown:
                raise NetError(
                    what="the words that occur less often are in the training data, but not in the vocabulary",
                    got=repr(self),
                    mend=("unknown=True", "least=1"),
                )
            return
        for word in self._elements:
            if type(word) is not str or self._pieces(word) != [word]:
                raise NetError(
                    what="this is not one word: no text has it",
                    where="vocabulary",
                    expected="what the pattern matches" + (", in lower case" if self.lower else ""),
                    got=repr(word),
                )

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        counts: Counter[str] = Counter()
        for row, raw in enumerate(raws):
            try:
                counts.update(self._pieces(raw))
            except DataError as error:
                raise at_place(error, f"row {row}") from None
        found = [word for word, count in counts.items() if count >= self.least]
        if not found:
            raise self._none()
        return replace(self, vocabulary=sorted(found, key=lambda word: (-counts[word], word)))

    def _pieces(self, raw: Any) -> list[str]:
        found: list[str] = WORD.findall(self._text(raw))
        # İ alone has a lower case of two characters, of which the second is in no word
        return [word.replace("İ", "i").lower() for word in found] if self.lower else found

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        return [match.span() for match in WORD.finditer(self._text(raw))]

    def _joined(self, indices: list[int]) -> str:
        elements = self._elements
        pieces: list[str] = []
        for index in indices:
            word = str(elements[index]) if index < len(elements) else REPLACEMENT
            if pieces and word not in CLOSING and pieces[-1] not in OPENING:
                pieces.append(" ")
            pieces.append(word)
        return "".join(pieces)

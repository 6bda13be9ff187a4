"""A text as its words and punctuation marks, of which the frequent ones make up the vocabulary."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, replace
from functools import cache
from itertools import groupby
from typing import Any, ClassVar, Self

from netwright.codecs.codec import by_row
from netwright.codecs.text.elements import REPLACEMENT
from netwright.codecs.text.vocabulary import Listed
from netwright.errors import NetError
from netwright.fields import at_least
from netwright.sizes.free import FREE

JOINERS = "\u200c\u200d"  # between letters that are joined, or kept apart; between pictures that are one
SHADES = "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"  # of skin, and what spells out the flag of a region
FLAG = "[\U0001f1e6-\U0001f1ff]{2}"  # two letters that are shown as one flag
CLOSING = frozenset(".,;:!?%)]}…’”")  # marks that follow without a space
MARK = re.compile(r"<[^<>\s]+>")  # the name of a mark, which is an element although no text has it
OPENING = frozenset("([{“‘")  # marks that the next word follows without one


@cache
def _word() -> re.Pattern[str]:
    r"""Letters, digits and _ with the marks on them, apostrophes inside; or one sign. `\w` alone leaves out marks."""
    points = (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0))
    runs = groupby(points, lambda point: unicodedata.category(chr(point))[0] == "M")
    each = [list(run) for is_mark, run in runs if is_mark]
    marks = "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in each)
    # the first look is for speed: nearly all that follows a word comes before the first mark
    letters = rf"\w+(?:(?![\0-\u02ff])[{marks}{JOINERS}]+\w*)*"
    return re.compile(rf"{letters}(?:['’]{letters})*|{FLAG}|[^\w\s](?:(?![\0-\u02ff])(?:[{marks}{SHADES}]|\u200d\S))*")


class Words(Listed):
    r"""A text as its words and punctuation marks: an index for each.

    A word is letters, digits and underscores with the marks on them, as Hindi, Tamil, Arabic and Hebrew have them, and
    apostrophes inside; or one punctuation mark or emoji. How an accent is stored makes no difference: é as one code
    point or as two is one word, and `text_of` gives it as the vocabulary has it. Spaces and line breaks are not kept,
    so `text_of` gives the words with single spaces, none before a closing mark or behind an opening one; an unknown
    word becomes U+FFFD.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`: the words, the unknown one, the edge.

    Fields:
        vocabulary: the words in the order of their indices, names of marks such as "<s>" among them; by default the
            words of the training data, the most frequent first, equally frequent ones by the alphabet.
        lower: words are read in lower case.
        least: how often a word must occur in the training data to be learned; more than one needs `unknown`.
        mark_start, mark_end: a mark in front of the text, or behind it: True for one extra element, the edge, or
            the name of an element of the vocabulary.
        unknown: one extra element for all words that are not in the vocabulary; by default they are an error.
        max_length: how many elements are kept, edges included, of a longer text; by default all.
        length: the name of the size that varies.

    Raises:
        NetError: a word that stands twice, or that is neither one word nor the name of a mark; `least` above one
            without `unknown`.
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
        at_least(1, self.least, "least", type(self).__name__)
        if self.vocabulary is FREE:
            if type(self.least) is int and self.least > 1 and not self.unknown:
                raise NetError(
                    what="the words that occur less often are in the training data, but not in the vocabulary",
                    got=repr(self),
                    mend=("unknown=True", "least=1"),
                )
            return
        for word in self._elements:
            if isinstance(word, str) and MARK.fullmatch(word):
                continue
            if type(word) is not str or self._pieces(word) != [self._key(word)] or self._lowered(word) != word:
                raise NetError(
                    what="this is not one word: no text has it",
                    where="vocabulary",
                    expected="letters and digits, or one mark" + (", in lower case" if self.lower else ""),
                    got=repr(word),
                )
        if len(self._table) < len(self._elements):
            twice = next(word for i, word in enumerate(self._elements) if self._table[self._key(word)] != i)
            raise NetError(
                what="a word stands twice: its accents are stored apart and together",
                where="vocabulary",
                got=repr(twice),
            )

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        forms: dict[str, Counter[str]] = {}  # of every word, how often it is written in which form
        for words in by_row(raws, self._written):
            for word in words:
                forms.setdefault(self._key(word), Counter())[word] += 1
        counts = {max(found, key=lambda form: found[form]): found.total() for found in forms.values()}
        learned = [word for word, count in counts.items() if count >= self.least]
        if not learned:
            raise self._none()
        marks = self._marks_to_learn
        learned = sorted({*learned} - {*marks}, key=lambda word: (-counts[word], word))
        return replace(self, vocabulary=(*marks, *learned))

    def _key(self, element: Any) -> Any:
        return unicodedata.normalize("NFC", element) if isinstance(element, str) else element

    def _pieces(self, raw: Any) -> list[str]:
        words = self._written(raw)
        return words if self._text(raw).isascii() else [self._key(word) for word in words]

    def _written(self, raw: Any) -> list[str]:
        """The words as they are stored in the text, in lower case where that is wanted."""
        found: list[str] = _word().findall(self._text(raw))
        return [self._lowered(word) for word in found] if self.lower else found

    def _lowered(self, word: str) -> str:
        # İ alone has a lower case of two characters, of which the second is no letter
        return word.replace("I\u0307", "İ").replace("İ", "i").lower() if self.lower else word

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        return [match.span() for match in _word().finditer(self._text(raw))]

    def _joined(self, indices: list[int]) -> str:
        elements = self._elements
        pieces: list[str] = []
        for index in indices:
            word = str(elements[index]) if index < len(elements) else REPLACEMENT
            if pieces and word not in CLOSING and pieces[-1] not in OPENING:
                pieces.append(" ")
            pieces.append(word)
        return "".join(pieces)

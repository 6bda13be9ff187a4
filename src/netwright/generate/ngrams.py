"""A model of a language that counts which letter follows which ones, to prefer what texts of it look like."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, cast

from netwright.errors import DataError
from netwright.fields import at_least

START, END = "\x02", "\x03"  # in front of a text, and behind it


class NGrams:
    """How probable each letter is after the letters before it, counted in texts.

    The probability after the last letters h is that of the counts, mixed with that after one letter less (Witten and
    Bell): p(c | h) = (n(hc) + u(h) p(c | h')) / (n(h) + u(h)), where n counts how often, and u how many different
    letters follow h. At the end every letter that was seen is equally probable.

    Fields:
        texts: those that are counted.
        order: of how many letters, the last one included; 4: longer ones are rare in few texts.

    Raises:
        NetError: an order below 1.
        DataError: no texts, or what is no text.

    Example:
        >>> model = NGrams(["banana", "bandana"], order=3)
        >>> model.log_probability("ban", "a") > model.log_probability("ban", "b")
        True

    Source: Witten and Bell 1991, "The zero-frequency problem"
    """

    def __init__(self, texts: Sequence[str], order: int = 4) -> None:
        at_least(1, order, "the order", "NGrams")
        self.order = order
        self._after: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row, text in enumerate(texts):
            if not isinstance(cast(Any, text), str):
                raise DataError(what="a model of letters counts texts", where=f"row {row}", got=type(text).__name__)
            whole = START + text + END
            for place in range(1, len(whole)):
                for count in range(min(order - 1, place) + 1):
                    self._after[whole[place - count : place]][whole[place]] += 1
        if not self._after:
            raise DataError(what="there are no texts to count")
        self._letters = len(self._after[""]) + 1  # one more stands for all that were never seen

    def log_probability(self, before: str, letter: str) -> float:
        """ln p of a letter after a text; `letter` empty for the end of the text."""
        begun = START + before
        return math.log(self._probability(begun[max(len(begun) - self.order + 1, 0) :], letter or END))

    def _probability(self, before: str, letter: str) -> float:
        shorter = self._probability(before[1:], letter) if before else 1 / self._letters
        found = self._after.get(before)
        if found is None:
            return shorter
        different = len(found)
        return (found[letter] + different * shorter) / (found.total() + different)

    def __repr__(self) -> str:
        return f"NGrams of order {self.order}, {self._letters - 2} letters"

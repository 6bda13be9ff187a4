"""N-grams with modified Kneser-Ney smoothing: the book's character models are compared with these."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Reals = NDArray[np.float64]


class KneserNey:
    """Predicts each character of a text, and its end, from the characters before it.

    Every text begins with a start symbol, which is given, and ends with an end symbol, which is predicted like a
    character. With $c(hw)$ the count of the symbol $w$ after the history $h$, and $h'$ the history without its oldest
    symbol,

    $$p(w|h) = \\frac{c(hw) - D(c(hw))}{c(h)} + \\frac{\\sum_v D(c(hv))}{c(h)} \\, p(w|h')$$

    For histories that are shorter than the longest, $c(hw)$ is not how often $hw$ occurs but how many different symbols
    come before it. An n-gram that begins with the start symbol has nothing before it, so it keeps its count. The three
    discounts D(1), D(2) and D(3 and more) of each order are estimated from the numbers of counts that are 1, 2, 3 and
    4. Where one of these numbers is 0, the discounts are 0.5. The shortest history is empty, and below it is a uniform
    distribution over the characters of `texts`, the end, and one symbol for all other characters.

    Fields: `order` n, the number of symbols of an n-gram, so the history has n - 1; `alphabet` the known characters.

    Example:
        >>> model = KneserNey(["abab", "ab"], order=2)
        >>> round(model.bits(["ab"]), 2)
        0.4

    Raises: ValueError for texts without a character, an order below 1, or more n-grams than 63 bits can number.

    Source: Chen and Goodman, An empirical study of smoothing techniques for language modeling, 1998.
    """

    def __init__(self, texts: Sequence[str], order: int = 5) -> None:
        self.order = order
        self.alphabet = "".join(sorted(set().union(*texts)))
        if not self.alphabet:
            raise ValueError("the texts have no character")
        self._known = np.array([ord(character) for character in self.alphabet], np.int64)
        self._end, self._unseen, self._start = (len(self.alphabet) + i for i in range(3))
        self._base = self._start + 1
        if order < 1:
            raise ValueError(f"an n-gram has at least one symbol, not {order}")
        if self._base**order >= 2**63:
            raise ValueError(f"order {order} with {len(self.alphabet)} characters does not fit into 63 bits")
        symbols, place = self._framed(texts)
        self._levels: list[_Level] = []
        longer, counts = np.unique(self._grams(symbols, place, order), return_counts=True)
        for length in range(order, 0, -1):
            if length < order:
                shift = self._base**length
                inside, before = np.unique(longer % shift, return_counts=True)  # each left neighbour counts once
                first, often = np.unique(self._grams(symbols, place, length), return_counts=True)
                at_start = (first // (shift // self._base) == self._start) & (length > 1)
                longer, counts = np.append(inside, first[at_start]), np.append(before, often[at_start])
                rank = np.argsort(longer)
                longer, counts = longer[rank], counts[rank]
            self._levels.insert(0, _Level(longer, counts, self._base))

    def bits(self, texts: Sequence[str]) -> float:
        """Bits per element: the mean of -log2 of its probability, over all characters and ends of the texts."""
        return float(-np.log2(self._probabilities(texts)).mean())

    def following(self, text: str) -> dict[str | None, float]:
        """The probability of each next symbol: the known characters, "" for the end, None for any other character."""
        symbols, place = self._framed([text] * self._start)
        last = np.flatnonzero(symbols == self._end)
        symbols[last] = np.arange(self._start)
        found = self._at(symbols, place)[last]
        return dict(zip([*self.alphabet, "", None], found.tolist(), strict=True))

    def _framed(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """The symbols of all texts in one array, and the position of each symbol in its text."""
        lengths = np.array([len(text) + 2 for text in texts], np.int64)
        starts = np.cumsum(lengths) - lengths
        joined = "\0" + "\0\0".join(texts) + "\0"
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)  # (symbols,)
        nearest = np.searchsorted(self._known, codes).clip(max=len(self._known) - 1)
        symbols = np.where(self._known[nearest] == codes, nearest, self._unseen)
        symbols[starts], symbols[starts + lengths - 1] = self._start, self._end
        return symbols, np.arange(len(symbols)) - np.repeat(starts, lengths)

    def _grams(self, symbols: Ids, place: Ids, length: int) -> Ids:
        """The n-grams of this length as numbers, none across two texts, and none that ends with the start symbol."""
        codes = symbols.copy()
        for back in range(1, length):
            codes[back:] += symbols[:-back] * self._base**back
        return codes[place >= max(length - 1, 1)]

    def _probabilities(self, texts: Sequence[str]) -> Reals:
        symbols, place = self._framed(texts)
        return self._at(symbols, place)[place > 0]

    def _at(self, symbols: Ids, place: Ids) -> Reals:
        """The probability of every symbol, interpolated from the shortest history to the longest."""
        found = np.full(len(symbols), 1 / self._start)
        for length, level in enumerate(self._levels, 1):
            reached = place >= max(length - 1, 1)
            found[reached] = level.over(self._grams(symbols, place, length), found[reached])
        return found


class _Level:
    """The n-grams of one length: their discounted counts, and what the discounts leave to the shorter history."""

    def __init__(self, grams: Ids, counts: Ids, base: int) -> None:
        having = [int((counts == k).sum()) for k in range(1, 5)]
        discounts: Reals = np.array([0, 0.5, 0.5, 0.5])
        if all(having):
            share = having[0] / (having[0] + 2 * having[1])
            discounts[1:] = [k - (k + 1) * share * having[k] / having[k - 1] for k in (1, 2, 3)]
            discounts = discounts.clip(0, [0, 1, 2, 3])
        taken: Reals = discounts[counts.clip(max=3)]
        self.base, self.grams = base, grams
        self.left: Reals = counts.astype(float) - taken
        self.histories, of = np.unique(grams // base, return_inverse=True)
        self.total, self.spare = (np.bincount(of, weights).astype(float) for weights in (counts, taken))

    def over(self, grams: Ids, shorter: Reals) -> Reals:
        """Probabilities of the n-grams, from the probabilities that the shorter history gives."""
        left = _looked_up(self.grams, self.left, grams)
        total = _looked_up(self.histories, self.total, grams // self.base)
        spare = _looked_up(self.histories, self.spare, grams // self.base)
        return np.where(total > 0, (left + spare * shorter) / np.maximum(total, 1), shorter)


def _looked_up(keys: Ids, values: Reals, wanted: Ids) -> Reals:
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0.0)

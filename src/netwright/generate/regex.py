"""Allows texts that match a regular expression: its automaton over characters, walked by whole elements."""

from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray

from netwright.errors import NetError
from netwright.generate.grammar import Grammar, Moves, Vocabulary, distances
from netwright.generate.pattern import Chars, Either, Pattern, Repeated, Then, parse_pattern
from netwright.value import Value

PLACES = 2000  # characters of a pattern with its counts written out
STATES = 10_000  # of the automaton over the characters of a vocabulary
Ids: TypeAlias = NDArray[np.int32]


class Regex(Value, Grammar[int]):
    r"""Texts that match a regular expression as a whole, as with Python's `re.fullmatch`.

    Elements of several characters are read character by character. The state is the set of the places in the pattern
    that may come next, as the bits of an integer. Understood are characters, `.`, `[a-z]`, `[^a-z]`, `\d \w \s` and
    their capitals, escapes, `( )`, `|`, `*`, `+`, `?` and `{m,n}`.

    Fields:
        pattern: the regular expression.

    Raises:
        NetError: something in the pattern is not understood, with its place; or it is too large: more than 2,000
            characters with its counts written out, or more than 10,000 states over a vocabulary's characters.

    Example:
        >>> name = Regex("[A-Z][a-z]+(-[A-Z][a-z]+)*")
        >>> name.matches("Anne-Marie"), name.matches("Anne-")
        (True, False)
        >>> name.shortest(name.start(), Vocabulary(["A", "b", "An", "ne"]))
        1

    Source: Glushkov, "The abstract theory of automata", 1961 (an automaton whose states are places in the pattern).
    """

    pattern: str

    def __post_init__(self) -> None:
        if not isinstance(cast(Any, self.pattern), str):
            raise NetError(what="a pattern is a text", where="Regex", got=repr(self.pattern))
        compiled(self.pattern)

    def start(self) -> int:
        return compiled(self.pattern).start

    def next(self, state: int, element: str) -> int | None:
        automaton = compiled(self.pattern)
        for char in self._text(element):
            state = automaton.step(state, automaton.places(char))
        return state or None

    def done(self, state: int) -> bool:
        return bool(state & compiled(self.pattern).end)

    def shortest(self, state: int, vocabulary: Vocabulary) -> int | None:
        return vocabulary.once(self, "shortest", lambda: distances(self, vocabulary)).get(state)

    def successors(self, state: int, vocabulary: Vocabulary) -> Moves[int]:
        table = vocabulary.once(self, "table", lambda: self._table(vocabulary))
        led = table.walk(state)  # (v,)
        met = np.zeros(len(table.states), bool)  # (s,)
        met[led] = True
        met[0] = False
        found = np.flatnonzero(met)
        which = np.full(len(table.states), -1)  # (s,)
        which[found] = np.arange(len(found))
        return Moves([table.states[i] for i in found], torch.from_numpy(which[led]))

    def _table(self, vocabulary: Vocabulary) -> "MatchTable":
        texts = [None if e is None else self._text(e) for e in vocabulary.elements]
        return MatchTable.of(self, texts)

    def _text(self, element: object) -> str:
        if not isinstance(element, str):
            raise NetError(
                what="Regex reads text, and this element is not a text",
                where=f"grammar {self!r}",
                expected="elements that are texts",
                got=repr(element),
            )
        return element


class Automaton(Value):
    """A pattern as places, each one character of it; sets of places are the bits of an integer.

    Fields:
        sets: for each set of characters the places where one of it is read.
        follow: for each place the places that may come behind it, the end among them.
        start: the places that may come first.
        end: the place behind the last character.
    """

    sets: dict[Chars, int]
    follow: tuple[int, ...]
    start: int
    end: int
    _read: dict[str, int] = field(default_factory=dict[str, int], compare=False)

    def places(self, char: str) -> int:
        """The places in the pattern where this character may be read."""
        if char not in self._read:
            self._read[char] = sum(places for chars, places in self.sets.items() if chars.has(char))
        return self._read[char]

    def step(self, state: int, places: int) -> int:
        """The places that may follow those of the state that are among `places`."""
        after = 0
        for place in _bits(state & places):
            after |= self.follow[place]
        return after


@lru_cache(64)
def compiled(pattern: str) -> Automaton:
    """The automaton of a pattern."""
    places = _Places(pattern)
    whole = places.of(parse_pattern(pattern))
    end = 1 << len(places.follow)
    for place in _bits(whole.last):
        places.follow[place] |= end
    return Automaton(places.sets, tuple(places.follow), whole.first | (end if whole.empty else 0), end)


class _Span(Value):
    """A part of a pattern: the places where it may start and end, and whether it matches the empty text."""

    first: int = 0
    last: int = 0
    empty: bool = True


class _Places:
    """Gives each character of a pattern its place, and says which places follow which."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.sets: dict[Chars, int] = {}
        self.follow: list[int] = []

    def of(self, pattern: Pattern) -> _Span:
        match pattern:
            case Chars():
                return self._chars(pattern)
            case Then(parts):
                whole = _Span()
                for part in parts:
                    whole = self._then(whole, self.of(part))
                return whole
            case Either(parts):
                spans = [self.of(part) for part in parts]
                first, last = 0, 0
                for span in spans:
                    first, last = first | span.first, last | span.last
                return _Span(first, last, any(span.empty for span in spans))
            case Repeated(part, least, most):
                return self._repeat(part, least, most)

    def _chars(self, chars: Chars) -> _Span:
        if len(self.follow) == PLACES:
            raise NetError(
                what="a pattern is too large",
                where=f"Regex({self.pattern!r})",
                expected=f"at most {PLACES:,} characters with its counts {{m,n}} written out",
                got="more",
                mend="use * or + instead of large counts",
            )
        place = 1 << len(self.follow)
        self.follow.append(0)
        self.sets[chars] = self.sets.get(chars, 0) | place
        return _Span(place, place, False)

    def _then(self, a: _Span, b: _Span) -> _Span:
        for place in _bits(a.last):
            self.follow[place] |= b.first
        return _Span(a.first | (b.first if a.empty else 0), b.last | (a.last if b.empty else 0), a.empty and b.empty)

    def _repeat(self, part: Pattern, least: int, most: int | None) -> _Span:
        """x{2,4} is xx(x(x)?)?, x{2,} is xx⁺ with x⁺ = x that may follow itself, and x* is (x⁺)?."""
        behind = _Span()  # what follows the required copies, from the last to the first
        if most is None:
            once = self.of(part)
            for place in _bits(once.last):
                self.follow[place] |= once.first
            behind = _Span(once.first, once.last, once.empty or least == 0)
            copies = max(least - 1, 0)
        else:
            copies = least
            for _ in range(most - least):
                once = self._then(self.of(part), behind)
                behind = _Span(once.first, once.last, True)
        for _ in range(copies):
            behind = self._then(self.of(part), behind)
        return behind


def _bits(number: int) -> Iterator[int]:
    """The places of the ones in a number."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


class MatchTable(Value):
    """The automaton of a pattern over the characters of a vocabulary, as arrays, to walk all its elements at once.

    Fields:
        states: by id; 0 is the state from which nothing may come.
        ids: of the states.
        steps: the id of the state behind each state and class of characters, (s, c).
        order: the elements, the longest first, (v,).
        columns: for each character position the classes of the elements that have it, which come first in `order`.
        none: the elements that may never come.
    """

    states: list[int]
    ids: dict[int, int]
    steps: Ids
    order: NDArray[np.int64]
    columns: list[Ids]
    none: NDArray[np.int64]

    @classmethod
    def of(cls, regex: Regex, texts: list[str | None]) -> "MatchTable":
        """The table for a vocabulary; characters that the pattern does not tell apart are one class."""
        automaton = compiled(regex.pattern)
        known = [text or "" for text in texts]
        places = {char: automaton.places(char) for text in known for char in text}
        classes = {read: i for i, read in enumerate(dict.fromkeys(places.values()))}
        states, steps = _explored(regex, list(classes))
        order = sorted(range(len(known)), key=lambda i: -len(known[i]))
        columns: list[Ids] = []
        longest = len(known[order[0]]) if order else 0
        for at in range(longest):
            classed = [classes[places[known[i][at]]] for i in order if len(known[i]) > at]
            columns.append(np.array(classed, np.int32))
        return cls(
            states=states,
            ids={state: i for i, state in enumerate(states)},
            steps=steps,
            order=np.array(order, np.int64),
            columns=columns,
            none=np.array([i for i, text in enumerate(texts) if text is None], np.int64),
        )

    def walk(self, state: int) -> Ids:
        """The id of the state behind each element, (v,)."""
        now = np.full(len(self.order), self.ids[state], np.int32)  # (v,), in the order of `order`
        for column in self.columns:
            n = len(column)
            now[:n] = self.steps[now[:n], column]
        led = np.empty_like(now)
        led[self.order] = now
        led[self.none] = 0
        return led


def _explored(regex: Regex, classes: list[int]) -> tuple[list[int], Ids]:
    """All states that characters of these classes reach, and the steps between them."""
    automaton = compiled(regex.pattern)
    states = [0, automaton.start]
    ids = {0: 0, automaton.start: 1}
    rows: list[list[int]] = []
    for state in states:  # grows while it is read
        row: list[int] = []
        for places in classes:
            after = automaton.step(state, places)
            if after not in ids:
                ids[after] = len(states)
                states.append(after)
            row.append(ids[after])
        rows.append(row)
        if len(states) > STATES:
            raise NetError(
                what="a pattern is too large",
                where=f"grammar {regex!r}",
                expected=f"at most {STATES:,} states over the characters of the vocabulary",
                got="more",
                mend="use fewer or smaller counts {m,n} near the end of the pattern",
            )
    return states, np.array(rows, np.int32).reshape(len(states), len(classes))

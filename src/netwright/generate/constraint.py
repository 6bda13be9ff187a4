"""Applies a grammar to a vocabulary: which elements may come next so that the sequence can still end in time."""

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Generic

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.generate.grammar import Grammar, State, Vocabulary

NEVER = torch.iinfo(torch.int32).max  # the count for a state from which no elements lead to an end
KEPT = 256  # states whose counts are kept: 50 MB for a vocabulary of 50,000


class Constraint(Generic[State]):
    """The elements of a vocabulary that a grammar allows, as masks.

    An element may come if the grammar allows it and the shortest completion after it still fits in the remaining room.
    So a sequence that starts with enough room always ends within it, and never reaches a state without a next element.

    Fields:
        grammar: the rules for the next element.
        elements: the element of each index; None for one that is never allowed.
        end: the index of the end element, allowed exactly where the sequence may end; None if there is no such element.
            It takes no room.
        max_elements: how many elements the sequence may have; used only to check that the grammar can end within them.

    Raises:
        NetError: the grammar allows none of the elements at the start, cannot end with them, or cannot end within
            `max_elements`; or its states are not hashable.

    Example:
        >>> from netwright.generate.regex import Regex
        >>> constraint = Constraint(Regex("a+b"), ["a", "b", None], end=2)
        >>> state = constraint.next(constraint.start, 0)
        >>> constraint.allowed(state, room=2).tolist()
        [True, True, False]
        >>> constraint.allowed(state, room=1).tolist()          # one more "a" would leave no room for "b"
        [False, True, False]
        >>> constraint.allowed(constraint.next(state, 1)).tolist()
        [False, False, True]
    """

    def __init__(
        self,
        grammar: Grammar[State],
        elements: Iterable[Hashable | None],
        *,
        end: int | None = None,
        max_elements: int | None = None,
    ) -> None:
        self.grammar = grammar
        self.vocabulary = Vocabulary(None if i == end else element for i, element in enumerate(elements))
        self.end = end
        self.start = grammar.start()
        self._needed = lru_cache(KEPT)(self._count)
        self._check(max_elements)

    def next(self, state: State, index: int) -> State | None:
        """The state after the element of this index; None if the grammar does not allow it."""
        element = self.vocabulary.elements[index]
        return None if element is None else self.grammar.next(state, element)

    def done(self, state: State) -> bool:
        """Whether the sequence may end here."""
        return self.grammar.done(state)

    def shortest(self, state: State) -> int | None:
        """The least number of elements that complete the sequence from here; None if no elements can."""
        return self.grammar.shortest(state, self.vocabulary)

    def allowed(self, state: State, room: int | None = None) -> Tensor:
        """Which elements may come next if `room` more fit (None: any number): a mask, (v,) bool."""
        mask = self._needed(state) <= (NEVER - 1 if room is None else room)  # (v,)
        if self.end is not None:
            mask[self.end] = self.done(state)
        return mask

    def _count(self, state: State) -> Tensor:
        """For each element the least number that completes the sequence, itself included: (v,) int32, or NEVER."""
        moves = self.grammar.successors(state, self.vocabulary)
        left = [self.shortest(after) for after in moves.states]
        needed = [NEVER if n is None else n + 1 for n in left] + [NEVER]  # the last is for which = -1
        return torch.tensor(needed, dtype=torch.int32, device="cpu")[moves.which]  # (v,)

    def _check(self, max_elements: int | None) -> None:
        where = f"grammar {self.grammar!r}"
        try:
            hash(self.start)
        except TypeError:
            raise NetError(
                what="the states of a grammar are hashable values",
                where=where,
                expected="a start() that gives a number, a text, a tuple of these, …",
                got=f"{self.start!r}, of type {type(self.start).__name__}",
            ) from None
        shortest = self.shortest(self.start)
        if shortest is None:
            starts = self.grammar.successors(self.start, self.vocabulary).states
            stuck = "some may come first, but none leads to an end" if starts else "none may come first"
            raise NetError(
                what="the grammar allows no sequence of these elements",
                where=where,
                expected="elements that the grammar can start, go on and end with",
                got=f"{self._words()}; {stuck}",
                mend="change the grammar, or use a net whose vocabulary has the elements it needs",
            )
        if max_elements is not None and shortest > max_elements:
            raise NetError(
                what="the grammar cannot end within so few elements",
                where=where,
                expected=f"room for its shortest sequence: {shortest} element{'' if shortest == 1 else 's'}",
                got=f"max_elements={max_elements}",
                mend=f"max_elements={shortest} or more",
            )

    def _words(self) -> str:
        """The vocabulary in a few words."""
        known = [repr(element) for element in self.vocabulary.elements if element is not None]
        if not known:
            return "no elements"
        listed = known if len(known) <= 8 else [*known[:6], "…", known[-1]]
        return f"{len(known):,} element{'' if len(known) == 1 else 's'}: {', '.join(listed)}"

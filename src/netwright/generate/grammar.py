"""Defines a grammar: an automaton over the elements of a vocabulary, and the distance of every state from an end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.value import Value

State = TypeVar("State", bound=Hashable)
T = TypeVar("T")

SEARCH = 10_000_000  # calls of `next` that a search for the shortest completion may make: some seconds


class Vocabulary:
    """The elements of a net by index, and a cache of what grammars have computed about them.

    Fields:
        elements: texts (characters, words, pieces of words) or other labels; None for one that is never allowed, such
            as the end element or the unknown element.
    """

    def __init__(self, elements: Iterable[Hashable | None]) -> None:
        self.elements = tuple(elements)
        self._known: dict[tuple[int, str], tuple[object, Any]] = {}

    def __len__(self) -> int:
        return len(self.elements)

    def once(self, owner: object, name: str, work: Callable[[], T]) -> T:
        """The result of `work`, which is called once for each owner and name; the vocabulary keeps the result."""
        key = (id(owner), name)
        if key not in self._known:
            self._known[key] = (owner, work())  # the owner is kept alive, so that no other object gets its id
        return self._known[key][1]


class Moves(Value, Generic[State]):
    """The next states of all elements of a vocabulary, from one state.

    Fields:
        states: the distinct next states.
        which: for each element the index of its state in `states`, (v,) int64; -1 for an element that is not allowed.
    """

    states: list[State]
    which: Tensor


class Grammar(ABC, Generic[State]):
    """The form of a generated sequence: an automaton that reads one element after another.

    Subclass it for an automaton of your own: define where it starts, the next state for each element, and where a
    sequence may end. States are hashable values, never changed. That is all for an automaton with finitely many
    states; one that counts or nests without bound also defines `shortest`.

    Example:
        >>> class Even(Grammar[bool]):
        ...     "An even number of elements."
        ...     def start(self) -> bool:
        ...         return True
        ...     def next(self, state: bool, element: str) -> bool | None:
        ...         return not state
        ...     def done(self, state: bool) -> bool:
        ...         return state
        >>> Even().matches("abab"), Even().matches("aba")
        (True, False)
        >>> Even().shortest(False, Vocabulary("ab"))
        1
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def start(self) -> State:
        """The state before the first element."""

    @abstractmethod
    def next(self, state: State, element: Any) -> State | None:
        """The state after one more element; None if the element is not allowed."""

    @abstractmethod
    def done(self, state: State) -> bool:
        """Whether the sequence may end here."""

    def shortest(self, state: State, vocabulary: Vocabulary) -> int | None:
        """The least number of elements of the vocabulary that complete the sequence; None if no elements can.

        It is found by a search of all states that the vocabulary reaches from the start. A method that overrides it may
        give more than the least number, if from each state some element leads to a state with one less.

        Raises:
            NetError: the search meets so many states that there may be infinitely many.
        """
        most = max(SEARCH // max(len(vocabulary), 1), 1)
        return vocabulary.once(self, "shortest", lambda: distances(self, vocabulary, most)).get(state)

    def successors(self, state: State, vocabulary: Vocabulary) -> Moves[State]:
        """The next states of all elements; override it if computing all at once is faster than one by one."""
        places: dict[State, int] = {}
        which: list[int] = []
        for element in vocabulary.elements:
            after = None if element is None else self.next(state, element)
            which.append(-1 if after is None else places.setdefault(after, len(places)))
        return Moves(list(places), torch.tensor(which, dtype=torch.int64, device="cpu"))

    def matches(self, elements: Iterable[Any]) -> bool:
        """Whether this whole sequence is one that the grammar allows."""
        state: State | None = self.start()
        for element in elements:
            if state is None or element is None:
                return False
            state = self.next(state, element)
        return state is not None and self.done(state)


def distances(grammar: Grammar[State], vocabulary: Vocabulary, most: int | None = None) -> dict[State, int]:
    """For every state that the vocabulary reaches and that can end: the number of elements to the nearest end.

    The search goes breadth first from the start to find the states, then backwards from the states that may end.
    """
    first = grammar.start()
    before: dict[State, list[State]] = {first: []}
    reached = [first]
    for state in reached:  # grows while it is read
        if most is not None and len(reached) > most:
            raise NetError(
                what="the shortest completion was not found: the grammar has too many states, or infinitely many",
                where=type(grammar).__name__,
                expected=f"at most {most:,} states with a vocabulary of {len(vocabulary):,}",
                got="more",
                mend=f"give {type(grammar).__name__} a method shortest(self, state, vocabulary) that computes it",
            )
        for after in grammar.successors(state, vocabulary).states:
            if after not in before:
                before[after] = []
                reached.append(after)
            before[after].append(state)
    away = {state: 0 for state in reached if grammar.done(state)}
    ring = list(away)
    for state in ring:  # grows while it is read
        for earlier in before[state]:
            if earlier not in away:
                away[earlier] = away[state] + 1
                ring.append(earlier)
    return away

"""Allows trees in prefix notation: each element says how many subtrees follow it."""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, cast

from netwright.errors import NetError
from netwright.fields import plain
from netwright.generate.grammar import Grammar, Vocabulary
from netwright.value import Value


class Arity(Value, Grammar[int]):
    """One tree in prefix notation, such as an expression: `Add x Sin x` is Add(x, Sin(x)).

    A sequence is complete when exactly one tree has been read; elements that are not named are not allowed. The state
    is the number of subtrees that are still missing; each needs at least one element, which has no subtrees.

    Fields:
        arity: how many subtrees follow each element.

    Raises:
        NetError: no element is named, or a number of subtrees is not 0, 1, 2, …

    Example:
        >>> expression = Arity({"Add": 2, "Sin": 1, "x": 0})
        >>> expression.matches(["Add", "x", "Sin", "x"]), expression.matches(["Add", "x"])
        (True, False)
    """

    arity: Mapping[Any, int]

    def __post_init__(self) -> None:
        given = cast(Any, self.arity)
        if not isinstance(given, Mapping) or not given:
            raise NetError(
                what="Arity needs to know how many subtrees follow each element",
                expected='a mapping such as {"Add": 2, "Sin": 1, "x": 0}',
                got=repr(given),
            )
        for element, count in self.arity.items():
            if type(plain(count)) is not int or count < 0:
                raise NetError(
                    what="a number of subtrees is a whole number from 0 on",
                    where=f"Arity, element {element!r}",
                    got=repr(count),
                )
        object.__setattr__(self, "arity", MappingProxyType({e: int(n) for e, n in self.arity.items()}))

    def __repr__(self) -> str:
        return f"Arity({dict(self.arity)!r})"

    def __hash__(self) -> int:
        return hash(frozenset(self.arity.items()))

    def start(self) -> int:
        return 1

    def next(self, state: int, element: Hashable) -> int | None:
        count = self.arity.get(element)
        return None if count is None or state == 0 else state - 1 + count

    def done(self, state: int) -> bool:
        return state == 0

    def shortest(self, state: int, vocabulary: Vocabulary) -> int | None:
        closes = vocabulary.once(self, "leaf", lambda: any(self.arity.get(e) == 0 for e in vocabulary.elements))
        return state if closes or state == 0 else None

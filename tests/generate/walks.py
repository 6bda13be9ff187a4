"""Walks a grammar at random, always among the elements that are allowed, and says what came out."""

import random
from typing import Any

from netwright.generate.constraint import Constraint


def walk(constraint: Constraint[Any], most: int, chance: random.Random) -> list[Any]:
    """One random sequence of at most `most` elements; where it may end, the end is one choice among the others."""
    state, said = constraint.start, []
    while True:
        room = most - len(said)
        may = constraint.allowed(state, room).nonzero().flatten().tolist()
        assert may or (constraint.end is None and constraint.done(state)), f"stuck after {said!r}"
        if constraint.end is None and constraint.done(state) and (not may or chance.random() < 0.2):
            return said
        index = chance.choice(may)
        if index == constraint.end:
            return said
        state = constraint.next(state, index)
        assert state is not None
        said.append(constraint.vocabulary.elements[index])
        assert len(said) <= most

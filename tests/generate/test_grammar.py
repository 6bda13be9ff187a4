"""An automaton of one's own: matches, the search for the shortest completion, and what has no end of states."""

import sys

import pytest
import torch

from netwright.errors import NetError
from netwright.generate.grammar import Grammar, Vocabulary, distances


class Dice(Grammar[int]):
    """Throws that add up to exactly seven."""

    def start(self) -> int:
        return 0

    def next(self, state: int, element: int) -> int | None:
        return state + element if state + element <= 7 else None

    def done(self, state: int) -> bool:
        return state == 7


class Count(Grammar[int]):
    """As many "b" as "a"; `shortest` is left out, though the states have no end."""

    def start(self) -> int:
        return 0

    def next(self, state: int, element: str) -> int | None:
        return state + (1 if element == "a" else -1)

    def done(self, state: int) -> bool:
        return state == 0


def test_matches():
    assert Dice().matches([3, 4])
    assert not Dice().matches([3, 3])
    assert not Dice().matches([6, 6])
    assert not Dice().matches([3, None, 4])


def test_successors_are_numbered_by_state():
    moves = Dice().successors(4, Vocabulary([1, 3, None, 5, 1]))
    assert moves.states == [5, 7]
    assert moves.which.tolist() == [0, 1, -1, -1, 0]
    assert moves.which.dtype == torch.int64
    assert Dice().successors(7, Vocabulary([1])).which.tolist() == [-1]


def test_shortest_counts_elements_of_the_vocabulary():
    throws = Vocabulary([2, 5])
    dice = Dice()
    assert dice.shortest(0, throws) == 2
    assert dice.shortest(2, throws) == 1
    assert dice.shortest(7, throws) == 0
    assert dice.shortest(4, throws) is None  # two more make six, and then nothing fits
    assert distances(dice, throws) == {7: 0, 2: 1, 5: 1, 0: 2}


def test_the_search_is_done_once():
    class Told(Dice):
        calls = 0

        def next(self, state: int, element: int) -> int | None:
            self.calls += 1
            return super().next(state, element)

    context, throws = Told(), Vocabulary([1, 2])
    context.shortest(0, throws)
    before = context.calls
    assert context.shortest(3, throws) == 2
    assert context.calls == before
    assert Told().shortest(3, Vocabulary([4])) is None


def test_what_is_worked_out_belongs_to_its_owner():
    vocabulary = Vocabulary("ab")
    assert vocabulary.once("one", "name", lambda: 1) == 1
    assert vocabulary.once("one", "name", lambda: 2) == 1
    assert vocabulary.once("one", "other", lambda: 3) == 3
    assert vocabulary.once("two", "name", lambda: 4) == 4
    assert len(vocabulary) == 2


def test_no_end_of_states(monkeypatch):
    monkeypatch.setattr(sys.modules["netwright.generate.grammar"], "SEARCH", 2000)
    with pytest.raises(NetError) as error:
        Count().shortest(0, Vocabulary("ab"))
    assert (
        str(error.value)
        == """\
the shortest completion was not found: the grammar has too many states, or infinitely many
  where:    Count
  expected: at most 1,000 states with a vocabulary of 2
  got:      more
  mend:     give Count a method shortest(self, state, vocabulary) that computes it"""
    )
    with pytest.raises(TypeError, match="abstract"):
        Grammar()  # type: ignore[abstract]

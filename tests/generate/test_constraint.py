"""Masks: what may come in the room that is left, by definition; the end; ten thousand random walks; plain errors."""

import itertools
import random
import re

import pytest
import torch

from generate.walks import walk
from netwright.errors import NetError
from netwright.generate.arity import Arity
from netwright.generate.brackets import Brackets
from netwright.generate.constraint import Constraint
from netwright.generate.grammar import Grammar
from netwright.generate.regex import Regex


class Dice(Grammar[tuple[int, int]]):
    """Throws that add up to 20, none like the one before."""

    def start(self) -> tuple[int, int]:
        return 0, 0

    def next(self, state: tuple[int, int], element: int) -> tuple[int, int] | None:
        total, last = state
        return None if element == last or total + element > 20 else (total + element, element)

    def done(self, state: tuple[int, int]) -> bool:
        return state[0] == 20


class Listed(Dice):
    """One whose states cannot be kept apart."""

    def start(self):
        return [0, 0]


LETTERS = [*"abcABC-0189., "]
PIECES = ["A", "a", "b", "An", "na", "nna", "-", "-M", "ar", "ie", "A-", "aa", "--", "0", "12", "3.", "", "é"]


def test_the_mask_is_its_definition():
    """An element may come exactly if some sequence that goes on with it is allowed and fits, all sequences tried."""
    grammar, elements, most = Regex("(ab|aab|b(ab)?)*c?"), ["a", "ab", "b", "c", "bc", "ba"], 5
    allowed = {
        said
        for n in range(most + 1)
        for said in itertools.product(range(len(elements)), repeat=n)
        if re.fullmatch(grammar.pattern, "".join(elements[i] for i in said))
    }
    begun = {said[:n] for said in allowed for n in range(len(said) + 1)}
    constraint = Constraint(grammar, [*elements, None], end=6, max_elements=most)
    for said in begun:
        state = constraint.start
        for index in said:
            state = constraint.next(state, index)
        mask = constraint.allowed(state, most - len(said))
        assert mask.tolist() == [(*said, i) in begun for i in range(len(elements))] + [said in allowed]
        assert mask.dtype == torch.bool
        assert constraint.done(state) == (said in allowed)


@pytest.mark.parametrize("elements", [LETTERS, PIECES], ids=["characters", "pieces"])
@pytest.mark.parametrize(
    "pattern", ["[A-Z][a-z]+(-[A-Z][a-z]+)*", r"\d+(\.\d{1,2})?|[^0-9]{3,7}", r"(a|b|aab)*-?", r"(\w|-){2}.*"]
)
def test_ten_thousand_walks(pattern: str, elements: list[str]):
    chance = random.Random(pattern)
    seen = set()
    for most in (4, 5, 8, 13, 40):
        for end in (None, len(elements)):
            constraint = Constraint(Regex(pattern), [*elements, None], end=end, max_elements=most)
            for _ in range(125):
                said = walk(constraint, most, chance)
                assert len(said) <= most
                assert re.fullmatch(pattern, "".join(said)), said
                seen.add("".join(said))
    assert len(seen) > 50


def test_a_grammar_of_ones_own():
    constraint, chance = Constraint(Dice(), range(1, 7), max_elements=4), random.Random(0)
    walks = [walk(constraint, 4, chance) for _ in range(100)]
    assert all(sum(said) == 20 and len(said) == 4 for said in walks)
    assert all(a != b for said in walks for a, b in itertools.pairwise(said))
    assert len(set(map(tuple, walks))) > 10
    with pytest.raises(NetError) as error:
        Constraint(Dice(), range(1, 7), max_elements=3)
    assert (
        str(error.value)
        == """\
the grammar cannot end within so few elements
  where:    grammar Dice()
  expected: room for its shortest sequence: 4 elements
  got:      max_elements=3
  mend:     max_elements=4 or more"""
    )
    with pytest.raises(NetError) as error:
        Constraint(Listed(), range(1, 7))
    assert (
        str(error.value)
        == """\
the states of a grammar are hashable values
  where:    grammar Listed()
  expected: a start() that gives a number, a text, a tuple of these, …
  got:      [0, 0], of type list"""
    )


def test_room():
    constraint = Constraint(Regex("aaa|b"), ["a", "b"])
    start = constraint.start
    assert constraint.allowed(start).tolist() == [True, True]
    assert constraint.allowed(start, 3).tolist() == [True, True]
    assert constraint.allowed(start, 2).tolist() == [False, True]
    assert constraint.allowed(start, 0).tolist() == [False, False]
    assert constraint.shortest(start) == 1
    after = constraint.next(start, 0)
    assert constraint.shortest(after) == 2
    assert constraint.next(after, 1) is None


def test_a_mask_is_the_callers_own():
    constraint = Constraint(Regex("a"), ["a", "b"])
    constraint.allowed(constraint.start).fill_(True)
    assert constraint.allowed(constraint.start).tolist() == [True, False]


def test_the_end_and_elements_that_stand_for_nothing():
    constraint = Constraint(Regex(".*"), ["a", None, "b"], end=2)  # what stands at the index of the end is not read
    assert constraint.allowed(constraint.start, 5).tolist() == [True, False, True]
    assert constraint.allowed(constraint.start, 0).tolist() == [False, False, True]
    assert constraint.next(constraint.start, 1) is None
    assert constraint.next(constraint.start, 2) is None


def test_fifty_thousand_elements():
    chance = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ-0123 ("
    elements = ["".join(chance.choices(letters, k=chance.randint(1, 10))) for _ in range(50_000)] + list(letters)
    constraint = Constraint(Regex("[A-Z][a-z]+([- ][A-Z][a-z]+)*"), elements, max_elements=20)
    assert len(walk(constraint, 20, chance)) <= 20
    mask = constraint.allowed(constraint.start, 1)
    assert mask.nonzero().flatten().tolist() == [
        i for i, e in enumerate(elements) if re.fullmatch(r"[A-Z][a-z]+([- ][A-Z][a-z]+)*", e)
    ]


def test_nothing_can_start():
    with pytest.raises(NetError) as error:
        Constraint(Regex("[A-Z]+"), "abcdefghi")
    assert (
        str(error.value)
        == """\
the grammar allows no sequence of these elements
  where:    grammar Regex(pattern='[A-Z]+')
  expected: elements that the grammar can start, go on and end with
  got:      9 elements: 'a', 'b', 'c', 'd', 'e', 'f', …, 'i'; none may come first
  mend:     change the grammar, or use a net whose vocabulary has the elements it needs"""
    )


def test_nothing_can_end():
    with pytest.raises(NetError) as error:
        Constraint(Arity({"Add": 2, "x": 0}), ["Add"])
    assert (
        str(error.value)
        == """\
the grammar allows no sequence of these elements
  where:    grammar Arity({'Add': 2, 'x': 0})
  expected: elements that the grammar can start, go on and end with
  got:      1 element: 'Add'; some may come first, but none leads to an end
  mend:     change the grammar, or use a net whose vocabulary has the elements it needs"""
    )
    with pytest.raises(NetError, match="\n  got:      no elements; none may come first\n"):
        Constraint(Regex("a"), [None])


def test_too_little_room():
    with pytest.raises(NetError) as error:
        Constraint(Regex("a{5}"), ["a", "aa"], max_elements=2)
    assert (
        str(error.value)
        == """\
the grammar cannot end within so few elements
  where:    grammar Regex(pattern='a{5}')
  expected: room for its shortest sequence: 3 elements
  got:      max_elements=2
  mend:     max_elements=3 or more"""
    )
    with pytest.raises(NetError, match="room for its shortest sequence: 1 element\n"):
        Constraint(Regex("a"), ["a"], max_elements=0)
    assert Constraint(Brackets(), "()", max_elements=0).done("")

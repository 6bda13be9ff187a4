"""Trees in prefix notation: what is one, how far it is from complete, and random ones read back."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.walks import walk
from netwright.errors import NetError
from netwright.generate.arity import Arity
from netwright.generate.constraint import Constraint
from netwright.generate.grammar import Vocabulary

EXPRESSION = {"Add": 2, "If": 3, "Sin": 1, "x": 0, "1": 0}


def read(elements: list[str], arity: dict[str, int]) -> list[str]:
    """What is left after one tree, read by recursion."""
    left = elements[1:]
    for _ in range(arity[elements[0]]):
        left = read(left, arity)
    return left


def test_one_tree_and_no_more():
    grammar = Arity(EXPRESSION)
    assert grammar.matches(["Add", "x", "Sin", "1"])
    assert not grammar.matches(["Add", "x"])
    assert not grammar.matches(["x", "x"])
    assert not grammar.matches(["Mul", "x", "x"])
    assert not grammar.matches([])


def test_shortest_is_the_number_of_open_places():
    grammar = Arity(EXPRESSION)
    assert [grammar.shortest(state, Vocabulary(EXPRESSION)) for state in range(4)] == [0, 1, 2, 3]
    assert [grammar.shortest(state, Vocabulary(["Add", "y"])) for state in range(3)] == [0, None, None]


@given(seed=st.integers(0, 2**32), most=st.integers(1, 30), end=st.booleans())
def test_random_trees_are_trees(seed: int, most: int, end: bool):
    elements = [*EXPRESSION, "unknown"]
    constraint = Constraint(
        Arity(EXPRESSION), [*elements, None] if end else elements, end=6 if end else None, max_elements=most
    )
    chance = random.Random(seed)
    for _ in range(5):
        said = walk(constraint, most, chance)
        assert read(said, EXPRESSION) == []
        assert len(said) <= most


def test_a_value():
    given_ = dict(EXPRESSION)
    grammar = Arity(given_)
    given_["x"] = 7
    assert grammar == Arity(EXPRESSION) and hash(grammar) == hash(Arity(EXPRESSION))
    assert repr(Arity({"Add": np.int64(2), "x": 0})) == "Arity({'Add': 2, 'x': 0})"


def test_what_is_no_arity():
    with pytest.raises(NetError) as error:
        Arity({})
    assert (
        str(error.value)
        == """\
Arity needs to know how many subtrees follow each element
  expected: a mapping such as {"Add": 2, "Sin": 1, "x": 0}
  got:      {}"""
    )
    for count in (-1, 1.5, True):
        with pytest.raises(NetError) as error:
            Arity({"x": 0, "Add": count})  # type: ignore[dict-item]
        assert (
            str(error.value)
            == f"""\
a number of subtrees is a whole number from 0 on
  where:    Arity, element 'Add'
  got:      {count}"""
        )

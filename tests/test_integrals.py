"""The generator of integrals: trees come back from their tokens, derivatives fit what is said, and nothing twice."""

import random
import sys
from pathlib import Path

import pytest

import netwright as nw

sys.path.insert(0, str(Path(__file__).parents[1] / "book"))

from integrals import ARITY, LONGEST, X, drawn, pairs, parsed, prefix, right
from sympy import Integer, Rational, diff, exp, simplify, sin

MADE = pairs(150, seed=1)


def test_a_tree_comes_back_from_its_tokens():
    draw = random.Random(0)
    for _ in range(100):
        expression = drawn(draw, 2)
        try:
            tokens = prefix(expression)
        except ValueError:
            continue
        assert simplify(parsed(tokens) - expression) == 0


def test_tokens_of_a_tree():
    assert prefix(X**2 + 3 * X) == ["add", "pow", "x", "2", "mul", "3", "x"]
    assert prefix(exp(X) / 2) == ["mul", "div", "1", "2", "exp", "x"]
    assert prefix(sin(X) ** 2) == ["pow", "sin", "x", "2"]
    assert parsed(["div", "1", "2"]) == Rational(1, 2)
    with pytest.raises(ValueError, match="no token for 21"):
        prefix(Integer(21))


@pytest.mark.parametrize("tokens", [[], ["add", "x"], ["x", "x"], ["tan", "x"]])
def test_tokens_that_are_no_tree(tokens):
    with pytest.raises(ValueError):
        parsed(tokens)


def test_pairs_are_right_and_their_inputs_differ():
    assert len({read for read, _ in MADE}) == len(MADE) == 150
    assert all(len(read) <= LONGEST and len(said) <= LONGEST for read, said in MADE)
    assert all({*read, *said} <= ARITY.keys() for read, said in MADE)
    assert all(right(read, said) for read, said in MADE[:40])
    read, said = MADE[0]
    assert simplify(diff(parsed(said), X) - parsed(read)) == 0
    assert right(read, ("add", "1", *said))  # a constant more is as right
    assert not right(read, ("add", "x", *said))
    assert not right(read, ("add",))
    assert pairs(150, seed=1) == MADE


def test_every_side_is_well_formed_by_the_grammar():
    grammar = nw.Arity(ARITY)
    for read, said in MADE:
        assert grammar.matches(read)
        assert grammar.matches(said)
    assert not grammar.matches(("add", "x"))

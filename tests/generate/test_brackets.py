"""Balanced brackets over characters and over pieces of text, against a checker of its own and a search."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.walks import walk
from netwright.errors import NetError
from netwright.generate.brackets import Brackets
from netwright.generate.constraint import Constraint
from netwright.generate.grammar import Grammar, Vocabulary

PIECES = ["(", ")", "[", "]", "))", ")]", "](", "f(", "();", "x", " + ", "(]", "xy"]


def balanced(text: str, pairs: str = "()[]{}") -> bool:
    """By taking out pairs that stand side by side until there are none."""
    text = "".join(c for c in text if c in pairs)
    while True:
        shorter = text
        for i in range(0, len(pairs), 2):
            shorter = shorter.replace(pairs[i : i + 2], "")
        if shorter == text:
            return not text
        text = shorter


def test_every_short_text():
    for n in range(6):
        for chars in itertools.product("([)]x", repeat=n):
            assert Brackets("()[]").matches(chars) == balanced("".join(chars))


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_pieces_are_read_character_by_character(pieces: list[str]):
    assert Brackets().matches(pieces) == balanced("".join(pieces))


@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_all_at_once_is_one_by_one(pieces: list[str]):
    grammar, vocabulary = Brackets(), Vocabulary([*PIECES, None])
    state: str | None = ""
    for piece in pieces:
        state = None if state is None else grammar.next(state, piece)
    if state is not None:
        fast, slow = grammar.successors(state, vocabulary), Grammar.successors(grammar, state, vocabulary)
        for a, b in zip(fast.which.tolist(), slow.which.tolist(), strict=True):
            assert (a < 0) == (b < 0)
            assert a < 0 or fast.states[a] == slow.states[b]


def test_shortest_uses_elements_that_close_several():
    grammar, vocabulary = Brackets(), Vocabulary(PIECES)
    assert grammar.shortest("", vocabulary) == 0
    assert grammar.shortest(")))", vocabulary) == 2
    assert grammar.shortest("])]))", vocabulary) == 3  # ")", then ")]" twice
    assert grammar.shortest("}", vocabulary) is None


@given(seed=st.integers(0, 2**32), most=st.integers(0, 20), pieces=st.booleans())
def test_random_texts_balance(seed: int, most: int, pieces: bool):
    elements = PIECES if pieces else list("()[]{}ab")
    constraint = Constraint(Brackets(free="abfxy+; "), [*elements, None], end=len(elements), max_elements=most)
    chance = random.Random(seed)
    for _ in range(5):
        said = walk(constraint, most, chance)
        assert balanced("".join(said))
        assert len(said) <= most


def test_what_cannot_be_closed_is_not_opened():
    constraint = Constraint(Brackets(), ["(", "[", "]", "x"])
    assert constraint.allowed("").tolist() == [False, True, False, True]


def test_free_characters():
    assert Brackets("()", free="ab").matches("(ab)")
    assert not Brackets("()", free="ab").matches("(abc)")
    assert Brackets("()", free="").matches("()")


def test_what_is_no_pair_of_brackets():
    for pairs in ("", "(", "(((", "(())", 5):
        with pytest.raises(NetError) as error:
            Brackets(pairs)  # type: ignore[arg-type]
        assert (
            str(error.value)
            == f"""\
brackets come in pairs of different characters
  expected: a text such as "()[]{{}}"
  got:      {pairs!r}"""
        )
    with pytest.raises(NetError) as error:
        Brackets("()", free="a)")
    assert (
        str(error.value)
        == """\
a bracket cannot be free
  where:    Brackets('()')
  expected: free characters that are no brackets
  got:      ')' in free='a)'
  mend:     leave it out of free, or its pair out of pairs"""
    )
    with pytest.raises(NetError) as error:
        Brackets("()", free=["a"])  # type: ignore[arg-type]
    assert (
        str(error.value)
        == """\
the free characters of Brackets are a text
  expected: a text such as "xyz+", or None for all characters
  got:      ['a']"""
    )


def test_elements_that_are_no_texts():
    with pytest.raises(NetError) as error:
        Brackets("()").next("", 3)  # type: ignore[arg-type]
    assert (
        str(error.value)
        == """\
Brackets reads text, and this element is not a text
  where:    grammar Brackets(pairs='()', free=None)
  expected: elements that are texts
  got:      3"""
    )

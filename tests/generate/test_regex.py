"""The automaton of a pattern against Python's `re`, one character or many at a time, and its limits."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.walks import walk
from netwright.errors import NetError
from netwright.generate.constraint import Constraint
from netwright.generate.grammar import Grammar, Vocabulary
from netwright.generate.regex import Regex

ONE = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\d", r"\s", r"\.", "0", "[b-d]", r"[^\W\d]", "()"])
SIGNS = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{,2}", "{0,3}", "{2,3}", "{0}"])


def bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, SIGNS).map(lambda two: f"(?:{two[0]}){two[1]}"),
    )


PATTERNS = st.recursive(ONE, bigger, max_leaves=8)
TEXTS = st.text("abcd0 .\n", max_size=7)


@given(pattern=PATTERNS, texts=st.lists(TEXTS, min_size=20, max_size=20))
def test_the_same_texts_match_as_with_re(pattern: str, texts: list[str]):
    regex = Regex(pattern)
    for text in texts:
        assert regex.matches(text) == bool(re.fullmatch(pattern, text)), text


@given(pattern=PATTERNS, seed=st.integers(0, 2**32), most=st.integers(0, 6), end=st.booleans())
def test_random_walks_match(pattern: str, seed: int, most: int, end: bool):
    elements = ["a", "b", "c", "0", " ", ".", "ab", "bca", "0 a", "a.a"]
    try:
        constraint = Constraint(Regex(pattern), [*elements, None], end=10 if end else None, max_elements=most)
    except NetError as error:
        assert error.mend == ("change the grammar, or use a net whose vocabulary has the elements it needs",) or (
            f"got:      max_elements={most}" in str(error)
        )
        return
    chance = random.Random(seed)
    for _ in range(3):
        said = walk(constraint, most, chance)
        assert re.fullmatch(pattern, "".join(said))


@given(pattern=PATTERNS, text=st.lists(st.sampled_from(["a", "ab", "b ", "0", "."]), max_size=4))
def test_all_at_once_is_one_by_one(pattern: str, text: list[str]):
    regex, vocabulary = Regex(pattern), Vocabulary(["a", None, "ab", "b ", "0", ".", "a0ab", "", "€"])
    state: int | None = regex.start()
    for piece in text:
        state = None if state is None else regex.next(state, piece)
    if state is not None:
        fast, slow = regex.successors(state, vocabulary), Grammar.successors(regex, state, vocabulary)
        for a, b in zip(fast.which.tolist(), slow.which.tolist(), strict=True):
            assert (a < 0) == (b < 0)
            assert a < 0 or fast.states[a] == slow.states[b]


def test_a_text_is_matched_however_it_is_cut():
    regex = Regex("[A-Z][a-z]+(-[A-Z][a-z]+)*")
    assert regex.matches(["Anne", "-Ma", "rie"]) and regex.matches("Anne-Marie")
    assert not regex.matches(["Anne-", "marie"])
    assert regex.next(regex.start(), "anne") is None
    assert regex.next(regex.start(), "") == regex.start()


def test_shortest_in_pieces():
    regex, pieces = Regex("(abc){3}d*"), Vocabulary(["a", "bc", "abcab", "c", "abc"])
    assert regex.shortest(regex.start(), pieces) == 3
    assert regex.shortest(regex.next(regex.start(), "abcab"), pieces) == 2
    assert Regex("(abc){3}d").shortest(Regex("(abc){3}d").start(), pieces) is None


def test_counts_are_those_of_re():
    for pattern in ("a{3}", "a{2,}", "a{,2}", "a{0}", "(ab?){2,3}", "(a{2}){1,2}", "(a*){3}", "(a?){2,}", "(a|){4}"):
        for n in range(8):
            assert Regex(pattern).matches("a" * n) == bool(re.fullmatch(pattern, "a" * n)), (pattern, n)


def test_a_large_pattern_is_matched_without_trying_all_ways():
    for pattern, longest in (
        (".{1000}", 1000),
        ("(a?){1000}", 1000),
        ("((a?b?){20}){20}", 400),
        ("(a*)*(a+a+){9}", 2000),
    ):
        assert Regex(pattern).matches("a" * longest)
        assert not Regex(pattern).matches("a" * longest + "c")  # where `re` tries all ways, for ever


def test_limits():
    with pytest.raises(NetError) as error:
        Regex("(a{100}){100}")
    assert (
        str(error.value)
        == """\
a pattern is too large
  where:    Regex('(a{100}){100}')
  expected: at most 2,000 characters with its counts {m,n} written out
  got:      more
  mend:     use * or + instead of large counts"""
    )
    with pytest.raises(NetError) as error:
        Constraint(Regex("(a|b)*a(a|b){20}"), "ab")
    assert (
        str(error.value)
        == """\
a pattern is too large
  where:    grammar Regex(pattern='(a|b)*a(a|b){20}')
  expected: at most 10,000 states over the characters of the vocabulary
  got:      more
  mend:     use fewer or smaller counts {m,n} near the end of the pattern"""
    )


def test_what_is_no_text():
    with pytest.raises(NetError) as error:
        Regex(5)  # type: ignore[arg-type]
    assert str(error.value) == "a pattern is a text\n  where:    Regex\n  got:      5"
    with pytest.raises(NetError) as error:
        Constraint(Regex("a"), ["a", 3])
    assert (
        str(error.value)
        == """\
Regex reads text, and this element is not a text
  where:    grammar Regex(pattern='a')
  expected: elements that are texts
  got:      3"""
    )
    with pytest.raises(NetError, match="a quantifier after a quantifier"):
        Regex("a**")

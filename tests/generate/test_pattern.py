"""What a pattern reads as, and the error and place of everything that is not read."""

import re

import pytest

from netwright.errors import NetError
from netwright.generate.pattern import EMPTY, Chars, Either, Repeated, Then, parse_pattern

A, B = Chars((("a", "a"),)), Chars((("b", "b"),))


def test_the_tree():
    assert parse_pattern("") == EMPTY
    assert parse_pattern("a") == A
    assert parse_pattern("ab|a") == Either((Then((A, B)), A))
    assert parse_pattern("(?:ab)*") == Repeated(Then((A, B)), 0, None)
    assert parse_pattern("a+") == Repeated(A, 1, None)
    assert parse_pattern("a{2}") == Repeated(A, 2, 2)
    assert parse_pattern("a{2,}") == Repeated(A, 2, None)
    assert parse_pattern("a{,3}") == Repeated(A, 0, 3)
    assert parse_pattern("[a-cx]") == Chars((("a", "c"), ("x", "x")))
    assert parse_pattern(r"[^\d_]") == Chars((("_", "_"),), "d", True)


def test_what_matches_only_the_empty_text_is_one_value():
    for text in ("()", "(|)", "(()){2000}", "((){2000}|){1,2000}", "a{0}", "(a{0}){2000}"):
        assert parse_pattern(text) == EMPTY
    assert parse_pattern("a()b") == Then((A, B))


@pytest.mark.parametrize(
    "text",
    [
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r".",
        r"[a-f]",
        r"[^a-f]",
        r"[\d.]",
        r"[^\s\w]",
        r"[\D\d]",
        r"[]a]",
        r"[^]a]",
        r"[a-]",
        r"[-a]",
        r"[\-a]",
        r"[a\]]",
        r"\n",
        r"\t",
        r"\.",
        r"\\",
        r"\|",
        r"]",
        r"}",
        r"é",
        r"[^^]",
        r"[\n-\r]",
        r"[.*]",
    ],
)
def test_one_character_means_what_it_means_to_re(text: str):
    chars = parse_pattern(text)
    assert isinstance(chars, Chars)
    for char in map(chr, [*range(0x3000), *range(0x1D7C0, 0x1D800)]):
        assert chars.has(char) == bool(re.fullmatch(text, char)), (text, char)


def refusal(text: str) -> str:
    with pytest.raises(NetError) as error:
        parse_pattern(text)
    return str(error.value)


def test_a_refusal_names_the_place():
    assert (
        refusal("ab**c")
        == """\
this pattern cannot be read: a quantifier after a quantifier
  where:    Regex('ab**c'), character 4
  got:      '*c'
  mend:     put the first in a group"""
    )
    assert (
        refusal("(ab")
        == """\
this pattern cannot be read: a group is not closed
  where:    Regex('(ab'), character 1
  got:      '(ab'
  mend:     close it with ), or write \\( for the character"""
    )
    assert (
        refusal("ab\\")
        == """\
this pattern cannot be read: this escape is not supported
  where:    Regex('ab\\\\'), character 3
  got:      '\\\\'
  mend:     write \\\\ for a backslash"""
    )


@pytest.mark.parametrize(
    ("text", "what", "place", "mend"),
    [
        ("ab)", "a closing parenthesis without an opening one", 3, "write \\) for the character"),
        ("a+?", "a quantifier after a quantifier", 3, "leave it out: lazy or not, the same texts match"),
        ("a++", "a quantifier after a quantifier", 3, "put the first in a group"),
        ("a|*", "a quantifier with nothing before it", 3, "write \\* for the character"),
        ("{2}", "a quantifier with nothing before it", 1, "write \\{ for the character"),
        (
            "^a",
            "^ is not supported",
            1,
            "the whole text is always matched: leave ^ out, or write \\^ for the character",
        ),
        (
            "a$",
            "$ is not supported",
            2,
            "the whole text is always matched: leave $ out, or write \\$ for the character",
        ),
        ("(?=a)", "a group of this kind is not supported", 1, "( ) or (?: )"),
        ("(?P<n>a)", "a group of this kind is not supported", 1, "( ) or (?: )"),
        (r"(a)\1", "this escape is not supported", 4, "write \\\\ for a backslash"),
        (r"\bcat", "this escape is not supported", 1, "write \\\\ for a backslash"),
        ("a[bc", "a class is not closed", 2, "close it with ], or write \\[ for the character"),
        ("[]", "a class is not closed", 1, "close it with ], or write \\[ for the character"),
        ("[z-a]", "a range that does not go upwards", 2, "write \\- for the character"),
        (r"[\d-z]", "a range that does not go upwards", 2, "write \\- for the character"),
        ("a{2", "{ does not open a count", 2, "{2}, {2,}, {,5} or {2,5}, or \\{ for the character"),
        ("a{,}", "{ does not open a count", 2, "{2}, {2,}, {,5} or {2,5}, or \\{ for the character"),
        ("a{x}", "{ does not open a count", 2, "{2}, {2,}, {,5} or {2,5}, or \\{ for the character"),
        ("a{3,2}", "a count whose end is below its start", 2, "{2,3}"),
        ("a{2001}", "a count above 2000", 2, ""),
        ("a{99999999999999999999}", "a count above 2000", 2, ""),
        ("(" * 101 + ")" * 101, "groups more than 100 deep", 101, ""),
    ],
)
def test_what_is_refused(text: str, what: str, place: int, mend: str):
    at = text[place - 1 : place + 11]
    lines = [
        f"this pattern cannot be read: {what}",
        f"  where:    Regex({text!r}), character {place}",
        f"  got:      {at!r}",
    ]
    assert refusal(text) == "\n".join([*lines, *([f"  mend:     {mend}"] if mend else [])])


def test_deep_groups_are_read():
    assert parse_pattern("(" * 100 + "a" + ")" * 100) == A

"""Vocabularies: the unknown element, errors that name the element and its place, and the near misses."""

from messages import message
from netwright.codecs.text.characters import Characters
from netwright.codecs.text.words import Words


def test_an_unknown_element_has_one_index():
    codec = Characters("ab", unknown=True, mark_start=True)
    assert codec.encode("axb").tolist() == [3, 0, 2, 1]
    assert codec.encode_all(["axb", "yyy"]).tolist() == [[3, 0, 2, 1], [3, 2, 2, 2]]
    assert codec.text_of([3, 0, 2, 1]) == "a\ufffdb"


def test_an_unknown_character_is_named_by_place():
    assert (
        message(Characters("abcdefgh").encode_all, ["abc", "abcdefghabcdefgH abcdefghabcdefgh"])
        == """\
character 'H' is not in the vocabulary
  where:    row 1, character 15, in '…defghabcdefgH abcdefghabc…'
  expected: one of its 8 characters: 'a', 'b', 'c', 'd', 'e', 'f', …
  mend:     did you mean 'h'?
  or:       unknown=True, which gives all such characters one index"""
    )


def test_a_long_vocabulary_is_not_printed():
    codec = Words([f"w{number}" for number in range(40_000)])
    assert eval(codec.code()) == codec
    assert repr(codec).endswith(", … 40,000 in all])")
    assert (
        message(codec.encode, "w1 x0")
        == """\
word 'x0' is not in the vocabulary
  where:    word 1, in 'w1 x0'
  expected: one of its 40,000 words: 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', …
  mend:     unknown=True, which gives all such words one index"""
    )


def test_vocabularies_that_are_none():
    assert (
        message(Characters, "aba")
        == """\
a label stands twice
  got:      'a'"""
    )
    assert message(Words, "ab").startswith("labels are a list, not one text")
    assert message(Words, {"a", "b"}).startswith("labels need an order: a set has none")
    assert message(Characters, "").startswith("too few labels")
    assert (
        message(Characters().fit, ["", ""])
        == """\
there is not one character to learn in the training data
  mend:     give the vocabulary: Characters(…)"""
    )

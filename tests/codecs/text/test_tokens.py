"""Tokens: labels of any type, told apart by type, named by position."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs.text.tokens import Tokens

SCALARS = st.one_of(st.integers(), st.text(max_size=3), st.booleans(), st.floats(allow_nan=False))


@given(st.lists(SCALARS, min_size=2, unique_by=lambda label: (type(label), label)))
def test_every_label_comes_back(labels: list[object]):
    codec = Tokens(labels, mark_start=True)
    indices = codec.encode(labels)
    assert indices.tolist() == [len(labels), *range(len(labels))]
    back = codec.decode(torch.eye(codec.size)[indices])
    assert [(type(label), label) for label in back] == [(type(label), label) for label in labels]


def test_sequences_in_three_ways():
    codec = Tokens([3, 5, 8])
    for raw in ([5, 3], (5, 3), np.array([5, 3]), torch.tensor([5, 3]), [np.int64(5), 3]):
        assert codec.takes(raw)
        assert codec.encode(raw).tolist() == [1, 0]
    for raw in ("ab", 5, [[5]], np.zeros((2, 2)), [np.zeros(2)]):
        assert not codec.takes(raw)


def test_learned_labels_are_sorted():
    assert Tokens().fit([["b", "a"], ["c", "a"]]) == Tokens(["a", "b", "c"])
    assert Tokens().fit(np.array([[2, 1], [1, 1]])) == Tokens([1, 2])
    assert Tokens(["x"]).fit([["a"]]) == Tokens(["x"])
    assert message(Tokens().fit, [[], []]).startswith("there is not one label to learn in the training data")
    assert message(Tokens().fit, [["a"], "b"]).startswith("a sequence of labels is a list")


def test_unknown_labels():
    codec = Tokens(["a", "b"], unknown=True)
    assert codec.encode(["b", 7, "a"]).tolist() == [1, 2, 0]
    assert codec.text_of([1, 2, 0]) == ["b", "<unknown>", "a"]
    assert (
        message(Tokens(["noun", "verb"]).encode_all, [["noun"], ["noun", "Verb"]])
        == """\
label 'Verb' is not one of the 2 labels
  where:    row 1, position 1
  expected: 'noun', 'verb'
  got:      'Verb' of type str
  mend:     did you mean 'verb'?
  or:       unknown=True, which gives all such labels one index"""
    )


def test_what_is_no_sequence_of_labels():
    assert (
        message(Tokens(["a"]).encode, "a")
        == """\
a sequence of labels is a list, a tuple or an array of one axis
  got:      'a' of type str
  mend:     list('a') for its characters"""
    )
    assert (
        message(Tokens(["a"]).encode, ["a", {"b"}])
        == """\
this cannot be a label
  where:    position 1
  expected: str, int, float or bool
  got:      {'b'} of type set"""
    )
    assert (
        message(Tokens, ["a", "<edge>"])
        == """\
this label is the name of an extra element in readings
  got:      '<edge>'"""
    )


def test_offsets_are_positions():
    assert Tokens(["a"], mark_end=True).offsets(["a", "a"]) == [(0, 1), (1, 2), (2, 2)]

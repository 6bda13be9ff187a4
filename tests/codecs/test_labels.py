"""Labels: k-hot on the way in, independent probabilities on the way out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs import reading
from netwright.codecs.labels import Labels

TAGS = Labels(["dark", "loud", "slow"])


@given(st.sets(st.sampled_from(["dark", "loud", "slow"])))
def test_every_set_comes_back(tags: set[str]):
    for form in (set(tags), frozenset(tags), list(tags), tuple(tags), np.array(sorted(tags), dtype="U4")):
        hot = TAGS.encode(form)
        assert hot.dtype == torch.uint8
        assert set(TAGS.decode(TAGS.prepare(hot))) == tags


def test_sizes():
    assert (TAGS.encoded, TAGS.decoded) == ("3", "3")
    assert (Labels().encoded, Labels().decoded) == ("?", "?")
    assert TAGS.prepare(TAGS.encode_all([["dark"], []])).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_readings():
    output = torch.tensor([0.75, 0.25, 0.5])
    assert TAGS.decode(output) == ("dark", "slow")
    assert TAGS.decode(output, reading.probabilities) == {"dark": 0.75, "loud": 0.25, "slow": 0.5}
    assert TAGS.decode(output, reading.Top(2)) == {"dark": 0.75, "slow": 0.5}
    quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert TAGS.decode(output, reading.entropy) == pytest.approx(2 * quarter + math.log(2))
    assert TAGS.decode(torch.tensor([1.0, 0.0, 1.0]), reading.Sample()) == ("dark", "slow")


def test_fit():
    assert Labels().fit([["b"], [], {"a", "b"}]) == Labels(["a", "b"])
    assert Labels().fit([[1], ["a", True]]) == Labels([True, 1, "a"])
    assert (
        message(Labels().fit, [[], []])
        == """\
there is not one label in the training data
  mend:     give the labels: Labels([…])"""
    )
    assert (
        message(Labels().fit, [["a"], "a"])
        == """\
several labels come as a list, tuple or set
  where:    row 1
  got:      'a' of type str
  mend:     ['a'] for one label"""
    )


def test_bad_labels():
    assert (
        message(TAGS.encode_all, [["dark"], ["loud", "drak"]])
        == """\
label 'drak' is not one of the 3 labels
  where:    row 1
  expected: 'dark', 'loud', 'slow'
  got:      'drak' of type str
  mend:     did you mean 'dark'?"""
    )
    assert (
        message(TAGS.encode, "dark")
        == """\
several labels come as a list, tuple or set
  got:      'dark' of type str
  mend:     ['dark'] for one label"""
    )
    assert (
        message(Labels, [])
        == """\
too few labels
  expected: at least 1
  got:      0: ()"""
    )
    assert (
        message(TAGS.decode, torch.tensor([-2.0, 0.5, 3.0]))
        == """\
the output is not a probability
  expected: values in 0..1
  got:      values in -2..3
  mend:     end the net with nw.sigmoid"""
    )

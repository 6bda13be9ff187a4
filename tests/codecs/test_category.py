"""Category and Boolean: exact types, near misses, rows, speed paths equal to the slow one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from messages import message
from netwright.codecs import reading
from netwright.codecs.category import Boolean, Category
from netwright.errors import DataError

DIGITS = Category(range(10))
SCALARS = st.one_of(st.integers(), st.text(max_size=3), st.booleans(), st.floats(allow_nan=False))


@given(st.lists(SCALARS, min_size=2, unique_by=lambda label: (type(label), label)))
def test_every_label_comes_back(labels: list[object]):
    codec = Category(labels)
    indices = codec.encode_all(labels)
    assert indices.tolist() == list(range(len(labels)))
    hot = torch.eye(len(labels))
    assert [(type(label), label) for label in map(codec.decode, hot)] == [(type(label), label) for label in labels]
    assert [int(codec.encode(label)) for label in labels] == list(range(len(labels)))


@given(
    st.lists(st.integers(-100, 100), min_size=2, max_size=20, unique=True),
    st.data(),
    st.sampled_from([np.int8, np.int64, np.float64, np.uint16, np.uint64]),
)
def test_arrays_are_encoded_as_their_items(labels: list[int], data: st.DataObject, kind: type):
    codec = Category(labels)
    given = np.array(data.draw(st.lists(st.sampled_from([*labels, 101]), min_size=1))).astype(kind)
    try:
        expected = [int(codec.encode(item)) for item in given]
    except DataError:
        with pytest.raises(DataError, match="row"):
            codec.encode_all(given)
    else:
        assert codec.encode_all(given).tolist() == expected
        assert codec.encode_all(torch.from_numpy(given)).tolist() == expected


def test_numpy_and_torch_scalars_count_as_what_they_hold():
    for seven in (7, np.int64(7), np.uint8(7), torch.tensor(7), np.array(7)):
        assert DIGITS.encode(seven).item() == 7
    assert Category(["a", "b"]).encode(np.str_("b")).item() == 1
    assert Category([0.5, 1.5]).encode(np.float64(1.5)).item() == 1
    assert Category(np.array(["a", "b"])) == Category(["a", "b"])


def test_a_near_miss_of_type_is_said():
    for label, kind in (("7", "str"), (7.0, "float"), (np.float32(7), "float")):
        text = message(DIGITS.encode, label)
        shown = repr(label.item() if isinstance(label, np.generic) else label)
        assert (
            text
            == f"""\
label {shown} is not one of the 10 categories
  expected: 0, 1, 2, 3, 4, 5, …, 9
  got:      {shown} of type {kind}
  mend:     the label 7 of type int is one; this is a {kind}"""
        )
    assert message(DIGITS.encode, True).endswith("the label 1 of type int is one; this is a bool")


def test_a_misspelt_label_gets_the_close_ones():
    assert (
        message(Category(["cat", "dog"]).encode_all, ["cat", "Dog"])
        == """\
label 'Dog' is not one of the 2 categories
  where:    row 1
  expected: 'cat', 'dog'
  got:      'Dog' of type str
  mend:     did you mean 'dog'?"""
    )


def test_an_unknown_label_in_an_array_names_the_row():
    expected = """\
label 12 is not one of the 10 categories
  where:    row 2
  expected: 0, 1, 2, 3, 4, 5, …, 9
  got:      12 of type int"""
    for rows in (np.array([1, 2, 12, 13]), torch.tensor([1, 2, 12, 13]), [1, 2, 12, 13]):
        assert message(DIGITS.encode_all, rows) == expected


def test_what_cannot_be_a_label():
    assert (
        message(DIGITS.encode, [7, 8])
        == """\
this is not a label
  expected: 0, 1, 2, 3, 4, 5, …, 9
  got:      [7, 8] of type list"""
    )
    assert message(DIGITS.encode_all, np.zeros((2, 2), int)).startswith("this is not a label\n  where:    row 0")


def test_readings():
    codec, output = Category(["cat", "dog", "eel"]), torch.tensor([0.25, 0.5, 0.25])
    assert codec.decode(output) == "dog"
    assert codec.decode(output, reading.probabilities) == {"cat": 0.25, "dog": 0.5, "eel": 0.25}
    assert codec.decode(output, reading.Top(1)) == {"dog": 0.5}
    assert codec.decode(output, reading.entropy) == pytest.approx(1.5 * math.log(2))
    assert codec.decode(output, reading.Sample(seed=3)) in ("cat", "dog", "eel")


def test_scores_are_not_probabilities():
    scores = torch.tensor([-1.0, 3.0, 1.5])
    assert Category(range(3)).decode(scores) == 1  # the decision needs no probabilities
    assert (
        message(Category(range(3)).decode, scores, reading.probabilities)
        == """\
the output is not a distribution over the labels
  expected: values of 0 or more that sum to 1
  got:      values in -1..3 that sum to 3.5
  mend:     end the net with nw.softmax"""
    )
    rounded = torch.rand(1000).softmax(0).bfloat16()
    assert len(Category(range(1000)).decode(rounded, reading.probabilities)) == 1000


def test_fit_sorts_and_keeps_types():
    assert Category().fit([3, 1, 3, 2]) == Category([1, 2, 3])
    assert Category().fit(np.array([3, 1, 3], np.uint8)) == Category([1, 3])
    assert Category().fit(["b", 1, True, "a", 0.5]) == Category([True, 0.5, 1, "a", "b"])
    assert Category().fit([np.bool_(True), False]) == Category([False, True])


def test_fit_of_an_array_finds_a_label_that_is_there_once():
    column = np.zeros(20_000, np.uint8)
    column[13_000] = 7
    for raws in (column, column[:, None], torch.from_numpy(column), column.astype(np.float32)):
        assert repr(Category().fit(raws).labels) == ("(0.0, 7.0)" if raws.dtype == np.float32 else "(0, 7)")  # type: ignore[arg-type]
    with pytest.raises(DataError) as caught:
        Category().fit(np.zeros((3, 2), np.int64))  # type: ignore[arg-type]
    assert caught.value.where == "row 0"


def test_fit_refuses_what_teaches_nothing():
    assert (
        message(Category().fit, ["a", "a"])
        == """\
a category needs at least two different labels in the training data
  got:      only 'a'
  mend:     give the labels: Category([…])"""
    )
    assert "got:      no examples" in message(Category().fit, [])
    assert (
        message(Category().fit, ["a", None])
        == """\
this cannot be a label
  where:    row 1
  expected: str, int, float or bool
  got:      None of type NoneType"""
    )


def test_labels_that_are_none():
    assert (
        message(Category, "cat")
        == """\
labels are a list, not one text
  got:      'cat'
  mend:     ['cat'] for one label
  or:       list('cat') for its characters"""
    )
    assert (
        message(Category, {1})
        == """\
labels need an order: a set has none
  got:      {1}
  mend:     sorted(…)"""
    )
    assert (
        message(Category, ["a", "b", "a"])
        == """\
a label stands twice
  got:      'a'"""
    )
    assert (
        message(Category, ["a"])
        == """\
too few labels
  expected: at least 2
  got:      1: ('a',)"""
    )
    assert (
        message(Category, [1, float("nan")])
        == """\
this cannot be a label
  expected: str, int, float or bool
  got:      nan of type float"""
    )


def test_huge_integers_are_labels_too():
    codec = Category([10**30, 5])
    assert codec.encode_all(np.array([5, 5])).tolist() == [1, 1]
    assert codec.encode_all([10**30, 5]).tolist() == [0, 1]


def test_boolean():
    codec = Boolean()
    stored = codec.encode_all([True, False, np.bool_(True)])
    assert stored.dtype == torch.uint8 and stored.tolist() == [[1], [0], [1]]
    assert torch.equal(codec.encode_all(np.array([True, False, True])), stored)
    for yes, no in ((1, 0), (1.0, 0.0), (np.int64(1), np.float32(0)), (torch.tensor(1), torch.tensor(False))):
        assert torch.equal(codec.encode_all([yes, no, yes]), stored)
    for kind in (np.uint8, np.int64, np.float32, object):
        assert torch.equal(codec.encode_all(np.array([1, 0, 1], dtype=kind)), stored)
    for same in (
        [1, 0, 1.0],
        [[1], [0], [True]],
        np.array([[1.0], [0], [1]]),
        torch.tensor([1.0, 0.0, 1.0]),
    ):
        assert torch.equal(codec.encode_all(same), stored)
    assert codec.prepare(stored).dtype == torch.float32
    assert [codec.decode(torch.tensor([p])) for p in (0.49, 0.5, 0.51)] == [False, True, True]
    assert codec.decode(torch.tensor([0.75]), reading.probabilities) == {False: 0.25, True: 0.75}
    assert codec.decode(torch.tensor([0.75]), reading.Top(1)) == {True: 0.75}
    assert codec.decode(torch.tensor([0.5]), reading.entropy) == pytest.approx(math.log(2))
    assert codec.decode(torch.tensor([1.0]), reading.Sample()) is True


def test_a_row_of_one_label_is_the_label():
    codec = Category().fit(np.array([[3], [1], [3]]))
    assert codec == Category([1, 3]) == Category().fit([[3], [1]])
    for column in (np.array([[3], [1]]), [[3], (1,)], [np.array([3]), 1], torch.tensor([[3], [1]])):
        assert codec.encode_all(column).tolist() == [1, 0]
    assert codec.encode([3]).item() == 1


def test_boolean_refuses_other_numbers_texts_and_scores():
    for text, meant in (("false", False), ("Yes", True), ("0", False)):
        assert (
            message(Boolean().encode, text)
            == f"""\
this is not a boolean
  expected: True or False, 1 or 0
  got:      {text!r} of type str
  mend:     give {meant} in place of {text!r}
  or:       nw.Category(), the codec of texts as labels"""
        )
    assert message(Boolean().encode, "maybe").endswith(
        "type str\n  mend:     nw.Category(), the codec of texts as labels"
    )
    assert (
        message(Boolean().encode, np.zeros(3))
        == """\
this is not a boolean
  expected: True or False, 1 or 0
  got:      an array of shape (3,) and type float64"""
    )
    assert (
        message(Boolean().encode, 2)
        == """\
this is not a boolean
  expected: True or False, 1 or 0
  got:      2 of type int"""
    )
    assert (
        message(Boolean().encode_all, np.array([0, 2]))
        == """\
this is not a boolean
  where:    row 1
  expected: True or False, 1 or 0
  got:      2 of type int"""
    )
    assert (
        message(Boolean().decode, torch.tensor([3.0]))
        == """\
the output is not a probability
  expected: values in 0..1
  got:      values in 3..3
  mend:     end the net with nw.sigmoid"""
    )

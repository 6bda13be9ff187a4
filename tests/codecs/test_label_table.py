"""Labels by exact type: how they are checked, found and printed."""

import itertools

import pytest

from netwright.codecs.category import Category
from netwright.codecs.label_table import (
    MOST_LABELS,
    LabelCodec,
    distinct,
    index_of,
    index_table,
    label_tuple,
    shown_labels,
)
from netwright.codecs.labels import Labels
from netwright.codecs.text.words import Words
from netwright.errors import DataError, NetError


def test_the_four_ones_are_four():
    labels = label_tuple([1, 1.0, True, "1"], least=1)
    known = index_table(labels)
    assert [index_of(label, known, "labels") for label in labels] == [0, 1, 2, 3]
    assert shown_labels(labels) == "[1, 1.0, True, '1']"


def test_a_range_prints_as_one():
    assert shown_labels((0, 1, 2)) == "range(3)"
    assert shown_labels((1, 2)) == "[1, 2]"
    assert shown_labels((0, True)) == "[0, True]"
    assert shown_labels((0,)) == "[0]"


def test_distinct_is_sorted_by_type_then_value():
    assert [repr(label) for label in distinct(["b", 2, 10, "a", True, 2])] == ["True", "2", "10", "'a'", "'b'"]


def test_spaces_and_case_of_another_type_are_a_near_miss():
    with pytest.raises(DataError) as error:
        index_of(" true", index_table((True, 5)), "labels")
    assert (
        str(error.value)
        == """\
label ' true' is not one of the 2 labels
  expected: True, 5
  got:      ' true' of type str
  mend:     the label True of type bool is one; this is a str"""
    )


@pytest.mark.parametrize("text", ["A ", " a", "A"])
def test_case_and_blanks_are_near_misses(text):
    with pytest.raises(DataError) as error:
        index_of(text, index_table(["a", "b"]), "categories")
    assert str(error.value) == (
        f"label {text!r} is not one of the 2 categories\n  expected: 'a', 'b'\n  got:      {text!r} of type str\n"
        "  mend:     did you mean 'a'?"
    )


@pytest.mark.parametrize(("codec", "least"), [(Category, 2), (Labels, 1)])
def test_a_codec_of_labels_has_an_output_for_each_and_needs_enough(codec: type[LabelCodec], least: int):
    assert codec().decoded == "?"
    made = codec(["a", "b", "c"])  # type: ignore[call-arg]
    assert (made.decoded, made.names) == ("3", ("a", "b", "c"))
    with pytest.raises(NetError, match="too few labels"):
        codec(["a"][: least - 1])  # type: ignore[call-arg]


TOO_MANY = "too many labels\n  expected: at most 1,000,000\n  got:      1,000,001 or more"


@pytest.mark.parametrize("codec", [Category, Labels, Words])
@pytest.mark.parametrize("labels", [lambda: range(10**30), itertools.count])
def test_labels_without_number_are_refused_before_they_are_written_out(codec, labels) -> None:
    with pytest.raises(NetError) as caught:
        codec(labels())
    assert str(caught.value) == TOO_MANY


def test_as_many_labels_as_possible_are_taken_and_one_more_is_not() -> None:
    assert len(label_tuple(range(MOST_LABELS), 1)) == MOST_LABELS
    with pytest.raises(NetError) as caught:
        label_tuple(range(MOST_LABELS + 1), 1)
    assert str(caught.value) == TOO_MANY

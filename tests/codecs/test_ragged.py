"""Ragged: padded then cut is what was given, at any depth; selections; wrong lengths by their place."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from messages import message
from netwright.codecs.ragged import Ragged, spans

COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=6)


def rows_of(counts: list[int], width: int) -> list[Tensor]:
    numbers = torch.arange(sum(counts) * width, dtype=torch.float32).reshape(-1, width)
    return list(numbers.split(counts))


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(map(torch.equal, first, second))


@given(COUNTS, st.integers(1, 3))
def test_padded_then_cut_is_the_rows(counts: list[int], width: int):
    rows = rows_of(counts, width)
    ragged = Ragged.of(rows, 1)
    padded, (lengths,) = ragged.padded()
    assert lengths.tolist() == counts
    assert tuple(padded.shape) == (len(counts), max(counts), width)
    assert same([row[:length] for row, length in zip(padded, counts, strict=True)], rows)
    for row, length in zip(padded, counts, strict=True):
        assert torch.equal(row[length:], row[length - 1].expand(max(counts) - length, width))
    assert same([ragged.row(i) for i in range(len(ragged))], rows)


@given(st.lists(COUNTS, min_size=1, max_size=5))
def test_lists_in_lists_padded_then_cut_are_the_rows(counts: list[list[int]]):
    parts = rows_of([count for inner in counts for count in inner], 2)
    rows, start = [], 0
    for inner in counts:
        rows.append(parts[start : start + len(inner)])
        start += len(inner)
    ragged = Ragged.of(rows, 2)
    padded, (outer, inner) = ragged.padded()
    assert outer.tolist() == [len(c) for c in counts]
    assert tuple(inner.shape) == tuple(padded.shape[:2])
    for b, expected in enumerate(rows):
        got = [padded[b, j, : inner[b, j]] for j in range(int(outer[b]))]
        assert same(got, expected)
        for j in range(int(outer[b]), padded.shape[1]):  # a part that is padding is the last part
            assert torch.equal(padded[b, j], padded[b, int(outer[b]) - 1])
            assert int(inner[b, j]) == len(expected[-1])
        for j, part in enumerate(expected):
            assert torch.equal(padded[b, j, len(part) :], part[-1].expand(padded.shape[2] - len(part), 2))
        longest = max(map(len, expected))
        assert torch.equal(ragged.row(b), padded[b, : int(outer[b]), :longest])


@given(COUNTS, st.data())
def test_selected_examples_are_those_examples(counts: list[int], data: st.DataObject):
    chosen = data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=8))
    rows = rows_of(counts, 1)
    found = Ragged.of(rows, 1).index_select(torch.tensor(chosen, dtype=torch.int64))
    assert len(found) == len(chosen)
    assert same([found.row(i) for i in range(len(found))], [rows[i] for i in chosen])
    nested = Ragged.of([rows, rows[:1], rows[::-1]], 2).index_select(torch.tensor([2, 1]))
    again = Ragged.of([rows[::-1], rows[:1]], 2)
    assert torch.equal(nested.values, again.values)
    assert same(list(nested.lengths), list(again.lengths))


def test_equal_lengths_are_axes():
    values = torch.arange(12)
    assert torch.equal(Ragged(values, (torch.tensor([3, 3]), torch.full((6,), 2))).compact(), values.reshape(2, 3, 2))
    outer = Ragged(values, (torch.tensor([1, 2]), torch.full((3,), 4))).compact()
    assert isinstance(outer, Ragged)
    assert torch.equal(outer.values, values.reshape(3, 4))
    assert [lengths.tolist() for lengths in outer.lengths] == [[1, 2]]
    inner = Ragged(values, (torch.tensor([2, 2]), torch.tensor([1, 5, 2, 4]))).compact()
    assert isinstance(inner, Ragged)
    assert [lengths.tolist() for lengths in inner.lengths] == [[2, 2], [1, 5, 2, 4]]


def test_what_it_says_of_itself():
    ragged = Ragged.of([torch.zeros(1, 4), torch.zeros(3, 4)], 1)
    assert repr(ragged) == "Ragged(2 examples of 1 to 3, 4 elements of torch.float32 (4,))"
    assert len(ragged) == 2
    assert ragged.nbytes == 4 * 4 * 4 + 2 * 8
    moved = ragged.to("cpu")
    assert same([moved.values, *moved.lengths], [ragged.values, *ragged.lengths])


def test_spans():
    assert spans(torch.tensor([5, 0, 7]), torch.tensor([2, 3, 1])).tolist() == [5, 6, 0, 1, 2, 7]


def test_wrong_lengths_are_named_by_place():
    values = torch.zeros(3)
    assert (
        message(Ragged, values, (torch.tensor([1, 1]),))
        == """\
the lengths do not sum to what they count
  where:    lengths[0]
  expected: 3
  got:      2"""
    )
    assert (
        message(Ragged, values, (torch.tensor([2]), torch.tensor([3, 0])))
        == """\
a length is at least 1
  where:    lengths[1], row 1
  got:      0"""
    )
    assert (
        message(Ragged, values, (torch.tensor([1.0, 2.0]),))
        == """\
lengths are one row of integers
  where:    lengths[0]
  expected: int64 (examples,)
  got:      float32 (2,)"""
    )
    assert (
        message(Ragged, values, ())
        == """\
a Ragged has lengths
  expected: one tensor or more
  got:      ()"""
    )
    assert message(Ragged.of, [], 1) == "there are no examples"
    assert (
        message(Ragged.of, [torch.zeros(1, 3), torch.zeros(2, 4)], 1)
        == """\
the elements have different sizes
  got:      (3,) and (4,)"""
    )
    assert (
        message(Ragged.of, [[torch.zeros(1)], []], 2)
        == """\
an empty list has no elements
  where:    row 1"""
    )
    assert message(Ragged.of, [[torch.zeros(1)], [torch.zeros(2), torch.zeros(0)]], 2).endswith("where:    row (1, 1)")

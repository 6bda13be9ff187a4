"""Array: sizes said in three ways, shapes and indices checked, tensors out."""

import numpy as np
import pytest
import torch

from messages import message
from netwright.codecs.array import Array
from netwright.codecs.ragged import Ragged


def test_sizes_in_three_ways():
    assert Array((28, 28, 1)) == Array("28  28 1")
    assert Array(3) == Array((3,)) == Array("3")
    assert Array(()) == Array("()")
    assert Array(("n", 3)).encoded == Array("n 3").decoded == "n 3"


@pytest.mark.parametrize(
    ("sizes", "raw", "kind", "shape"),
    [
        ("()", 5, torch.float32, ()),
        ("3", [1, 2, 3], torch.float32, (3,)),
        ("n 2", np.zeros((4, 2)), torch.float32, (4, 2)),
        ("n n", torch.zeros(2, 2, dtype=torch.float16), torch.float32, (2, 2)),
        ("?", np.zeros(3, bool), torch.float32, (3,)),
        ("4*k 2*k", np.zeros((8, 4), np.uint8), torch.float32, (8, 4)),
        ("n <50>", np.array([0, 49], np.uint8), torch.int64, (2,)),
        ("<v>", 7, torch.int64, ()),
    ],
)
def test_what_fits(sizes: str, raw: object, kind: torch.dtype, shape: tuple[int, ...]):
    encoded = Array(sizes).encode(raw)
    assert (encoded.dtype, tuple(encoded.shape)) == (kind, shape)
    both = Array(sizes).encode_all([raw, raw])
    assert torch.equal(both, torch.stack([encoded, encoded]))
    assert torch.equal(Array(sizes).encode_all(np.array([np.asarray(raw)] * 2)), both)
    assert Array(sizes).decode(encoded) is not None


@pytest.mark.parametrize(
    ("sizes", "expected", "shape"),
    [
        ("3", "(3,)", (4,)),
        ("3", "(3,)", (3, 1)),
        ("n n", "(n, n)", (2, 3)),
        ("4*k", "(4*k,)", (6,)),
        ("2*k k", "(2*k, k)", (4, 3)),
        ("()", "()", (1,)),
    ],
)
def test_what_does_not_fit(sizes: str, expected: str, shape: tuple[int, ...]):
    assert (
        message(Array(sizes).encode, np.zeros(shape))
        == f"""\
the array has another shape
  expected: {expected}
  got:      {shape}"""
    )


def test_a_large_batch_shares_its_memory():
    rows = np.ones((100, 3), np.float32)
    assert Array(3).encode_all(rows).data_ptr() == rows.__array_interface__["data"][0]


def test_decode_gives_the_tensor():
    output = torch.tensor([1.0, 2.0])
    assert torch.equal(Array(2).decode(output), output)


def test_bad_arrays():
    rows = np.zeros((3, 2))
    rows[1, 0] = np.nan
    assert (
        message(Array(2).encode_all, rows)
        == """\
the array holds NaN
  where:    row 1, index (0,)
  mend:     fill in a value"""
    )
    assert (
        message(Array("n <50>").encode_all, [[1, 2], [3, 50]])
        == """\
an index is out of range
  where:    row 1
  expected: 0 to 49
  got:      50"""
    )
    assert (
        message(Array("n <v>").encode, [3, -1])
        == """\
an index is out of range
  expected: 0 or more
  got:      -1"""
    )
    assert (
        message(Array("n <50>").encode, [1.0, 2.0])
        == """\
indices are integers
  expected: <50>
  got:      float64"""
    )
    assert message(Array(2).encode, "ab").startswith("these are not numbers")


def test_sizes_that_are_none():
    for sizes, axis in (("... 3", "..."), ("*s", "*s")):
        assert (
            message(Array, sizes)
            == f"""\
an array's sizes say every axis by itself
  expected: numbers, names, 16*k or ?, then perhaps <v>
  got:      {axis}
  mend:     Each(…) takes any number of axes before those of a codec"""
        )
    assert (
        message(Array, "3 -4")
        == """\
this is not the notation of ports
  where:    '3 -4'
  expected: a name, a number, 16*k, *s, ..., m[n], <v> or ()
  got:      -4"""
    )


def rows(*counts: int, width: int = 2) -> list[list[list[int]]]:
    return [[[count] * width for _ in range(count)] for count in counts]


def test_a_named_first_axis_may_differ():
    found = Array("n 2").encode_all(rows(3, 1, 2))
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[3, 1, 2]]
    assert found.row(1).tolist() == [[1.0, 1.0]]
    assert found.values.dtype == torch.float32
    assert isinstance(Array("n <9>").encode_all([np.array([1, 2]), [3]]), Ragged)
    assert torch.equal(Array(("n", 2)).encode_all(rows(2, 2)), torch.full((2, 2, 2), 2.0))


def test_a_named_second_axis_may_differ_too():
    pictures = [np.zeros((2, 3, 1)), np.ones((4, 2, 1))]
    found = Array("h w 1").encode_all(pictures)
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[2, 4], [3, 3, 2, 2, 2, 2]]
    assert torch.equal(found.row(1), torch.ones(4, 2, 1))
    narrow = Array("h w 1").encode_all([pictures[0], pictures[0][:1]])
    assert isinstance(narrow, Ragged)
    assert [lengths.tolist() for lengths in narrow.lengths] == [[2, 1]]  # w is the same everywhere: an axis


@pytest.mark.parametrize("sizes", ["? 2", "4 n", "2*n 2", "n n"])
def test_other_axes_may_not_differ(sizes: str):
    shapes = {"4 n": ((4, 1), (4, 2)), "2*n 2": ((2, 2), (4, 2)), "n n": ((1, 1), (2, 2))}
    first, second = shapes.get(sizes, ((1, 2), (2, 2)))
    assert (
        message(Array(sizes).encode_all, [np.zeros(first), np.zeros(second)])
        == f"""\
this example has another size than the first one
  where:    row 1
  expected: {first}
  got:      {second}"""
    )


def test_rows_that_differ_within_an_example():
    codec = Array("n m[n] <50>")
    assert eval(repr(codec)) == codec
    found = codec.encode_all([[[1, 2, 3], [4]], ([5],)])
    assert isinstance(found, Ragged)
    assert [lengths.tolist() for lengths in found.lengths] == [[2, 1], [3, 1, 1]]
    assert found.values.tolist() == [1, 2, 3, 4, 5]
    mixed = codec.encode_all([np.array([[1, 2], [3, 4]]), [[5]]])
    assert isinstance(mixed, Ragged)
    assert [lengths.tolist() for lengths in mixed.lengths] == [[2, 1], [2, 2, 1]]
    assert codec.encode_all([[[1, 2], [3, 4]]]).tolist() == [[[1, 2], [3, 4]]]
    assert codec.encode([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert Array("n m[n] 2").encode_all([rows(1, 3)]).lengths[1].tolist() == [1, 3]  # type: ignore[union-attr]
    assert (
        message(codec.encode, [[1, 2, 3], [4]])
        == """\
the rows have different lengths: one tensor cannot hold them
  got:      rows of 3, 1
  mend:     encode_all([…]), which gives a Ragged"""
    )
    assert (
        message(codec.encode_all, [[[1]], [[2], [50]]])
        == """\
an index is out of range
  where:    row 1, index 1
  expected: 0 to 49
  got:      50"""
    )
    for sizes, axis in (("m[n] 3", "m[n]"), ("n 3 m[n]", "m[n]"), ("k m[n]", "m[n]"), ("n 2*m[n]", "2*m[n]")):
        assert (
            message(Array, sizes)
            == f"""\
a size that varies within another stands second, behind it
  where:    '{sizes}'
  expected: n m[n]
  got:      {axis}"""
        )


@pytest.mark.parametrize("value", [float("inf"), -float("inf")])
def test_infinity_is_refused_as_nan_is(value: float):
    rows = torch.zeros(3, 2)
    rows[2, 1] = value
    text = "the array holds infinity\n  where:    row 2, index (1,)\n  mend:     fill in a value"
    assert message(Array(2).encode_all, rows) == message(Array(2).encode_all, rows.tolist()) == text
    assert message(Array("()").encode, value) == "the array holds infinity\n  mend:     fill in a value"


@pytest.mark.parametrize("sizes", [True, (3, False)])
def test_truth_is_no_size(sizes: object):
    assert message(Array, sizes) == (
        "an array's sizes are whole numbers and names\n"
        '  expected: such as 28, (28, 28, 1) or "n 3"\n'
        f"  got:      {sizes!r}"
    )


def test_lists_are_encoded_as_their_arrays_are():
    rows = [[1, 2], [3, 4.5], [True, 0], [2**64 - 1, -1.0]]
    for many in (rows, rows[:2], rows * 700):
        alone = torch.stack([Array(2).encode(row) for row in many])
        assert torch.equal(Array(2).encode_all(many), alone)
    assert Array("n 1").encode_all([[[1], [2]], [[3]]]).values.tolist() == [[1], [2], [3]]  # type: ignore[union-attr]
    texts = [message(Array(2).encode_all, [[1, 2], wrong]) for wrong in ([1, "a"], [1, 2, 3], [1, float("nan")])]
    assert all("row 1" in text for text in texts)
    assert "row 1" in message(Array("2 <9>").encode_all, [[1, 2], [True, True]])

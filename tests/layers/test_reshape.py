"""Moves beyond the table: sizes both ways, and what is refused."""

import pytest

import netwright as nw
from layers.tools import unfit
from messages import message
from netwright.errors import NetError
from netwright.sizes.size import evaluate, named


def test_reshape():
    assert nw.Chain(nw.Reshape(-1, 4), input=(6, 2)).plan.outputs == {"output": (3, 4)}
    assert str(nw.Chain(nw.Reshape(-1, 4), input=("n", 4)).plan.outputs["output"]) == "(n, 4)"
    what = "its input has another number of values"
    assert unfit(nw.Reshape(-1, 5), (6, 2)) == (what, "a multiple of 5 values, for (-1, 5)", "12 values")
    assert unfit(nw.Reshape(4, 4), (6, 2)) == (what, "16 values, for (4, 4)", "12 values")
    assert message(lambda: nw.Reshape(-1, -1)) == (
        "a shape is whole numbers of at least 1, one of which may be -1\n"
        "  where:    Reshape\n"
        "  got:      (-1, -1)\n"
        "  mend:     nw.Reshape(4, -1)"
    )


def test_reshape_of_varying_sizes():
    what = "it would mix what is behind the end of an example with what is before"
    expected = "one size that varies, the first of the input, and -1 first in the shape"
    assert unfit(nw.Reshape(-1, 2), ("4 n")) == (what, expected, "(4, n) as (-1, 2)")
    assert unfit(nw.Reshape(2, -1), ("n 4")) == (what, expected, "(n, 4) as (2, -1)")


def test_transpose():
    assert nw.Chain(nw.Transpose(1, 0), output=(3, 5)).plan.inputs == {"input": (5, 3)}
    assert unfit(nw.Transpose(1, 0), (3, 4, 5)) == ("it orders 2 axes, its input has 3", "2 axes", "3")
    assert message(lambda: nw.Transpose(1, 2)) == (
        "a transposition names every axis of its input once, counted from 0\n"
        "  where:    Transpose\n"
        "  got:      (1, 2)\n"
        "  mend:     nw.Transpose(1, 0) for a matrix"
    )


@pytest.mark.parametrize(
    ("which", "expected"),
    [((1, None), "n - 1"), ((0, -1), "n - 1"), ((-3, None), "3"), ((2, 5), "3"), ((None, 2), "2")],
)
def test_parts_of_a_varying_axis(which, expected):
    assert str(nw.Chain(nw.Slice(which, axis=0), input=("n", 3)).plan.outputs["output"][0]) == expected


def test_parts_of_a_varying_axis_counted_from_both_ends():
    assert unfit(nw.Slice((-3, 5), axis=0), ("n", 3)) == (
        "it would be shorter the longer axis 0 is",
        "both places counted from the same end, since the axis differs from example to example",
        "(-3, 5) of n",
    )


@pytest.mark.parametrize(
    ("which", "least"), [(0, 1), (2, 3), (-2, 2), ((1, 4), 4), ((-3, None), 3), ((-3, -1), 3), ((None, None), 0)]
)
def test_how_long_a_varying_axis_must_be(which, least):
    enough = nw.Slice(which, axis=0).relate({"s": (named("n"), 3), "t": None})["enough"]
    assert evaluate(enough, {"n": least}) == 1
    assert "enough" not in nw.Slice(which, axis=0).relate({"s": (7, 3), "t": None})


def test_parts_that_are_not_there():
    assert unfit(nw.Slice(3), (5, 3)) == ("its input has no element 3 along axis -1", "-3 to 2", "3")
    assert unfit(nw.Slice((2, 2)), (5, 3)) == ("it leaves nothing of axis -1", "1 element or more", "(2, 2) of 3")
    assert message(lambda: nw.Slice((1, 2, 3))) == (
        "a slice is one place, or (start, stop)\n"
        "  where:    Slice\n"
        "  got:      (1, 2, 3)\n"
        "  mend:     nw.Slice(0) for the first, nw.Slice((0, 3)) for the first three"
    )


def test_a_transposition_of_very_many_axes_is_refused_at_once() -> None:
    with pytest.raises(NetError, match="names every axis of its input once"):
        nw.Transpose(*range(10**6))

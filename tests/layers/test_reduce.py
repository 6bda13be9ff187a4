"""Reductions beyond the table: which axes, and which are refused."""

import netwright as nw
from layers.tools import unfit
from messages import message


def test_axes_count_from_either_end():
    assert nw.Chain(nw.Mean((0, -1)), input=(5, 4, 3)).plan.outputs == {"output": (4,)}
    assert nw.Chain(nw.Mean(), input=(5, 4, 3)).plan.outputs == {"output": ()}


def test_sizes_that_stay_follow_backwards():
    net = nw.Chain(nw.Linear(), nw.Sum(0), input=(5, 4), output=3)
    assert net.plan.arrays["linear1/weight"].known == (3, 4)


def test_axes_that_are_not_there():
    assert unfit(nw.Max(2), (5, 4)) == ("its input has no axis 2", "3 axes or more", "2 axes")
    assert unfit(nw.Mean(-3), (5, 4)) == ("its input has no axis -3", "3 axes or more", "2 axes")
    assert unfit(nw.Sum((1, -1)), (5, 4)) == ("it names an axis twice", "different axes", "(1, -1) of 2 axes")
    assert message(lambda: nw.Mean((1, 1))) == (
        "axes are different whole numbers: one, or a tuple of them\n"
        "  where:    Mean\n"
        "  got:      (1, 1)\n"
        "  mend:     nw.Mean() for all of them"
    )

"""Borders beyond the table: sizes backwards, what they print, and examples that are too short for their border."""

import pytest
import torch

import netwright as nw
from layers.tools import unfit
from messages import message


def test_pad():
    assert nw.Chain(nw.Pad((1, 2)), output=(6, 3)).plan.inputs == {"input": (3, 3)}
    assert repr(nw.Pad((1, 2), value=-1.0)) == "Pad((1, 2), value=-1.0)"
    assert repr(nw.Pad((1, 2), mode="reflect")) == "Pad((1, 2), mode='reflect')"
    assert unfit(nw.Pad((1, 1), (1, 1)), 3) == ("it pads more axes than there are", "2 or more", "1")
    assert message(lambda: nw.Pad((1, -1))) == (
        "padding is (before, after) for the first axes, whole numbers of at least 0\n"
        "  where:    Pad\n"
        "  got:      ((1, -1),)\n"
        "  mend:     nw.Pad((1, 1), (1, 1)) for a picture"
    )


def test_modes_that_there_are_not():
    assert message(lambda: nw.Pad((1, 1), mode="reflekt")) == (
        "there is no such border\n"
        "  where:    Pad\n"
        "  expected: 'constant', 'reflect', 'replicate', 'circular'\n"
        "  got:      'reflekt'\n"
        "  mend:     did you mean 'reflect'?"
    )
    assert message(lambda: nw.Pad((1, 1), value=2.0, mode="circular")) == (
        "a border of mode 'circular' holds what the example holds, and no value\n"
        "  where:    Pad\n"
        "  got:      value=2.0\n"
        "  mend:     leave value out"
    )


@pytest.mark.parametrize(("mode", "least"), [("reflect", 4), ("circular", 3)])
def test_an_axis_that_is_too_short_for_its_border(mode, least):
    assert unfit(nw.Pad((1, 1), (3, 0), mode=mode), (5, least - 1, 2)) == (
        "an axis is shorter than what its border repeats",
        f"{least} elements or more along axis 1",
        str(least - 1),
    )
    net = nw.Chain(nw.Pad((3, 0), mode=mode), input=("n", 2))
    short, enough = torch.ones(least - 1, 2), torch.ones(least, 2)
    assert len(net([enough, torch.ones(9, 2)])) == 2
    assert message(lambda: net([enough, short])).startswith("an example is too short for this net\n  where:    row 1, ")


def test_one_element_is_replicated():
    assert nw.Pad((2, 1), mode="replicate")(nw.batch([[3.0]])).tolist() == [[3.0] * 4]

"""The affine map beyond the table: where its widths come from."""

import torch

import netwright as nw


def test_width_from_what_follows():
    assert nw.Chain(nw.Linear(), input=3, output=nw.Category(range(4))).plan.outputs == {"output": (4,)}


def test_width_from_an_array():
    net = nw.Chain(nw.Linear(), nw.relu, nw.Linear(2), input=3)
    assert net.with_arrays({"linear2/weight": torch.zeros(2, 7)}).plan.arrays["linear1/weight"].known == (7, 3)


def test_integers_are_shorthand():
    assert nw.Chain(5, nw.relu, 2) == nw.Chain(nw.Linear(5), nw.relu, nw.Linear(2))

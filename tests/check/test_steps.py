"""A net in pieces is the net at once; where it is not, the cut and the part are named."""

import torch

import netwright as nw
from netwright.check.cases import drawn
from netwright.check.steps import Pieces, cuts

torch.set_num_threads(1)


class Late(nw.Leaf):
    """A running sum that starts anew with every piece of more than one element."""

    ports = "n d -> n d"
    ignores_padding = True

    def memory(self):
        return {"sum": "d"}

    def forward(self, w, x):
        return x.cumsum(1)

    def step(self, w, memory, x):
        before = 0 if memory is None or x.shape[1] > 1 else memory["sum"].unsqueeze(1)
        y = x.cumsum(1) + before
        return y, {"sum": y[:, -1]}


def pieces(net: nw.Net, along: str = "n") -> Pieces:
    return Pieces(next(drawn(nw.initialize(net), 0)), along)


def test_ways_to_cut():
    assert cuts(1) == [(1,)]
    assert cuts(3) == [(1, 1, 1), (3,)]
    assert cuts(8) == [(1,) * 8, (2, 1, 5), (8,)]


def test_the_longest_example_is_cut():
    tried = pieces(nw.Chain(nw.GRU(4), nw.Conv(2, 2, padding="causal"), input=("n", 3)))
    assert tried.longest.inputs["input"].shape == (1, 8, 3)
    assert tried.difference() is None


def test_outputs_without_positions_are_the_last():
    net = nw.Graph(turn=(nw.LSTM(4), "x"), input={"x": ("n", 3)}, outputs={"all": "turn", "end": "turn.hidden"})
    assert pieces(net).difference() is None


def test_an_input_that_does_not_move_is_whole():
    net = nw.Graph(
        sum=(nw.Add(), "x", "y"), turn=(nw.GRU(4), "sum"), input={"x": ("n", 3), "y": 3}, outputs={"all": "turn"}
    )
    assert pieces(net).difference() is None


def test_the_cut_and_the_part_are_named():
    found = pieces(nw.Chain(nw.Linear(3), Late(), nw.tanh, input=("n", 2))).difference()
    assert found is not None
    assert (found.place, found.batch) == ("late1", "in pieces of 2, 1, 5")

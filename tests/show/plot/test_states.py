"""States are found with their direction, in layers, folds and nets that read in both directions."""

import pytest

import netwright as nw
from netwright.causality.causality import sight_of
from netwright.show.plot.states import States, has_state

CORE = nw.Graph(
    join=(nw.Concatenate(), "input", "state"),
    linear=(nw.Linear(4), "join"),
    input={"input": 4, "state": 4},
)


@pytest.mark.parametrize(
    ("parts", "way"),
    [
        ([nw.GRU(4), nw.RNN(4)], "forward"),
        ([nw.Fold(CORE)], "forward"),
        ([nw.Map(nw.Linear(4)), nw.LSTM(4)], "forward"),
        ([nw.Map(nw.Linear(4))], "none"),
        ([nw.Bidirectional(nw.GRU(2))], "both"),
        ([nw.Bidirectional(nw.Fold(CORE)), nw.GRU(4)], "both"),
        ([nw.Reverse(), nw.GRU(4), nw.Reverse()], "backward"),
        ([nw.Reverse(), nw.GRU(4)], "none"),  # its outputs do not stand at the positions of its inputs
        ([nw.Conv(4, 3, padding="causal"), nw.GRU(4)], "none"),  # more is seen than the state
        ([nw.GRU(4), nw.self_attention(4, 1, causal=True)], "none"),
    ],
)
def test_where_the_states_of_a_net_go(parts, way):
    net = nw.Chain(*parts, input=("n", 4))
    ((_, slot), *_) = net.plan.wiring.outputs
    assert States(sight_of(net, "n", False)).way_between(("", "input"), slot) == way


def test_what_carries_a_state():
    assert has_state(nw.GRU(4)) and not has_state(nw.Conv(4, 3))

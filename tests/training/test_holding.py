"""A net gets the arrays of a run under its own paths, in its own number type."""

import torch

import netwright as nw
from netwright.training.holding import net_holding


def test_paths_and_number_types() -> None:
    net = nw.Chain(nw.Linear(2, bias=False), input=3)
    found = net_holding(net, {"net/linear1/weight": torch.ones(2, 3)}, "net/", torch.float16)
    assert found == net.with_arrays({"linear1/weight": torch.ones(2, 3, dtype=torch.float16)})

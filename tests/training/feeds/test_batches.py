"""The interface of batches: without a place in the data of its own there is nothing to keep and to put back."""

import torch

import netwright as nw
from netwright.data.sources import source
from netwright.training.feeds.feed import feed


def test_a_feed_has_no_place_of_its_own() -> None:
    net = nw.with_loss(nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1)), nw.MSE())
    made = feed(source(([[1.0], [2.0]], [2.0, 3.0])), net, torch.device("cpu"))
    next(made.epoch(1, 1, seed=0))
    assert made.state() == {}
    made.restore({})
    assert [batch.examples.tolist() for batch in made.epoch(1, 2, seed=0, skip=1)] == []

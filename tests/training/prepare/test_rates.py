"""Rates by path: patterns, frozen running arrays, one update a rate."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import PathError, TrainingError
from netwright.training.prepare.rates import rates_of

NET = nw.Chain(nw.Chain(4, nw.BatchNorm(), nw.relu), nw.Linear(2), nw.softmax, input=3, output=nw.Category(["a", "b"]))


def test_patterns_and_the_base() -> None:
    rates = rates_of(NET.plan, 0.1, {"chain1/linear1/*": 0.2, "linear1/bias": 0.0}, "")
    assert rates["chain1/linear1/weight"] == 0.2
    assert rates["linear1/weight"] == 0.1
    assert "linear1/bias" not in rates


def test_what_matches_nothing_and_what_leaves_nothing() -> None:
    with pytest.raises(PathError, match="did you mean 'chain1'"):
        rates_of(NET.plan, 0.1, {"chian1": 0.0}, "")
    with pytest.raises(TrainingError, match="nothing is left to train"):
        rates_of(NET.plan, 0.1, {"*": 0.0}, "")


def test_a_frozen_body_does_not_move_its_running_means_either() -> None:
    net = nw.initialize(NET)
    xs = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    run = nw.train(net, (xs, ["a", "b"] * 16), learning_rate={"chain1": 0}, epochs=2, progress=False)
    assert nw.diff(net, run.net).of("changed") == ("linear1/weight", "linear1/bias")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_a_frozen_part_of_any_number_type_stays_as_it_is(kind: torch.dtype) -> None:
    net = nw.initialize(NET).to(dtype=kind)
    xs = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    run = nw.train(net, (xs, ["a", "b"] * 16), learning_rate={"chain1": 0}, epochs=2, progress=False)
    assert nw.diff(net, run.net).of("changed") == ("linear1/weight", "linear1/bias")
    assert {array.dtype for array in run.net.arrays.values()} == {kind}

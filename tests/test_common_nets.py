"""The nets of bench/breadth.md are the same nets both ways: as many numbers are trained, on data that fit both."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import netwright as nw

ROOT = Path(__file__).parents[1]
COMMON = runpy.run_path(str(ROOT / "bench" / "common_nets.py"))


@pytest.mark.parametrize("name", COMMON["NETS"])
def test_both_are_the_same_net(name) -> None:
    net = COMMON["NETS"][name]
    ours = nw.initialize(net.ours())
    learned = [path for path, spec in ours.plan.arrays.items() if spec.weight.kind == "learned"]
    count = sum(ours.held.arrays[path].numel() for path in learned)
    assert count == sum(p.numel() for p in net.theirs().parameters())


@pytest.mark.parametrize("name", COMMON["NETS"])
def test_the_data_fits_both(name) -> None:
    net = COMMON["NETS"][name]
    data = net.data(np.random.default_rng(0), 4)
    *inputs, target = (torch.from_numpy(np.ascontiguousarray(column)) for column in data)
    loss = COMMON["loss_of"](net, net.theirs()(*map(COMMON["channels_first"], inputs)), target)
    run = nw.train(net.ours(), net.columns(data), epochs=1, batch_size=4, precision="float32", progress=False)
    assert math.isfinite(loss.item())
    assert math.isfinite(run.losses[0])

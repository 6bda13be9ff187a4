"""What calling a plan costs beside calling a module written by hand: LeNet in float32, without gradients."""

from collections.abc import Callable

import torch
from bench.interleave import Row, interleave, timed
from bench.peers.netwright_fit import build
from bench.peers.torch_base import build as build_by_hand
from bench.workloads import WORKLOADS
from torch import Tensor, nn

import netwright as nw
from netwright.net.apply import whole_program

CALLS = {1: 200, 32: 30}  # batch size to calls: about a tenth of a second


def by_hand(batch: int) -> Callable[[], Tensor]:
    """A call of torch's own modules, channels first, softmax at the end."""
    net = nn.Sequential(build_by_hand(WORKLOADS["lenet"]), nn.Softmax(-1)).eval()
    x = torch.rand(batch, 1, 28, 28)
    return lambda: net(x)


def by_plan(batch: int) -> Callable[[], Tensor]:
    """A call of the eager plan, features last."""
    net = nw.initialize(build(WORKLOADS["lenet"]), seed=0)
    bound, x = whole_program(net).bind(net.arrays), torch.rand(batch, 28, 28, 1)
    return lambda: bound({"input": x})[0]


def race(batch: int, repeats: int) -> list[Row]:
    """Both, taking turns; the ratio of the plan is the hand-written module's seconds over its own."""
    with torch.no_grad():
        turns = {name: timed(make(batch), CALLS[batch]) for name, make in {"base": by_hand, "plan": by_plan}.items()}
        return interleave(turns, repeats)

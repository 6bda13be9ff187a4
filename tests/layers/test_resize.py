"""Resizing beyond the table: sizes in both directions, factors that are no whole numbers, what it refuses."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from layers.tools import unfit
from messages import message
from netwright.sizes.size import evaluate


def test_a_factor_keeps_sizes_open_and_a_size_says_them():
    net = nw.Chain(nw.Resize(factor=(2, 0.5)), input=("n", "m", 3))
    n, m, _ = net.plan.outputs["output"]
    assert str(n) == "2*n" and [evaluate(m, {"m": size}) for size in (2, 5, 8)] == [1, 2, 4]
    assert nw.Chain(nw.Resize((7, 9)), input=("n", "m", 3)).plan.outputs == {"output": (7, 9, 3)}


def test_sizes_follow_backwards_from_whole_factors():
    assert nw.Chain(nw.Resize(factor=2), output=(28, 14, 3)).plan.inputs == {"input": (14, 7, 3)}
    net = nw.Chain(nw.Resize(factor=3), output=("6*n", 3))
    assert str(net.plan.inputs["input"][0]) == "2*n"


@pytest.mark.parametrize(("factor", "size", "target"), [(0.29, 100, 29), (1 / 3, 9, 3), (0.7, 10, 7), (2 / 3, 8, 5)])
def test_a_factor_is_the_fraction_that_is_meant(factor, size, target):
    assert nw.Chain(nw.Resize(factor=factor), input=(size, 1)).plan.outputs == {"output": (target, 1)}
    assert nw.Resize(factor=factor)(nw.batch(torch.randn(2, size, 1))).shape == (2, target, 1)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("size", [3, 7, 10, 23])
def test_nearly_equal_sizes_of_a_batch_are_resized_as_torch_does_alone(interpolation, size):
    net = nw.Chain(nw.Resize(size, interpolation=interpolation), input=("n", 2))
    mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}[interpolation]
    lines = [torch.randn(n, 2) for n in range(2, 14)]
    for line, ours in zip(lines, net(lines), strict=True):
        theirs = F.interpolate(line.T[None, :, None], (1, size), mode=mode)[0, :, 0].T
        torch.testing.assert_close(torch.as_tensor(ours), theirs)


def test_what_it_refuses():
    text = "a grid gets another size by a size or by a factor\n  where:    Resize\n  got:      {}\n"
    mends = "  mend:     nw.Resize(224)\n  or:       nw.Resize(factor=2)"
    assert message(lambda: nw.Resize()) == text.format("size=None, factor=None") + mends
    assert message(lambda: nw.Resize(3, factor=2)) == text.format("size=3, factor=2") + mends
    assert message(lambda: nw.Resize(factor=0)) == (
        "a factor is a number, or one for each axis\n"
        "  where:    Resize\n"
        "  expected: from 1/1,000 to 1,000,000\n"
        "  got:      0"
    )
    assert message(lambda: nw.Resize(3, interpolation="nearest", antialias=True)) == (
        "nearest copies one input, so it has no antialias\n"
        "  where:    Resize\n"
        '  mend:     nw.Resize(…, interpolation="linear", antialias=True)'
    )
    assert message(lambda: nw.Resize(3, interpolation="area")).startswith("interpolation of Resize cannot be this\n")
    assert unfit(nw.Resize(factor=0.5), (1, 3)) == (
        "it leaves nothing of its input",
        "1 position or more",
        "0.5 of 1",
    )
    assert unfit(nw.Resize((4, 4)), (8, 3)) == (
        "its size has 2 axes, its input 1 position axis",
        "2 position axes and an axis of channels",
        "1 position axis and an axis of channels",
    )

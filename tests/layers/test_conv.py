"""Convolution beyond the table: what it refuses, what it learns backwards, and how its values lie in memory."""

import math

import pytest
import torch

import netwright as nw
from layers.tools import run, unfit
from messages import message
from netwright.kernels.convolution import channels_last
from netwright.sizes.size import evaluate


def test_kernel_larger_than_the_picture():
    assert unfit(nw.Conv(4, 9), (12, 8, 3)) == (
        "its kernel is larger than its input",
        "at least 9 positions along every axis",
        "8 positions",
    )


def test_padding_counts_towards_the_kernel():
    assert nw.Chain(nw.Conv(4, 9, padding=1), input=(8, 12, 3)).plan.outputs == {"output": (2, 6, 4)}


@pytest.mark.parametrize(
    ("sizes", "what", "got"),
    [
        ((8, 3), "its kernel has 2 axes, its input 1 position axis", "1 position axis and an axis of channels"),
        ((8, 8, 8, 3), "its kernel has 2 axes, its input 3 position axes", "3 position axes and an axis of channels"),
    ],
)
def test_wrong_rank(sizes, what, got):
    assert unfit(nw.Conv(4, (3, 3)), sizes) == (what, "2 position axes and an axis of channels", got)


def test_no_positions():
    assert unfit(nw.Conv(4, 3), (8,)) == (
        "it takes axes of positions, and its input has none",
        "position axes and an axis of channels",
        "one axis, of channels",
    )


def test_too_many_positions():
    assert unfit(nw.Conv(4, 1), (2, 2, 2, 2, 3)) == ("it takes at most 3 axes of positions, not 4", "", "")


def test_groups_that_do_not_divide():
    assert unfit(nw.Conv(4, 3, groups=2), (8, 8, 3)) == (
        "its groups do not divide its input channels",
        "a multiple of 2",
        "3 channels",
    )
    assert unfit(nw.Conv(3, 3, groups=2), (8, 8, 4)) == (
        "its groups do not divide its output channels",
        "a multiple of 2",
        "3 channels",
    )


def test_options_that_differ_in_rank():
    found = unfit(nw.Conv(4, (3, 3), stride=(1, 1, 1)), (8, 8, 3))
    assert found == ("its options differ in the number of axes", "", "kernel: 2, stride: 3")


def test_options_out_of_range():
    assert message(lambda: nw.Conv(4, 0)) == (
        "kernel must be a whole number of at least 1, or one for each axis\n  where:    Conv\n  got:      0"
    )
    assert message(lambda: nw.Conv(4, 3, padding=-1)) == (
        "padding must be a whole number of at least 0, or one for each axis\n  where:    Conv\n  got:      -1"
    )
    assert message(lambda: nw.Conv(4, 3, groups=0)) == (
        "the number of groups is a whole number of at least 1\n  where:    Conv\n  got:      0"
    )
    assert message(lambda: nw.Conv(4, 3, padding="cuasal")) == (
        "there is no such padding\n"
        "  where:    Conv\n"
        '  expected: a number, one for each axis, "same" or "causal"\n'
        "  got:      'cuasal'\n"
        "  mend:     did you mean 'causal'?"
    )


def test_sizes_follow_backwards_at_stride_one():
    net = nw.Chain(nw.Linear(4), nw.Conv(5, (3, 3), dilation=2), output=(10, 12, 5))
    assert net.plan.inputs["input"][:2] == (14, 16)


def test_width_follows_from_an_array():
    net = nw.Chain(nw.Conv(6, 3, groups=2), input=("n", "?"))
    held = net.with_arrays({"conv1/weight": torch.zeros(6, 4, 3)})
    assert held.plan.inputs["input"][1] == 8


def test_varying_lengths_are_solved():
    net = nw.Chain(nw.Conv(6, 5, stride=2), input=("n", 3))
    length = net.plan.outputs["output"][0]
    assert [evaluate(length, {"n": n}) for n in (5, 6, 7, 20)] == [1, 1, 2, 8]
    for padding, kernel in (("causal", 4), ("same", 4), (1, 3)):
        kept = nw.Chain(nw.Conv(6, kernel, padding=padding), input=("n", 3))
        assert str(kept.plan.outputs["output"][0]) == "n"


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 2, 1), (5, 2, 1), (2, 2, 1), (2, 3, 1), (1, 2, 1), (3, 2, 2)]
)
def test_same_with_a_stride_pads_as_tensorflow_does(kernel, stride, dilation):
    leaf = nw.Conv(1, kernel, stride=stride, dilation=dilation, padding="same", bias=False)
    size = nw.Chain(leaf, input=("n", 1)).plan.outputs["output"][0]
    w = {"weight": torch.randn(1, 1, kernel)}
    for n in range(1, 12):
        count = math.ceil(n / stride)
        missing = max((count - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
        x = torch.randn(1, n, 1)
        around = torch.nn.functional.pad(x.movedim(-1, 1), (missing // 2, missing - missing // 2))
        expected = torch.nn.functional.conv1d(around, w["weight"], None, stride, 0, dilation)
        assert evaluate(size, {"n": n}) == count == expected.shape[-1]
        torch.testing.assert_close(leaf.forward(w, x).movedim(-1, 1), expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", [0, "same", "causal"])
def test_output_lies_features_last(channels, padding):
    net = nw.Chain(nw.Conv(8, 5, padding=padding), nw.MaxPool(2), nw.AvgPool(2), input=(28, 28, channels))
    arrays = nw.initialize(net).arrays
    x = torch.randn(4, 28, 28, channels)
    for path in ("conv1", "maxpool1", "avgpool1"):
        y, _ = run(nw.initialize(net)[: net.paths.index(path) + 1], arrays, x)
        assert y.is_contiguous()
        assert y.movedim(-1, 1).is_contiguous(memory_format=torch.channels_last)


def test_one_channel_of_odd_strides_still_gives_features_last():
    net = nw.Chain(nw.Conv(8, 5), input=(28, 28, 1))
    x = torch.randn(4, 28, 28, 1).as_strided((4, 28, 28, 1), (784, 28, 1, 784))  # as an axis put in afterwards has
    y, _ = run(net, nw.initialize(net).arrays, x)
    assert y.is_contiguous()


def test_one_channel_kernels_keep_their_values():
    weight = torch.randn(8, 1, 5, 5)
    strided = channels_last(weight)
    assert torch.equal(strided, weight)
    assert strided.stride() == (25, 1, 5, 1)

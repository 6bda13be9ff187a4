"""Transposed convolution beyond the table: Keras' sizes, sizes backwards, what it refuses, how it is filled."""

import math

import pytest
import torch

import netwright as nw
from layers.tools import run, unfit
from messages import message
from netwright.net.cost import multiply_adds, parameters
from netwright.sizes.size import evaluate


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (4, 2), (5, 3), (1, 2), (3, 1), (4, 1)])
def test_same_gives_stride_times_the_size(kernel, stride):
    net = nw.Chain(nw.ConvTranspose(3, kernel, stride=stride, padding="same"), input=("n", 2))
    size = net.plan.outputs["output"][0]
    assert [evaluate(size, {"n": n}) for n in (1, 2, 7)] == [stride, 2 * stride, 7 * stride]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 3), (4, 1)])
def test_same_is_the_gradient_of_a_convolution_that_pads_as_keras_does(kernel, stride):
    x = torch.randn(1, 2, 6, dtype=torch.float64)
    weight = torch.randn(2, 3, kernel, dtype=torch.float64)
    around = max(kernel - stride, 0)  # zeros that a convolution of 6 · stride positions needs to give 6
    large = torch.zeros(1, 3, 6 * stride, dtype=torch.float64, requires_grad=True)
    padded = torch.nn.functional.pad(large, (around // 2, around - around // 2))
    (expected,) = torch.autograd.grad(torch.nn.functional.conv1d(padded, weight, stride=stride), large, x)
    leaf = nw.ConvTranspose(3, kernel, stride=stride, padding="same", bias=False)
    y, _ = run(nw.Chain(leaf, input=(6, 2)), {"convtranspose1/weight": weight}, x.movedim(1, -1))
    torch.testing.assert_close(y.movedim(-1, 1), expected)


def test_sizes_follow_backwards():
    net = nw.Chain(nw.Linear(4), nw.ConvTranspose(5, (2, 3), stride=2), output=(10, 13, 5))
    assert net.plan.inputs["input"][:2] == (5, 6)
    net = nw.Chain(nw.ConvTranspose(5, 2, stride=2), output=("2*n", 5))
    assert str(net.plan.inputs["input"][0]) == "n"
    assert unfit(nw.ConvTranspose(5, 3, stride=2), ("?", 4), output=(10, 5)) == (
        "no input gives an output of this size",
        "a multiple of 2 positions, and 1 more",
        "10 positions",
    )


def test_width_follows_from_an_array():
    net = nw.Chain(nw.ConvTranspose(nw.FREE, 3, groups=2), input=("n", 4))
    held = net.with_arrays({"convtranspose1/weight": torch.zeros(4, 3, 3), "convtranspose1/bias": torch.zeros(6)})
    assert held.plan.outputs["output"][1] == 6


def test_padding_that_leaves_nothing():
    assert unfit(nw.ConvTranspose(4, 2, padding=2), (3, 8, 2)) == (
        "its padding leaves nothing of its output",
        "at least 4 positions along every axis",
        "3 positions",
    )


def test_groups_that_do_not_divide():
    assert unfit(nw.ConvTranspose(4, 3, groups=2), (8, 3)) == (
        "its groups do not divide its input channels",
        "a multiple of 2",
        "3 channels",
    )


def test_options_that_differ_in_rank():
    found = unfit(nw.ConvTranspose(4, (3, 3), stride=(2, 2), output_padding=(1, 1, 1)), (8, 8, 3))
    assert found == ("its options differ in the number of axes", "", "kernel: 2, stride: 2, output_padding: 3")


def test_options_out_of_range():
    assert message(lambda: nw.ConvTranspose(4, 3, stride=2, output_padding=2)) == (
        "an output padding is below the stride or below the dilation\n"
        "  where:    ConvTranspose\n"
        "  expected: below 2 or below 1\n"
        "  got:      2"
    )
    assert message(lambda: nw.ConvTranspose(4, 3, stride=2, padding="same", output_padding=1)) == (
        'padding "same" says the size of the output, and so does an output padding\n'
        "  where:    ConvTranspose\n"
        "  got:      output_padding 1\n"
        "  mend:     leave output_padding out"
    )
    assert message(lambda: nw.ConvTranspose(4, 3, padding="causal")) == (
        "there is no such padding\n"
        "  where:    ConvTranspose\n"
        '  expected: a number, one for each axis, or "same"\n'
        "  got:      'causal'"
    )


def test_a_new_weight_keeps_the_variance_behind_relu():
    net = nw.initialize(nw.Chain(nw.ConvTranspose(32, 4, stride=2, bias=False), input=(20, 20, 48)))
    weight = net.arrays["convtranspose1/weight"]
    assert weight.shape == (48, 32, 4, 4)
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / (48 * 4)), rel=0.02)
    y, _ = run(net, net.arrays, torch.randn(4, 20, 20, 48).relu())
    assert float(y[:, 4:-4, 4:-4].var()) == pytest.approx(1, rel=0.1)


def test_its_work_is_that_of_the_input():
    plan = nw.Chain(nw.ConvTranspose(8, 2, stride=2), nw.Conv(3, 1), input=(5, 7, 4)).plan
    assert multiply_adds(plan) == 5 * 7 * 4 * 8 * 4 + 10 * 14 * 8 * 3
    assert parameters(plan.arrays.values()) == 4 * 8 * 4 + 8 + 8 * 3 + 3
    mapped = nw.Map(nw.ConvTranspose(8, 2, stride=2), input=("n", 5, 7, 4)).plan
    assert multiply_adds(mapped, {"n": 3}) == 3 * 5 * 7 * 4 * 8 * 4


def test_output_lies_features_last():
    net = nw.initialize(nw.Chain(nw.ConvTranspose(8, 2, stride=2), input=(9, 9, 3)))
    y, _ = run(net, net.arrays, torch.randn(4, 9, 9, 3))
    assert y.is_contiguous()


def test_a_u_net_learns():
    x = nw.Input("x", (8, 8, 1))
    down = nw.Conv(4, 3, padding="same")(x)
    deep = nw.Conv(8, 3, padding="same")(nw.MaxPool(2)(nw.relu(down)))
    up = nw.ConvTranspose(4, 2, stride=2)(nw.relu(deep))
    net = nw.Graph(nw.Conv(1, 1)(nw.Concatenate()(up, down)))
    pictures = torch.rand(16, 8, 8, 1)
    learned = nw.train(net, (pictures, 1 - pictures), epochs=4, progress=False, validation=None, batch_size=8)
    assert learned.losses[-1] < learned.losses[0]

"""Pooling beyond the table: what it refuses, and ReLU after it instead of before."""

import pytest
import torch

import netwright as nw
from layers.tools import run, unfit
from messages import message
from netwright.net.apply import whole_program
from netwright.sizes.size import evaluate


@pytest.mark.parametrize(
    "pool", [nw.MaxPool(2), nw.MaxPool(3, stride=1, padding=1), nw.GlobalMaxPool(), nw.Max((0, 1))]
)
def test_relu_moves_behind_a_maximum(pool):
    net = nw.Chain(nw.relu, pool, input=(6, 6, 4))
    order = [i.path for i in whole_program(net).instructions]
    kinds = [i.leaf for i in whole_program(net).instructions]
    assert len(order) == 2
    assert kinds == [pool, nw.relu]
    x = torch.randn(3, 6, 6, 4, dtype=torch.float64, requires_grad=True)
    fused, _ = run(net, {}, x)
    plain = run(nw.Chain(pool, input=(6, 6, 4)), {}, x.relu())[0]
    along = torch.randn_like(fused)
    torch.testing.assert_close(fused, plain, rtol=1e-12, atol=1e-12)
    (ours,) = torch.autograd.grad((fused * along).sum(), x)
    (theirs,) = torch.autograd.grad((plain * along).sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_relu_stays_before_a_mean():
    net = nw.Chain(nw.relu, nw.AvgPool(2), input=(6, 6, 4))
    leaves = [i.leaf for i in whole_program(net).instructions]
    assert leaves == [nw.relu, nw.AvgPool(2)]


def test_window_larger_than_the_picture():
    assert unfit(nw.MaxPool(5), (4, 8, 3)) == (
        "its window is larger than its input",
        "at least 5 positions along every axis",
        "4 positions",
    )


@pytest.mark.parametrize(("pool", "border"), [(nw.AvgPool, 0.0), (nw.MaxPool, float("-inf"))])
@pytest.mark.parametrize(
    ("size", "window", "padding"),
    [
        ((4,), (5,), (1,)),
        ((3, 5), (4, 3), (2, 0)),
        ((7, 3, 3), (1, 3, 4), (0, 0, 1)),
        ((1, 1, 1), (2, 3, 2), (1, 1, 1)),
    ],
)
def test_a_window_that_fits_with_its_padding_alone(pool, border, size, window, padding):
    net = nw.Chain(pool(window, stride=1, padding=padding), input=(*size, 2))
    x = torch.randn(*size, 2)
    windows = torch.nn.functional.pad(x, [0, 0, *(p for p in reversed(padding) for _ in range(2))], value=border)
    for axis, extent in enumerate(window):
        windows = windows.unfold(axis, extent, 1)
    windows = windows.flatten(len(size) + 1)
    torch.testing.assert_close(net(x), windows.mean(-1) if pool is nw.AvgPool else windows.amax(-1))


@pytest.mark.parametrize(("window", "stride", "padding"), [(3, 2, 0), (2, 2, 1), (5, 3, 2), (2, 3, 0), (4, 4, 2)])
def test_sizes_with_ceil_are_those_of_torch(window, stride, padding):
    net = nw.Chain(nw.MaxPool(window, stride=stride, padding=padding, ceil=True), input=("n", 1))
    for n in range(max(window - 2 * padding, 1), 15):
        theirs = torch.nn.functional.max_pool1d(torch.zeros(1, 1, n), window, stride, padding, ceil_mode=True)
        assert evaluate(net.plan.outputs["output"][0], {"n": n}) == theirs.shape[-1]


def test_paddings_that_there_are_not():
    assert message(lambda: nw.AvgPool(2, padding="valid")) == (
        "there is no such padding\n"
        "  where:    AvgPool\n"
        '  expected: a number, one for each axis, or "same"\n'
        "  got:      'valid'"
    )
    assert message(lambda: nw.MaxPool(2, padding="same", ceil=True)) == (
        'padding "same" takes all windows that begin in the input, so ceil says nothing\n'
        "  where:    MaxPool\n"
        "  mend:     leave ceil out"
    )


def test_more_padding_than_window():
    assert unfit(nw.AvgPool(2, padding=2), (4, 8, 3)) == (
        "its window can lie in padding by more than half",
        "padding of at most half the window 2",
        "padding 2",
    )


def test_stride_is_the_window_unless_said():
    assert nw.MaxPool(3) == nw.MaxPool(3, stride=None) != nw.MaxPool(3, stride=3)
    assert message(lambda: nw.MaxPool(3, stride=0)) == (
        "stride must be a whole number of at least 1, or one for each axis\n  where:    MaxPool\n  got:      0"
    )

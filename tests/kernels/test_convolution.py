"""Convolutions with kernels that stay: the same numbers as part by part, in use alone, and NaN stays NaN."""

from typing import Any

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.kernels.convolution import FUSED, IN_PLACE, LAYOUTS, FixedConvolution
from netwright.kernels.private import packs_convolution
from netwright.layers.conv import Conv
from netwright.net.run.assemble import program_of
from netwright.net.run.execute import Bound

pytestmark = pytest.mark.usefixtures("asked_anew")

CONVS = [
    nw.Conv(8, 3),
    nw.Conv(8, (3, 5), padding="same", bias=False),
    nw.Conv(16, 3, padding=1, stride=2, groups=8),
    nw.Conv(8, 3, padding="same", stride=2, groups=8),
    nw.Conv(8, (5, 3), padding="same", stride=(2, 4), groups=8, bias=False),
    nw.Conv(16, 3, padding="causal", groups=8, dilation=2),
    nw.Conv(16, 3, padding="causal", groups=8),
    nw.Conv(8, 4, padding="same", stride=2),
    nw.Conv(8, 1, stride=2),
]


def trained(net: nw.Net) -> nw.Net:
    """A net whose batch norms have seen something."""
    net = nw.initialize(net, seed=0)
    draw = torch.Generator().manual_seed(1)
    return net.holding(
        arrays={path: array + torch.rand(array.shape, generator=draw) for path, array in net.arrays.items()}
    )


def both(net: nw.Net) -> tuple[Bound, Bound]:
    """The net part by part, and with parts joined."""
    program = program_of(net.plan, [slot for _, slot in net.plan.wiring.outputs])
    return program.bind(net.arrays), program.bind(net.arrays, {})


@torch.no_grad()
def assert_same(net: nw.Net, x: Tensor, parts: int) -> None:
    apart, joined = both(net)
    (name,) = net.input_names
    for given in (x, x[:1], torch.full_like(x, torch.nan)):
        expected = apart({name: given})[0]
        torch.testing.assert_close(joined({name: given})[0], expected, rtol=1e-4, atol=1e-4, equal_nan=True)
    assert len(joined.program.instructions) == parts


@pytest.mark.parametrize("conv", CONVS, ids=repr)
@pytest.mark.parametrize("size", [12, 61])
def test_a_convolution_takes_the_norm_and_the_function_behind_it(conv: Conv, size: int) -> None:
    net = trained(nw.Chain(conv, nw.BatchNorm(), nw.relu, nw.Dropout(0.5), input=("h", "w", 8)))
    assert_same(net, torch.randn(3, size, size + 1, 8), 1)


@pytest.mark.parametrize("features", [1, 3, 64])
def test_of_lines_and_pictures_with_any_number_of_features(features: int) -> None:
    line = nw.Chain(nw.Conv(32, 5, padding="same"), nw.BatchNorm(), nw.tanh, input=("n", features))
    assert_same(trained(line), torch.randn(4, 700, features), 1)
    picture = nw.Chain(nw.Conv(32, 5), nw.BatchNorm(), nw.relu, nw.Conv(4), input=("h", "w", features))
    assert_same(trained(picture), torch.randn(4, 40, 41, features), 2)


@pytest.mark.parametrize("function", IN_PLACE)
def test_no_function_loses_a_nan(function: str) -> None:
    net = trained(nw.Chain(nw.Conv(32, 3), nw.Elementwise(function), input=(40, 40, 32)))
    x = torch.randn(2, 40, 40, 32)
    x[0, 20, 20, 5] = torch.nan
    assert_same(net, x, 1)
    with torch.no_grad():
        assert both(net)[1]({"input": x})[0].isnan().sum() == 3 * 3 * 32
    assert {*FUSED} <= {*IN_PLACE}


def test_what_is_not_joined() -> None:
    x = torch.randn(2, 40, 40, 16)
    kept = (
        nw.Chain(nw.Conv(16, 3), nw.relu, nw.BatchNorm(), input=(40, 40, 16)),
        nw.Chain(nw.Conv(16, 3), nw.Elementwise("leaky_relu", slope=0.2), input=(40, 40, 16)),
    )
    for net in kept:
        assert_same(trained(net), x, 2)
    conv = nw.Conv(16, 3)

    @nw.program(input=(40, 40, 16))
    def read_twice(x: Any, conv: Any = conv) -> Any:
        y = conv(x)
        return nw.relu(y) + y

    assert_same(trained(read_twice), x, 3)
    double = trained(nw.Chain(conv, nw.relu, input=(40, 40, 16))).to(dtype=torch.float64)
    assert len(both(double)[1].program.instructions) == 2


def test_in_training_the_batch_is_what_counts() -> None:
    net = trained(nw.Chain(nw.Conv(8, 3), nw.BatchNorm(), nw.relu, input=(30, 30, 8)))
    x = nw.batch(torch.randn(6, 30, 30, 8))
    before = net(x)
    mean = net(x, at="batchnorm1", training=True).mean((0, 1, 2))
    torch.testing.assert_close(mean, net.arrays["batchnorm1/bias"], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(net(x), before)


def test_gradients_are_those_of_the_parts() -> None:
    net = trained(nw.Chain(nw.Conv(8, 3), nw.BatchNorm(), nw.silu, input=(30, 30, 8)))
    x = torch.randn(2, 30, 30, 8)
    net(nw.batch(x))
    x.requires_grad_()
    net(nw.batch(x)).sum().backward()
    apart = both(net)[0]
    again = x.detach().requires_grad_()
    apart({"input": again})[0].sum().backward()
    assert x.grad is not None
    assert again.grad is not None
    torch.testing.assert_close(x.grad, again.grad)


def test_few_layouts_are_kept() -> None:
    product = FixedConvolution(torch.randn(32, 32, 3, 3), None)
    with torch.no_grad():
        for size in range(40, 40 + 2 * LAYOUTS):
            product(torch.randn(1, 32, size, size), (), (0, 0), (1, 1), (1, 1), 1)
    assert len(product._layouts) == LAYOUTS


def test_without_torchs_operators_nothing_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn(32, 32, 3, 3)
    assert isinstance(Conv(32).prepared({"weight": weight})["product"], FixedConvolution)
    for other in (weight.double(), weight.bfloat16(), weight.to("meta"), torch.randn(4, 4, 3, 3, 3)):
        assert "product" not in Conv(32).prepared({"weight": other})
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_convolution_weight", None, raising=False)
    packs_convolution.cache_clear()
    assert "product" not in Conv(32).prepared({"weight": weight})

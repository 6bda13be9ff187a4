"""Convolution kernels: every option as autograd, and the way to the weight's gradient by the shape."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.layers.conv import Conv
from netwright.training.engines.handwritten.conv import Convolution, convolution_kernels
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.kernel import KernelSite
from netwright.training.engines.handwritten.weights import ImageRows, TorchBackward, WindowRows

OPTIONS = {
    "plain": nw.Conv(4, 3),
    "stride": nw.Conv(4, 3, stride=2),
    "padding": nw.Conv(4, (3, 5), padding=(1, 2)),
    "dilation": nw.Conv(4, 3, dilation=2),
    "groups": nw.Conv(4, 3, groups=2),
    "one channel out": nw.Conv(1, 3),
    "no bias": nw.Conv(4, 3, bias=False),
    "same": nw.Conv(4, 5, padding="same", dilation=2),
    "same with a stride": nw.Conv(4, 3, stride=2, padding="same"),
    "same with a stride, and one zero more at the end": nw.Conv(4, 4, stride=2, padding="same"),
    "one position that steps": nw.Conv(4, 1, stride=(2, 3)),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("channels", [2, 6])
def test_options_as_autograd(name, channels) -> None:
    net = nw.Chain(OPTIONS[name], nw.tanh, nw.Conv(2, 2), nw.Flatten(), nw.Linear(2), input=(9, 9, channels))
    torch.manual_seed(0)
    batch = batch_of(torch.randn(3, 9, 9, channels), torch.randn(3, 2))
    assert_same_gradient(*engines(net, nw.MSE()), batch, 2e-6)


def made(leaf, shape, dtype=torch.bfloat16):
    weight = torch.zeros(leaf.out, shape[-1], leaf.kernel, leaf.kernel).to(memory_format=torch.channels_last)
    arrays = {"weight": weight.to(dtype)}
    site = KernelSite((), shape, dtype, arrays, {}, {"weight": weight})
    return convolution_kernels(site, [leaf])


@pytest.mark.parametrize(
    ("leaf", "shape", "way"),
    [
        (Conv(4, 3), (2, 8, 8, 1), ImageRows),
        (Conv(4, 3), (2, 8, 8, 6), WindowRows),
        (Conv(4, 3), (2, 9, 9, 6), TorchBackward),
        (Conv(4, 3, padding=1), (2, 8, 8, 6), TorchBackward),
        (Conv(4, 3), (64, 512, 512, 1), TorchBackward),
        (Conv(4, 1), (2, 8, 8, 6), TorchBackward),
    ],
)
def test_the_way_to_the_weight(leaf, shape, way) -> None:
    (kernel,) = made(leaf, shape)
    assert isinstance(kernel, Convolution)
    assert type(kernel.weight_gradient) is way


def test_in_float32_it_is_torch_s_own() -> None:
    (kernel,) = made(Conv(4, 3), (2, 8, 8, 1), torch.float32)
    assert isinstance(kernel, Convolution)
    assert type(kernel.weight_gradient) is TorchBackward


LINES = {
    "plain": nw.Conv(4, 3),
    "stride": nw.Conv(4, 3, stride=2),
    "padding": nw.Conv(4, (5,), padding=(2,)),
    "dilation": nw.Conv(4, 3, dilation=2, padding=1),
    "groups": nw.Conv(4, 3, groups=2),
    "one position that steps": nw.Conv(4, 1, stride=2),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("after", [nw.relu, nw.tanh])
def test_lines_as_autograd(name, channels, after) -> None:
    net = nw.Chain(LINES[name], after, nw.Conv(2, 2), nw.Flatten(), nw.Linear(2), input=(12, channels))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(3, 12, channels), torch.randn(3, 2)), 2e-6)


@pytest.mark.parametrize("groups", [8, 2, 1])
@pytest.mark.parametrize("kernel", [1, 3])
def test_steps_in_groups_in_bf16(groups, kernel) -> None:
    """The gradient of the input has a way of its own here: it is as near to float32 as autograd's is."""
    net = nw.Chain(
        nw.Conv(8, 3), nw.tanh, nw.Conv(8, kernel, stride=2, groups=groups), nw.tanh, nw.Flatten(), nw.Linear(2),
        input=(16, 16, 3),
    )  # fmt: skip
    torch.manual_seed(0)
    batch = batch_of(torch.randn(4, 16, 16, 3), torch.randn(4, 2))
    exact, _ = engines(net, nw.MSE())
    for engine in (exact, *engines(net, nw.MSE(), torch.bfloat16)):
        engine.gradient(batch, 0)
        wanted, got = (e.flat.view(e.flat.gradient, "net/conv1/weight") for e in (exact, engine))
        assert torch.cosine_similarity(wanted.flatten(), got.flatten(), 0) > 0.999


def test_what_is_declined() -> None:
    assert convolution_kernels(KernelSite((), (2, 8, 8, 8, 3), torch.float32), [Conv(4, 3)]) is None
    assert convolution_kernels(KernelSite((), (2, 8, 3), torch.float32), [Conv(4, 2, padding="causal")]) is None
    assert convolution_kernels(KernelSite((), (2, 8, 8, 3), torch.float32), [Conv(4, 2, padding="same")]) is None

"""Convolution by products with its windows: as autograd with every option, and for which sizes it is taken."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.layers.conv import Conv
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.rows import ConvolutionByRows, few_places

OPTIONS = {
    "plain": nw.Conv(80, 3),
    "stride": nw.Conv(80, 3, stride=2),
    "a stride for each axis": nw.Conv(80, (2, 3), stride=(3, 1)),
    "padding": nw.Conv(80, (3, 5), padding=(1, 2)),
    "padding wider than the window": nw.Conv(80, 2, padding=2, stride=2),
    "dilation": nw.Conv(80, 3, dilation=2, padding=1),
    "no bias": nw.Conv(80, 3, bias=False),
    "same": nw.Conv(80, 3, padding="same"),
    "one place": nw.Conv(80, 1),
    "one place that steps": nw.Conv(80, 1, stride=(2, 3)),
    "the whole input": nw.Conv(80, 5),
}


def by_rows(engine) -> list[bool]:
    """For each convolution of one engine, whether it goes by rows."""
    assert isinstance(engine, Written)
    graph = engine.graphs[max(engine.graphs)]
    kernels = [kernel for stage in graph.stages for kernel in stage.kernels]
    return [isinstance(kernel, ConvolutionByRows) for kernel in kernels if "Convolution" in type(kernel).__name__]


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("after", [nw.relu, nw.tanh])
def test_options_as_autograd(name, after) -> None:
    """It stands behind a layer that learns, so its own input needs a gradient too."""
    net = nw.Chain(nw.Conv(6, 1), nw.tanh, OPTIONS[name], after, nw.Flatten(), nw.Linear(2), input=(5, 5, 3))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    for count in (3, 1, 3):  # the third step overwrites what the first left
        assert_same_gradient(one, other, batch_of(torch.randn(count, 5, 5, 3), torch.randn(count, 2)), 5e-6)
    assert by_rows(other)[-1]


def test_first_layer_and_lines() -> None:
    torch.manual_seed(0)
    for net, shape in (
        (nw.Chain(nw.Conv(80, 3), nw.relu, nw.Flatten(), nw.Linear(2), input=(5, 5, 3)), (5, 5, 3)),
        (nw.Chain(nw.Conv(80, 3, padding=1), nw.relu, nw.Flatten(), nw.Linear(2), input=(9, 3)), (9, 3)),
    ):
        one, other = engines(net, nw.MSE())
        assert_same_gradient(one, other, batch_of(torch.randn(2, *shape), torch.randn(2, 2)), 5e-6)
        assert by_rows(other) == [True]


def test_in_bf16_as_near_to_float32_as_autograd_is() -> None:
    net = nw.Chain(
        nw.Conv(80, 3, padding=1), nw.tanh, nw.Conv(96, 3, stride=2, padding=1), nw.relu, nw.Flatten(), nw.Linear(2),
        input=(6, 6, 5),
    )  # fmt: skip
    torch.manual_seed(0)
    batch = batch_of(torch.randn(2, 6, 6, 5), torch.randn(2, 2))
    exact, _ = engines(net, nw.MSE())
    exact.gradient(batch, 0)
    for engine in engines(net, nw.MSE(), torch.bfloat16):
        engine.gradient(batch, 0)
        for path in exact.flat.spans:
            wanted, got = (e.flat.view(e.flat.gradient, path).flatten() for e in (exact, engine))
            assert torch.cosine_similarity(wanted, got, 0) > 0.999, path


@pytest.mark.parametrize(
    ("leaf", "shape", "window", "taken"),
    [
        (Conv(512, 3), (8, 2, 2, 512), (3, 3), True),
        (Conv(64, 3), (8, 16, 16, 64), (3, 3), False),
        (Conv(64, 3), (1, 8, 8, 64), (3, 3), True),
        (Conv(64, 3), (1, 8, 9, 64), (3, 3), False),
        (Conv(64, 3, stride=2), (4, 8, 8, 64), (3, 3), True),
        (Conv(64, 1), (16, 8, 8, 64), (1, 1), True),
        (Conv(64, 1), (17, 8, 8, 64), (1, 1), False),
        (Conv(64, 3, groups=2), (1, 2, 2, 64), (3, 3), False),
    ],
)
def test_which_sizes_are_few(leaf, shape, window, taken) -> None:
    assert few_places(leaf, shape, window) is taken

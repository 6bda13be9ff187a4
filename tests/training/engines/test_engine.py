"""What engines share: the mean loss of a batch, clipping, and arrays by path."""

from collections.abc import Sequence

import pytest
import torch

import netwright as nw
from engine_pairs import engines
from netwright.training.engines.engine import Engine, joined_places, mean_loss


def test_a_weighted_mean() -> None:
    losses = torch.tensor([1.0, 3.0])
    assert mean_loss(losses, None) == 2
    assert mean_loss(losses, torch.tensor([1.5, 0.5])) == pytest.approx(1.5)


def test_the_engine_is_an_interface() -> None:
    with pytest.raises(TypeError):
        Engine()  # type: ignore[abstract]


def a_pair() -> Sequence[Engine]:
    return engines(nw.Chain(3, nw.tanh, nw.Linear(2), input=4, output=nw.Vector(2)), nw.MSE())


def test_clip_scales_down_and_never_up() -> None:
    engine, _ = a_pair()
    engine.flat.view(engine.flat.gradient, "net/linear1/bias").copy_(torch.tensor([3.0, 0.0, 4.0]))
    engine.clip(10.0)
    assert engine.flat.gradient.norm() == 5
    engine.clip(1.0)
    clipped = engine.flat.view(engine.flat.gradient, "net/linear1/bias")
    torch.testing.assert_close(clipped, torch.tensor([0.6, 0.0, 0.8]), atol=1e-5, rtol=0)


def test_clip_value_is_torch_s() -> None:
    engine, _ = a_pair()
    engine.flat.gradient.normal_(generator=torch.Generator().manual_seed(0))
    parameter = torch.nn.Parameter(torch.zeros_like(engine.flat.gradient))
    parameter.grad = engine.flat.gradient.clone()
    torch.nn.utils.clip_grad_value_([parameter], 0.3)
    engine.clip_value(0.3)
    assert torch.equal(engine.flat.gradient, parameter.grad)
    assert engine.flat.gradient.abs().max() == torch.tensor(0.3)


def test_arrays_by_path_and_a_buffer_are_the_same_numbers() -> None:
    engine, _ = a_pair()
    arrays = engine.arrays(engine.flat.master)
    assert [*arrays] == [*engine.paths]
    assert torch.equal(engine.buffer(arrays), engine.flat.master)
    arrays["net/linear1/bias"].fill_(9)
    assert not (engine.flat.master == 9).any()  # they are apart from the buffer


def test_places_that_touch_are_one() -> None:
    found = joined_places([slice(0, 4), slice(4, 8), slice(8, 8), slice(9, 12), slice(12, 13)])
    assert found == [slice(0, 8), slice(9, 13)]
    engine, _ = a_pair()
    place, *more = engine.places(engine.paths)
    assert (place, more) == (slice(0, len(engine.flat.master)), [])
    bias = engine.places(["net/linear1/bias"])
    engine.flat.gradient.zero_()
    engine.flat.gradient[bias[0]] = 1
    assert {path for path, array in engine.arrays(engine.flat.gradient).items() if array.any()} == {"net/linear1/bias"}

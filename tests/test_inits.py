"""Initial values have the spread their formula says, whatever the shape, and follow from the generator alone."""

import math

import pytest
import torch

from netwright.inits import METHODS, Fans, fans, gated_init, kaiming, lecun, normal, ones, orthogonal, xavier, zeros

SHAPES = [(400, 300), (64, 32, 5, 5), (40, 30, 20)]


def drawn(init, shape, seed=0):
    return init(shape, fans(shape), torch.Generator().manual_seed(seed))


def test_fans_are_torch_s() -> None:
    for shape in SHAPES:
        assert (fans(shape).into, fans(shape).out) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert fans((7,)) == Fans(7, 7)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("init", "variance"),
    [
        (kaiming, lambda f: 2 / f.into),
        (lecun, lambda f: 1 / f.into),
        (xavier, lambda f: 2 / (f.into + f.out)),
        (normal, lambda f: 1),
    ],
)
def test_spread(init, variance, shape) -> None:
    values = drawn(init, shape)
    assert values.std().item() == pytest.approx(math.sqrt(variance(fans(shape))), rel=0.02)
    assert abs(values.mean().item()) < 4 * values.std().item() / math.sqrt(values.numel())


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (4, 3, 2, 2)])
def test_orthogonal_rows_or_columns(shape) -> None:
    flat = drawn(orthogonal, shape).flatten(1)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_zeros_and_ones() -> None:
    assert drawn(zeros, (3,)).tolist() == [0, 0, 0]
    assert drawn(ones, (2,)).tolist() == [1, 1]


@pytest.mark.parametrize("init", METHODS.values())
def test_the_generator_alone_decides(init) -> None:
    assert torch.equal(drawn(init, (6, 5), 3), drawn(init, (6, 5), 3))
    assert not torch.equal(drawn(init, (6, 5), 3), drawn(init, (6, 5), 4))


@pytest.mark.parametrize("shape", [(1200, 40), (1200,)])
def test_gated_is_torch_s_for_recurrent_layers(shape) -> None:
    values = drawn(gated_init(3), shape)
    assert values.abs().max().item() == pytest.approx(1 / math.sqrt(400), rel=0.01)
    assert values.std().item() == pytest.approx(1 / math.sqrt(3 * 400), rel=0.05)
    assert torch.equal(values, drawn(gated_init(3), shape))

"""What nets for pictures share does what its names say."""

import torch

import netwright as nw
from netwright.models.vision.units import flat, multiple_of_8, normed, squeeze_excite


def test_a_convolution_and_its_norm_keep_the_grid_divided_by_the_stride() -> None:
    for kernel in (1, 3, 5):
        assert nw.Chain(*normed(4, kernel, stride=2), input=(8, 8, 3)).plan.outputs == {"output": (4, 4, 4)}
    assert normed(4, norm=nw.BatchNorm(eps=1e-3)) == (nw.Conv(4, 1, bias=False), nw.BatchNorm(eps=1e-3))


def test_zeros_of_tensorflow() -> None:
    assert normed(4, 5, stride=2, padding="same")[0] == nw.Conv(4, 5, stride=2, padding="same", bias=False)
    assert nw.Chain(*normed(4, 5, stride=2, padding="same"), input=(7, 8, 3)).plan.outputs == {"output": (4, 4, 4)}


def test_squeeze_and_excitation_scales_each_channel_by_one_number() -> None:
    part = nw.initialize(squeeze_excite(2, nw.relu, nw.sigmoid).with_input((3, 3, 4)))
    x = torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(0)) + 0.5
    factors = part(x) / x
    assert torch.allclose(factors, factors[0, 0].expand(3, 3, 4), atol=1e-6)
    assert float(factors.min()) > 0 and float(factors.max()) < 1


def test_widths_are_rounded_to_multiples_of_8() -> None:
    assert [multiple_of_8(size) for size in (1, 11.5, 12, 19, 20, 35.2)] == [8, 16, 16, 24, 24, 32]


def test_the_weight_of_a_convolution_of_one_position_is_a_matrix() -> None:
    assert flat(torch.zeros(3, 2, 1, 1)).shape == (3, 2)

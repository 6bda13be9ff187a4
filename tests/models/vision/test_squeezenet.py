"""SqueezeNet 1.1 is torchvision's: parameters, multiply-adds, names of arrays, outputs, gradients of one step."""

from collections.abc import Mapping

import pytest
from torch import Tensor

import netwright as nw
from netwright.models.vision.squeezenet import squeezenet_table
from vision_oracle import CLASSES, assert_equal_to_stored, assert_names_are_theirs


def test_it_has_the_published_parameters_and_multiply_adds() -> None:
    net = nw.squeezenet()
    assert_names_are_theirs("squeezenet", "1.1", net, squeezenet_table())
    assert nw.summary(net).parameters == 1_235_496
    assert nw.cost(net).multiply_adds / 1e9 == pytest.approx(0.349, abs=0.001)  # torchvision states this


@pytest.mark.parametrize("size", [48, 51])  # with 51 a window of a pool reaches over the edge
def test_it_is_torchvisions_net(size: int) -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.set(nw.squeezenet(CLASSES, weights=state), {"*.rate": 0.0})

    assert_equal_to_stored(f"squeezenet1_1_{size}", make, squeezenet_table())


@pytest.mark.parametrize(("size", "grid"), [(224, 13), (227, 14)])
def test_the_grids_of_torchvision(size: int, grid: int) -> None:
    net = nw.squeezenet().with_input(nw.Image(size, size))
    assert net[:"conv10"].plan.outputs == {"output": (grid, grid, 512)}


def test_parts_have_the_names_of_the_paper() -> None:
    names = list(nw.squeezenet().children())
    assert names[:7] == ["conv1", "maxpool1", "fire2", "fire3", "maxpool3", "fire4", "fire5"]
    assert names[7:] == ["maxpool5", "fire6", "fire7", "fire8", "fire9", "dropout", "conv10", "mean", "softmax"]

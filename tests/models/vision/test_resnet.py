"""Residual nets are torchvision's: parameters, multiply-adds, names of arrays, outputs, gradients of one step."""

from collections.abc import Mapping

import pytest
import torch

import netwright as nw
from netwright.errors import FileError, NetError
from netwright.models.vision.resnet import BLOCKS, resnet_table
from vision_oracle import CLASSES, assert_equal_to_stored, assert_names_are_theirs

BILLIONS = {18: 1.814, 34: 3.664, 50: 4.089, 101: 7.801, 152: 11.514}  # multiply-adds that torchvision states


@pytest.mark.parametrize("depth", BLOCKS)
def test_it_has_the_published_parameters_and_multiply_adds(depth: int) -> None:
    net = nw.resnet(depth)
    assert_names_are_theirs("resnet", str(depth), net, resnet_table(depth))
    assert nw.cost(net).multiply_adds / 1e9 == pytest.approx(BILLIONS[depth], abs=5e-4)
    counted = nw.summary(net).kinds
    shortcuts = sum(path.endswith("shortcut/conv1") for path in net.paths)
    assert counted["Conv"] + counted["Linear"] - shortcuts == depth


@pytest.mark.parametrize("depth", [18, 50])
def test_it_is_torchvisions_net(depth: int) -> None:
    def make(state: Mapping[str, torch.Tensor]) -> nw.Net:
        return nw.resnet(depth, CLASSES, weights=state)

    assert_equal_to_stored(f"resnet{depth}", make, resnet_table(depth))


def test_parts_have_the_names_of_the_paper() -> None:
    net = nw.resnet(34)
    sizes = net.plan.outputs
    assert sizes == {"output": (1000,)}
    assert list(net.children()) == [
        *("conv1", "maxpool", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "mean", "linear", "softmax"),
    ]
    assert list(net["conv4_x"].children()) == [f"conv4_{i}" for i in range(1, 7)]
    rows = {row.path: row.sizes for row in nw.summary(net).rows}
    assert [rows[f"conv{i}_x"] for i in (2, 3, 4, 5)] == [
        *("(56, 56, 64)", "(28, 28, 128)", "(14, 14, 256)", "(7, 7, 512)"),
    ]


def test_pictures_of_any_size_fit() -> None:
    net = nw.initialize(nw.resnet(18, ["cat", "dog"]).with_input(nw.Image(32, 48)))
    assert net.plan.outputs == {"output": (2,)}
    assert net(torch.zeros(32, 48, 3)) in ("cat", "dog")
    assert nw.resnet(18).with_input(("h", "w", 3)).plan.outputs == {"output": (1000,)}


def test_a_depth_that_the_paper_does_not_have() -> None:
    with pytest.raises(NetError) as caught:
        nw.resnet(20)
    assert str(caught.value) == (
        "the paper has no residual net of this depth\n"
        "  where:    resnet\n"
        "  expected: 18, 34, 50, 101, 152\n"
        "  got:      20"
    )


def test_weights_of_another_net_are_listed() -> None:
    with pytest.raises(FileError) as caught:
        nw.resnet(18, weights={"fc.weight": torch.zeros(10, 512), "fc.bias": torch.zeros(10)})
    assert "100 not there: " in str(caught.value)
    assert "2 of another size: fc.weight (10, 512) for linear/weight (1000, 512), " in str(caught.value)

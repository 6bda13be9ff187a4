"""ConvNeXt-T is torchvision's: parameters, multiply-adds, names of arrays, outputs, gradients of one step."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.models.vision.convnext import convnext_table
from vision_oracle import CLASSES, assert_equal_to_stored, assert_names_are_theirs


def test_it_has_the_published_parameters_and_multiply_adds() -> None:
    net = nw.convnext_tiny()
    assert_names_are_theirs("convnext", "tiny", net, convnext_table())
    assert nw.summary(net).parameters == 28_589_128
    assert nw.cost(net).multiply_adds / 1e9 == pytest.approx(4.456, abs=0.005)  # torchvision states this


def test_it_is_torchvisions_net() -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.set(nw.convnext_tiny(CLASSES, weights=state), {"*.rate": 0.0})

    assert_equal_to_stored("convnext_tiny", make, convnext_table())


def test_the_stages_of_the_paper() -> None:
    net = nw.convnext_tiny()
    assert list(net.children()) == ["stem", "res2", "res3", "res4", "res5", "mean", "norm", "linear", "softmax"]
    assert list(net["res4"].children()) == ["halving", *(f"block{i}" for i in range(1, 10))]
    rows = {row.path: row.sizes for row in nw.summary(net).rows}
    assert [rows[f"res{i}"] for i in (2, 3, 4, 5)] == ["(56, 56, 96)", "(28, 28, 192)", "(14, 14, 384)", "(7, 7, 768)"]


def test_more_examples_pass_later_blocks_by() -> None:
    net = nw.convnext_tiny()
    assert "dropout1" not in net["res2/block1/body"].children()
    assert net["res2/block2/body/dropout1"] == nw.Dropout(0.0059, unit="example")
    assert net["res5/block3/body/dropout1"] == nw.Dropout(0.1, unit="example")


def test_an_untrained_block_passes_its_input_on() -> None:
    block = nw.initialize(nw.convnext_tiny()["res2/block1"].with_input((5, 5, 96)))
    x = torch.randn(5, 5, 96, generator=torch.Generator().manual_seed(0))
    assert torch.equal(block(x), x)

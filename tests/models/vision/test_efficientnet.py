"""EfficientNets are torchvision's: parameters, multiply-adds, names of arrays, outputs, gradients of one step."""

from collections.abc import Mapping

import pytest
from torch import Tensor

import netwright as nw
from netwright.errors import NetError
from netwright.models.vision.efficientnet import SCALES, efficientnet_table
from vision_oracle import CLASSES, assert_equal_to_stored, assert_names_are_theirs

VARIANTS = [f"b{i}" for i in range(8)]
PARAMETERS = {"b0": 5_288_548, "b7": 66_347_960}


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_has_the_published_parameters(variant: str) -> None:
    net = nw.efficientnet(variant)
    assert_names_are_theirs("efficientnet", variant, net, efficientnet_table(variant))
    if variant in PARAMETERS:
        assert nw.summary(net).parameters == PARAMETERS[variant]
    assert f"| {variant} | {SCALES[variant].size} | {nw.summary(net).parameters:,} |" in str(nw.efficientnet.__doc__)


def test_the_smallest_has_the_published_multiply_adds() -> None:
    assert nw.cost(nw.efficientnet("b0")).multiply_adds / 1e9 == pytest.approx(0.39, abs=0.005)


def test_it_is_torchvisions_net() -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.set(nw.efficientnet("b0", CLASSES, weights=state), {"*.rate": 0.0})

    assert_equal_to_stored("efficientnet_b0", make, efficientnet_table("b0"))


def test_parts_have_the_names_of_the_blocks() -> None:
    net = nw.efficientnet("b0")
    names = list(net.children())
    stages = [name for name in names if name[0].isdigit()]
    assert stages == ["1a", "2a", "2b", "3a", "3b", "4a", "4b", "4c", "5a", "5b", "5c", "6a", "6b", "6c", "6d", "7a"]
    assert names == ["stem", *stages, "head", "mean", "dropout", "linear", "softmax"]
    assert list(net["6b/body"].children())[:4] == ["expand", "depthwise", "squeeze_excite", "project"]


def test_more_examples_pass_later_blocks_by() -> None:
    net = nw.efficientnet("b0")
    for block, rate in (("2b", 0.025), ("6d", 0.175)):  # 0.2 times the number of the block from 0, of 16
        assert net[f"{block}/body/drop"] == nw.Dropout(rate, unit="example")
    for block in ("1a", "3a", "7a"):  # which do not add their input
        assert "drop" not in net[block].children()


def test_a_name_that_no_net_has() -> None:
    with pytest.raises(NetError) as caught:
        nw.efficientnet("B0")
    assert str(caught.value) == (
        "there is no EfficientNet of this name\n"
        "  where:    efficientnet\n"
        "  expected: 'b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'lite0'\n"
        "  got:      'B0'\n"
        "  mend:     did you mean 'b0'?"
    )

"""MobileNetV3 is torchvision's: parameters, multiply-adds, names of arrays, outputs, gradients of one step."""

from collections.abc import Mapping

import pytest
from torch import Tensor

import netwright as nw
from netwright.errors import NetError
from netwright.models.vision.mobilenet import BLOCKS, mobilenet_v3_table
from vision_oracle import CLASSES, assert_equal_to_stored, assert_names_are_theirs

PARAMETERS = {"large": 5_483_032, "small": 2_542_856}
MILLIONS = {"large": 217, "small": 57}  # multiply-adds that torchvision states


@pytest.mark.parametrize("variant", BLOCKS)
def test_it_has_the_published_parameters_and_multiply_adds(variant: str) -> None:
    net = nw.mobilenet_v3(variant)
    assert_names_are_theirs("mobilenet_v3", variant, net, mobilenet_v3_table(variant))
    assert nw.summary(net).parameters == PARAMETERS[variant]
    assert nw.cost(net).multiply_adds / 1e6 == pytest.approx(MILLIONS[variant], abs=1)


@pytest.mark.parametrize("variant", BLOCKS)
def test_it_is_torchvisions_net(variant: str) -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.set(nw.mobilenet_v3(variant, CLASSES, weights=state), {"*.rate": 0.0})

    assert_equal_to_stored(f"mobilenet_v3_{variant}", make, mobilenet_v3_table(variant))


def test_parts_have_names() -> None:
    names = list(nw.mobilenet_v3("small").children())
    tail = ["head", "mean", "linear1", "hardswish", "dropout", "linear2", "softmax"]
    assert names == ["stem", *(f"bneck{i}" for i in range(1, 12)), *tail]


def test_a_name_that_no_net_has() -> None:
    with pytest.raises(NetError) as caught:
        nw.mobilenet_v3("Large")
    assert str(caught.value) == (
        "there is no MobileNetV3 of this name\n"
        "  where:    mobilenet_v3\n"
        "  expected: 'large', 'small'\n"
        "  got:      'Large'\n"
        "  mend:     did you mean 'large'?"
    )

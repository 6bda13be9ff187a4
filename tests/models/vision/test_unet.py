"""A U-Net is that of Pytorch-UNet: parameters, names of arrays, outputs, gradients of one step; any picture fits."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.errors import NetError, SizeError
from netwright.models.vision.unet import unet_table
from vision_oracle import assert_equal_to_stored, assert_names_are_theirs

LABELS = ["cell", "background"]


def test_it_has_the_parameters_of_the_other_net() -> None:
    net = nw.unet(LABELS)
    assert_names_are_theirs("unet", "64", net, unet_table(4))
    assert nw.summary(net).parameters == 31_037_698


def test_it_is_the_other_net() -> None:
    def make(state: Mapping[str, Tensor]) -> nw.Net:
        return nw.unet(LABELS, image=nw.Image(32, 32), width=8, weights=state)

    assert_equal_to_stored("unet8", make, unet_table(4))


def test_pictures_of_any_size_that_can_be_halved_fit() -> None:
    net = nw.initialize(nw.unet(LABELS, width=4, depth=2))
    for size in ((8, 8), (12, 20)):
        picture = torch.rand(*size, 3, generator=torch.Generator().manual_seed(0))
        assert net(picture).shape == size
        chances = net(picture, nw.raw)
        assert chances.shape == (*size, 2)
        torch.testing.assert_close(chances.sum(-1), torch.ones(size))
    gray = nw.unet(LABELS, image=nw.Image(16, 16, "gray", resize="letterbox"), width=4, depth=2)
    assert gray.outputs["output"] == nw.Mask(LABELS, 16, 16, resize="letterbox")
    assert gray.plan.arrays["down0/conv1/weight"].known == (4, 1, 3, 3)


def test_a_depth_of_nothing() -> None:
    with pytest.raises(NetError) as caught:
        nw.unet(LABELS, depth=0)
    assert "the number of halvings" in str(caught.value)


def test_a_picture_that_cannot_be_halved_so_often() -> None:
    with pytest.raises(SizeError):
        nw.unet(LABELS, image=nw.Image(36, 36))

"""Colours vary as torchvision varies them; a gray picture has none that could."""

import pytest
import torch

import netwright as nw
from messages import message
from netwright.codecs.vary.colour import Brightness, Contrast, Hue, Saturation
from torchvision_cases import Stored, assert_as_stored, cases, drawing

KINDS = {"brightness": Brightness, "contrast": Contrast, "saturation": Saturation}


@pytest.mark.parametrize("case", cases(*KINDS))
def test_a_factor_is_that_of_torchvision(case: Stored) -> None:
    factor = case.given[f"{case.name}_factor"]
    assert_as_stored(case, (KINDS[case.name](1.0),), drawing((factor / 2,)))


@pytest.mark.parametrize("case", cases("hue"))
def test_a_hue_is_turned_as_by_torchvision(case: Stored) -> None:
    assert_as_stored(case, (Hue(0.5),), drawing((case.given["hue_factor"] + 0.5,)))


def test_factors_are_within_what_is_said() -> None:
    draws = torch.rand(2000, 1, generator=torch.Generator().manual_seed(0))
    gray = torch.full((2000, 1, 1, 1), 0.5)
    factors = Brightness(0.2).pixels(gray, lambda shape: draws) / 0.5
    assert 0.8 <= factors.min() < 0.801 and 1.199 < factors.max() <= 1.2001
    red = torch.tensor([1.0, 0, 0]).repeat(2000, 1, 1, 1)
    turned = Hue(1 / 3).pixels(red, lambda shape: draws).squeeze()  # from blue over red to green
    assert (turned.sum(1) >= 1 - 1e-5).all() and (turned[:, 1] > 0.99).any() and (turned[:, 2] > 0.99).any()
    assert ((turned[:, 1] < 1e-5) | (turned[:, 2] < 1e-5)).all()


@pytest.mark.parametrize("one", [Saturation(0.2), Hue(0.1)])
def test_a_gray_picture_has_no_colours(one: Saturation | Hue) -> None:
    nw.Image(4, 4, vary=(one,))
    assert message(lambda: nw.Image(4, 4, "gray", vary=(Brightness(0.1), one))) == (
        f"a gray picture has no {one.name} that could vary\n  where:    {one!r}\n"
        f'  expected: color="rgb"\n  got:      color="gray"\n  mend:     leave {one!r} out'
    )


def test_what_cannot_be_is_refused() -> None:
    for kind in KINDS.values():
        assert message(lambda kind=kind: kind(1.5)) == (
            f"the share is above 0 and at most 1\n  where:    {kind.__name__}\n  got:      1.5"
        )
    assert message(lambda: Hue(0.6)) == (
        "the share of the circle is above 0 and at most 0.5\n  where:    Hue\n  got:      0.6"
    )

"""Noise and black rectangles are those of torchvision, of the distribution and the size that are said."""

import math

import pytest
import torch

import netwright as nw
from messages import message
from netwright.codecs.vary.cover import Erase, GaussianNoise
from netwright.net.run.noise import Noise
from torchvision_cases import HEIGHT, STORED, WIDTH, Stored, assert_as_stored, cases, drawing, varied


def test_noise_is_added_as_by_torchvision() -> None:
    normal = torch.tensor(STORED["noise"]["normal"], dtype=torch.float64)
    uniform = (1 + torch.erf(normal / math.sqrt(2))) / 2
    _, found = varied(3, (GaussianNoise(STORED["noise"]["sigma"]),), drawing(uniform.flatten().tolist()))
    assert (found - torch.tensor(STORED["noise"]["floats"])).abs().max() < 1e-5


def test_noise_has_the_moments_of_the_normal_distribution() -> None:
    grey = torch.full((400, 10, 10, 1), 0.5)
    found = GaussianNoise(0.1).pixels(grey, Noise(0, 0, torch.arange(400))) - 0.5  # 5 deviations from the ends
    assert abs(found.mean()) < 0.002 and abs(found.std() - 0.1) < 0.002
    assert abs((found / 0.1).pow(4).mean() - 3) < 0.15
    darkest = GaussianNoise(1.0).pixels(
        torch.zeros(2, 1, 1, 1), lambda shape: torch.tensor([0, 1 - 2.0**-24]).view(shape)
    )
    assert darkest.flatten().tolist() == [0, 1]  # the ends of what can be drawn are finite


@pytest.mark.parametrize("case", cases("erase"))
def test_a_rectangle_is_erased_as_by_torchvision(case: Stored) -> None:
    tall, wide = case.given["h"], case.given["w"]
    area = (tall * wide / (HEIGHT * WIDTH) - 0.02) / 0.48
    shape = (math.log(tall / wide) / math.log(1 / 0.3) + 1) / 2
    place = ((case.given["j"] + 0.5) / (WIDTH - wide + 1), (case.given["i"] + 0.5) / (HEIGHT - tall + 1))
    assert_as_stored(case, (Erase(0.5),), drawing((0.499, area, shape, *place)))
    still, _ = varied(case.channels, (Erase(0.5),), drawing((0.5, area, shape, *place)))
    assert torch.equal(still, torch.tensor(STORED["picture"], dtype=torch.uint8)[..., : case.channels])


def test_half_of_the_pictures_lose_at_most_the_share() -> None:
    found = Erase(0.3).pixels(torch.ones(2000, 20, 30, 3), Noise(0, 0, torch.arange(2000)))
    erased = (found[..., 0] == 0).flatten(1).float().mean(1)
    assert ((found == 0) | (found == 1)).all() and 900 < (erased > 0).sum() < 1100
    assert 0.01 < erased[erased > 0].min() < 0.04 and 0.27 < erased.max() < 0.33  # rounded to whole pixels
    assert (found[..., 0] == 0).any(0).all()  # every place is erased at some time


def test_what_cannot_be_is_refused() -> None:
    assert message(lambda: GaussianNoise(0)) == (
        "the deviation is above 0 and at most 1\n  where:    GaussianNoise\n  got:      0"
    )
    assert message(lambda: nw.Erase(0.01)) == (
        "the share of the area is above 0.02 and at most 1\n  where:    Erase\n  got:      0.01"
    )

"""Variations are applied pixels' places first, each by its own numbers; an example varies alike in every batch."""

import pytest
import torch

import netwright as nw
from netwright.codecs.vary.apply import varied_pictures
from netwright.codecs.vary.variation import Variation
from netwright.net.run.noise import Noise
from netwright.training.variation import noise_of_port

ALL = (
    nw.Shift(2), nw.Rotate(20), nw.Zoom(0.2), nw.Flip(), nw.Crop(5, 6), nw.Brightness(0.3), nw.Contrast(0.3),
    nw.Saturation(0.3), nw.Hue(0.1), nw.GaussianNoise(0.1), nw.Erase(0.3),
)  # fmt: skip
PICTURES = torch.rand(6, 8, 7, 3, generator=torch.Generator().manual_seed(0))


def draw(examples: torch.Tensor, step: int = 0) -> object:
    return noise_of_port(Noise(0, step, examples), "input")


@pytest.mark.parametrize("vary", [ALL, *[(one,) for one in ALL]], ids=repr)
def test_an_example_varies_alike_in_every_batch(vary: tuple[Variation, ...]) -> None:
    before, ids = PICTURES.clone(), torch.tensor([3, 10**10, 4, 1, 5, 9])
    whole = varied_pictures(PICTURES, vary, draw(ids))
    assert torch.equal(PICTURES, before) and whole.is_contiguous()
    assert whole.min() >= 0 and whole.max() <= 1
    turned = varied_pictures(PICTURES.flip(0), vary, draw(ids.flip(0))).flip(0)
    alone = torch.cat([varied_pictures(PICTURES[[i]], vary, draw(ids[[i]])) for i in range(6)])
    for other in (turned, alone):
        assert (other - whole).abs().max() < 1e-6
    assert not torch.equal(varied_pictures(PICTURES, vary, draw(ids, step=1)), whole)


def test_what_moves_pixels_comes_first_and_each_draws_by_its_own_name() -> None:
    ids = torch.arange(6)
    both = varied_pictures(PICTURES, (nw.Brightness(0.5), nw.Shift(1)), draw(ids))
    noise = Noise(0, 0, ids)
    moved = varied_pictures(PICTURES, (nw.Shift(1),), lambda name: noise.at("varied input 1 Shift"))
    expected = nw.Brightness(0.5).pixels(moved, noise.at("varied input 0 Brightness"))
    assert torch.equal(both, expected)
    twice = varied_pictures(PICTURES, (nw.Brightness(0.5), nw.Brightness(0.5)), draw(ids))
    once = varied_pictures(PICTURES, (nw.Brightness(0.5),), draw(ids))
    assert not torch.equal(twice, once)


def test_pictures_are_resampled_once() -> None:
    """A picture that is turned there and back again is not blurred."""

    def there_and_back(name: str) -> object:
        return lambda shape: torch.full((6, *shape[1:]), 0.25 if name[0] == "0" else 0.75)

    turned = varied_pictures(PICTURES, (nw.Rotate(90), nw.Rotate(90)), there_and_back)
    assert (turned - PICTURES).abs().max() < 1e-5

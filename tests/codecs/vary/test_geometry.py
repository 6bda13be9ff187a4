"""Pictures are moved as torchvision moves them, all variations in one resampling; what cannot be is refused."""

import pytest
import torch

import netwright as nw
from messages import message
from netwright.codecs.vary.geometry import Crop, Flip, Geometry, Rotate, Shift, Zoom
from netwright.codecs.vary.variation import Size
from torchvision_cases import HEIGHT, WIDTH, Stored, assert_as_stored, cases, drawing, varied

Numbers = tuple[float, ...]


def shift(across: int, down: int) -> Numbers:
    """The numbers by which `Shift(2)` moves so far."""
    return ((across + 2.5) / 5, (down + 2.5) / 5)


def signed(part: float) -> Numbers:
    """The number that stands for a part from −1 to 1."""
    return ((part + 1) / 2,)


def crop(case: Stored) -> tuple[Crop, Numbers]:
    given = case.given
    room = WIDTH - given["width"] + 1, HEIGHT - given["height"] + 1
    return Crop(given["height"], given["width"]), ((given["left"] + 0.5) / room[0], (given["top"] + 0.5) / room[1])


@pytest.mark.parametrize("case", cases("shift"))
def test_a_shift_is_an_affine_map(case: Stored) -> None:
    assert_as_stored(case, (Shift(2),), drawing(shift(*case.given["translate"])))


@pytest.mark.parametrize("case", cases("rotate"))
def test_a_rotation_is_against_the_clock(case: Stored) -> None:
    assert_as_stored(case, (Rotate(90),), drawing(signed(case.given["angle"] / 90)))


@pytest.mark.parametrize("case", cases("zoom"))
def test_a_zoom_is_an_affine_map(case: Stored) -> None:
    assert_as_stored(case, (Zoom(0.5),), drawing(signed((case.given["scale"] - 1) / 0.5)))


@pytest.mark.parametrize("case", cases("zoom, rotate, shift"))
def test_several_are_one_resampling(case: Stored) -> None:
    """torchvision's affine map sizes, turns with the clock, then moves, all at once."""
    given = case.given
    numbers = (signed((given["scale"] - 1) / 0.5), signed(-given["angle"] / 90), shift(*given["translate"]))
    assert_as_stored(case, (Zoom(0.5), Rotate(90), Shift(2)), drawing(*numbers))


@pytest.mark.parametrize("case", cases("flip", "flip vertical"))
def test_a_flip_mirrors_half_of_the_pictures(case: Stored) -> None:
    flip = Flip("vertical" if "vertical" in case.name else "horizontal")
    assert_as_stored(case, (flip,), drawing((0.499,)))
    still, _ = varied(3, (flip,), drawing((0.5,)))
    assert torch.equal(still.flip(0 if "vertical" in case.name else 1), case.bytes)


@pytest.mark.parametrize("case", cases("crop"))
def test_a_crop_sees_nothing_but_its_piece(case: Stored) -> None:
    cut, numbers = crop(case)
    assert_as_stored(case, (cut,), drawing(numbers))


@pytest.mark.parametrize("case", cases("crop"))
def test_before_and_after_a_crop_pictures_move_as_one_after_the_other(case: Stored) -> None:
    """Whole pixels and mirrors resample nothing, so they can be made one after the other."""
    cut, numbers = crop(case)
    moved, _ = varied(case.channels, (cut, Shift(2), Flip()), drawing(numbers, shift(2, -1), (0.1,)))
    expected = torch.zeros_like(case.bytes)
    expected[:-1, 2:] = case.bytes[1:, :-2]
    assert (moved.int() - expected.flip(1).int()).abs().max() <= 1
    room = WIDTH - case.given["width"]
    mirrored = ((room - case.given["left"] + 0.5) / (room + 1), numbers[1])
    first, _ = varied(case.channels, (Flip(), cut), drawing((0.1,), mirrored))
    assert (first.int() - case.bytes.flip(1).int()).abs().max() <= 1


def test_all_pictures_are_within_what_is_said() -> None:
    """The corners of a map say how far it moves, turns and sizes."""
    draws = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0))
    size = Size(HEIGHT, WIDTH, 3)

    def sources(one: Geometry) -> torch.Tensor:
        return one.sources(2000, size, lambda shape: draws[:, : shape[1]])

    moved = sources(Shift(2))[:, :2, 2] * torch.tensor([WIDTH, HEIGHT]) / -2
    assert {tuple(row) for row in moved.round(decimals=4).tolist()} == {
        (float(x), float(y)) for x in range(-2, 3) for y in range(-2, 3)
    }
    angles = torch.rad2deg(torch.asin(sources(Rotate(10))[:, 1, 0] * HEIGHT / WIDTH))
    assert -10 <= angles.min() < -9.9 and 9.9 < angles.max() <= 10
    factors = 1 / sources(Zoom(0.1))[:, 0, 0]
    assert 0.9 <= factors.min() < 0.901 and 1.099 < factors.max() <= 1.1001
    assert 900 < (sources(Flip())[:, 0, 0] < 0).sum() < 1100
    left = (sources(Crop(5, 4))[:, 0, 2] * WIDTH + WIDTH - 4) / 2
    assert {*left.round(decimals=4).tolist()} == {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}


def test_what_cannot_be_is_refused() -> None:
    assert message(lambda: Shift(0)) == (
        "the greatest distance in pixels is a whole number of at least 1\n  where:    Shift\n  got:      0"
    )
    assert message(lambda: Rotate(181)) == (
        "the angle in degrees is above 0 and at most 180\n  where:    Rotate\n  got:      181"
    )
    assert message(lambda: Zoom(1.0)) == (
        "the share of the size is above 0 and at most 0.9\n  where:    Zoom\n  got:      1.0"
    )
    assert message(lambda: Flip("left")) == (  # pyright: ignore[reportArgumentType]
        "unknown axis\n  where:    Flip\n  expected: 'horizontal' or 'vertical'\n  got:      'left'"
    )
    assert message(lambda: Crop(0, 4)) == (
        "the height in pixels is a whole number of at least 1\n  where:    Crop\n  got:      0"
    )
    assert message(lambda: nw.Image(28, 20, vary=(nw.Crop(28, 28),))) == (
        "the piece is larger than the picture\n  where:    Crop(height=28, width=28)\n"
        "  expected: at most 28 x 20\n  got:      28 x 28"
    )
    assert message(lambda: nw.Image(28, 20, vary=(nw.Shift(20),))) == (
        "a shift can move all of the picture out of it\n  where:    Shift(pixels=20)\n"
        "  expected: fewer than 20 pixels, in 28 x 20\n  got:      20"
    )
    assert message(lambda: Rotate("10")).startswith("degrees of Rotate cannot be this\n")  # pyright: ignore[reportArgumentType]

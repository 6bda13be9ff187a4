"""PicturePlacement: pictures are resized as PIL does it, and boxes go there and back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pil
from PIL import ImageOps

from netwright.codecs.pictures.placement import PicturePlacement, bordered, placement, resized_image, resized_planes

SIDES = st.integers(7, 40)  # PIL.ImageOps.pad fails where a side of the piece would be rounded to 0
HOW = {"crop": ImageOps.fit, "letterbox": ImageOps.pad}


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(height=SIDES, width=SIDES, tall=SIDES, wide=SIDES, resize=st.sampled_from(["crop", "letterbox"]))
def test_it_is_pils_fit_and_pad(height: int, width: int, tall: int, wide: int, resize: str):
    pixels = picture(height, width)
    place = placement((height, width), (tall, wide), resize)  # type: ignore[arg-type]
    image = pil.fromarray(pixels)
    expected = np.array(HOW[resize](image, (wide, tall), method=pil.Resampling.BILINEAR))
    piece = torch.from_numpy(np.array(resized_image(image, place, "bilinear", lying=False)))
    assert np.array_equal(bordered(piece, place, 0), expected)
    planes = resized_planes(torch.from_numpy(pixels), place, "bilinear")
    assert np.array_equal(bordered(planes, place, 0), expected)


@given(height=SIDES, width=SIDES, tall=SIDES, wide=SIDES, resize=st.sampled_from(["stretch", "crop", "letterbox"]))
def test_a_box_comes_back(height: int, width: int, tall: int, wide: int, resize: str):
    place = placement((height, width), (tall, wide), resize)  # type: ignore[arg-type]
    left, top, right, bottom = place.region
    middle = torch.tensor([[left, top, right, bottom], [left, top, (left + right) / 2, (top + bottom) / 2]])
    assert torch.allclose(place.original(place.encoded(middle)), middle, atol=1e-4)
    whole = torch.tensor([[-9.0, -9, tall * 9 + 9, tall * 9 + 9]])
    assert (place.original(whole) <= torch.tensor([width, height, width, height])).all()


def test_where_a_letterboxed_picture_lies():
    place = placement((100, 200), (50, 60), "letterbox")
    assert place == PicturePlacement((0.0, 0.0, 200.0, 100.0), (30, 60), (10, 0), (50, 60))
    assert place.encoded(torch.tensor([[0.0, 0, 200, 100]])).tolist() == [pytest.approx([0, 10, 60, 40])]
    assert not place.kept
    assert placement((9, 8), (9, 8), "crop").kept

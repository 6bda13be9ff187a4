"""Pictures we write must be those that others read."""

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from netwright.errors import DataError
from netwright.show.pictures import HEAT, SIGNED, activation, coloured, data_uri, mosaic, png


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(), (1,), (3,)]), st.integers(0, 2**32 - 1))
def test_pillow_reads_what_we_write(height, width, channels, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    read = np.array(Image.open(io.BytesIO(png(pixels))))
    assert np.array_equal(read, pixels[:, :, 0] if channels == (1,) else pixels)


def test_what_is_no_picture():
    with pytest.raises(DataError) as error:
        png(np.zeros((2, 3, 4)))
    assert str(error.value) == (
        "this array is not a picture of bytes\n"
        "  expected: uint8, (height, width) or (height, width, 3)\n"
        "  got:      float64, (2, 3, 4)"
    )


def test_an_address_that_holds_the_picture():
    pixels = np.eye(3, dtype=np.uint8)
    head, _, body = data_uri(pixels).partition(",")
    assert head == "data:image/png;base64" and base64.b64decode(body) == png(pixels)


def test_scales_reach_their_ends():
    heat = coloured(np.array([1.0, 2.0, 5.0]), "heat")
    assert (tuple(heat[0]), tuple(heat[2])) == (HEAT[0], HEAT[-1])
    signed = coloured(np.array([-2.0, 0.0, 1.0, 2.0]), "signed")
    assert [tuple(signed[i]) for i in (0, 1, 3)] == [SIGNED[0], SIGNED[2], SIGNED[4]]
    assert tuple(coloured(np.zeros(2), "heat")[0]) == HEAT[0]


def test_maps_side_by_side():
    whole = mosaic(np.arange(3.0)[:, None, None] * np.ones((3, 2, 2)), columns=2)
    gap = np.nan
    expected = [[0, 0, gap, 1, 1], [0, 0, gap, 1, 1], [gap] * 5, [2, 2, gap, gap, gap], [2, 2, gap, gap, gap]]
    np.testing.assert_array_equal(whole, expected)


@pytest.mark.parametrize(
    ("shape", "size", "words"),
    [
        ((24, 24, 20), (49, 249), "20 maps of 24 × 24"),
        ((4, 4, 1), (4, 4), "1 map of 4 × 4"),
        ((800,), (16, 50), "800 numbers, 50 in a row"),
        ((10,), (1, 10), "10 numbers, 10 in a row"),
        ((7, 3), (7, 3), "7 rows of 3"),
        ((2, 2, 2, 5), (8, 5), "8 rows of 5"),
    ],
)
def test_activations_of_every_rank(shape, size, words):
    pixels, said = activation(np.random.default_rng(0).normal(size=shape))
    assert pixels.shape == (*size, 3) and said == words

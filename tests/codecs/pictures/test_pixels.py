"""Pixels: every kind of number has its scale, and gray is PIL's."""

import numpy as np
import torch
from PIL import Image as pil

from netwright.codecs.pictures.pixels import gray_of, pixels_of, shown_pixels, with_channels


def test_sixteen_bits_stay_apart():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    light = pixels_of(every)
    assert light.dtype == torch.float32
    assert (light.double() * 65535).round().long().flatten().tolist() == list(range(65536))
    assert torch.equal(pixels_of(torch.from_numpy(every)), light)


def test_gray_is_pils():
    colours = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    gray = gray_of(torch.from_numpy(colours).float())[..., 0]
    assert (gray - torch.from_numpy(np.array(pil.fromarray(colours).convert("L"))).float()).abs().max() < 0.51


def test_gray_in_other_colours_is_not_transparent():
    gray = torch.tensor([[[0.25]]])
    assert with_channels(gray, "gray").tolist() == [[[0.25]]]
    assert with_channels(gray, "bgr").tolist() == [[[0.25] * 3]]
    assert with_channels(gray, "rgba").tolist() == [[[0.25, 0.25, 0.25, 1]]]


def test_what_a_screen_shows():
    assert shown_pixels(torch.tensor([[[10, 20, 30, 0]]], dtype=torch.uint8)).tolist() == [[[10, 20, 30]]]
    assert shown_pixels(torch.tensor([[[0.0, 1.0]]])).tolist() == [[[128]]]
    assert shown_pixels(torch.tensor([[[7]]], dtype=torch.uint8)).tolist() == [[[7]]]

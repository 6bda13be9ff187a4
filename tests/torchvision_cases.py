"""What torchvision makes of a small picture, as it was stored, and draws that say what a variation is to do."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from netwright.codecs.image import Image
from netwright.codecs.vary.variation import Random, Variation

STORED = json.loads(Path(__file__).with_name("codecs").joinpath("vary", "torchvision.json").read_text("utf-8"))
PICTURE = torch.tensor(STORED["picture"], dtype=torch.uint8)  # (h, w, 3)
HEIGHT, WIDTH = PICTURE.shape[:2]


class Stored(NamedTuple):
    """A function of torchvision, what it was given beside the picture, and what it made of bytes and of floats."""

    name: str
    given: dict[str, Any]
    channels: int
    bytes: Tensor
    floats: Tensor


def cases(*names: str) -> list[Stored]:
    """The stored cases of these names."""
    return [
        Stored(
            one["name"],
            one["given"],
            one["channels"],
            torch.tensor(one["bytes"], dtype=torch.uint8),
            torch.tensor(one["floats"], dtype=torch.float32),
        )
        for one in STORED["cases"]
        if one["name"] in names
    ]


def drawing(*numbers: Sequence[float]) -> Any:
    """A draw that gives the first variation the first numbers, and so on; each of two examples draws the same."""

    def draw(name: str) -> Random:
        own = numbers[int(name.split()[0])]
        return lambda shape: torch.tensor(own, dtype=torch.float32).reshape(1, *shape[1:]).expand(2, *shape[1:]).clone()

    return draw


def varied(channels: int, given: tuple[Variation, ...], draw: Any) -> tuple[Tensor, Tensor]:
    """The picture varied: as bytes (h, w, c), and as floats. Both examples of the batch are varied alike."""
    encoder = Image(HEIGHT, WIDTH, "rgb" if channels == 3 else "gray", vary=given)
    pixels = PICTURE[..., :channels].expand(2, -1, -1, -1)
    of_bytes, of_floats = encoder.varied(pixels, draw), encoder.varied(pixels.float() / 255, draw)
    assert torch.equal(of_bytes[0], of_bytes[1]) and torch.equal(of_floats[0], of_floats[1])
    return (of_bytes[0] * 255).round().to(torch.uint8), of_floats[0]


def assert_as_stored(case: Stored, given: tuple[Variation, ...], draw: Any) -> None:
    """To 1e-5 on floats, and to one level on bytes."""
    of_bytes, of_floats = varied(case.channels, given, draw)
    assert (of_floats - case.floats).abs().max() < 1e-5
    assert (of_bytes.int() - case.bytes.int()).abs().max() <= 1

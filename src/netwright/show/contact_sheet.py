"""Shows how pictures vary in training: a few examples, each several times, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from netwright.codecs.codec import Codec
from netwright.codecs.image import Image
from netwright.codecs.pictures.pixels import light_of, shown_pixels
from netwright.codecs.ragged import Ragged
from netwright.errors import NetError, shortened
from netwright.fields import at_least, expect_seed
from netwright.net.run.noise import Noise
from netwright.regular import write_file
from netwright.show.pictures import GAP, GRAY, Bytes, data_uri, png
from netwright.training.variation import noise_of_port
from netwright.value import Value

LONGEST = 80  # characters of an encoder in an error
NEAR = 3  # pixels of a page for each of a picture


class ContactSheet(Value, eq=False):
    """Pictures side by side; a notebook shows it. A row is an example as it is, and then as steps of training see it.

    Fields: `pixels`, bytes of the whole sheet, (height, width, channels).
    """

    pixels: Bytes

    def save(self, path: str | Path) -> None:
        """Write a PNG file.

        Raises: FileError where it cannot be written.
        """
        write_file(Path(path), png(self.pixels), "the contact sheet")

    def _repr_html_(self) -> str:
        height, width = self.pixels.shape[:2]
        size = f"width:{NEAR * width}px;max-width:100%;image-rendering:pixelated"
        return f'<img alt="{height} × {width} pixels" style="{size}" src="{data_uri(self.pixels)}">'

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"ContactSheet({height} × {width} pixels)"


def contact_sheet(
    encoder: Codec | None, pictures: Sequence[Any], *, times: int = 8, seed: int = 0, port: str = "input"
) -> ContactSheet:
    """Pictures as an encoder varies them in training, without a run: a row for each, the picture itself first.

    A run with this seed varies its examples 0, 1, 2, … so in its steps 0, 1, 2, …

    Fields:
        encoder: `nw.Image(…, vary=…)`, or `net.inputs["input"]`.
        pictures: raw ones, in any form that the encoder takes; a few are enough.
        times: how often each is varied.
        seed: of the random numbers, as of a run.
        port: of the net, whose name is part of what the numbers follow from.

    Raises: NetError for an encoder that is no `nw.Image`; DataError for what is no picture.

    Example:
        >>> import netwright as nw
        >>> digits = nw.dataset("digits").train.inputs[:3]
        >>> nw.contact_sheet(nw.Image(28, 28, "gray", vary=(nw.Rotate(30),)), digits, times=4)
        ContactSheet(86 × 144 pixels)
    """
    if not isinstance(encoder, Image):
        raise NetError(
            what="a contact sheet shows pictures",
            where="contact_sheet",
            expected="an nw.Image, such as net.inputs['input']",
            got=shortened(repr(encoder), LONGEST),
        )
    seed = expect_seed(seed, "contact_sheet")
    at_least(1, times, "how often a picture is varied", "contact_sheet")
    stored = encoder.encode_all(pictures)  # (n, h, w, c)
    if isinstance(stored, Ragged):
        raise NetError(
            what="a contact sheet shows pictures of one size",
            where="contact_sheet",
            expected="an nw.Image with a height and a width in pixels",
            got=shortened(repr(encoder), LONGEST),
        )
    names = torch.arange(len(stored), device="cpu")
    steps = [encoder.varied(stored, noise_of_port(Noise(seed, step, names), port)) for step in range(times)]
    light = torch.stack([light_of(one) for one in (stored, *steps)], 1)  # (n, 1 + times, h, w, c)
    return ContactSheet(_side_by_side(shown_pixels(light)))


def _side_by_side(pictures: Bytes) -> Bytes:
    """Pictures (rows, columns, h, w, c) as one, (height, width, c), with gaps between them."""
    rows, columns, h, w, c = pictures.shape
    whole = np.full((rows * (h + GAP), columns * (w + GAP), c), GRAY, np.uint8)
    framed = whole.reshape(rows, h + GAP, columns, w + GAP, c)
    framed[:, :h, :, :w] = pictures.transpose(0, 2, 1, 3, 4)
    return whole[:-GAP, :-GAP]

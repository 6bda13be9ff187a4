"""Makes pictures that excite the channels of a part most, by gradient ascent: what a net looks for."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netwright.codecs.image import Image
from netwright.errors import NetError
from netwright.fields import at_least, expect_seed
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.seeds import generator_of

START = 0.01  # deviation of the numbers that a picture begins with: nearly gray
RATE = 0.06  # of Adam
JITTER = 16  # a picture is moved by up to a part of this size
BLUR = 2.0  # pixels: the deviation of the blur in the first step
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""A root of the covariance of red, green and blue in photographs (Olah et al., `lucid`): lightness varies most."""


@torch.inference_mode(False)
@torch.enable_grad()
@without_autocast()
def feature_visualization(
    net: Net, at: str, channels: Sequence[int], *, steps: int = 80, seed: int = 0
) -> NDArray[np.uint8]:
    """A picture for each channel of a part that makes its mean value over the grid as large as possible.

    It begins with noise, and takes steps of gradient ascent (Adam). Three things keep the pictures from becoming noise
    that only a net can see. In each step the picture is moved at random, by up to a sixteenth of its side (jitter). It
    is blurred by a Gaussian, 2 pixels wide in the first step and 0 in the last, so that large shapes come first. And
    what is changed are amplitudes of waves, divided by their frequency, in colours that do not depend on each other in
    photographs (decorrelation): neighbouring pixels change together. The picture of a channel does not depend on the
    others.

    Fields:
        at: the path of the part, such as `"conv1"`; a vector, such as the scores of classes before a softmax, has
            channels too.
        channels: their numbers, from 0.
        steps: of gradient ascent; 80 show the feature, and some hundred make it sharper.
        seed: of the noise and the jitter.

    Returns: uint8 pictures (channels, height, width, 3), or (channels, height, width) for gray ones. Their size is that
        of the net's encoder: `net.with_input(nw.Image(128, 128, …))` makes smaller ones.

    Raises: NetError for a net whose input is no `nw.Image` of one size with 1 or 3 colours, and for a channel that is
        not there; PathError for what names no part; MissingArraysError for a net without weights.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(nw.Conv(4, 3), nw.relu, input=nw.Image(16, 16)), seed=0)
        >>> nw.feature_visualization(net, "conv1", [0, 3], steps=5).shape
        (2, 16, 16, 3)

    Source: Olah, Mordvintsev and Schubert 2017, Feature Visualization, Distill, doi 10.23915/distill.00007
    """
    expect_net(net, "feature_visualization")
    at_least(1, steps, "the number of steps", "feature_visualization")
    expect_seed(seed, "feature_visualization")
    at_least(1, len(channels), "how many channels are shown", "feature_visualization")
    image = _image_of(net)
    pictures = _Waves(image, channels, seed)
    most = min(pictures.height, pictures.width) // JITTER
    optimizer = torch.optim.Adam([pictures.amplitudes], RATE)
    for step in range(steps):
        moved = generator_of(seed, "jitter", step)
        by = torch.randint(-most, most + 1, (2,), generator=moved, device="cpu").tolist()
        x = pictures(BLUR * (1 - step / steps)).roll(by, (1, 2))  # (k, h, w, c)
        (slope,) = torch.autograd.grad(_excitement(net(x, at=at), at, channels), pictures.amplitudes)
        pictures.amplitudes.grad = -slope
        optimizer.step()
    with torch.no_grad():
        found = (pictures(0.0) * 255).round().to(torch.uint8)
    return (found if image.channels == 3 else found[..., 0]).numpy()


class _Waves:
    """Pictures as sums of waves, whose amplitudes are learned."""

    def __init__(self, image: Image, channels: Sequence[int], seed: int) -> None:
        self.height, self.width = cast("tuple[int, int]", (image.height, image.width))
        down, across = np.fft.fftfreq(self.height)[:, None], np.fft.rfftfreq(self.width)
        self.frequency = torch.from_numpy(np.hypot(down, across)).float()  # (h, w // 2 + 1), in waves a pixel
        size = (image.channels, *self.frequency.shape, 2)
        noise = [_noise(size, seed, channel) for channel in channels]
        self.amplitudes = (START * torch.stack(noise)).requires_grad_()  # (k, c, h, w // 2 + 1, 2)
        longest = np.linalg.norm(COLOURS, axis=0).max()
        mixed = COLOURS if image.channels == 3 else [[longest]]
        self.colours = torch.tensor(mixed, dtype=torch.float32, device="cpu") / longest

    def __call__(self, blur: float) -> Tensor:
        """The pictures (k, h, w, c), in 0..1, blurred by a Gaussian of so many pixels."""
        lowest = 1 / max(self.height, self.width)
        scale = torch.exp(-2 * (math.pi * blur * self.frequency) ** 2) / self.frequency.clamp(min=lowest)
        scale *= math.sqrt(self.height * self.width) / 4
        spectrum = torch.view_as_complex(self.amplitudes) * scale
        waves = torch.fft.irfft2(spectrum, s=(self.height, self.width))  # (k, c, h, w)
        return torch.sigmoid(waves.movedim(1, -1) @ self.colours.T)  # (k, c, h, w) -> (k, h, w, c)


def _noise(size: Sequence[int], seed: int, channel: int) -> Tensor:
    """Normal numbers of this size, the same for a channel whatever the others are."""
    drawn = generator_of(seed, "waves", channel)
    return torch.randn(size, generator=drawn, dtype=torch.float32, device="cpu")


def _excitement(values: Any, at: str, channels: Sequence[int]) -> Tensor:
    """The sum over the pictures of the mean of their channel; values (k, …, c)."""
    if not isinstance(values, Tensor) or values.ndim < 2:
        raise NetError(what="this value has no channels", where=at, expected="a part that gives one array")
    count = values.shape[-1]
    wrong = [channel for channel in channels if not 0 <= channel < count]
    if wrong:
        raise NetError(
            what="there is no such channel",
            where=at,
            expected=f"numbers from 0 to {count - 1}",
            got=", ".join(map(repr, wrong)),
        )
    return torch.stack([values[i, ..., channel].mean() for i, channel in enumerate(channels)]).sum()


def _image_of(net: Net) -> Image:
    """The encoder of the only input, which takes pictures of one size."""
    codecs = [net.held.inputs.get(name) for name in net.input_names]
    image = codecs[0] if len(codecs) == 1 else None
    if isinstance(image, Image) and isinstance(image.height, int) and image.channels in (1, 3):
        return image
    raise NetError(
        what="features are shown for a net whose input is a picture of one size",
        where="feature_visualization",
        expected="the input nw.Image with a height and a width in pixels, in gray or three colours",
        got=", ".join(map(repr, codecs)) or "no input",
        mend="net.with_input(nw.Image(128, 128, …))",
    )

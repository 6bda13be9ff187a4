"""ResNet-18 and U-Net, each as Netwright's layers and as torch's modules, for the race of bench/breadth.py."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

import netwright as nw

SIZE = 64  # pixels on a side
WIDTHS = (64, 128, 256, 512)  # channels of the stages of ResNet-18, two blocks each
UNET = (16, 32, 64)  # channels of a U-Net at full, half and quarter size
CLASSES = 3  # of each pixel


def resnet18_ours() -> nw.Net:
    """ResNet-18 for ten classes."""
    return nw.resnet(18, range(10)).with_input(nw.Array((SIZE, SIZE, 3)))


class Block(nn.Module):
    """Two convolutions, beside a shortcut."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(into, out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(True),
            nn.Conv2d(out, out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        same = into == out and stride == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )
        self.relu = nn.ReLU(True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.body(x) + self.shortcut(x))


def resnet18_theirs() -> nn.Module:
    """As `resnet18_ours`, as torchvision writes it."""
    parts: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(True)]
    parts.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for number, width in enumerate(WIDTHS):
        for first in (True, False):
            parts.append(Block(channels, width, 2 if first and number else 1))
            channels = width
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def unet_ours() -> nw.Net:
    """A U-Net of two halvings that tells each pixel's class."""
    net = nw.unet(range(CLASSES), image=nw.Image(SIZE, SIZE), width=UNET[0], depth=len(UNET) - 1)
    return net.with_input(nw.Array((SIZE, SIZE, 3)))


def convolutions(into: int, out: int) -> nn.Sequential:
    """Two convolutions with batch norm and ReLU."""
    parts: list[nn.Module] = []
    for channels in (into, out):
        parts += [nn.Conv2d(channels, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(True)]
    return nn.Sequential(*parts)


class UNet(nn.Module):
    """As `unet_ours`; the classes are the last axis of the output."""

    def __init__(self, widths: Sequence[int] = UNET) -> None:
        super().__init__()
        self.down = nn.ModuleList(convolutions(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.larger = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[:-1])
        self.up = nn.ModuleList(convolutions(2 * width, width) for width in widths[:-1])
        self.pool, self.scores = nn.MaxPool2d(2), nn.Conv2d(widths[0], CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = [self.down[0](x)]
        for part in list(self.down)[1:]:
            seen.append(part(self.pool(seen[-1])))
        y = seen.pop()
        for larger, up in zip(reversed(self.larger), reversed(self.up), strict=True):
            y = up(torch.cat([seen.pop(), larger(y)], 1))
        return self.scores(y).permute(0, 2, 3, 1)  # (b, k, h, w) -> (b, h, w, k)


def masks(draw: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Floats (n, size, size, 3), and a class for each pixel."""
    return (
        draw.standard_normal((n, SIZE, SIZE, 3)).astype(np.float32),
        draw.integers(0, CLASSES, (n, SIZE, SIZE)),
    )

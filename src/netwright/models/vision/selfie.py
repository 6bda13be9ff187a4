"""MediaPipe's selfie segmentation: tells the pixels of persons from those of the background, with few weights."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.image import Image
from netwright.codecs.mask import Mask
from netwright.layers.conv import Conv
from netwright.layers.conv_transpose import ConvTranspose
from netwright.layers.join import Add, Multiply
from netwright.layers.linear import Linear
from netwright.layers.pointwise import hardswish, relu, sigmoid, softmax
from netwright.layers.pool import GlobalAvgPool
from netwright.layers.resize import Resize
from netwright.layers.wrap import Residual
from netwright.models.pretrained.weights import From
from netwright.models.vision.units import flat, squeeze_excite
from netwright.net.chain import Chain
from netwright.net.graph import Graph
from netwright.net.part import Net
from netwright.value import Value

SIZE = 256  # pixels on a side
LABELS = ("background", "person")


class PlainInverted(Value):
    """The sizes of an inverted residual block without norms, and its activation.

    Fields: as those of `Inverted`; `squeezed` is the width inside the squeeze-and-excitation part, 0 without one.
    """

    channels: int
    inner: int
    out: int
    kernel: int
    stride: int
    squeezed: int
    activation: Net

    @property
    def adds(self) -> bool:
        """Whether the input is added to the output."""
        return self.stride == 1 and self.channels == self.out

    def net(self) -> Net:
        """Its parts: `expand`, `depthwise`, `squeeze_excite` where it has one, and `project`."""
        conv = Conv(self.inner, self.kernel, stride=self.stride, padding="same", groups=self.inner)
        excite: dict[str, Any] = (
            {"squeeze_excite": squeeze_excite(self.squeezed, relu, sigmoid)} if self.squeezed else {}
        )
        body = Chain(
            expand=Chain(Conv(self.inner, 1), self.activation),
            depthwise=Chain(conv, self.activation),
            **excite,
            project=Conv(self.out, 1),
        )
        return Residual(body) if self.adds else body


BLOCKS: Mapping[str, PlainInverted] = {
    "down1/1a": PlainInverted(16, 16, 16, 3, 2, 8, relu),
    "down2/2a": PlainInverted(16, 72, 24, 3, 2, 0, relu),
    "down2/2b": PlainInverted(24, 88, 24, 3, 1, 0, relu),
    "down3/3a": PlainInverted(24, 96, 32, 5, 2, 24, hardswish),
    "down3/3b": PlainInverted(32, 128, 32, 5, 1, 32, hardswish),
    "down3/3c": PlainInverted(32, 128, 32, 5, 1, 32, hardswish),
    "down3/3d": PlainInverted(32, 96, 32, 5, 1, 24, hardswish),
    "down3/3e": PlainInverted(32, 96, 32, 5, 1, 24, hardswish),
}
UPS = {3: ("down2", 24), 2: ("down1", 16), 1: ("stem", 16)}
"""Of each step up: what is put beside it, and its channels."""


def selfie_segmentation() -> Graph:
    """The net without its arrays: an rgb picture in, background or person out for every pixel.

    A MobileNetV3 on the way down (`stem`, `down1` to `down3`), a gate from the mean of the whole picture (`gated`), and
    steps up (`up3` to `up1`) that add what the way down had at their size, weighed by a gate again. The published net
    gives one number, the logit of a person; here the logit of the background, 0, stands beside it, which is the same.
    """
    downs: dict[str, dict[str, Any]] = {}
    for path, block in BLOCKS.items():
        stage, name = path.split("/")
        downs.setdefault(stage, {})[name] = block.net()
    nodes: dict[str, Any] = {"stem": (Chain(Conv(16, 3, stride=2, padding="same"), hardswish), "input")}
    for stage, before in zip(downs, ("stem", *downs), strict=False):
        nodes[stage] = (Chain(**downs[stage]), before)
    nodes["values"] = (Chain(Conv(128, 1), relu), "down3")
    nodes["gate"] = (Chain(GlobalAvgPool(), Linear(128), sigmoid), "down3")
    nodes["gated"] = (Multiply(), "values", "gate")
    below = "gated"
    for i, (beside, channels) in UPS.items():
        nodes |= _up(i, below, beside, channels)
        below = f"up{i}"
    return Graph(
        **nodes,
        scores=(ConvTranspose(len(LABELS), 2, stride=2), below),
        softmax=(softmax, "scores"),
        input=Image(SIZE, SIZE),
        output=Mask(LABELS, SIZE, SIZE),
    )


def _up(i: int, below: str, beside: str, channels: int) -> dict[str, Any]:
    """The nodes of one step up."""
    gate = Chain(GlobalAvgPool(), Linear(channels), relu, Linear(channels), sigmoid)
    around = Residual(Chain(Conv(channels, 3, padding="same", groups=channels), relu))
    return {
        f"larger{i}": (Chain(Resize(factor=2), Conv(channels, 1)), below),
        f"sum{i}": (Add(), beside, f"larger{i}"),
        f"gate{i}": (gate, f"sum{i}"),
        f"kept{i}": (Multiply(), beside, f"gate{i}"),
        f"join{i}": (Add(), f"kept{i}", f"larger{i}"),
        f"up{i}": (Chain(Conv(channels, 1), relu, around), f"join{i}"),
    }


def selfie_table() -> dict[str, From]:
    """Which array of the published file each array of the net comes from."""
    found: dict[str, From] = {}
    for kind, paths in (("conv2d", _positionwise()), ("depthwise_conv2d", _depthwise())):
        for number, path in enumerate(paths):
            name = f"{kind}_{number}" if number else kind
            change = _matrix if "linear" in path else _kernel if kind == "conv2d" else _kernel_of_each
            found[f"{path}/weight"] = From(f"{name}/Kernel", change)
            found[f"{path}/bias"] = From(f"{name}/Bias")
    found["scores/weight"] = From("segment/Kernel", _beside_background)
    found["scores/bias"] = From("segment/Bias", lambda bias: torch.cat([torch.zeros_like(bias), bias]))  # (1,) -> (2,)
    return found


def _positionwise() -> Iterator[str]:
    """The convolutions over all channels, and the linear layers, in the order of the file."""
    yield "stem/conv1"
    for path, block in BLOCKS.items():
        body = f"{path}/body" if block.adds else path
        yield f"{body}/expand/conv1"
        if block.squeezed:
            yield from (f"{body}/squeeze_excite/excite/linear{i}" for i in (1, 2))
        yield f"{body}/project"
    yield from ("values/conv1", "gate/linear1")
    for i in UPS:
        yield from (f"larger{i}/conv1", f"gate{i}/linear1", f"gate{i}/linear2", f"up{i}/conv1")


def _depthwise() -> Iterator[str]:
    """The convolutions of each channel by itself, in the order of the file."""
    for path, block in BLOCKS.items():
        yield f"{path}/body/depthwise/conv1" if block.adds else f"{path}/depthwise/conv1"
    for i in UPS:
        yield f"up{i}/residual1/body/conv1"


def _kernel(weight: Tensor) -> Tensor:
    return weight.permute(0, 3, 1, 2)  # (out, h, w, in) -> (out, in, h, w)


def _kernel_of_each(weight: Tensor) -> Tensor:
    return weight.permute(3, 0, 1, 2)  # (1, h, w, c) -> (c, 1, h, w)


def _matrix(weight: Tensor) -> Tensor:
    return flat(_kernel(weight))  # (out, 1, 1, in) -> (out, in)


def _beside_background(weight: Tensor) -> Tensor:
    person = weight.permute(3, 0, 1, 2)  # (1, h, w, in) -> (in, 1, h, w)
    return torch.cat([torch.zeros_like(person), person], 1)  # (in, 2, h, w)

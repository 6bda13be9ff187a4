"""The inverted residual block, of which MobileNet and EfficientNet are made: wide inside, narrow at both ends."""

from typing import Any, Literal

from netwright.layers.dropout import Dropout
from netwright.layers.norm import BatchNorm
from netwright.layers.wrap import Residual
from netwright.models.pretrained.weights import From
from netwright.models.vision.units import (
    normed,
    normed_entries,
    squeeze_excite,
    squeeze_excite_entries,
)
from netwright.net.chain import Chain
from netwright.net.part import Net
from netwright.value import Value


class Inverted(Value):
    """The sizes of an inverted residual block.

    Fields:
        channels: of the input.
        inner: channels between; where they are those of the input, nothing is widened.
        out: channels of the output.
        kernel, stride: of the convolution in the middle, which sees each channel by itself.
        excite: width inside the squeeze-and-excitation part; 0, no such part.
        drop: the share of examples that pass the block by in training, where its input is added to its output.
    """

    channels: int
    inner: int
    out: int
    kernel: int
    stride: int
    excite: int = 0
    drop: float = 0.0

    @property
    def widens(self) -> bool:
        """Whether a first convolution makes more channels."""
        return self.inner != self.channels

    @property
    def adds(self) -> bool:
        """Whether the input is added to the output: where both have the same sizes."""
        return self.stride == 1 and self.channels == self.out

    def net(
        self, activation: Net, gate: tuple[Net, Net], norm: BatchNorm, padding: Literal["same"] | None = None
    ) -> Net:
        """The block: `expand`, `depthwise`, `squeeze_excite` and `project`, as far as it has them.

        `gate` holds the two activations of the squeeze-and-excitation part. The last part has none: the narrow values
        would lose too much.

        Source: Sandler et al. 2018, arXiv 1801.04381
        """
        parts: dict[str, Any] = {}
        if self.widens:
            parts["expand"] = Chain(*normed(self.inner, norm=norm), activation)
        conv = normed(self.inner, self.kernel, stride=self.stride, groups=self.inner, norm=norm, padding=padding)
        parts["depthwise"] = Chain(*conv, activation)
        if self.excite:
            parts["squeeze_excite"] = squeeze_excite(self.excite, *gate)
        parts["project"] = Chain(*normed(self.out, norm=norm))
        if self.adds and self.drop:
            parts["drop"] = Dropout(self.drop, unit="example")
        return Residual(Chain(**parts)) if self.adds else Chain(**parts)

    def entries(self, path: str, name: str) -> dict[str, From]:
        """Which tensors of torchvision's block its arrays come from."""
        path = f"{path}/body" if self.adds else path
        kinds = ["expand"] * self.widens + ["depthwise"] + ["squeeze_excite"] * bool(self.excite) + ["project"]
        found: dict[str, From] = {}
        for i, kind in enumerate(kinds):
            if kind == "squeeze_excite":
                found |= squeeze_excite_entries(f"{path}/{kind}", f"{name}.{i}")
            else:
                found |= normed_entries(f"{path}/{kind}", f"{name}.{i}.0", f"{name}.{i}.1")
        return found

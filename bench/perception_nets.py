"""The nets of bench/perception.py as torch's modules, with the names of the published weights."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from netwright.models.sound.crepe import EPS, TINY
from netwright.models.vision.efficientnet import efficientnet_blocks, ends


class Convolved(nn.Conv2d):
    """A convolution with zeros around as TensorFlow puts them, for sides that its stride divides."""

    def __init__(self, into: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(into, out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=False)
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.around = (before, after, before, after) if stride > 1 else None

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input if self.around is None else F.pad(input, self.around))


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with TensorFlow's constant."""
    return nn.BatchNorm2d(channels, eps=1e-3)


class LiteBlock(nn.Module):
    """An inverted residual."""

    def __init__(self, into: int, inner: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.adds = stride == 1 and into == out
        if inner != into:
            self._expand_conv, self._bn0 = Convolved(into, inner, 1), norm(inner)
        self._depthwise_conv, self._bn1 = Convolved(inner, inner, kernel, stride, inner), norm(inner)
        self._project_conv, self._bn2 = Convolved(inner, out, 1), norm(out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self._bn0(self._expand_conv(x))) if hasattr(self, "_expand_conv") else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class Lite0(nn.Module):
    """EfficientNet-Lite0; the output are probabilities."""

    def __init__(self) -> None:
        super().__init__()
        stem, head = ends("lite0")
        self._conv_stem, self._bn0 = Convolved(3, stem, 3, 2), norm(stem)
        blocks = [block for *_, block in efficientnet_blocks("lite0")]
        self._blocks = nn.ModuleList(LiteBlock(b.channels, b.inner, b.out, b.kernel, b.stride) for b in blocks)
        self._conv_head, self._bn1 = Convolved(blocks[-1].out, head, 1), norm(head)
        self._fc = nn.Linear(head, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        x = F.relu6(self._bn1(self._conv_head(x)))
        return self._fc(x.mean((2, 3))).softmax(-1)


class CrepeTiny(nn.Module):
    """CREPE tiny as torchcrepe writes it: frames (b, n, 1024) in, probabilities (b, n, 360) out."""

    def __init__(self) -> None:
        super().__init__()
        channels = 1
        for number, out in enumerate(TINY, 1):
            kernel, stride = (512, 4) if number == 1 else (64, 1)
            setattr(self, f"conv{number}", nn.Conv2d(channels, out, (kernel, 1), (stride, 1)))
            setattr(self, f"conv{number}_BN", nn.BatchNorm2d(out, eps=EPS))
            channels = out
        self.classifier = nn.Linear(4 * channels, 360)

    def forward(self, frames: Tensor) -> Tensor:
        b, n, _ = frames.shape
        x = frames.reshape(b * n, 1, -1, 1)
        x = (x - x.mean(2, keepdim=True)) / x.std(2, keepdim=True)
        for number in range(1, len(TINY) + 1):
            x = F.pad(x, (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32))
            x = getattr(self, f"conv{number}_BN")(F.relu(getattr(self, f"conv{number}")(x)))
            x = F.max_pool2d(x, (2, 1), (2, 1))
        x = x.permute(0, 2, 1, 3).reshape(b, n, -1)  # (b·n, c, t, 1) -> (b, n, t·c)
        return self.classifier(x).sigmoid()


def whisper_state(arrays: Mapping[str, Tensor], blocks: int) -> dict[str, Tensor]:
    """The arrays of our encoder by the names of `transformers`, whose keys have no bias: ours are zeros."""
    found = {f"{conv}.{name}": arrays[f"{conv}/{name}"] for conv in ("conv1", "conv2") for name in ("weight", "bias")}
    found["embed_positions.weight"] = arrays["positions/positions"]
    pairs = [("norm", "layer_norm")]
    for i in range(blocks):
        own, other = f"blocks/{i + 1}", f"layers.{i}"
        pairs += [
            (f"{own}/attention/body/layernorm1", f"{other}.self_attn_layer_norm"),
            *(
                (f"{own}/attention/body/graph1/{mine}", f"{other}.self_attn.{theirs}")
                for mine, theirs in (
                    ("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj"), ("projection", "out_proj"),
                )
            ),
            (f"{own}/feed_forward/body/layernorm1", f"{other}.final_layer_norm"),
            (f"{own}/feed_forward/body/linear1", f"{other}.fc1"),
            (f"{own}/feed_forward/body/linear2", f"{other}.fc2"),
        ]  # fmt: skip
    for mine, theirs in pairs:
        for name in ("weight", "bias"):
            if not (name == "bias" and theirs.endswith("k_proj")):
                found[f"{theirs}.{name}"] = arrays[f"{mine}/{name}"]
    return found

"""The layer table: one row a layer, with the sizes to try it on and what torch makes of the same numbers."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import netwright as nw
from netwright.layers.position import Positions, SinePositions
from netwright.layers.scoring import Pair, Weigh
from netwright.layers.sequence import Delay, DropFirst, DropLast, First, Last, Reverse
from netwright.stepping.step import Begin

Reference = Callable[..., Tensor]  # (the layer's arrays by name, *inputs as the layer gets them) -> its output


@dataclass(frozen=True)
class Row:
    """A layer, the sizes of an example at each input, and the same arithmetic written in torch, channels first there.

    `positive`: inputs are drawn from 0.05 to 0.95, for logarithms and probabilities.
    """

    layer: nw.Net
    inputs: tuple[str, ...]
    reference: Reference
    positive: bool = False

    @property
    def name(self) -> str:
        return f"{self.layer!r} on {', '.join(self.inputs) or 'nothing'}"


def first(x: Tensor) -> Tensor:
    """Features last to channels first, by a copy."""
    return x.movedim(-1, 1).contiguous()


def last(y: Tensor) -> Tensor:
    return y.movedim(1, -1)


def filled(module: nn.Module, arrays: Mapping[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """A torch module with these arrays in place of its own, through which gradients flow."""
    return lambda x: torch.func.functional_call(module, dict(arrays), (x,))


def plain(function: Callable[..., Tensor]) -> Reference:
    """A reference that has no arrays."""
    return lambda w, *x: function(*x)


def spatial(function: Callable[[Tensor], Tensor]) -> Reference:
    """A reference without arrays that works channels first."""
    return lambda w, x: last(function(first(x)))


def conv(rank: int, channels: int, **options: Any) -> Reference:
    """torch's convolution module of a rank, 4 channels out."""
    kernel = options.pop("kernel", 3)

    def reference(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
        module = kind(channels, 4, kernel, bias="bias" in w, dtype=x.dtype, **options)
        return last(filled(module, w)(first(x)))

    return reference


def spread(rank: int, channels: int, kernel: Any, cut: int = 0, **options: Any) -> Reference:
    """torch's transposed convolution module of a rank, 4 channels out; `cut` positions off at the end of each axis."""

    def reference(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        kind = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[rank - 1]
        module = kind(channels, 4, kernel, bias="bias" in w, dtype=x.dtype, **options)
        y = filled(module, w)(first(x))
        return last(y[(..., *(slice(size - cut) for size in y.shape[2:]))])

    return reference


def causal(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return last(F.conv1d(F.pad(first(x), (4, 0)), w["weight"], w["bias"], dilation=2))


def even_same(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return last(F.conv2d(F.pad(first(x), (1, 2, 0, 1)), w["weight"], w["bias"]))


def same_conv(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """TensorFlow's zeros for a kernel of 3 and 4, a stride of 2 and 3, on 8 × 7 positions: 0 + 1, and 1 + 2."""
    return last(F.conv2d(F.pad(first(x), (1, 2, 0, 1)), w["weight"], w["bias"], (2, 3)))


def batch_norm(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return last(F.batch_norm(first(x), w["mean"], w["variance"].abs(), w["weight"], w["bias"]))


def group_norm(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return last(filled(nn.GroupNorm(2 if x.ndim > 2 else 4, 4, dtype=x.dtype), w)(first(x)))


def instance_norm(w: Mapping[str, Tensor], x: Tensor, eps: float = 1e-5) -> Tensor:
    return last(F.instance_norm(first(x), weight=w["weight"], bias=w["bias"], eps=eps))


def nll(x: Tensor, target: Tensor) -> Tensor:
    loss = F.nll_loss(first(x).log() if x.ndim > 2 else x.log(), target, reduction="none")
    return loss.reshape(len(x), -1).mean(1)


def of_each(loss: Callable[..., Tensor], **options: Any) -> Reference:
    """A loss of torch, example by example."""

    def reference(w: Mapping[str, Tensor], x: Tensor, target: Tensor) -> Tensor:
        return torch.stack([loss(a, b, **options) for a, b in zip(x, target, strict=True)])

    return reference


def per_class(p: Tensor, target: Tensor) -> Tensor:
    return -(target * p.log()).sum(-1).mean()


def per_class_of_logits(x: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(x.reshape(-1, x.shape[-1]), target.reshape(-1, x.shape[-1]))


def waves(x: Tensor) -> Tensor:
    """The table of sine positions, number by number."""
    size, width = x.shape[1:]
    angles = torch.tensor([[i / 10000 ** (2 * (j // 2) / width) for j in range(width)] for i in range(size)])
    even = torch.arange(width) % 2 == 0
    return x + torch.where(even, angles.sin(), angles.cos()).to(x.dtype)


def shifted(x: Tensor, by: int, fill: float) -> Tensor:
    y = x.roll(by, 1)
    y[:, slice(by, None) if by < 0 else slice(by)] = fill
    return y


LINES, GRID, VOLUME = "9 4", "8 7 4", "6 5 7 4"

CONVOLUTIONS = [
    Row(nw.Conv(4, 3), (LINES,), conv(1, 4)),
    Row(nw.Conv(4, 5, stride=2, padding=2), (LINES,), conv(1, 4, kernel=5, stride=2, padding=2)),
    Row(nw.Conv(4, 1, stride=2), (GRID,), conv(2, 4, kernel=1, stride=2)),
    Row(nw.Conv(4, 3, padding="same", dilation=2), (LINES,), conv(1, 4, padding="same", dilation=2)),
    Row(nw.Conv(4, 3, padding="causal", dilation=2), (LINES,), causal),
    Row(nw.Conv(4, 3, groups=2, bias=False), (LINES,), conv(1, 4, groups=2)),
    Row(nw.Conv(4, 3), (GRID,), conv(2, 4)),
    Row(nw.Conv(4, 5), ("8 7 1",), conv(2, 1, kernel=5)),
    Row(
        nw.Conv(4, (3, 2), stride=(2, 1), padding=(1, 0)),
        (GRID,),
        conv(2, 4, kernel=(3, 2), stride=(2, 1), padding=(1, 0)),
    ),
    Row(nw.Conv(4, 3, padding="same", groups=4), (GRID,), conv(2, 4, padding="same", groups=4)),
    Row(nw.Conv(4, (2, 4), padding="same"), (GRID,), even_same),
    Row(nw.Conv(4, 3, dilation=(1, 2), groups=2), (GRID,), conv(2, 4, dilation=(1, 2), groups=2)),
    Row(nw.Conv(4, (3, 4), stride=(2, 3), padding="same"), (GRID,), same_conv),
    Row(nw.Conv(4, 3), (VOLUME,), conv(3, 4)),
    Row(nw.Conv(4, 3, stride=2, padding=1, groups=2), (VOLUME,), conv(3, 4, stride=2, padding=1, groups=2)),
    Row(nw.Conv(4, 3, padding="same", dilation=2), (VOLUME,), conv(3, 4, padding="same", dilation=2)),
]

SPREADING = [
    Row(nw.ConvTranspose(4), (LINES,), spread(1, 4, 2)),
    Row(nw.ConvTranspose(4, 5, stride=2, padding=2, bias=False), (LINES,), spread(1, 4, 5, stride=2, padding=2)),
    Row(nw.ConvTranspose(4, 2, stride=2), (GRID,), spread(2, 4, 2, stride=2)),
    Row(
        nw.ConvTranspose(4, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2),
        (GRID,),
        spread(2, 4, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2),
    ),
    Row(nw.ConvTranspose(4, 3, dilation=2), ("8 7 1",), spread(2, 1, 3, dilation=2)),
    Row(nw.ConvTranspose(4, 3, stride=2, padding="same"), (GRID,), spread(2, 4, 3, cut=1, stride=2)),
    Row(nw.ConvTranspose(4, 1, stride=2, padding="same"), (LINES,), spread(1, 4, 1, stride=2, output_padding=1)),
    Row(nw.ConvTranspose(4, 2, stride=2), (VOLUME,), spread(3, 4, 2, stride=2)),
    Row(nw.ConvTranspose(4, 3, padding=1, groups=4), (VOLUME,), spread(3, 4, 3, padding=1, groups=4)),
]


def same_mean(x: Tensor) -> Tensor:
    """The mean of real values in windows of 3 × 3, 2 apart, on 8 × 7 positions: 0 + 1, and 1 + 1 around."""
    around, ones = (F.pad(value, (1, 1, 0, 1)) for value in (x, torch.ones_like(x)))
    sums, counts = (F.avg_pool2d(value, 3, 2, divisor_override=1) for value in (around, ones))
    return sums / counts


POOLS = [
    Row(nw.MaxPool(3, stride=2, ceil=True), (GRID,), spatial(lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True))),
    Row(nw.MaxPool(2, padding=1, ceil=True), (LINES,), spatial(lambda x: F.max_pool1d(x, 2, 2, 1, ceil_mode=True))),
    Row(
        nw.MaxPool(3, stride=2, padding="same"),
        (GRID,),
        spatial(lambda x: F.max_pool2d(F.pad(x, (1, 1, 0, 1), value=-math.inf), 3, 2)),
    ),
    Row(
        nw.MaxPool((2, 3, 2), padding="same"),
        (VOLUME,),
        spatial(lambda x: F.max_pool3d(F.pad(x, (0, 1, 0, 1, 0, 0), value=-math.inf), (2, 3, 2))),
    ),
    Row(nw.AvgPool(3, stride=2, padding=1, ceil=True), (GRID,), spatial(lambda x: F.avg_pool2d(x, 3, 2, 1, True))),
    Row(
        nw.AvgPool(3, stride=2, padding=1, ceil=True, count_padding=False),
        (GRID,),
        spatial(lambda x: F.avg_pool2d(x, 3, 2, 1, True, False)),
    ),
    Row(
        nw.AvgPool(3, padding=1, count_padding=False),
        (LINES,),
        spatial(lambda x: F.avg_pool1d(x, 3, 3, 1, False, False)),
    ),
    Row(
        nw.AvgPool(3, stride=2, padding=1, ceil=True),
        (VOLUME,),
        spatial(lambda x: F.avg_pool3d(x, 3, 2, 1, True)),
    ),
    Row(
        nw.AvgPool(2, padding=1, ceil=True, count_padding=False),
        (VOLUME,),
        spatial(lambda x: F.avg_pool3d(x, 2, 2, 1, True, False)),
    ),
    Row(nw.AvgPool(3, stride=2, padding="same", count_padding=False), (GRID,), spatial(same_mean)),
    Row(
        nw.AvgPool(3, stride=2, padding="same"),
        (GRID,),
        spatial(lambda x: F.avg_pool2d(F.pad(x, (1, 1, 0, 1)), 3, 2)),
    ),
    Row(nw.SumPool(3, stride=2), (LINES,), spatial(lambda x: 3 * F.avg_pool1d(x, 3, 2))),
    Row(nw.SumPool(3, padding=1), (GRID,), spatial(lambda x: F.avg_pool2d(x, 3, 3, 1, divisor_override=1))),
    Row(nw.SumPool(2), (VOLUME,), spatial(lambda x: F.avg_pool3d(x, 2, divisor_override=1))),
    Row(nw.MaxPool(2), (LINES,), spatial(lambda x: F.max_pool1d(x, 2))),
    Row(nw.MaxPool(3, stride=2, padding=1), (GRID,), spatial(lambda x: F.max_pool2d(x, 3, 2, 1))),
    Row(nw.MaxPool((2, 3)), (GRID,), spatial(lambda x: F.max_pool2d(x, (2, 3)))),
    Row(nw.MaxPool(2), (VOLUME,), spatial(lambda x: F.max_pool3d(x, 2))),
    Row(nw.AvgPool(2), (LINES,), spatial(lambda x: F.avg_pool1d(x, 2))),
    Row(nw.AvgPool(3, stride=1, padding=1), (GRID,), spatial(lambda x: F.avg_pool2d(x, 3, 1, 1))),
    Row(nw.AvgPool(2), (VOLUME,), spatial(lambda x: F.avg_pool3d(x, 2))),
    Row(nw.GlobalMaxPool(), (GRID,), plain(lambda x: F.adaptive_max_pool2d(first(x), 1).flatten(1))),
    Row(nw.GlobalMaxPool(), ("5",), plain(lambda x: x)),
    Row(nw.GlobalAvgPool(), (GRID,), plain(lambda x: F.adaptive_avg_pool2d(first(x), 1).flatten(1))),
    Row(nw.GlobalAvgPool(), (VOLUME,), plain(lambda x: F.adaptive_avg_pool3d(first(x), 1).flatten(1))),
    Row(nw.GlobalAvgPool(), ("5",), plain(lambda x: x)),
]


def resized(mode: str, *size: int, scale: tuple[float, ...] | None = None, **options: Any) -> Reference:
    """torch's interpolation."""

    def reference(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return last(F.interpolate(first(x), size or None, scale, mode, **options))

    return reference


def each_axis(mode: str, *size: int) -> Reference:
    """torch's interpolation of pictures, first of two axes and then of the third."""

    def reference(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        b, h, width, d, c = x.shape
        pages = x.permute(0, 3, 4, 1, 2).reshape(b * d, c, h, width)
        pages = F.interpolate(pages, size[:2], mode=mode).unflatten(0, (b, d))
        lines = pages.permute(0, 3, 4, 2, 1).reshape(-1, c, 1, d)
        lines = F.interpolate(lines, (1, size[2]), mode=mode)
        return lines.squeeze(2).unflatten(0, (b, *size[:2])).movedim(3, -1)

    return reference


RESIZED = [
    Row(nw.Resize(5), (LINES,), resized("linear", 5)),
    Row(nw.Resize(23, interpolation="nearest"), (LINES,), resized("nearest", 23)),
    Row(nw.Resize(factor=2.5, interpolation="nearest"), (LINES,), resized("nearest", scale=(2.5,))),
    Row(nw.Resize(factor=2), (GRID,), resized("bilinear", scale=(2.0, 2.0))),
    Row(nw.Resize((5, 16)), (GRID,), resized("bilinear", 5, 16)),
    Row(nw.Resize(factor=(0.5, 1.5)), (GRID,), resized("bilinear", scale=(0.5, 1.5))),
    Row(nw.Resize((5, 16), interpolation="cubic"), (GRID,), resized("bicubic", 5, 16)),
    Row(nw.Resize(factor=(1, 1.5), interpolation="cubic"), (GRID,), resized("bicubic", scale=(1.0, 1.5))),
    Row(nw.Resize((3, 16), antialias=True), (GRID,), resized("bilinear", 3, 16, antialias=True)),
    Row(
        nw.Resize((3, 16), interpolation="cubic", antialias=True),
        (GRID,),
        resized("bicubic", 3, 16, antialias=True),
    ),
    Row(
        nw.Resize(factor=(0.4, 0.7), antialias=True),
        (GRID,),
        resized("bilinear", scale=(0.4, 0.7), antialias=True),
    ),
    Row(nw.Resize(factor=2, interpolation="nearest"), (VOLUME,), resized("nearest", scale=(2.0, 2.0, 2.0))),
    Row(nw.Resize((4, 9, 3)), (VOLUME,), resized("trilinear", 4, 9, 3)),
    Row(nw.Resize((4, 9, 3), interpolation="cubic"), (VOLUME,), each_axis("bicubic", 4, 9, 3)),
]


def blocks_of_volumes(x: Tensor) -> Tensor:
    """Blocks of 2 × 2 × 2, place by place."""
    places = [(i, j, k) for i in range(2) for j in range(2) for k in range(2)]
    return torch.cat([x[:, i::2, j::2, k::2] for i, j, k in places], -1)


def warped(x: Tensor, transform: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """torch's affine map of a picture."""
    shape = [len(x), x.shape[-1], *(size or x.shape[1:3])]
    grid = F.affine_grid(transform.view(-1, 2, 3), shape, align_corners=False)
    return last(F.grid_sample(first(x), grid, align_corners=False))


AFFINE = [
    Row(nw.Linear(5), ("3",), lambda w, x: filled(nn.Linear(3, 5, dtype=x.dtype), w)(x)),
    Row(nw.Linear(5, bias=False), ("4 3",), lambda w, x: x @ w["weight"].T),
    Row(nw.MatMul(), ("4", "4"), plain(lambda a, b: (a * b).sum(-1))),
    Row(nw.MatMul(), ("4", "4 3"), plain(lambda a, b: torch.einsum("bk,bkm->bm", a, b))),
    Row(nw.MatMul(), ("3 4", "4"), plain(lambda a, b: torch.einsum("bnk,bk->bn", a, b))),
    Row(nw.MatMul(), ("3 4", "4 2"), plain(torch.bmm)),
    Row(nw.MatMul(), ("5 3 4", "5 4 2"), plain(torch.matmul)),
    Row(nw.MatMul(), ("4", "5 4 2"), plain(lambda a, b: torch.einsum("bk,bhkm->bhm", a, b))),
    Row(nw.MatMul(), ("5 3 4", "4"), plain(lambda a, b: torch.einsum("bhnk,bk->bhn", a, b))),
    Row(nw.Embedding(3), ("5 <7>",), lambda w, x: filled(nn.Embedding(7, 3, dtype=torch.float64), w)(x)),
    Row(nw.Embedding(3), ("<7>",), lambda w, x: F.embedding(x, w["weight"])),
    Row(nw.OneHot(), ("5 <7>",), lambda w, x: F.one_hot(x, 7) * w["one"]),
]

MOVES = [
    Row(nw.Flatten(), (GRID,), plain(nn.Flatten())),
    Row(nw.Flatten(), ("()",), plain(lambda x: x[:, None])),
    Row(nw.Reshape(4, -1, 2), (GRID,), plain(lambda x: x.reshape(len(x), 4, 28, 2))),
    Row(nw.Reshape(), ("1 1",), plain(lambda x: x[:, 0, 0])),
    Row(nw.Transpose(2, 0, 1), (GRID,), plain(lambda x: torch.permute(x, (0, 3, 1, 2)))),
    Row(nw.Slice(2), (GRID,), plain(lambda x: x[..., 2])),
    Row(nw.Slice(-1, axis=0), (GRID,), plain(lambda x: x[:, -1])),
    Row(nw.Slice((1, -1), axis=1), (GRID,), plain(lambda x: x[:, :, 1:-1])),
    Row(nw.Slice((None, 2)), ("5",), plain(lambda x: x[:, :2])),
    Row(nw.Pad((1, 2), (0, 3)), (GRID,), spatial(nn.ZeroPad2d((0, 3, 1, 2)))),
    Row(nw.Pad((1, 0), value=2.5), ("5",), plain(nn.ConstantPad1d((1, 0), 2.5))),
    *(
        Row(
            nw.Pad((3, 2), (0, 6), mode=mode),
            (GRID,),
            spatial(lambda x, mode=mode: F.pad(x, (0, 6, 3, 2), mode=mode)),
        )
        for mode in ("reflect", "replicate", "circular")
    ),
    Row(nw.PixelShuffle(2), (GRID,), spatial(nn.PixelShuffle(2))),
    Row(nw.PixelShuffle(2), ("9 6",), plain(lambda x: x.unflatten(2, (3, 2)).movedim(3, 2).flatten(1, 2))),
    Row(nw.PixelUnshuffle(3), ("6 9 4",), spatial(nn.PixelUnshuffle(3))),
    Row(nw.PixelUnshuffle(2), ("6 4 2 1",), plain(blocks_of_volumes)),
    Row(nw.SpatialTransformer(), (GRID, "6"), plain(warped)),
    Row(nw.SpatialTransformer((5, 9)), (GRID, "6"), plain(lambda x, transform: warped(x, transform, (5, 9)))),
]

PICKED = [
    Row(nw.Gather(), ("7 4", "5 <7>"), plain(lambda x, i: torch.stack([a[j] for a, j in zip(x, i, strict=True)]))),
    Row(nw.Gather(), ("7", "2 3 <7>"), plain(lambda x, i: torch.stack([a[j] for a, j in zip(x, i, strict=True)]))),
    Row(nw.Ordering(), ("5 3",), plain(lambda x: x.argsort(dim=-1, stable=True))),
    Row(nw.Ordering(descending=True), ("5 3",), plain(lambda x: (-x).argsort(dim=-1, stable=True))),
    Row(nw.Indices(), (LINES,), plain(lambda x: torch.arange(1.0, 10.0).to(x.dtype).expand(len(x), -1))),
    Row(nw.Indices(0), ("5",), plain(lambda x: torch.arange(5.0).to(x.dtype).expand(len(x), -1))),
    Row(nw.Replicate(3), ("5 2",), plain(lambda x: torch.stack([x] * 3, 1))),
    Row(nw.Replicate(3, axis=2), ("5 2",), plain(lambda x: torch.stack([x] * 3, 3))),
    Row(nw.Replicate(), ("4", LINES), plain(lambda x, like: torch.stack([x] * 9, 1))),
]

SEQUENCES = [
    Row(First(), (LINES,), plain(lambda x: x[:, 0])),
    Row(Last(), (LINES,), plain(lambda x: x[:, -1])),
    Row(Last(), ("5 <7>",), plain(lambda x: x[:, -1])),
    Row(DropLast(), (LINES,), plain(lambda x: x[:, :-1])),
    Row(DropLast(), ("5",), plain(lambda x: x[:, :-1])),
    Row(DropFirst(), (LINES,), plain(lambda x: x[:, 1:])),
    Row(DropFirst(), ("5 <7>",), plain(lambda x: x[:, 1:])),
    Row(Reverse(), (LINES,), plain(lambda x: x.flip(1))),
    Row(Reverse(), (GRID,), plain(lambda x: x.flip(1))),
    Row(Delay(), (LINES,), plain(lambda x: F.pad(x[:, :-1], (0, 0, 1, 0)))),
    Row(Delay(-2, fill=1.5), (LINES,), plain(lambda x: shifted(x, -2, 1.5))),
    Row(Delay(9), ("5",), plain(lambda x: 0 * x)),
    Row(Delay(2, fill=6), ("5 <7>",), plain(lambda x: shifted(x, 2, 6))),
    Row(Begin(), ("5", "5"), plain(lambda state, start: state)),
    Row(Positions(12), (LINES,), lambda w, x: x + w["positions"][:9]),
    Row(nw.Segments(3), (LINES, "9 <3>"), lambda w, x, segments: x + w["weight"][segments]),
    Row(nw.Segments(), (LINES,), lambda w, x: x + w["weight"][0]),
    Row(SinePositions(), (LINES,), plain(waves)),
    Row(SinePositions(), ("6 5",), plain(waves)),
]

JOINS = [
    Row(nw.Concatenate(), ("5 3", "5 2", "5 1"), plain(lambda *x: torch.cat(x, -1))),
    Row(nw.Concatenate(axis=0), ("5 3", "2 3"), plain(lambda *x: torch.cat(x, 1))),
    Row(nw.Concatenate(axis=-2), ("5 3", "2 3"), plain(lambda *x: torch.cat(x, 1))),
    Row(nw.Concatenate(), ("3",), plain(lambda x: x)),
    Row(nw.Add(), ("5 3", "5 3", "5 3"), plain(lambda a, b, c: a + b + c)),
    Row(nw.Add(), ("5 3", "3", "()"), plain(lambda a, b, c: a + b[:, None] + c[:, None, None])),
    Row(nw.Multiply(), (GRID, "4"), plain(lambda a, b: a * b[:, None, None])),
    Row(nw.Multiply(), ("5 1", "1 3"), plain(lambda a, b: a * b)),
    Row(nw.Pairwise("div"), ("5 3", "3"), plain(lambda a, b: a / b[:, None]), positive=True),
    Row(nw.Pairwise("pow"), ("5 3", "()"), plain(lambda a, b: a ** b[:, None, None]), positive=True),
    Row(nw.Pairwise("sub"), ("3", "5 3"), plain(lambda a, b: a[:, None] - b)),
    Row(nw.Pairwise(torch.remainder), ("5 3", "5 3"), plain(torch.remainder)),
    *(
        Row(nw.Pairwise(name), ("5 3", "5 3"), plain(getattr(torch, name)))
        for name in ("maximum", "minimum", "atan2", "hypot", "logaddexp")
    ),
    *(
        Row(nw.Pairwise(name), ("5 3", "5 3"), plain(lambda a, b, name=name: getattr(torch, name)(a, b).to(a.dtype)))
        for name in ("lt", "le", "gt", "ge", "eq", "ne")
    ),
    Row(nw.where, ("5 3", "5 3", "5 3"), plain(lambda c, a, b: torch.where(c > 0, a, b))),
]


def attended(heads: int, groups: int, **options: Any) -> Reference:
    """torch's attention on features that are heads side by side."""

    def reference(
        w: Mapping[str, Tensor], q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        q, k, v = (x.unflatten(-1, (count, -1)).movedim(2, 1) for x, count in ((q, heads), (k, groups), (v, groups)))
        k, v = (x.repeat_interleave(heads // groups, 1) for x in (k, v))
        allowed = None if mask is None else (mask != 0).unsqueeze(1)
        if bias is not None and allowed is not None:
            allowed = bias.masked_fill(~allowed, -math.inf)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, **options)
        return y.movedim(1, 2).flatten(2)

    return reference


def near(heads: int, shared: int, causal: bool, window: int) -> Reference:
    """torch's attention where each query sees the keys near it alone."""

    def reference(w: Mapping[str, Tensor], q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        i = torch.arange(q.shape[1])
        apart = i[:, None] - i
        seen = ((apart >= 0) if causal else (apart > -window)) & (apart < window)
        seen = seen.to(q.dtype).expand(len(q), -1, -1)
        return attended(heads, heads // shared)(w, q, k, v, seen)

    return reference


def distances(w: Mapping[str, Tensor], q: Tensor, k: Tensor) -> Tensor:
    """The table of distances, pair by pair."""
    places = [[max(-2, min(2, j - i)) + 2 for j in range(k.shape[1])] for i in range(q.shape[1])]
    return w["weight"][:, torch.tensor(places)].expand(len(q), -1, -1, -1)


def turned(x: Tensor, heads: int, base: float, slower: float = 1, kept: tuple[float, float] = (-2, -1)) -> Tensor:
    """Rotary positions by complex numbers; pairs within the first wavelength are kept, behind the second they slow."""
    size, width = x.shape[1], x.shape[2] // heads
    lengths = 2 * math.pi * base ** (torch.arange(0, width, 2) / width)
    part = ((1 / lengths - 1 / kept[1]) / (1 / kept[0] - 1 / kept[1])).clamp(0, 1) if kept[0] > 0 else 0
    angles = torch.arange(size)[:, None] * (2 * math.pi / lengths) * (part + (1 - part) / slower)
    halves = x.unflatten(-1, (heads, 2, width // 2))
    points = (
        torch.complex(halves[..., 0, :], halves[..., 1, :])
        * torch.polar(torch.ones(()).double(), angles.double())[:, None]
    )
    return torch.stack([points.real, points.imag], -2).flatten(2)


ATTENTION = [
    Row(nw.Attention(), ("5 4", "7 4", "7 3"), attended(1, 1)),
    Row(nw.Attention(2), ("5 6", "7 6", "7 4"), attended(2, 2)),
    Row(nw.Attention(4, 2), ("5 12", "7 6", "7 4"), attended(4, 2)),
    Row(nw.Attention(2, scale=0.3), ("5 6", "7 6", "7 4"), attended(2, 2, scale=0.3)),
    Row(nw.Attention(2, causal=True), ("6 6", "6 6", "6 4"), attended(2, 2, is_causal=True)),
    Row(nw.Attention(2, 1, causal=True), ("6 6", "6 3", "6 2"), attended(2, 1, is_causal=True)),
    Row(nw.Attention(2), ("5 6", "7 6", "7 4", "5 7"), attended(2, 2)),
    Row(nw.Attention(2), ("5 6", "7 6", "7 4", "5 7", "2 5 7"), attended(2, 2)),
    Row(nw.Attention(4, 2), ("5 12", "7 6", "7 4", "5 7", "4 5 7"), attended(4, 2)),
    Row(nw.Attention(2, scale=0.3), ("1 6", "7 6", "7 4", "1 7", "2 1 7"), attended(2, 2, scale=0.3)),
    Row(nw.Attention(2, causal=True, window=3), ("6 6", "6 6", "6 4"), near(2, 1, True, 3)),
    Row(nw.Attention(2, 1, window=2), ("6 6", "6 3", "6 2"), near(2, 2, False, 2)),
    Row(nw.Attention(window=2), ("6 4", "6 4", "6 3"), near(1, 1, False, 2)),
    Row(nw.RelativeBias(2, 3), ("5 4", "6 4"), distances),
    Row(Pair(), ("5 4", "7 3"), plain(lambda q, k: q[:, :, None].expand(-1, -1, 7, -1))),
    Row(Weigh(), ("5 7", "7 3"), plain(lambda s, v: torch.softmax(s, -1) @ v)),
    Row(nw.Rotary(), (LINES,), plain(lambda x: turned(x, 1, 10000))),
    Row(nw.Rotary(3, base=50), ("5 12",), plain(lambda x: turned(x, 3, 50))),
    Row(nw.Rotary(2, slower=4.0), ("5 12",), plain(lambda x: turned(x, 2, 10000, 4))),
    Row(nw.Rotary(1, 100.0, 8.0, (8.0, 90.0)), ("5 12",), plain(lambda x: turned(x, 1, 100, 8, (8, 90)))),
]

REDUCTIONS = [
    Row(nw.Mean(), (GRID,), plain(lambda x: x.mean((1, 2, 3)))),
    Row(nw.Mean((0, -1)), (GRID,), plain(lambda x: x.mean((1, 3)))),
    Row(nw.Mean(), ("()",), plain(lambda x: x)),
    Row(nw.Sum(), (GRID,), plain(lambda x: x.sum((1, 2, 3)))),
    Row(nw.Sum(-1), (LINES,), plain(lambda x: x.sum(2))),
    Row(nw.Max(0), (LINES,), plain(lambda x: x.amax(1))),
    Row(nw.Max(), (GRID,), plain(lambda x: x.amax((1, 2, 3)))),
    Row(nw.Min(0), (LINES,), plain(lambda x: x.amin(1))),
    Row(nw.Min(), (GRID,), plain(lambda x: x.amin((1, 2, 3)))),
    Row(nw.Product(0), (LINES,), plain(lambda x: x.prod(1))),
    Row(nw.Product((0, -1)), ("2 3 2",), plain(lambda x: x.prod(3).prod(1))),
    Row(nw.Variance(), (GRID,), plain(lambda x: x.var((1, 2, 3), correction=0))),
    Row(nw.Variance((0, -1)), (GRID,), plain(lambda x: x.var((1, 3), correction=0))),
]

NORMS = [
    Row(nw.BatchNorm(), (GRID,), batch_norm),
    Row(nw.BatchNorm(), ("4",), batch_norm),
    Row(nw.LayerNorm(), (LINES,), lambda w, x: filled(nn.LayerNorm(4, dtype=x.dtype), w)(x)),
    Row(nw.GroupNorm(2), (GRID,), group_norm),
    Row(nw.GroupNorm(4), ("4",), group_norm),
    Row(nw.InstanceNorm(), (GRID,), instance_norm),
    Row(nw.InstanceNorm(eps=0.1), (LINES,), lambda w, x: instance_norm(w, x, 0.1)),
    Row(nw.LocalResponseNorm(), (GRID,), spatial(nn.LocalResponseNorm(5))),
    Row(nw.LocalResponseNorm(2, alpha=0.5, beta=0.6, k=2), ("5 3",), spatial(nn.LocalResponseNorm(2, 0.5, 0.6, 2))),
    Row(nw.LocalResponseNorm(3, alpha=2), ("5",), plain(lambda x: nn.LocalResponseNorm(3, 2)(x[..., None])[..., 0])),
    Row(nw.Dropout(0.3, unit="feature"), (GRID,), plain(nn.Dropout2d(0.3).eval())),
    Row(nw.Dropout(0.3, unit="example"), ("5",), plain(lambda x: x)),
    Row(nw.RMSNorm(), (LINES,), lambda w, x: filled(nn.RMSNorm(4, 1e-6, dtype=x.dtype), w)(x)),
    Row(nw.Dropout(0.3), (LINES,), plain(nn.Dropout(0.3).eval())),
    Row(nw.AlphaDropout(), (LINES,), plain(nn.AlphaDropout().eval())),
]


def contrastive(x: Tensor, other: Tensor, different: Tensor, margin: float = 1.0) -> Tensor:
    """Equation 4 of Hadsell, Chopra and LeCun 2006."""
    apart, y = F.pairwise_distance(x, other), different.flatten()
    return (1 - y) * apart**2 / 2 + y * (margin - apart).relu() ** 2 / 2


def both_ways(x: Tensor, y: Tensor, temperature: float) -> Tensor:
    """The loss of CLIP, example by example."""
    scores = F.cosine_similarity(x.unsqueeze(2), y.unsqueeze(1), -1) / temperature
    right = torch.arange(x.shape[1])
    return torch.stack([(F.cross_entropy(s, right) + F.cross_entropy(s.T, right)) / 2 for s in scores])


def kullback_leibler(p: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(p.log(), target, reduction="none").sum(-1).mean()


def kullback_leibler_of_logits(x: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(x.log_softmax(-1), target, reduction="none").sum(-1).mean()


def transcribed(w: Mapping[str, Tensor], x: Tensor, target: Tensor) -> Tensor:
    """The sum over every path of classes that reads as the target, path by path."""
    found: list[Tensor] = []
    for p, symbols in zip(x, target.tolist(), strict=True):
        paths = itertools.product(range(p.shape[-1]), repeat=len(p))
        right = [path for path in paths if read(path, p.shape[-1] - 1) == symbols]
        each = p[torch.arange(len(p)), torch.tensor(right)].prod(-1)  # (paths,)
        found.append(-each.sum().log() / len(symbols))
    return torch.stack(found)


def read(path: Sequence[int], blank: int) -> list[int]:
    """A path without its repeated classes, and then without its blanks."""
    return [one for one, _ in itertools.groupby(path) if one != blank]


SOURCES = [
    Row(nw.Constant(2.5), (), lambda w: torch.full((3,), 2.5, dtype=torch.float64)),
    Row(
        nw.Constant(((1, 2, 3), (4, 5, 6))),
        (),
        lambda w: torch.tensor([[[1.0, 2, 3], [4, 5, 6]]]).double().expand(3, 2, 3),
    ),
    Row(nw.Parameter(), (), lambda w: w["value"].expand(3)),
    Row(nw.Parameter(4, 2), (), lambda w: w["value"].expand(3, 4, 2)),
]

POINTWISE = [
    *(
        Row(getattr(nw, name), ("5 3",), plain(getattr(F, name, None) or getattr(torch, name)), name in ("log", "sqrt"))
        for name in (
            *("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "softplus", "leaky_relu", "relu6", "hardtanh"),
            *("exp", "log", "sin", "cos", "sqrt", "square", "abs"),
        )
    ),
    Row(nw.gelu_tanh, ("5 3",), plain(nn.GELU("tanh"))),
    Row(nw.quick_gelu, ("5 3",), plain(lambda x: x * torch.sigmoid(1.702 * x))),
    *(Row(getattr(nw, name), ("5 3",), plain(getattr(F, name))) for name in ("mish", "hardswish", "hardsigmoid")),
    Row(nw.Elementwise("leaky_relu", slope=0.2), ("5 3",), plain(nn.LeakyReLU(0.2))),
    Row(nw.Elementwise(F.elu, slope=0.5), ("5 3",), plain(nn.ELU(0.5))),
    Row(nw.PReLU(), (GRID,), lambda w, x: last(F.prelu(first(x), w["weight"]))),
    Row(nw.PReLU(), ("5",), lambda w, x: F.prelu(x, w["weight"])),
    Row(nw.PReLU(per_feature=False), ("5 3",), lambda w, x: filled(nn.PReLU(dtype=x.dtype), w)(x)),
    Row(nw.Elementwise(F.logsigmoid), ("5 3",), plain(F.logsigmoid)),
    Row(nw.softmax, ("5 3",), plain(nn.Softmax(-1))),
    Row(nw.log_softmax, ("5 3",), plain(nn.LogSoftmax(-1))),
    Row(nw.Softmax(0), ("5 3",), plain(nn.Softmax(1))),
    Row(nw.Softmax(-2), (GRID,), plain(nn.Softmax(2))),
    Row(nw.LogSoftmax(1), (GRID,), plain(nn.LogSoftmax(2))),
]

LOSSES = [
    Row(nw.MSE(), ("5 3", "5 3"), of_each(F.mse_loss)),
    Row(nw.MSE(), ("()", "()"), of_each(F.mse_loss)),
    Row(nw.MAE(), ("5 3", "5 3"), of_each(F.l1_loss)),
    Row(nw.Huber(), ("5 3", "5 3"), of_each(F.huber_loss)),
    Row(nw.Huber(0.2), ("3", "3"), of_each(F.huber_loss, delta=0.2)),
    Row(nw.ContrastiveLoss(), ("5", "5", "1"), plain(contrastive)),
    Row(nw.ContrastiveLoss(3.5), ("5", "5", "1"), plain(lambda *x: contrastive(*x, margin=3.5))),
    Row(nw.TripletLoss(), ("5", "5", "5"), plain(nn.TripletMarginLoss(reduction="none"))),
    Row(nw.TripletLoss(0.2), ("5", "5", "5"), plain(nn.TripletMarginLoss(0.2, reduction="none"))),
    Row(nw.CosineLoss(), ("5 3", "5 3"), plain(lambda x, y: (1 - F.cosine_similarity(x, y, -1)).mean(1))),
    Row(nw.CosineLoss(), ("4", "4"), plain(lambda x, y: 1 - F.cosine_similarity(x, y, -1))),
    Row(nw.InfoNCE(0.5), ("5 3", "5 3"), plain(lambda x, y: both_ways(x, y, 0.5))),
    Row(nw.KLDivergence(), ("5 3", "5 3"), of_each(kullback_leibler), positive=True),
    Row(nw.KLDivergence(logits=True), ("4", "4"), of_each(kullback_leibler_of_logits), positive=True),
    Row(nw.CTCLoss(), ("6 4", "3 <3>"), transcribed, positive=True),
    Row(nw.CTCLoss(logits=True), ("6 4", "3 <3>"), lambda w, x, target: transcribed(w, x.softmax(-1), target)),
    Row(nw.TotalLoss(), ("()", "()", "()"), plain(lambda *x: sum(x))),
    Row(nw.WeightedLoss(0.3), ("()",), plain(lambda x: 0.3 * x)),
    Row(nw.CrossEntropy(), ("3", "<3>"), plain(nll), positive=True),
    Row(nw.CrossEntropy(), ("6 5 3", "6 5 <3>"), plain(nll), positive=True),
    Row(nw.CrossEntropy(logits=True), ("5 3", "5 <3>"), of_each(F.cross_entropy)),
    Row(nw.CrossEntropy(partial=True), ("5 3", "5 <3>"), plain(nll), positive=True),
    Row(nw.CrossEntropy("probabilities"), ("5 3", "5 3"), of_each(per_class), positive=True),
    Row(nw.CrossEntropy("probabilities", logits=True), ("5 3", "5 3"), of_each(per_class_of_logits), positive=True),
    Row(nw.CrossEntropy("binary"), ("5", "5"), of_each(F.binary_cross_entropy), positive=True),
    Row(nw.CrossEntropy("binary"), ("()", "()"), of_each(F.binary_cross_entropy), positive=True),
    Row(nw.CrossEntropy("binary", logits=True), ("5", "5"), of_each(F.binary_cross_entropy_with_logits), positive=True),
]


def grid_boxes(x: Tensor) -> Tensor:
    """Boxes of a grid with the stride 8, cell by cell."""
    rows = []
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            left, top, right, bottom = ((x[:, i, j, side].exp() * 8) for side in range(4))
            across, down = 8 * j + 4, 8 * i + 4
            rows += [torch.stack([across - left, down - top, across + right, down + bottom], -1)]
    boxes = torch.stack(rows, 1).view(*x.shape[:3], 4)
    return torch.cat([boxes, x[..., 4:]], -1)


def anchor_boxes(x: Tensor) -> Tensor:
    """Boxes of a grid with the stride 8 and the anchors of `DETECTORS`, cell by cell and anchor by anchor."""
    rows = []
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            for a, (width, height) in zip(x[:, i, j].chunk(2, -1), ((10, 6), (3, 4)), strict=True):
                across, down = 8 * (a[:, 0].sigmoid() + j), 8 * (a[:, 1].sigmoid() + i)
                w, h = width * a[:, 2].exp(), height * a[:, 3].exp()
                rows += [torch.stack([across - w / 2, down - h / 2, across + w / 2, down + h / 2, *a[:, 4:].T], -1)]
    return torch.stack(rows, 1).view(*x.shape[:3], 2, -1)


def detection(x: Tensor, target: Tensor) -> Tensor:
    """The loss of a detector with a 3 x 4 grid of the stride 1, thing by thing and cell by cell."""
    costs = []
    for candidates, things in zip(x.flatten(1, -2), target, strict=True):
        total, count = candidates.new_zeros(()), 0
        for cell, candidate in enumerate(candidates):
            at = torch.tensor([cell % 4 + 0.5, cell // 4 + 0.5], dtype=x.dtype)
            own, least = None, math.inf
            for thing in things:
                corner, other = thing.detach()[:2], thing.detach()[2:4]
                middle = (corner + other) / 2
                home = bool(((middle >= at - 0.5) & (middle < at + 0.5)).all())
                near = bool(((at > corner) & (at < other)).all()) and float((at - middle).abs().max()) <= 1.5
                area = float((other - corner).clamp_min(0).prod())
                if thing[4] >= 0 and (other - corner).max() > 0 and (home or near) and area < least:
                    own, least = thing, area
            goal = candidate.new_zeros(())
            if own is not None:
                count += 1
                sides = [(other - corner).clamp_min(0).prod() for corner, other in (
                    (torch.maximum(candidate[:2], own[:2]), torch.minimum(candidate[2:4], own[2:4])),
                    (torch.minimum(candidate[:2], own[:2]), torch.maximum(candidate[2:4], own[2:4])),
                    (candidate[:2], candidate[2:4]), (own[:2], own[2:4]),
                )]  # fmt: skip
                union = sides[2] + sides[3] - sides[0]
                goal = (sides[0] / (union + 1e-7)).detach()
                giou = sides[0] / (union + 1e-7) - (sides[1] - union) / (sides[1] + 1e-7)
                hot = F.one_hot(own[4].long(), len(candidate) - 5).to(x.dtype)
                total = total + 5 * (1 - giou)
                total = total + F.binary_cross_entropy_with_logits(candidate[5:], hot, reduction="sum")
            total = total + F.binary_cross_entropy_with_logits(candidate[4], goal)
        costs.append(total / max(count, 1))
    return torch.stack(costs)


DETECTORS = [
    Row(nw.GridBoxes(8), ("3 2 6",), plain(grid_boxes)),
    Row(nw.AnchorBoxes(8, ((10, 6), (3, 4))), ("3 2 12",), plain(anchor_boxes)),
    Row(nw.DetectionLoss(3, 4, (1,)), ("3 4 7", "3 5"), plain(detection)),
]

ROWS = [
    *DETECTORS,
    *CONVOLUTIONS,
    *SPREADING,
    *POOLS,
    *RESIZED,
    *AFFINE,
    *MOVES,
    *PICKED,
    *SEQUENCES,
    *JOINS,
    *ATTENTION,
    *REDUCTIONS,
    *NORMS,
    *SOURCES,
    *POINTWISE,
    *LOSSES,
]

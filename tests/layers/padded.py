"""The table of padding: every leaf on sizes that vary, whether it must be told lengths; and how batches are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import netwright as nw
from netwright.layers.pointwise import UNBOUNDED
from netwright.layers.position import Positions, SinePositions
from netwright.layers.scoring import Pair, Weigh
from netwright.layers.sequence import Delay, DropFirst, DropLast, First, Last, Reverse
from netwright.net.apply import whole_program
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.noise import Noise
from netwright.sizes import notation
from netwright.sizes.size import evaluate, named

LENGTHS = {"n": (7, 4, 9), "m": (3, 6, 5)}
MOST = {"n": 12, "m": 7}  # the batch is longer than any of its examples
FILLS = ("last", "other", "1e4", "-1e4", "0")


@dataclass(frozen=True)
class Row:
    """A leaf on inputs of varying sizes; `needs_lengths`: whether it is wrong without lengths.

    `least`, `most`: where real inputs are drawn from.
    """

    leaf: nw.Leaf
    inputs: tuple[str, ...]
    needs_lengths: bool
    least: float = -1.5
    most: float = 1.5

    @property
    def name(self) -> str:
        return f"{self.leaf!r} on {', '.join(self.inputs)}"


def rows(
    needs_lengths: bool, *given: tuple[nw.Leaf, Sequence[str]], least: float = -1.5, most: float = 1.5
) -> list[Row]:
    return [Row(leaf, tuple(inputs), needs_lengths, least, most) for leaf, inputs in given]


LINE, GRID, INDICES, PAIR = ["n 4"], ["n m 4"], ["n <7>"], ["n 4", "n 4"]
TOLD = [
    *rows(
        True,
        (nw.Conv(4, 5, stride=2, padding=2), LINE),
        (nw.Conv(4, 3, padding="same", dilation=2), LINE),
        (nw.Conv(3, (3, 2), padding=(1, 0)), GRID),
        (nw.Conv(3, (1, 4), padding="same"), GRID),
        (nw.ConvTranspose(4, 3, stride=2, padding=1, output_padding=1), LINE),
        (nw.ConvTranspose(3, 3, stride=(2, 1), padding="same"), GRID),
        (nw.ConvTranspose(4, 3), LINE),
        (nw.Conv(4, 3, stride=2, padding="same"), LINE),
        (nw.Conv(3, (4, 3), stride=(3, 1), padding="same"), GRID),
        (nw.MaxPool(3, stride=2, padding=1), LINE),
        (nw.MaxPool(3, stride=2, padding="same"), LINE),
        (nw.MaxPool((3, 2), stride=(2, 1), padding="same"), GRID),
        (nw.MaxPool(3, stride=2, ceil=True), GRID),
        (nw.AvgPool(3, stride=2, padding="same"), GRID),
        (nw.AvgPool(3, stride=2, padding="same", count_padding=False), LINE),
        (nw.AvgPool(2, padding=1, ceil=True), GRID),
        (nw.AvgPool(3, stride=2, padding=1, ceil=True, count_padding=False), LINE),
        (nw.SumPool(3, stride=2, padding=1), LINE),
        (nw.SumPool((2, 3), stride=2, ceil=True), GRID),
        *((nw.Pad((1, 2), (2, 1), mode=mode), GRID) for mode in ("reflect", "replicate", "circular")),
        (nw.Pad((2, 0), mode="circular"), LINE),
        (nw.InstanceNorm(), LINE),
        (nw.InstanceNorm(), GRID),
        (nw.LocalResponseNorm(3, alpha=2), ["m n"]),
        (nw.SpatialTransformer(), ("n m 4", "6")),
        (nw.SpatialTransformer((5, 6)), ("n m 4", "6")),
        (nw.MaxPool((2, 3), stride=1, padding=(1, 1)), GRID),
        (nw.AvgPool(3, stride=1, padding=1), LINE),
        (nw.AvgPool(3, stride=2, padding=1), GRID),
        *((pool, sizes) for pool in (nw.GlobalMaxPool(), nw.GlobalAvgPool()) for sizes in (LINE, GRID)),
        *(
            (reduce(), sizes)
            for reduce in (nw.Mean, nw.Sum, nw.Max, nw.Min, nw.Product, nw.Variance)
            for sizes in (["n"], GRID)
        ),
        *(
            (reduce(axes), GRID)
            for reduce in (nw.Mean, nw.Sum, nw.Max, nw.Min, nw.Product, nw.Variance)
            for axes in (0, 1, (0, 2), (1, 2))
        ),
        (nw.MatMul(), ("n", "n 3")),
        (nw.MatMul(), ("5 n", "n")),
        (nw.MatMul(), ("m n", "n 3")),
        (nw.Slice(-1, axis=0), LINE),
        (nw.Slice(-2, axis=1), GRID),
        (nw.Slice((-3, None), axis=0), LINE),
        (nw.Slice((-3, -1), axis=-2), GRID),
        (nw.Slice(-1), INDICES),
        (nw.Pad((1, 2)), LINE),
        (nw.Pad((0, 1), (2, 2), value=2.5), GRID),
        (nw.Concatenate(axis=0), ("n 3", "m 3", "2 3", "n 3")),
        (nw.Concatenate(axis=-2), ("4 n 3", "4 m 3")),
        (nw.Concatenate(axis=0), ("n <7>", "m <7>")),
        (Last(), LINE),
        (Last(), INDICES),
        (Reverse(), LINE),
        (Reverse(), GRID),
        (Reverse(), INDICES),
        (Delay(-2), LINE),
        (Delay(-1, fill=3), INDICES),
        *((nw.Ordering(down), ["n"]) for down in (False, True)),
        (nw.softmax, ["n"]),
        (nw.softmax, ["n m"]),
        (nw.log_softmax, ["n m"]),
        *((layer(axis), GRID) for layer in (nw.Softmax, nw.LogSoftmax) for axis in (0, -2)),
        *((loss, PAIR) for loss in (nw.MSE(), nw.MAE(), nw.Huber())),
        (nw.MSE(), ("n m", "n m")),
        (nw.ContrastiveLoss(5.0), ("n", "n", "1")),
        (nw.TripletLoss(), ("n", "n", "n")),
        (nw.CrossEntropy(logits=True), ("n 7", "n <7>")),
        (nw.CrossEntropy(logits=True), ("n m 7", "n m <7>")),
        (nw.CrossEntropy(logits=True), ("n", "<n>")),
        (nw.CrossEntropy("probabilities", logits=True), PAIR),
        (nw.CrossEntropy("binary", logits=True), ("n", "n")),
        *((nw.CosineLoss(), sizes) for sizes in (PAIR, ("n", "n"), ("n m", "n m"))),
        *((nw.InfoNCE(), sizes) for sizes in (PAIR, ("n m", "n m"))),
        (nw.CTCLoss(logits=True), ("3*n 7", "n <6>")),
        (nw.CrossEntropy(logits=True, partial=True), ("n 7", "n <7>")),
        (nw.DetectionLoss(3, 4, (1,)), ("3 4 7", "n 5")),
        (nw.LayerNorm(eps=0), LINE),
        (nw.RMSNorm(eps=0), LINE),
        (nw.Resize(5), LINE),
        (nw.Resize(15, interpolation="nearest"), LINE),
        (nw.Resize((6, 3), interpolation="cubic"), GRID),
        (nw.Resize((6, 3), antialias=True), GRID),
        (nw.Resize(factor=1.5), LINE),
        (nw.Resize(factor=(2, 0.5), interpolation="cubic"), GRID),
        (nw.Resize(factor=(0.3, 2), interpolation="cubic", antialias=True), GRID),
        (nw.GroupNorm(2), LINE),
        (nw.GroupNorm(2), GRID),
        (nw.Attention(2), ("m 4", "n 4", "n 6")),
        (nw.Attention(2, 1), ("n 4", "n 2", "n 3")),
        (nw.Attention(), ("m 4", "n 4", "n 6", "m n")),
        (nw.Attention(2), ("m 4", "n 4", "n 6", "m n", "2 m n")),
        (nw.Attention(2, 1), ("m 4", "n 2", "n 3", "m n", "2 m n")),
        (nw.Attention(2, window=2), ("n 4", "n 4", "n 6")),
        (nw.Attention(window=3), ("n 4", "n 4", "n 6", "n n")),
        (Weigh(), ("m n", "n 6")),
    ),
    *rows(
        True,
        *((nw.Elementwise(name), LINE) for name in sorted(UNBOUNDED - {"acosh"})),
        (nw.log, GRID),
        (nw.CrossEntropy(), ("n 7", "n <7>")),
        (nw.KLDivergence(), PAIR),
        (nw.KLDivergence(logits=True), ("n m", "n m")),
        (nw.KLDivergence(), ("n", "n")),
        *((nw.Pairwise(name), PAIR) for name in ("div", "pow", "remainder")),
        (nw.Pairwise("div"), ("n m", "m")),
        (nw.CTCLoss(), ("3*n 7", "n <6>")),
        (nw.CrossEntropy("probabilities"), PAIR),
        (nw.CrossEntropy("probabilities"), ("n", "n")),
        (nw.CrossEntropy("binary"), ("n", "n")),
        least=0.05,
        most=0.95,
    ),
    *rows(True, (nw.Elementwise("acosh"), LINE), least=1.1, most=3),
]
UNTOLD = rows(
    False,
    (nw.Conv(4, 3), LINE),
    (nw.Conv(4, 2, stride=2), LINE),
    (nw.Conv(4, 3, padding="causal", dilation=2), LINE),
    (nw.Conv(4, (1, 3), padding=(0, 0)), GRID),
    (nw.ConvTranspose(4, 2, stride=2), GRID),
    (nw.ConvTranspose(4, 3, stride=2, padding=1), LINE),
    (nw.Resize(factor=2, interpolation="nearest"), GRID),
    (nw.Resize(factor=(0.4, 1), interpolation="nearest"), GRID),
    (nw.MaxPool(2), LINE),
    (nw.SumPool(2), LINE),
    (nw.Conv(4, 1, stride=2, padding="same"), GRID),
    (nw.Pad((2, 0), mode="reflect"), LINE),
    (nw.PReLU(), GRID),
    (nw.PReLU(per_feature=False), LINE),
    (nw.Elementwise("leaky_relu", slope=0.2), LINE),
    (nw.LocalResponseNorm(3, alpha=2), GRID),
    (nw.Dropout(0.3, unit="feature"), GRID),
    (nw.Dropout(0.3, unit="example"), LINE),
    (nw.PixelShuffle(2), GRID),
    (nw.PixelUnshuffle(2), ["2*n 2*m 3"]),
    (nw.MaxPool(2), GRID),
    (nw.AvgPool(2, stride=1), LINE),
    (nw.GridBoxes(2), GRID),
    (nw.AnchorBoxes(2, ((3, 4),)), GRID),
    (nw.Linear(5), LINE),
    (nw.Embedding(3), INDICES),
    (nw.OneHot(), INDICES),
    (nw.MatMul(), ("n 4", "4 m")),
    (nw.MatMul(), ("n 4", "4")),
    (nw.Transpose(1, 0), LINE),
    (nw.Transpose(2, 0, 1), GRID),
    (nw.Reshape(-1, 2), LINE),
    (nw.Slice(2), LINE),
    (nw.Slice(1, axis=0), LINE),
    (nw.Slice((1, -1), axis=0), LINE),
    (nw.Slice((1, 4), axis=0), INDICES),
    (nw.Pad((2, 0)), LINE),
    (nw.Concatenate(), ("n 3", "n 2")),
    (nw.Concatenate(axis=0), ("3 2", "n 2")),
    (nw.Add(), ("n 4", "n 4", "4")),
    (nw.Multiply(), ("n m", "n 1", "m")),
    (nw.where, ("n 4", "n 4", "n 4")),
    *((nw.Pairwise(name), ("n 4", "4")) for name in ("sub", "maximum", "logaddexp", "le")),
    (nw.Ordering(), LINE),
    (nw.Gather(), ("n 4", "m <n>")),
    (nw.Gather(), ("7 n", "m <7>")),
    (nw.Indices(), LINE),
    (nw.Replicate(3), LINE),
    (nw.Replicate(axis=1), ("m 3", "n 2")),
    (nw.Mean(-1), LINE),
    (nw.Max(1), LINE),
    (nw.LayerNorm(), GRID),
    (nw.RMSNorm(), LINE),
    (nw.BatchNorm(), GRID),
    (nw.Dropout(0.3), GRID),
    (nw.AlphaDropout(), LINE),
    (nw.relu, LINE),
    (nw.Elementwise("logsigmoid"), GRID),
    (nw.softmax, LINE),
    (nw.log_softmax, GRID),
    (nw.Softmax(2), GRID),
    (nw.Attention(2, causal=True), ("n 4", "n 4", "n 6")),
    (nw.Attention(causal=True), ("n 4", "n 4", "n 6", "n n")),
    (nw.Attention(2, causal=True), ("n 4", "n 4", "n 6", "n n", "2 n n")),
    (nw.Attention(2, causal=True, window=3), ("n 4", "n 4", "n 6")),
    (nw.Attention(causal=True, window=2), ("n 4", "n 4", "n 6", "n n")),
    (nw.RelativeBias(2, 4), ("m 3", "n 4")),
    (nw.Rotary(), LINE),
    (Pair(), ("m 4", "n 3")),
    (First(), LINE),
    (DropLast(), LINE),
    (DropLast(), INDICES),
    (DropFirst(), GRID),
    (Delay(), LINE),
    (Delay(3, fill=2), INDICES),
    (Delay(-20), LINE),
    (Positions(12), LINE),
    (SinePositions(), LINE),
    (nw.Segments(7), ("n 4", "n <7>")),
    (nw.Segments(), LINE),
)
ROWS = [*TOLD, *UNTOLD]


class Case:
    """A row in numbers: a bound program, the examples one by one, and the same as padded batches."""

    def __init__(self, row: Row) -> None:
        symbols = [nw.Input(f"x{i}", sizes) for i, sizes in enumerate(row.inputs)]
        net = nw.Graph({"y": row.leaf(*symbols)})
        self.generator = torch.Generator().manual_seed(5)
        self.ports = [notation.port(sizes) for sizes in row.inputs]
        self.arrays = {path: self._array(path, spec.known) for path, spec in net.plan.arrays.items()}
        self.learned = [path for path, spec in net.plan.arrays.items() if spec.weight.kind == "learned"]
        for path in self.learned:
            self.arrays[path].requires_grad_()
        built = whole_program(net)
        self.bound: Bound = built.bind(self.arrays)
        (op,) = net.plan.wiring.ops
        self.names = net.plan.solution.sizes(op)  # what the leaf's own names stand for
        self.outputs = net.plan.outputs["y"]
        self.examples = [[self._drawn(row, port, self.sizes(i)) for port in self.ports] for i in range(3)]

    def _array(self, path: str, shape: tuple[int, ...]) -> Tensor:
        array = torch.randn(shape, generator=self.generator, dtype=torch.float64)
        return array.abs() + 0.5 if path.endswith("variance") else array

    def _drawn(self, row: Row, port: notation.Port, sizes: Mapping[str, int]) -> Tensor:
        shape = [evaluate(axis.times * (named(axis.name) if axis.name else 1), sizes) for axis in port.axes]
        if port.below is not None:
            below = sizes[port.below.name] if port.below.name else port.below.times
            return torch.randint(below, shape, generator=self.generator)
        x = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return x * (row.most - row.least) + row.least

    def sizes(self, i: int) -> dict[str, int]:
        return {name: lengths[i] for name, lengths in LENGTHS.items()}

    def shape(self, i: int) -> tuple[int, ...]:
        """The output of one example."""
        return tuple(evaluate(size, self.sizes(i)) for size in self.outputs)

    def padded(self, fill: str) -> list[Tensor]:
        """The examples as a batch, something behind their ends."""
        batches = []
        for k, port in enumerate(self.ports):
            shape = [axis.times if not axis.name else axis.times * MOST[axis.name] for axis in port.axes]
            batch = torch.stack([stretched(x[k], shape) for x in self.examples])
            real = torch.stack([block(torch.zeros(shape, dtype=torch.bool), x[k].shape, True) for x in self.examples])
            if fill == "other":
                batch = torch.where(real, batch, batch.roll(1, 0))
            elif fill != "last":
                value = float(fill) if batch.is_floating_point() else (6 if "-" in fill else 0)
                batch = batch.masked_fill(~real, min(value, MOST["n"]) if port.below else value)
            batches.append(batch)
        return batches

    def run(
        self, inputs: Sequence[Tensor], examples: Sequence[int], lengths_given: bool, training: bool = False
    ) -> Tensor:
        noise = Noise(seed=3, step=0, examples=torch.tensor(examples))
        lengths = self.lengths() if lengths_given else {}
        context = RunContext(training=training, noise=noise, batch=len(examples), lengths=lengths)
        (y,) = self.bound({f"x{i}": x for i, x in enumerate(inputs)}, context)
        return y

    def lengths(self) -> dict[str, Tensor]:
        used = {axis.name for port in self.ports for axis in port.axes if axis.name}
        return {name: torch.tensor(LENGTHS[name]) for name in sorted(used)}

    def own_lengths(self) -> dict[str, object]:
        """The lengths under the leaf's own names, as its `forward` gets them."""
        return {**RunContext(lengths=self.lengths()).lengths_of(self.names)}

    def weights(self) -> dict[str, Tensor]:
        """The arrays under the leaf's own names."""
        return {path.rpartition("/")[2]: array for path, array in self.arrays.items()}

    def along(self, i: int) -> Tensor:
        """A direction for the gradient of one example's output."""
        generator = torch.Generator().manual_seed(i)
        return torch.randn(self.shape(i), generator=generator, dtype=torch.float64)


def stretched(x: Tensor, shape: Sequence[int]) -> Tensor:
    """An example as large as the batch, its last elements repeated."""
    for axis, size in enumerate(shape):
        x = x.index_select(axis, torch.arange(size).clamp_max(x.shape[axis] - 1))
    return x


def block(x: Tensor, shape: Sequence[int], value: bool) -> Tensor:
    """With a value in the part of this shape that is in front."""
    x[tuple(slice(size) for size in shape)] = value
    return x


def cut(y: Tensor, shape: Sequence[int]) -> Tensor:
    """The part of this shape that is in front."""
    return y[tuple(slice(size) for size in shape)]

"""Nets of many families, each with the lengths of an example: what a net costs is held against torch's own counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

import netwright as nw

BATCH = 32


@dataclass(frozen=True)
class Family:
    """A net and the lengths of its varying sizes; several, where a formula is to hold for each."""

    name: str
    net: nw.Net
    lengths: tuple[Mapping[str, int], ...] = field(default=({},))


def examples(net: nw.Net, lengths: Mapping[str, int], batch: int = BATCH) -> dict[str, Tensor]:
    """A batch of random examples of these lengths."""
    generator = torch.Generator().manual_seed(0)
    found: dict[str, Tensor] = {}
    for name, sizes in net.plan.inputs.items():
        shape = (batch, *(size if isinstance(size, int) else lengths[str(size)] for size in sizes))
        below = net.plan.below(("", name))
        found[name] = (
            torch.rand(shape, generator=generator)
            if below is None
            else torch.randint(0, int(str(below)), shape, generator=generator)
        )
    return found


def _residual() -> nw.Net:
    def convolved() -> list[nw.Net]:
        return [nw.Conv(16, 3, padding="same", bias=False), nw.BatchNorm()]

    block = nw.Residual(nw.Chain(*convolved(), nw.relu, *convolved()))
    return nw.Chain(*convolved(), nw.relu, block, nw.relu, block, nw.relu, nw.GlobalAvgPool(), 10, input=(16, 16, 3))


def _crossing() -> nw.Net:
    query, memory = nw.Input("query", ("m", 32)), nw.Input("memory", ("n", 32))
    read = nw.Attention(4)(nw.Linear(32)(query), nw.Linear(32)(memory), nw.Linear(32)(memory))
    return nw.Graph(nw.Linear(8)(read["output"]))


def _weighed() -> nw.Net:
    x = nw.Input("x", ("n", 16))
    read = nw.Attention(2)(nw.Linear(16)(x), nw.Linear(16)(x), nw.Linear(16)(x))
    return nw.Graph({"output": read["output"], "scores": read["scores"]})


def _gated() -> nw.Net:
    x = nw.Input("x", 32)
    inner = nw.tanh(nw.Linear(64)(x))
    return nw.Graph(nw.Linear(8)(nw.sigmoid(nw.Linear(64)(x)) * inner + inner))


def _adapted() -> nw.Net:
    plain = nw.initialize(nw.Chain(64, nw.relu, 64, nw.relu, 10, input=32))
    return nw.adapt(plain, nw.Linear, rank=4)  # the factor of an adapter is a constant


def _adapted_groups() -> nw.Net:
    plain = nw.Chain(nw.Conv(8, 3), nw.relu, nw.Conv(8, 3, groups=2), nw.Flatten(), 10, input=(12, 12, 3))
    return nw.adapt(nw.initialize(plain), nw.Conv, rank=4)


def _masked() -> nw.Net:
    x = nw.Input("x", ("n", 16))
    inner = nw.tanh(nw.Linear(64)(x))
    mask, turn = nw.Constant([0.0, 1.0] * 32)(), nw.Constant([[0.5] * 64] * 64)()
    return nw.Graph(nw.Linear(8)(nw.MatMul()(inner * mask * mask, turn)))


def _own_core() -> nw.Net:
    parts = {
        "join": (nw.Concatenate(), "input", "state"),
        "linear": (nw.Linear(24), "join"),
        "tanh": (nw.tanh, "linear"),
    }
    return nw.Fold(nw.Graph(**parts, input={"input": 8, "state": 24}), input={"input": "n 8"})


def _products() -> nw.Net:
    left, right = nw.Input("left", (12, 16)), nw.Input("right", (14, 16))
    return nw.Graph(nw.MatMul()(nw.Linear(16)(left), nw.Transpose(1, 0)(nw.Linear(16)(right))))


def _mapped() -> nw.Net:
    pictures = nw.Map(nw.Chain(nw.Conv(8, 3), nw.relu, nw.GlobalAvgPool()))
    return nw.Chain(pictures, nw.GRU(128), nw.Last(), 3, input=("n", 12, 12, 1))


def _norms() -> nw.Net:
    return nw.Chain(
        *(64, nw.LayerNorm(), nw.gelu, 64, nw.RMSNorm(), nw.silu, 64, nw.quick_gelu, 8),
        input=(10, 32),
    )


def _factors(count: int) -> nw.Net:
    x = nw.Input("x", 50)
    return nw.Graph(nw.Linear(4)(nw.Multiply()(*(nw.Linear(50)(x) for _ in range(count)))))


TWO = ({"n": 16}, {"n": 41})
FAMILIES = [
    Family("dense", nw.Chain(128, nw.relu, 64, nw.tanh, 10, input=64)),
    Family("dropout", nw.Chain(256, nw.relu, nw.Dropout(), 256, nw.selu, nw.AlphaDropout(), 8, nw.softmax, input=64)),
    Family(
        "LeNet",
        nw.Chain(
            *(nw.Conv(20, 5), nw.relu, nw.MaxPool(), nw.Conv(50, 5), nw.relu, nw.MaxPool(), nw.Flatten()),
            *(500, nw.relu, 10, nw.softmax),
            input=(28, 28, 1),
        ),
    ),
    Family("residual", _residual()),
    Family(
        "in groups",
        nw.Chain(
            *(nw.Conv(16, 3, stride=2, padding=1), nw.relu6, nw.Conv(16, 3, padding=1, groups=16), nw.relu6),
            *(nw.Conv(32, 1), nw.silu, nw.GlobalAvgPool(), 10),
            input=(32, 32, 3),
        ),
    ),
    Family(
        "lines",
        nw.Chain(
            *(nw.Conv(16, 5), nw.relu, nw.MaxPool(2), nw.Conv(32, 3, dilation=2), nw.gelu, nw.GlobalMaxPool(), 4),
            input=("n", 8),
        ),
        TWO,
    ),
    Family(
        "causal",
        nw.Chain(
            *(nw.Conv(16, 3, padding="causal"), nw.tanh, nw.Conv(16, 3, padding="causal", dilation=2), nw.tanh),
            *(nw.Linear(5), nw.softmax),
            input=("n", 8),
        ),
        TWO,
    ),
    Family("volumes", nw.Chain(nw.Conv(8, 3), nw.relu, nw.AvgPool(2), nw.Flatten(), 5, input=(10, 10, 10, 2))),
    Family(
        "groups of features",
        nw.Chain(nw.Conv(16, 3), nw.GroupNorm(4), nw.elu, nw.Max(0), nw.Mean(0), 4, input=(16, 16, 3)),
    ),
    Family("RNN", nw.Chain(nw.RNN(32), nw.Last(), 4, input=("n", 16)), TWO),
    Family("GRU", nw.Chain(nw.Embedding(32), nw.GRU(128), nw.Linear(20), nw.softmax, input="n <50>"), TWO),
    Family("LSTM", nw.Chain(nw.Embedding(32), nw.LSTM(64), nw.Last(), 5, nw.softmax, input="n <50>"), TWO),
    Family("both directions", nw.Chain(nw.Embedding(32), nw.Bidirectional(nw.GRU(128)), 4, input="n <50>"), TWO),
    Family("attention", nw.Chain(nw.self_attention(32, 4), nw.Linear(4), input=("n", 32)), TWO),
    Family(
        "transformer",
        nw.Chain(
            *(nw.Embedding(64), nw.Positions(128), nw.decoder_block(64, 4, memory=False), nw.LayerNorm()),
            *(nw.Linear(50), nw.softmax),
            input="n <50>",
        ),
        TWO,
    ),
    Family("two lengths", _crossing(), ({"m": 20, "n": 30}, {"m": 31, "n": 7})),
    Family("scores", _weighed(), TWO),
    Family("a picture for each element", _mapped(), ({"n": 10}, {"n": 23})),
    Family("a core of its own", _own_core(), TWO),
    Family("a cell, folded", nw.Fold(nw.GRUCell(128), input="n 8"), TWO),
    Family("gates", _gated()),
    Family("adapters", _adapted()),
    Family("adapters of convolutions", _adapted_groups()),
    Family("constant factors", _masked(), TWO),
    Family("norms", _norms()),
    Family("products", _products()),
    Family("three factors", _factors(3)),
    Family("five factors", _factors(5)),
    Family("turned, then flat", nw.Chain(nw.Transpose(2, 0, 1), nw.relu, nw.Flatten(), 4, input=(8, 6, 10))),
    Family(
        "turned, then element by element",
        nw.Chain(nw.Transpose(1, 0, 2), nw.Map(nw.Chain(nw.Flatten(), nw.Linear(3))), input=(8, 6, 10)),
    ),
    Family("elements of elements", nw.Chain(nw.Map(nw.Map(nw.Chain(8, nw.relu, nw.Linear(4)))), input=(5, 6, 10))),
]

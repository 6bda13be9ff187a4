"""Nets for the tests of causality: some that are causal, and some into which a leak was planted."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

import netwright as nw
from netwright.layers.position import Positions
from netwright.layers.recurrent.gru import GRU, GRUCell
from netwright.layers.recurrent.lstm import LSTM
from netwright.layers.recurrent.rnn import RNN
from netwright.layers.sequence import Delay
from netwright.net.plan.symbol import use

INPUT = ("n", 2)
Made = Callable[[], nw.Net]


class Masked(nw.Leaf):
    """Scores with a number, or minus infinity, where the key stands later than the query."""

    value: float
    ports = "n m -> n m"
    ignores_padding = True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        later = torch.ones(x.shape[1:], dtype=torch.bool).triu(1)  # (n, m)
        return x.masked_fill(later, self.value)  # (b, n, m)


def attention(*mask: nw.Net) -> nw.Net:
    """Attention written by hand, whose scores have two axes of one size."""
    x = nw.Input("input", INPUT)
    scores = nw.MatMul()(nw.Linear(4)(x), nw.Transpose(1, 0)(nw.Linear(4)(x)))
    for part in mask:
        scores = part(scores)
    return nw.Graph(nw.MatMul()(nw.softmax(scores), nw.Linear(4)(x)))


def core() -> nw.Net:
    """A part for a `Fold`, written by hand: the next state from the element and the state."""
    return nw.Graph(
        join=(nw.Concatenate(), "input", "state"),
        linear=(nw.Linear(3), "join"),
        tanh=(nw.tanh, "linear"),
        input={"input": 2, "state": 3},
    )


def chain(*parts: object, input: object = INPUT) -> Made:
    return lambda: nw.Chain(*parts, input=input)


def around_a_fold() -> nw.Net:
    """A `Fold` with work before and after it inside, that reads its element beside its state."""
    x, state = nw.Input("input", 2), nw.Input("state", 3)
    new = nw.tanh(nw.Linear(3)(nw.Concatenate()(nw.tanh(nw.Linear(4)(x)), state)))
    return nw.Fold(nw.Graph({"output": nw.Linear(5)(nw.Concatenate()(new, x)), "state": new}), input=INPUT)


def zero_branch() -> nw.Net:
    """A net whose leak is behind an array of zeros."""
    net = nw.initialize(nw.Chain(nw.Residual([nw.Conv(2, 3, padding="same"), nw.Linear()]), input=INPUT))
    return net.with_arrays({path: torch.zeros_like(a) for path, a in net.arrays.items() if "linear" in path})


def sum_with_mean() -> nw.Net:
    return nw.Graph(mean=(nw.Mean(0), "input"), sum=(nw.Add(), "input", "mean"), input=INPUT)


def start_from_the_end() -> nw.Net:
    """A `Fold` whose first state has seen all."""
    x = nw.Input("input", INPUT)
    last = use(GRU(3), x, name="gru")["hidden"]
    return nw.Graph(nw.Fold(GRUCell(3))(x, last)["output"])


CAUSAL: dict[str, Made] = {
    "gru stack": chain(GRU(4), GRU(3), nw.Linear(2)),
    "lstm": chain(LSTM(4), nw.Linear(2)),
    "rnn": chain(RNN(4), nw.Linear(2)),
    "causal convolutions": chain(nw.Conv(4, 3, padding="causal"), nw.relu, nw.Conv(3, 2, padding="causal")),
    "causal dilated convolutions": chain(*(nw.Conv(3, 2, padding="causal", dilation=2**i) for i in range(4))),
    "centred convolution after a shift": chain(Delay(), nw.Conv(4, 3, padding="same")),
    "wide convolution after a long shift": chain(Delay(3), nw.tanh, nw.Conv(4, 7, padding="same")),
    "fold": chain(nw.Fold(core())),
    "fold with work before and after": around_a_fold,
    "folds around folds": chain(nw.Linear(3), nw.Fold(GRUCell(4)), nw.Linear(3), nw.Fold(GRUCell(3))),
    "positions and gru": chain(Positions(40), GRU(4)),
    "residual gru": chain(nw.Linear(4), nw.Residual([nw.LayerNorm(), GRU(4)]), nw.Linear(2)),
    "map inside": chain(GRU(4), nw.Map([nw.Linear(6), nw.relu, nw.Linear(3)]), GRU(2)),
    "map of sequences": chain(nw.Map([GRU(3), nw.Mean(0)]), GRU(4), input=nw.Array("n m[n] 2")),
    "dropout between": chain(GRU(4), nw.Dropout(0.3), GRU(4), nw.Dropout(0.5), nw.Linear(2)),
    "language model": chain(nw.Embedding(4), GRU(6), nw.Linear(5), nw.softmax, input=nw.Array("n <5>")),
    "two sides": chain(nw.Parallel(GRU(3), nw.Conv(3, 3, padding="causal")), nw.Add()),
}
LEAKS: dict[str, tuple[Made, str]] = {  # and the part that looks ahead
    "no mask": (attention, "matmul2"),
    "a finite mask": (lambda: attention(Masked(-1e4)), "matmul2"),
    "centred convolution": (chain(GRU(3), nw.Conv(4, 3, padding="same"), nw.relu), "conv1"),
    "centred convolution on zeros": (zero_branch, "residual1/body/conv1"),
    "far dilated convolution": (chain(nw.Conv(4, 3, padding="same", dilation=20)), "conv1"),
    "both directions": (chain(nw.Bidirectional(GRU(4)), nw.Linear(3), nw.softmax), "bidirectional1/turn"),
    "a mean over all": (sum_with_mean, "mean"),
    "the last state at the start": (start_from_the_end, "gru"),
}

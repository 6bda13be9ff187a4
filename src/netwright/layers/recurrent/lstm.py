"""Long short-term memory: over a sequence, and one step of it."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from math import inf
from typing import Any

import torch
from torch import Tensor

from netwright.kernels import lstm as kernel
from netwright.kernels import recurrent, torch_recurrent
from netwright.layers.recurrent import arrays, dropped
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf
from netwright.net.run.noise import Noise
from netwright.net.run.padding import NO_LENGTHS, Lengths, length_of
from netwright.sizes.free import FREE, Free

WIDE = 512  # states from which our kernel trains faster than the one torch calls: 140 ms against 163 at 128 steps


class LSTM(Leaf):
    """Long short-term memory, forward in time: every output depends on all elements up to its own.

    i = σ(W_ii x_i + b_ii + W_hi h + b_hi), f and o likewise, g = tanh(W_ig x_i + b_ig + W_hg h + b_hg),
    c_i = f c + i g, h_i = o tanh(c_i) with h = h_{i−1}, c = c_{i−1}; output i is h_i.

    Shapes: input (n, in), hidden and cell (out,), zero where nothing feeds them; output (n, out), hidden and cell
        (out,), the states at the end of each example. weight_ih (4 out, in), weight_hh (4 out, out), bias_ih and
        bias_hh (4 out,), the gates in the order i, f, g, o.

    Fields:
        out: length of the states; FREE takes it from what follows.
        dropout: the share of the input's features that is dropped in training, the same ones at every element of an
            example; 0.
        recurrent_dropout: the same of the state that the gates read, from one step to the next; 0. With it a step is
            computed after the other, which takes several times as long in training.

    Raises: NetError for a share outside of 0 up to, not with, 1.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.LSTM(5), input="n 3").plan.outputs
        {'output': (n, 5), 'hidden': (5,), 'cell': (5,)}

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; the forget gate: Gers et al. 2000;
        dropout: Gal and Ghahramani 2016, arXiv 1512.05287
    Torch: torch.nn.LSTM
    """

    out: int | Free = FREE
    _: KW_ONLY
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    ports = "input: n in, hidden?: out, cell?: out -> output: n out, hidden: out, cell: out"
    family = "sequence"

    def __post_init__(self) -> None:
        dropped.check_rates(type(self).__name__, dropout=self.dropout, recurrent_dropout=self.recurrent_dropout)

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(4)

    def reach(self, training: bool) -> dict[str, tuple[float, float]]:
        return {"input": (-inf, 0)}

    def bounds(self) -> tuple[float, float]:
        return -1, 1  # a sigmoid times a tanh

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        n, out, inner = sizes["n"], sizes["out"], sizes["in"]
        wide = max(out, inner) if isinstance(out, int) and isinstance(inner, int) else out
        gates, states = 4 * n * out, (n + 1) * (5 * out + 6 * wide)  # as oneDNN lays out its workspace
        inside = 4 * (gates + 2 * (n + 1) * wide)
        return Kept(inputs=("input",), outputs=("output",), bytes=4 * (gates + states + 4 * out), in_use=inside)

    def forward(
        self,
        w: Mapping[str, Tensor],
        x: Tensor,
        hidden: Tensor | None = None,
        cell: Tensor | None = None,
        *,
        lengths: Lengths = NO_LENGTHS,
        wanted: frozenset[str],
        training: bool = False,
        random: Noise | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        length, wants_cell = length_of(lengths, "n"), "cell" in wanted
        x = dropped.with_dropped(x, self.dropout if training else 0, random)
        if training and self.recurrent_dropout:
            weights = arrays.weights_of(w, x)
            states = [arrays.started(state, x, weights) for state in (hidden, cell)]
            y, end, end_cell = dropped.dropped_scan(
                dropped.lstm_step, x, states, weights, length, self.recurrent_dropout, random
            )
            return y, end, end_cell if wants_cell else None
        y, end, end_cell = _recurrence(w, x, hidden, cell, length, wants_cell)  # (b, n, in) -> (b, n, out)
        return y, end, end_cell if wants_cell else None


class LSTMCell(Leaf):
    """One step of `LSTM`, with the same arrays: for a `Fold` that does more at a step than this.

    Shapes: input (in,), hidden and cell (out,); hidden and cell (out,).

    Fields:
        out: length of the states; FREE takes it from what follows.

    Example:
        >>> import netwright as nw
        >>> nw.Graph(nw.LSTMCell(5)(nw.Input("x", 3), nw.Input("h", 5), nw.Input("c", 5))["hidden"]).plan.outputs
        {'hidden': (5,)}

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"
    Torch: torch.nn.LSTMCell
    """

    out: int | Free = FREE
    ports = "input: in, hidden: out, cell: out -> hidden: out, cell: out"
    family = "sequence"

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(4)

    def over_sequence(self) -> LSTM:
        return LSTM(self.out)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), outputs=("cell",), bytes=4 * 4 * sizes["out"])

    def forward(self, w: Mapping[str, Tensor], x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        return torch.lstm_cell(
            x, (hidden, cell), *arrays.weights_of(w, x)
        )  # (b, in), (b, out), (b, out) -> (b, out), (b, out)


def _recurrence(
    w: Mapping[str, Tensor],
    x: Tensor,
    hidden: Tensor | None,
    cell: Tensor | None,
    length: Tensor | None,
    wants_cell: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The recurrence by the kernel that is fastest for it: outputs (b, n, out), and both states (b, out).

    The hidden state is that at each example's end; so is the cell where it is wanted.
    """
    weights = arrays.weights_of(w, x)
    hidden, cell = (arrays.started(state, x, weights) for state in (hidden, cell))
    learning = recurrent.learns(x, hidden, cell, *weights)
    wide = learning and recurrent.scan_pays(x, learning) and weights[1].shape[1] >= WIDE
    if wide or (length is not None and wants_cell):  # torch tells the cell of the last step alone
        return kernel.lstm_scan(x, hidden, cell, weights, length)
    return torch_recurrent.torch_lstm(x, hidden, cell, weights, length)

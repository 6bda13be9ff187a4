"""The gated recurrent unit: over a sequence, and one step of it."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from math import inf
from typing import Any

import torch
from torch import Tensor

from netwright.kernels import gru as kernel
from netwright.kernels import recurrent, torch_recurrent
from netwright.layers.recurrent import arrays, dropped
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf
from netwright.net.run.noise import Noise
from netwright.net.run.padding import NO_LENGTHS, Lengths, length_of
from netwright.sizes.free import FREE, Free

LARGE = 4096  # values in the states of a batch from which our kernel trains faster than torch in float32 too


class GRU(Leaf):
    """Gated recurrent unit, forward in time: every output depends on all elements up to its own.

    r = σ(W_ir x_i + b_ir + W_hr h + b_hr), z = σ(W_iz x_i + b_iz + W_hz h + b_hz),
    n = tanh(W_in x_i + b_in + r (W_hn h + b_hn)), h_i = (1 − z) n + z h with h = h_{i−1}; output i is h_i.

    Shapes: input (n, in), hidden (out,), zero if nothing feeds it; output (n, out), hidden (out,), the state at the end
        of each example. weight_ih (3 out, in), weight_hh (3 out, out), bias_ih and bias_hh (3 out,), the gates in the
        order r, z, n.

    Fields:
        out: length of the state; FREE takes it from what follows.
        dropout: the share of the input's features that is dropped in training, the same ones at every element of an
            example; 0.
        recurrent_dropout: the same of the state that the gates read, from one step to the next; 0. With it a step is
            computed after the other, which takes several times as long in training.

    Raises: NetError for a share outside of 0 up to, not with, 1.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.GRU(5), input="n 3").plan.outputs
        {'output': (n, 5), 'hidden': (5,)}

    Source: Cho et al. 2014, arXiv 1406.1078; the place of r in n: Nvidia's cuDNN; dropout: Gal and
        Ghahramani 2016, arXiv 1512.05287
    Torch: torch.nn.GRU
    """

    out: int | Free = FREE
    _: KW_ONLY
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    ports = "input: n in, hidden?: out -> output: n out, hidden: out"
    family = "sequence"

    def __post_init__(self) -> None:
        dropped.check_rates(type(self).__name__, dropout=self.dropout, recurrent_dropout=self.recurrent_dropout)

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(3)

    def reach(self, training: bool) -> dict[str, tuple[float, float]]:
        return {"input": (-inf, 0)}

    def bounds(self) -> tuple[float, float]:
        return -1, 1  # a state lies between values of tanh and the state before, and the first one is zero

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        n, out = sizes["n"], sizes["out"]  # of our kernel; torch's own, for small batches, keeps 7 n + 1
        return Kept(inputs=("input",), bytes=4 * (6 * n + 1) * out, in_use=4 * 4 * n * out)

    def forward(
        self,
        w: Mapping[str, Tensor],
        x: Tensor,
        hidden: Tensor | None = None,
        *,
        lengths: Lengths = NO_LENGTHS,
        training: bool = False,
        random: Noise | None = None,
    ) -> tuple[Tensor, Tensor]:
        length = length_of(lengths, "n")
        x = dropped.with_dropped(x, self.dropout if training else 0, random)
        if training and self.recurrent_dropout:
            weights = arrays.weights_of(w, x)
            states = [arrays.started(hidden, x, weights)]
            y, end = dropped.dropped_scan(dropped.gru_step, x, states, weights, length, self.recurrent_dropout, random)
            return y, end  # (b, n, out), (b, out)
        return _recurrence(w, x, hidden, length)  # (b, n, in) -> (b, n, out), (b, out)


class GRUCell(Leaf):
    """One step of `GRU`, with the same arrays: for a `Fold` that does more at a step than this.

    Shapes: input (in,), hidden (out,); hidden (out,).

    Fields:
        out: length of the state; FREE takes it from what follows.

    Example:
        >>> import netwright as nw
        >>> nw.Graph(nw.GRUCell(5)(nw.Input("x", 3), nw.Input("h", 5))).plan.outputs
        {'hidden': (5,)}

    Source: Cho et al. 2014, arXiv 1406.1078
    Torch: torch.nn.GRUCell
    """

    out: int | Free = FREE
    ports = "input: in, hidden: out -> hidden: out"
    family = "sequence"

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(3)

    def over_sequence(self) -> GRU:
        return GRU(self.out)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), bytes=4 * 6 * sizes["out"])

    def forward(self, w: Mapping[str, Tensor], x: Tensor, hidden: Tensor) -> Tensor:
        return torch.gru_cell(x, hidden, *arrays.weights_of(w, x))  # (b, in), (b, out) -> (b, out)


def _recurrence(
    w: Mapping[str, Tensor], x: Tensor, hidden: Tensor | None, length: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The recurrence by the kernel that is fastest for it: outputs (b, n, out), and states at the ends (b, out)."""
    weights = arrays.weights_of(w, x)
    hidden = arrays.started(hidden, x, weights)
    learning = recurrent.learns(x, hidden, *weights)
    large = learning and x.device.type == "cpu" and x.shape[1] >= recurrent.LEARNING_FROM and hidden.numel() >= LARGE
    if large or recurrent.scan_pays(x, learning):
        return kernel.gru_scan(x, hidden, weights, length)
    return torch_recurrent.torch_gru(x, hidden, weights, length)

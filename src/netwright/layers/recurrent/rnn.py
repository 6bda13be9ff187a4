"""The plain recurrent layer: over a sequence, and one step of it."""

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY
from math import inf
from typing import Any, Literal

import torch
from torch import Tensor

from netwright.kernels import recurrent, torch_recurrent
from netwright.kernels import rnn as kernel
from netwright.layers.recurrent import arrays, dropped
from netwright.net.leaf import Kept, Weight
from netwright.net.part import Leaf
from netwright.net.run.noise import Noise
from netwright.net.run.padding import NO_LENGTHS, Lengths, length_of
from netwright.sizes.free import FREE, Free


class RNN(Leaf):
    """Plain recurrent layer, forward in time: h_i = a(W_ih x_i + b_ih + W_hh h_{i−1} + b_hh); output i is h_i.

    Shapes: input (n, in), hidden (out,), zero if nothing feeds it; output (n, out), hidden (out,), the state at the end
        of each example. weight_ih (out, in), weight_hh (out, out), bias_ih and bias_hh (out,).

    Fields:
        out: length of the state; FREE takes it from what follows.
        activation: a, `"tanh"`, which keeps states bounded, or `"relu"`.
        dropout: the share of the input's features that is dropped in training, the same ones at every element of an
            example; 0.
        recurrent_dropout: the same of the state that the gates read, from one step to the next; 0. With it a step is
            computed after the other, which takes several times as long in training.

    Raises: NetError for a share outside of 0 up to, not with, 1.

    Example:
        >>> import netwright as nw
        >>> nw.Chain(nw.RNN(5), input="n 3").plan.outputs
        {'output': (n, 5), 'hidden': (5,)}

    Source: Elman 1990, "Finding Structure in Time"; dropout: Gal and
        Ghahramani 2016, arXiv 1512.05287
    Torch: torch.nn.RNN
    """

    out: int | Free = FREE
    _: KW_ONLY
    activation: Literal["tanh", "relu"] = "tanh"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    ports = "input: n in, hidden?: out -> output: n out, hidden: out"
    family = "sequence"

    def __post_init__(self) -> None:
        dropped.check_rates(type(self).__name__, dropout=self.dropout, recurrent_dropout=self.recurrent_dropout)

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(1)

    def reach(self, training: bool) -> dict[str, tuple[float, float]]:
        return {"input": (-inf, 0)}

    def bounds(self) -> tuple[float, float]:
        return (-1, 1) if self.activation == "tanh" else (0, inf)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("input",), bytes=4 * (sizes["n"] + 1) * sizes["out"], in_use=8 * sizes["n"] * sizes["out"])

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
            step = dropped.tanh_step if self.activation == "tanh" else dropped.relu_step
            y, end = dropped.dropped_scan(step, x, states, weights, length, self.recurrent_dropout, random)
            return y, end  # (b, n, out), (b, out)
        return _recurrence(w, x, hidden, length, self.activation)  # (b, n, in) -> (b, n, out), (b, out)


class RNNCell(Leaf):
    """One step of `RNN`, with the same arrays: for a `Fold` that does more at a step than this.

    Shapes: input (in,), hidden (out,); hidden (out,).

    Fields:
        out: length of the state; FREE takes it from what follows.
        activation: `"tanh"`, which keeps states bounded, or `"relu"`.

    Example:
        >>> import netwright as nw
        >>> nw.Graph(nw.RNNCell(5)(nw.Input("x", 3), nw.Input("h", 5))).plan.outputs
        {'hidden': (5,)}

    Source: Elman 1990, "Finding Structure in Time"
    Torch: torch.nn.RNNCell
    """

    out: int | Free = FREE
    _: KW_ONLY
    activation: Literal["tanh", "relu"] = "tanh"
    ports = "input: in, hidden: out -> hidden: out"
    family = "sequence"

    def weights(self) -> dict[str, Weight]:
        return arrays.weights(1)

    def over_sequence(self) -> RNN:
        return RNN(self.out, activation=self.activation)

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        return Kept(inputs=("*",), outputs=("*",))

    def forward(self, w: Mapping[str, Tensor], x: Tensor, hidden: Tensor) -> Tensor:
        step = torch.rnn_tanh_cell if self.activation == "tanh" else torch.rnn_relu_cell
        return step(x, hidden, *arrays.weights_of(w, x))  # (b, in), (b, out) -> (b, out)


def _recurrence(
    w: Mapping[str, Tensor], x: Tensor, hidden: Tensor | None, length: Tensor | None, activation: str
) -> tuple[Tensor, Tensor]:
    """The recurrence by the kernel that is fastest for it: outputs (b, n, out), and states at the ends (b, out)."""
    weights = arrays.weights_of(w, x)
    hidden = arrays.started(hidden, x, weights)
    grows = activation == "relu" and length is not None  # behind the end, without bound: ours stops it
    if grows or recurrent.scan_pays(x, recurrent.learns(x, hidden, *weights)):
        return kernel.rnn_scan(x, hidden, weights, length, activation)
    return torch_recurrent.torch_rnn(x, hidden, weights, length, activation)

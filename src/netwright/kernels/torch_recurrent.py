"""Recurrent functions of torch itself, for devices and sizes where they win over the kernels beside this file.

On other devices than the CPU this was not run.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from netwright.kernels import recurrent

ONE_LAYER: tuple[Any, ...] = (True, 1, 0.0, True, False, True)  # with biases, no dropout, forward in time, batch first


def torch_rnn(
    x: Tensor, hidden: Tensor, weights: Sequence[Tensor], length: Tensor | None, activation: str
) -> tuple[Tensor, Tensor]:
    """Outputs (b, n, out) and the state (b, out) at each example's end."""
    run = torch.rnn_tanh if activation == "tanh" else torch.rnn_relu
    y, last = run(x, hidden[None], list(weights), *ONE_LAYER)
    return y, _at_end(y, hidden, last[0], length)


def torch_gru(x: Tensor, hidden: Tensor, weights: Sequence[Tensor], length: Tensor | None) -> tuple[Tensor, Tensor]:
    """Outputs (b, n, out) and the state (b, out) at each example's end."""
    y, last = torch.gru(x, hidden[None], list(weights), *ONE_LAYER)
    return y, _at_end(y, hidden, last[0], length)


def torch_lstm(
    x: Tensor, hidden: Tensor, cell: Tensor, weights: Sequence[Tensor], length: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs (b, n, out), the hidden state at each example's end, and the cell after the last step."""
    y, last, last_cell = torch.lstm(x, (hidden[None], cell[None]), list(weights), *ONE_LAYER)
    return y, _at_end(y, hidden, last[0], length), last_cell[0]


def _at_end(y: Tensor, first: Tensor, last: Tensor, length: Tensor | None) -> Tensor:
    return last if length is None else recurrent.at_end(torch.cat([first[None], y.transpose(0, 1)]), length)

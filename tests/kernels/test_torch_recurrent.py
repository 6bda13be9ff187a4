"""torch's own functions behind our interface, here on the CPU: the same answers as ours, with lengths too."""

import pytest
import torch

from layers.recurrent.cases import LENGTHS, case, close, hold_to_torch
from netwright.kernels import gru, lstm, rnn, torch_recurrent

OURS = {
    "GRU": lambda x, states, arrays, length: gru.gru_scan(x, *states, arrays, length),
    "LSTM": lambda x, states, arrays, length: lstm.lstm_scan(x, *states, arrays, length),
    "tanh": lambda x, states, arrays, length: rnn.rnn_scan(x, *states, arrays, length, "tanh"),
    "relu": lambda x, states, arrays, length: rnn.rnn_scan(x, *states, arrays, length, "relu"),
}
TORCH = {
    "GRU": lambda x, states, arrays, length: torch_recurrent.torch_gru(x, *states, arrays, length),
    "LSTM": lambda x, states, arrays, length: torch_recurrent.torch_lstm(x, *states, arrays, length),
    "tanh": lambda x, states, arrays, length: torch_recurrent.torch_rnn(x, *states, arrays, length, "tanh"),
    "relu": lambda x, states, arrays, length: torch_recurrent.torch_rnn(x, *states, arrays, length, "relu"),
}


@pytest.mark.parametrize("kind", TORCH)
def test_values_and_gradients(kind) -> None:
    hold_to_torch(TORCH[kind], kind, torch.float64)


@pytest.mark.parametrize("kind", TORCH)
def test_states_at_the_ends(kind) -> None:
    known = case(kind, torch.float64)
    expected, got = (kernel[kind](known.x, known.states, known.arrays, LENGTHS) for kernel in (OURS, TORCH))
    close([got[1]], [expected[1]], 1e-10)

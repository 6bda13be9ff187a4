"""The RNN leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

import pytest
import torch

from layers.recurrent.cases import PADDINGS, case, close, hold_alone, hold_to_torch
from layers.recurrent.leaf_laws import LeafLaws
from netwright.layers.recurrent.arrays import NAMES
from netwright.layers.recurrent.rnn import RNN, RNNCell


class TestRNN(LeafLaws):
    kind, name, leaf, cell, gates = "tanh", "rnn1", RNN, RNNCell, 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])  # bf16 falls on other sides of the kink
def test_relu_too(dtype) -> None:
    hold_to_torch(relu, "relu", dtype)


@pytest.mark.parametrize("padding", PADDINGS)
def test_relu_alone_is_relu_padded(padding) -> None:
    hold_alone(relu, "relu", padding)


def relu(x, states, arrays, length):
    lengths = {} if length is None else {"n": length}
    leaf = RNN(5, activation="relu")
    return leaf.forward(dict(zip(NAMES, arrays, strict=True)), x, *states, lengths=lengths)


def test_the_cell_of_relu() -> None:
    assert RNNCell(5, activation="relu").over_sequence() == RNN(5, activation="relu")
    known = case("relu", torch.float64, (3, 1, 4, 5))
    w = dict(zip(NAMES, known.arrays, strict=True))
    hidden = RNNCell(5, activation="relu").forward(w, known.x[:, 0], known.states[0])
    close([hidden], known.outputs[1:], 1e-10)

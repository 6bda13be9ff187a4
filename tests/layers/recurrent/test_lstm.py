"""The LSTM leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

import pytest
import torch

from layers.recurrent.cases import LENGTHS, PADDINGS, asked, case, close, grads, hold_to_torch
from layers.recurrent.leaf_laws import LeafLaws
from netwright.layers.recurrent.arrays import NAMES
from netwright.layers.recurrent.lstm import LSTM, LSTMCell


class TestLSTM(LeafLaws):
    kind, name, leaf, cell, gates = "LSTM", "lstm1", LSTM, LSTMCell, 4
    states = ("hidden", "cell")
    more = {"wanted": frozenset(["output", *states])}


@pytest.mark.parametrize("padding", PADDINGS)
def test_the_cell_unwanted_changes_nothing_else(padding) -> None:
    known = case("LSTM", torch.float64)
    x = known.x.masked_fill(torch.arange(7)[:, None] >= LENGTHS[:, None, None], padding)
    given = asked([x, *known.states, *known.arrays], torch.float64)
    w = dict(zip(NAMES, given[3:], strict=True))
    results = []
    for wanted in (["output", "hidden", "cell"], ["output", "hidden"]):
        y, hidden, cell = LSTM(5).forward(w, *given[:3], lengths={"n": LENGTHS}, wanted=frozenset(wanted))
        assert (cell is None) == ("cell" not in wanted)
        results.append([hidden, *grads([hidden], [known.sums[1]], given)])
        y = y.masked_fill(torch.arange(7)[:, None] >= LENGTHS[:, None, None], 0)
        results[-1].append(y)
    close(results[1], results[0], 1e-10)


@pytest.mark.parametrize("learning", [True, False])
def test_wide_states_in_bf16(learning) -> None:
    if learning:
        hold_to_torch(TestLSTM().kernel, "LSTM", torch.bfloat16, (2, 18, 4, 512))
        return
    known = case("LSTM", torch.bfloat16, (2, 18, 4, 512))
    x, *given = [value.bfloat16() for value in (known.x, *known.states, *known.arrays)]
    close(list(TestLSTM().kernel(x, given[:2], given[2:], None)), known.outputs, 2e-2)

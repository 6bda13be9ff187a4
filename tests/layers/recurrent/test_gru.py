"""The GRU leaf and its cell: torch's answers whichever kernel is chosen, states from chunk to chunk, padding."""

import pytest
import torch

from layers.recurrent.cases import hold_to_torch
from layers.recurrent.leaf_laws import LeafLaws
from netwright.layers.recurrent.gru import GRU, GRUCell


class TestGRU(LeafLaws):
    kind, name, leaf, cell, gates = "GRU", "gru1", GRU, GRUCell, 3


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_large_states(dtype) -> None:
    hold_to_torch(TestGRU().kernel, "GRU", dtype, (32, 9, 4, 128))

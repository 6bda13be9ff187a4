"""Epochs as columns: each comes out as it went in."""

import math

import torch

from netwright.training.epochs import epoch_columns, epochs_of
from netwright.training.events import Epoch


def epoch(number: int, **validation: float) -> Epoch:
    return Epoch(number, 1 / number, validation, 0.1 / 3, 2.5e-300, 1e300, 2**53 + number)


def test_they_come_out_as_they_went_in() -> None:
    epochs = [epoch(1, loss=0.1, error=1 / 3), epoch(2, loss=math.inf, error=0.0), epoch(3, error=0.5)]
    columns = epoch_columns(epochs)
    assert {name: column.dtype for name, column in columns.items() if name in ("number", "step")} == {
        "number": torch.int64,
        "step": torch.int64,
    }
    assert epochs_of(columns) == epochs


def test_before_the_first_there_are_none() -> None:
    assert epochs_of(epoch_columns([])) == []

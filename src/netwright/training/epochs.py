"""The epochs of a run as columns of numbers, so that a checkpoint of many epochs is small and quickly written."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import torch
from torch import Tensor

from netwright.training.events import Epoch

NUMBERS = tuple(field.name for field in fields(Epoch) if field.name != "validation")
WHOLE = ("number", "step")
FIGURE, THERE = "validation ", "there "  # before the name of a figure: its column, and whether an epoch has it


def epoch_columns(epochs: Sequence[Epoch]) -> dict[str, Tensor]:
    """One array for each field, and two for each figure of the validation."""

    def column(values: list[float], kind: torch.dtype = torch.float64) -> Tensor:
        return torch.tensor(values, dtype=kind, device="cpu")

    found: dict[str, Tensor] = {}
    for name in NUMBERS:
        found[name] = column(
            [getattr(epoch, name) for epoch in epochs], torch.int64 if name in WHOLE else torch.float64
        )
    for place, name in enumerate(dict.fromkeys(name for epoch in epochs for name in epoch.validation)):
        numbered = f"{place:04d} {name}"  # a file has the arrays in an order of its own
        found[FIGURE + numbered] = column([epoch.validation.get(name, 0.0) for epoch in epochs])
        found[THERE + numbered] = column([name in epoch.validation for epoch in epochs], torch.bool)
    return found


def epochs_of(columns: Mapping[str, Tensor]) -> list[Epoch]:
    """The epochs again, from the columns."""
    lists = {name: column.tolist() for name, column in columns.items()}
    figures = sorted(name.removeprefix(FIGURE) for name in lists if name.startswith(FIGURE))
    return [
        Epoch(
            validation={
                figure.partition(" ")[2]: lists[FIGURE + figure][i] for figure in figures if lists[THERE + figure][i]
            },
            **{name: lists[name][i] for name in NUMBERS},
        )
        for i in range(len(lists["number"]))
    ]

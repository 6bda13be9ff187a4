"""A column whose rows are elsewhere reads what it is asked for, many rows at once, and names them as the user does."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from netwright.data.lazy import Lazy, Rows
from netwright.errors import DataError


class Squares(Rows):
    """Row i holds i², and row 7 is broken; it notes what is read."""

    kind = "squares"

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def __len__(self) -> int:
        return 10

    def read(self, rows: np.ndarray, ports: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        self.seen.append(rows.tolist())
        if 7 in rows:
            raise DataError(what="broken", where=f"row {rows.tolist().index(7)}")
        return dict.fromkeys(ports, rows**2)


def test_a_slice_is_read_at_once() -> None:
    rows = Squares()
    assert Lazy(rows, "")[1:4].tolist() == [1, 4, 9]
    assert rows.seen == [[1, 2, 3]]


def test_one_value() -> None:
    assert Lazy(Squares(), "")[-1] == 81


def test_picked_rows_are_not_read() -> None:
    rows = Squares()
    column = Lazy(rows, "").picked(torch.tensor([4, 2, 9])).picked(torch.tensor([2, 0]))
    assert rows.seen == [] and len(column) == 2
    assert column[:].tolist() == [81, 16] and list(column) == [81, 16]


@pytest.mark.parametrize("index", [1, slice(0, 3)])
def test_an_error_names_the_row_of_the_column(index: Any) -> None:
    column = Lazy(Squares(), "").picked(torch.tensor([3, 7, 1]))
    with pytest.raises(DataError) as caught:
        column[index]
    assert caught.value.where == "row 1"

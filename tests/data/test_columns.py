"""Columns in memory and elsewhere are picked and read alike; what one row holds for several ports is read once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netwright.data.columns import DatasetRows, column, lazy_columns, picked_columns, rows_together
from netwright.data.lazy import Lazy
from netwright.data.rows import RowPorts
from netwright.errors import DataError

PAIR = RowPorts(("input",), ("target",))


class Pairs(torch.utils.data.Dataset[Any]):
    def __init__(self) -> None:
        self.seen: list[int] = []

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        self.seen.append(index)
        return [float(index)], index % 2


class Together(Pairs):
    def __getitems__(self, indices: list[int]) -> list[Any]:
        self.together = indices
        return [self[index] for index in indices]


def test_a_row_is_read_once_for_all_ports() -> None:
    data = Pairs()
    columns = lazy_columns(DatasetRows(data, PAIR), PAIR)
    data.seen.clear()
    picked = picked_columns(columns, torch.tensor([4, 1, 3]))
    assert rows_together(picked, [2, 0]) == {"input": [[3.0], [4.0]], "target": [1, 0]}
    assert data.seen == [3, 4]
    (x, y) = picked.values()
    assert isinstance(x, Lazy) and isinstance(y, Lazy) and x.indices is y.indices  # held once


def test_arrays_of_one_shape_become_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10.0).reshape(5, 2))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    even = [[np.full(2, float(i)) for i in range(5)], [torch.full((2,), i) for i in range(5)], [*mapped]]
    for rows in even:
        found = DatasetRows(rows, None).read(np.array([3, 1]), ("",))[""]
        assert type(found) is (torch.Tensor if isinstance(rows[0], torch.Tensor) else np.ndarray)
        assert found.tolist() == [rows[3].tolist(), rows[1].tolist()]
    mixed = [[np.zeros(2), np.zeros(3)], [np.zeros(2), torch.zeros(2)], [np.zeros(2), np.zeros(2, np.int64)], [1, 2]]
    for rows in mixed:
        assert isinstance(DatasetRows(rows, None).read(np.array([0, 1]), ("",))[""], list)


def test_torchs_own_protocol_for_many_rows() -> None:
    data = Together()
    columns = lazy_columns(DatasetRows(data, PAIR), PAIR)
    assert rows_together(columns, [2, 0])["target"] == [0, 0]
    assert data.together == [2, 0]


def test_columns_of_several_kinds(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10.0).reshape(5, 2))
    columns = {
        "mapped": column(np.load(tmp_path / "x.npy", mmap_mode="r"), "mapped"),
        "array": column(np.arange(5), "array"),
        "tensor": column(torch.arange(5), "tensor"),
        "list": column(list("abcde"), "list"),
    }
    assert isinstance(columns["mapped"], Lazy)
    found: dict[str, Any] = rows_together(picked_columns(columns, torch.tensor([1, 4])), [1, 0])
    assert {port: values if port == "list" else values.tolist() for port, values in found.items()} == {
        "mapped": [[8, 9], [2, 3]],
        "array": [4, 1],
        "tensor": [4, 1],
        "list": ["e", "b"],
    }


def test_what_is_no_column() -> None:
    with pytest.raises(DataError) as caught:
        column(3, "x")
    assert caught.value.got == "int"

"""Parts have the form of the data, hold the same examples, and a stream is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset
from torch.utils.data import Dataset as TorchDataset

import netwright as nw
from netwright.data.splittable import splittable
from netwright.errors import DataError

NUMBERS, NAMES = np.arange(6) * 10, [*"abcabc"]
CHOSEN = torch.tensor([1, 4])


class Pages(TorchDataset[dict[str, Any]]):
    """Rows that are read when asked for."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict[str, Any]:
        self.read.append(index)
        return {"page": index // 2, "input": index * 10}


class Endless(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])


def plain(value: Any) -> Any:
    """Arrays inside as lists."""
    if isinstance(value, np.ndarray | torch.Tensor):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return type(value)(map(plain, value)) if isinstance(value, tuple | list) else value


@pytest.mark.parametrize(
    ("data", "names", "row", "part"),
    [
        ((NUMBERS, NAMES), ["input", "target"], (10, "b"), ([10, 40], ["b", "b"])),
        ((torch.tensor(NUMBERS), tuple(NAMES)), ["input", "target"], (10, "b"), ([10, 40], ("b", "b"))),
        (
            {"page": NAMES, "input": NUMBERS},
            ["page", "input"],
            {"page": "b", "input": 10},
            {"input": [10, 40]},
        ),
        ([*zip(NUMBERS.tolist(), NAMES, strict=True)], ["input", "target"], (10, "b"), [(10, "b"), (40, "b")]),
        (
            [{"page": i // 2, "input": i} for i in range(6)],
            ["page", "input"],
            {"page": 0, "input": 1},
            [{"input": 1}, {"input": 4}],
        ),
        (NAMES, [], "b", ["b", "b"]),
        (NUMBERS, [], 10, [10, 40]),
        (torch.tensor(NUMBERS), [], 10, [10, 40]),
    ],
)
def test_parts_have_the_form_of_the_data(data: Any, names: list[str], row: Any, part: Any) -> None:
    found = splittable(data)
    assert (found.n, [*found.names], found.row(1)) == (6, names, row)
    taken = found.part(CHOSEN, ["page"])
    assert type(taken) is type(data)
    assert plain(taken) == part


def test_a_part_of_a_data_set_and_of_a_tensor_dataset() -> None:
    taken = splittable(nw.Split(NUMBERS, NAMES)).part(CHOSEN, ["target"])
    assert isinstance(taken, nw.Split)
    assert [*taken] == [(10, "b"), (40, "b")]
    tensors = splittable(TensorDataset(torch.tensor(NUMBERS), torch.arange(6))).part(CHOSEN, [])
    assert isinstance(tensors, TensorDataset)
    assert plain(tensors.tensors) == ([10, 40], [1, 4])


def test_parts_of_a_dataset_are_views() -> None:
    data = Pages()
    found = splittable(data)
    taken, whole = found.part(CHOSEN, ["page"]), found.part(CHOSEN, [])
    assert data.read == [0]  # to see its form
    assert isinstance(taken, Subset)
    assert [taken[i] for i in range(len(taken))] == [{"input": 10}, {"input": 40}]
    assert whole[1] == {"page": 2, "input": 40}
    assert len(taken.dataset) == 6
    assert found.values("page", "by") == [0, 0, 1, 1, 2, 2]


def test_a_part_of_a_memory_map_is_read_when_needed(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", NUMBERS)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r+")
    inputs, _ = splittable((mapped, NAMES)).part(CHOSEN, [])
    mapped[4] = 7
    assert [*inputs] == [10, 7]


def test_tables_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"page": NAMES, "input": NUMBERS})
    found = splittable(table)
    assert (found.n, [*found.names], found.row(1)) == (6, ["page", "input"], {"page": "b", "input": 10})
    assert found.values("page", "by") == NAMES
    assert found.part(CHOSEN, ["page"]).to_dict("list") == {"input": [10, 40]}
    inputs, targets = splittable((table[["input"]], table["page"])).part(CHOSEN, [])
    assert (inputs["input"].tolist(), targets.tolist()) == ([10, 40], ["b", "b"])


def test_tables_of_arrow_and_of_datasets() -> None:
    arrow, datasets = pytest.importorskip("pyarrow"), pytest.importorskip("datasets")
    columns = {"page": NAMES, "input": NUMBERS.tolist()}
    for table in (arrow.table(columns), datasets.Dataset.from_dict(columns)):
        found = splittable(table)
        assert (found.n, [*found.names], found.row(1)) == (6, ["page", "input"], {"page": "b", "input": 10})
        assert found.values("page", "by") == NAMES
        taken = found.part(CHOSEN, ["page"])
        assert type(taken) is type(table)
        assert taken.column_names == ["input"]
        assert (
            [*taken.to_pydict().values()] == [[10, 40]]
            if hasattr(taken, "to_pydict")
            else taken["input"][:] == [10, 40]
        )
    inputs, _ = splittable((arrow.array([0, 1, 2, 3, 4, 5]), NAMES)).part(CHOSEN, [])
    assert inputs.to_pylist() == [1, 4]


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("page", [0, 0, 1]),
        (np.array([0.5, np.nan, 2]), [0.5, None, 2]),
        (torch.tensor([3, 2, 1]), [3, 2, 1]),
        (lambda row: [row["page"], "x"], [(0, "x"), (0, "x"), (1, "x")]),
        (
            np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[D]"),
            [*np.arange("2020-01-01", "2020-01-04", dtype="M8[D]")],
        ),
    ],
)
def test_values_come_from_a_column_a_sequence_or_a_function(said: Any, values: list[Any]) -> None:
    rows = [{"page": np.int64(0), "input": 1}, {"page": 0, "input": 2}, {"page": 1, "input": 3}]
    found = splittable(rows).values(said, "by")
    assert found == values
    assert len({*map(hash, found)} | {0}) <= 4


WANTED = "columns (inputs, targets), a list of rows, a dict of columns, or a Dataset"
STREAM = (
    "a stream has no known number of examples, so it cannot be split\n"
    "  where:    data\n"
    "  expected: data whose examples can be counted\n"
    "  got:      {}\n"
    "  mend:     list(…), if memory holds it\n"
    "  or:       validation=…, examples of its own for nw.train"
)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (iter([1, 2]), STREAM.format("list_iterator")),
        (lambda: iter([1, 2]), STREAM.format("function")),
        (Endless(), STREAM.format("Endless")),
        (DataLoader(Pages()), STREAM.format("DataLoader")),
        (None, f"this is not data\n  where:    data\n  expected: {WANTED}\n  got:      None"),
        ("pets/", f"this is not data\n  where:    data\n  expected: {WANTED}\n  got:      'pets/'"),
        (
            {"a": [1, 2], "b": [1]},
            "the columns have different lengths\n"
            "  where:    data\n"
            "  got:      a: 2\n"
            "            b: 1\n"
            "  mend:     give every example one value in each column",
        ),
        (
            nw.dataset("digits"),
            "a data set has parts already\n  where:    data\n  got:      digits\n  mend:     data.train",
        ),
    ],
)
def test_what_cannot_be_split(data: Any, text: str) -> None:
    with pytest.raises(DataError) as caught:
        splittable(data)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            "pgae",
            "the data has no column 'pgae'\n"
            "  where:    by\n"
            "  expected: one of the columns 'page', 'input'\n"
            "  mend:     did you mean 'page'?",
        ),
        (
            [1],
            "there is not one value for each example\n  where:    by\n  expected: 2 values\n  got:      1",
        ),
        (
            "other",
            "a row lacks 'other'\n  where:    row 1\n  got:      dict",
        ),
        (
            lambda row: np.zeros(2),
            "this value cannot name a group, a class or a time\n"
            "  where:    by, row 0\n"
            "  expected: a number, a text, a date, or a tuple of these\n"
            "  got:      array (2,) float64",
        ),
    ],
)
def test_values_that_do_not_fit(said: Any, text: str) -> None:
    rows = [{"page": 0, "input": 1}, {"page": 0, "input": 2}]
    if said == "other":
        rows[0]["other"] = 1
    with pytest.raises(DataError) as caught:
        splittable(rows).values(said, "by")
    assert str(caught.value) == text


def test_one_array_has_no_names() -> None:
    with pytest.raises(DataError) as caught:
        splittable(NUMBERS).values("page", "by")
    assert str(caught.value) == (
        "the data has no column 'page'\n"
        "  where:    by\n"
        "  expected: data with columns\n"
        "  mend:     by=…, a sequence with one value for each example\n"
        "  or:       by=…, a function of a row"
    )

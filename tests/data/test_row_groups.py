"""Large row groups of Parquet are cut into slices by their size in memory, and read on from slice to slice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netwright.data.row_groups import Opened, open_at_once, row_groups_of, rows_of, slices_of

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.data.row_groups.WHOLE", 4000)
    monkeypatch.setattr("netwright.data.row_groups.SLICE", 2000)


def groups(path: Path, columns: Any, **options: Any) -> list[Any]:
    pq.write_table(pa.table(columns), path, **options)
    return [group for file in ds.dataset(path).get_fragments() for group in row_groups_of(file)]


def lists(values: np.ndarray) -> Any:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def test_a_column_counts_as_large_as_it_is_in_memory(tmp_path: Path) -> None:
    zeros = lists(np.zeros((100, 50), np.float32))  # 20,000 bytes, and a few in the file
    found = slices_of(groups(tmp_path / "zeros", {"x": zeros, "y": np.zeros(100, np.int16)}))
    assert (tmp_path / "zeros").stat().st_size < 4000
    assert sum(part.bytes for part in found) == pytest.approx(100 * 50 * 4 + 100 * 2, abs=len(found))
    assert {part.rows for part in found[:-1]} == {9} and sum(part.rows for part in found) == 100


def test_small_row_groups_are_whole_and_large_ones_are_cut(tmp_path: Path) -> None:
    made = groups(tmp_path / "a", {"x": np.arange(1000.0)}, row_group_size=600)
    assert [rows_of(group) for group in made] == [600, 400]
    assert [(part.group, part.first, part.rows, part.part, part.whole) for part in slices_of(made)] == [
        (0, 0, 250, 0, False), (0, 250, 250, 0, False), (0, 500, 100, 1, False), (1, 0, 400, 2, True),
    ]  # fmt: skip
    assert open_at_once(slices_of(made)) == 3 and open_at_once(slices_of(made * 10)) == 8
    assert open_at_once(slices_of(made[1:] * 50)) == 32


def test_one_large_row_group_has_four_parts(tmp_path: Path) -> None:
    found = slices_of(groups(tmp_path / "a", {"x": np.arange(2500.0)}))
    assert [part.part for part in found] == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


def test_a_slice_after_the_one_before_reads_no_row_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = groups(tmp_path / "a", {"x": np.arange(2500.0), "y": np.arange(2500) % 7})
    files = pq.ParquetFile
    opened: list[Any] = []

    def counted(*given: Any, **more: Any) -> Any:
        opened.append(files(*given, **more))
        return opened[-1]

    monkeypatch.setattr(pq, "ParquetFile", counted)
    slices = slices_of(made)
    reading = Opened(made, slices, ds.dataset(tmp_path / "a").schema, 3)
    for numbers in ([0, 10], [1, 11], [2, 12], [3, 13]):  # two places side by side
        for number in numbers:
            x, y = reading.columns(number, ("x", "y"))
            assert x.to_pylist() == list(range(number * 125, number * 125 + 125))
            assert y.to_pylist() == [row % 7 for row in range(number * 125, number * 125 + 125)]
    assert len(opened) == 2
    assert [number for number in range(20) if number in reading] == [3, 12, 13]
    assert reading.columns(0, ("x",))[0][0].as_py() == 0.0 and len(opened) == 3


def test_a_column_that_the_folder_names_and_one_of_another_type(tmp_path: Path) -> None:
    for year, kind in ((2001, pa.int32()), (2002, pa.int64())):
        (tmp_path / f"year={year}").mkdir()
        pq.write_table(pa.table({"x": pa.array(range(1500), kind)}), tmp_path / f"year={year}" / "a")
    schema = pa.schema([("x", pa.int64()), ("year", pa.int32())])
    data = ds.dataset(tmp_path, format="parquet", partitioning="hive", schema=schema)
    made = [group for file in data.get_fragments() for group in row_groups_of(file)]
    slices = slices_of(made)
    reading = Opened(made, slices, data.schema, 3)
    for number, part in enumerate(slices):
        x, year = reading.columns(number, ("x", "year"))
        assert x.type == pa.int64() and x.to_pylist() == list(range(part.first, part.first + part.rows))
        assert year.to_pylist() == [2001 + part.group] * part.rows
    assert not any(part.whole for part in slices) and {part.group for part in slices} == {0, 1}

"""Parquet files are read a row group at a time, in an order that opens few of them at once."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.data.parquet import ParquetFiles, parquet
from netwright.data.row_groups import Opened
from netwright.data.sources import source
from netwright.errors import DataError, FileError
from netwright.training.feeds.feed import feed

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")


def table(count: int, first: int = 0) -> Any:
    x = np.arange(first, first + count, dtype=np.float64)
    pairs = pa.FixedSizeListArray.from_arrays(pa.array(np.stack([x, -x], 1).ravel()), 2)
    return pa.table({"x": pairs, "y": x % 7, "text": [str(int(i)) for i in x]})


@pytest.fixture
def files(tmp_path: Path) -> ParquetFiles:
    pq.write_table(table(50), tmp_path / "a.parquet", row_group_size=8)
    pq.write_table(table(30, 50), tmp_path / "b.parquet", row_group_size=7)
    return parquet(tmp_path / "*.parquet")


def test_rows_come_as_they_are_asked_for(files: ParquetFiles) -> None:
    rows = np.array([79, 0, 55, 8, 7, 0])
    found = files.read(rows, ("y", "text", "x"))
    assert torch.as_tensor(found["x"])[:, 0].tolist() == rows.tolist()
    assert list(found["y"]) == (rows % 7).tolist() and found["text"] == [str(i) for i in rows]
    assert len(files) == 80 and files.blocks.lengths.tolist() == [8] * 6 + [2] + [7] * 4 + [2]


def test_few_row_groups_are_open(files: ParquetFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.data.row_groups.MOST", 3)
    few = ParquetFiles(files.dataset)
    read: list[int] = []
    columns = Opened.columns

    def counted(self: Opened, number: int, names: Any) -> Any:
        read.extend([] if number in self else [number])
        found = columns(self, number, names)
        assert sum(i in self for i in range(12)) <= 4
        return found

    monkeypatch.setattr(Opened, "columns", counted)
    net = nw.Chain(nw.Linear(), input=nw.Vector(2, 0, 1), output=nw.Number(0, 1))
    run = nw.train(net, (few["x"], few["y"]), epochs=1, batch_size=4, progress=False, threads=1, choices=())
    assert len(read) <= 2 * 12 + 8  # each group once in the epoch, once for validation, and the looks at the first rows
    said = [str(choice) for choice in run.choices if choice.name == "batches"]
    assert said == [
        "batches: from 3 of 12 row groups at a time "
        "(the rows of a row group are read at once; row groups come in a random order)"
    ]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ParquetFiles:
    """One row group of 80 rows of 24 bytes, more than is read as a whole."""
    monkeypatch.setattr("netwright.data.row_groups.WHOLE", 1000)
    monkeypatch.setattr("netwright.data.row_groups.SLICE", 250)
    pq.write_table(table(80).select(["x", "y"]), tmp_path / "large.parquet")
    return parquet(tmp_path / "large.parquet")


def test_a_large_row_group_is_read_in_slices(large: ParquetFiles) -> None:
    assert large.blocks.lengths.tolist() == [10] * 8
    assert large.blocks.parts.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    rows = np.array([79, 0, 55, 8, 7, 0])
    for _ in range(2):  # forwards, and back again
        found = large.read(rows, ("y", "x"))
        assert torch.as_tensor(found["x"])[:, 0].tolist() == rows.tolist()
        assert list(found["y"]) == (rows % 7).tolist()


def test_an_epoch_of_a_large_row_group(large: ParquetFiles) -> None:
    chain = nw.Chain(nw.Linear(), input=nw.Vector(2, 0, 1), output=nw.Number(0, 1))
    made = feed(source((large["x"], large["y"])), nw.with_loss(chain, nw.MSE()), torch.device("cpu"))
    first = [batch.examples.tolist() for batch in made.epoch(1, 8, seed=0)]
    again = [batch.inputs["input"][:, 0].tolist() for batch in made.epoch(1, 8, seed=0)]
    rows = [row for batch in first for row in batch]
    assert first == again and sorted(rows) == list(range(80))
    half = rows[:40]  # the first slice of each of the four parts
    assert sorted(half) == [row for start in (0, 20, 40, 60) for row in range(start, start + 10)]
    assert half != sorted(half)
    assert made.composition(8, 0) == (
        "from 4 of 4 parts of the 1 row group at a time",
        "row groups above 4 MB are read in slices, from the first row on; parts come in a random order",
    )


def test_an_arrow_dataset_trains_on_every_row(files: ParquetFiles) -> None:
    renamed = ds.dataset(table(40).select(["x", "y"]).rename_columns(["input", "target"]))
    net = nw.Chain(nw.Linear(), input=nw.Vector(), output=nw.Number())
    assert nw.train(net, renamed, epochs=2, progress=False).net.inputs["input"].mean == (19.5, -19.5)


def test_files_go_to_other_processes(files: ParquetFiles) -> None:
    again = pickle.loads(pickle.dumps(files))
    assert again.digest() == files.digest() and len(again) == 80


def test_a_changed_file_has_another_digest(files: ParquetFiles, tmp_path: Path) -> None:
    before = files.digest()
    pq.write_table(table(30, 51), tmp_path / "b.parquet", row_group_size=7)
    assert parquet(tmp_path / "*.parquet").digest() != before


def test_a_null_is_named_by_the_users_row(tmp_path: Path) -> None:
    whole = table(20)
    holed = whole.set_column(1, "y", pa.array([None if i == 13 else float(i) for i in range(20)]))
    pq.write_table(holed, tmp_path / "a.parquet", row_group_size=6)
    found = parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError) as caught:
        nw.train(nw.Chain(nw.Linear()), (found["x"], found["y"]), progress=False)
    assert caught.value.where == "port 'target', row 13, column 'y'"


def test_pictures_as_bytes(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    rows: list[bytes] = []
    for shade in range(6):
        file = io.BytesIO()
        pil.new("L", (4, 3), shade * 40).save(file, "PNG")
        rows.append(file.getvalue())
    pq.write_table(pa.table({"picture": rows, "shade": [i * 40.0 for i in range(6)]}), tmp_path / "a.parquet")
    found = parquet(tmp_path / "a.parquet")
    net = nw.Chain(nw.Flatten(), nw.Linear(), input=nw.Image(3, 4, color="gray"), output=nw.Number(0, 255))
    run = nw.train(net, (found["picture"], found["shade"]), epochs=2, progress=False)
    assert isinstance(run.net(rows[2]), float)


def test_bad_names(files: ParquetFiles, tmp_path: Path) -> None:
    with pytest.raises(DataError) as unknown:
        files["z"]
    assert str(unknown.value) == (
        "there is no column 'z'\n  where:    ParquetFiles of 80 rows (x, y, text)\n  expected: 'x', 'y', 'text'"
    )
    with pytest.raises(FileError) as missing:
        parquet(tmp_path / "*.csv")
    assert missing.value.what == "there is no such file"
    (tmp_path / "c.parquet").write_bytes(b"no parquet")
    with pytest.raises(FileError) as broken:
        parquet(tmp_path / "c.parquet")
    assert broken.value.what == "these files cannot be read as Parquet"

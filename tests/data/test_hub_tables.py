"""Data sets of the package datasets train as the same arrays do, in each format, as views, and from any step on."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwright as nw
from netwright.data.hub_tables import HubTable, hub_column, hub_table
from netwright.data.sources import Source, source
from run_tools import Ends

datasets = pytest.importorskip("datasets")

X = np.arange(90.0).reshape(30, 3) % 7
Y = np.arange(30) % 4
NET = nw.Chain(5, nw.tanh, nw.Linear(), nw.softmax)


@pytest.fixture
def table() -> Any:
    return datasets.Dataset.from_dict({"input": X.tolist(), "target": Y.tolist()})


def read(data: Any) -> Source:
    found = source(data, ("input",), ("target",))
    assert isinstance(found, Source)
    return found


def trained(data: Any, net: nw.Net = NET, **more: Any) -> nw.Run:
    return nw.train(net, data, epochs=2, batch_size=8, threads=1, progress=False, seed=3, **more)


def test_it_trains_as_arrays_do(table: Any) -> None:
    net = nw.Chain(5, nw.tanh, nw.Linear(), nw.softmax, output=nw.Category(range(4)))
    assert trained(table, net).net == trained((X, Y), net).net


@pytest.mark.parametrize("kind", [None, "numpy", "torch", "arrow"])
def test_formats(table: Any, kind: str | None) -> None:
    found = read(table.with_format(kind))
    assert not found.drawn
    rows = found.read([7, 2, 7])
    assert np.asarray(rows["input"]).tolist() == X[[7, 2, 7]].tolist()
    assert np.asarray(rows["target"]).tolist() == Y[[7, 2, 7]].tolist()
    assert not isinstance(rows["input"], list)  # one array, not a list of numbers for each row


def test_views_are_read_by_their_own_rows(table: Any) -> None:
    view = table.shuffle(seed=1).select(range(4, 12))
    assert np.asarray(read(view).read(range(8))["target"]).tolist() == view["target"][:]
    digests = {HubTable(data).digest() for data in (table, view, table.select(range(8)), table.shuffle(seed=2))}
    assert len(digests) == 4 and HubTable(table.shuffle(seed=1).select(range(4, 12))).digest() in digests


def test_columns_by_name(table: Any) -> None:
    renamed = table.rename_columns({"input": "x", "target": "y"}).add_column("other", list("abc" * 10))
    found = read((renamed["x"], renamed["y"]))
    assert np.asarray(found.read([5])["input"]).tolist() == [X[5].tolist()]
    assert hub_column(renamed["y"]) is not None and hub_column([1, 2]) is None
    with pytest.raises(nw.DataError) as caught:
        read(renamed)
    assert caught.value.mend == ("(data['x'], data['other']), if 'other' is the target",)


def test_texts_and_classes() -> None:
    features = datasets.Features(
        {"input": datasets.Value("string"), "target": datasets.ClassLabel(names=["no", "yes"])}
    )
    table = datasets.Dataset.from_dict({"input": ["a", "bb", "a", "c"], "target": [0, 1, 0, 1]}, features=features)
    rows = read(table).read([1, 3])
    assert list(rows["input"]) == ["bb", "c"] and np.asarray(rows["target"]).tolist() == [1, 1]


def test_pictures() -> None:
    pil = pytest.importorskip("PIL.Image")
    pictures = [pil.fromarray(np.full((3, 4), shade * 9, np.uint8)) for shade in range(12)]
    features = datasets.Features({"input": datasets.Image(), "target": datasets.Value("int64")})
    table = datasets.Dataset.from_dict({"input": pictures, "target": [i % 2 for i in range(12)]}, features=features)
    net = nw.Chain(
        nw.Flatten(), nw.Linear(), nw.softmax, input=nw.Image(3, 4, color="gray"), output=nw.Category([0, 1])
    )
    arrays = np.stack([np.asarray(picture) for picture in pictures])
    runs = [trained(data, net) for data in (table, (arrays, np.arange(12) % 2), table.with_format("arrow"))]
    assert runs[0].losses == runs[1].losses == runs[2].losses


def test_a_transform_may_draw_at_random(table: Any) -> None:
    drawn = table.with_transform(lambda batch: {name: [*batch[name]] for name in batch})
    assert hub_table(drawn) is None and hub_table(table) is not None
    found = read(drawn)
    assert found.drawn and found.read([3])["target"] == [Y[3]]
    assert hub_column(drawn["target"]) is None


def test_a_null_is_named() -> None:
    table = datasets.Dataset.from_dict({"input": [[1.0], [2.0], [None]], "target": [1, 2, 3]})
    with pytest.raises(nw.DataError) as caught:
        trained(table)
    assert caught.value.what == "a list holds null" and caught.value.where.startswith("port 'input', row 2")


def test_a_run_goes_on_where_it_was_and_refuses_other_data(table: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="here"):
        trained(table, folder=folder, callbacks=[Ends(5, RuntimeError("here"))])
    assert trained(table, folder=folder).net == trained(table).net
    with pytest.raises(nw.NetwrightError) as caught:
        trained(table.shuffle(seed=0), folder=folder)
    assert caught.value.what == "this call differs from the run in the folder in data"


SCRIPT = """
import datasets
from netwright.data.hub_tables import HubTable
table = datasets.Dataset.from_dict({"a": [1, 2, 3]}).map(lambda row: {"b": row["a"] + 1}).shuffle(seed=0)
print(HubTable(table).digest())
"""


@pytest.mark.slow
def test_the_digest_is_the_same_in_another_process() -> None:
    found = [subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True).stdout for _ in range(2)]
    assert found[0] == found[1] and found[0].startswith("datasets ")

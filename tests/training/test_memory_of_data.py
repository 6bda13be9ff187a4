"""Data of any size is trained on, validation included, in a bounded amount of memory of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

import memory

MOST = 200e6  # bytes above the same run on few data, and 8 batches
MAP = """
import sys, tempfile
import numpy as np
import netwright as nw
from memory import most_while
from netwright.sizes.free import FREE

def peak(count, encoder):
    # the most memory in a run on so many pictures in a file, without pages of the file
    with tempfile.NamedTemporaryFile() as file:
        pictures = np.memmap(file.name, np.uint8, "w+", 0, (count, 28, 28))
        pictures[:: max(count // 1000, 1)] = np.arange(784, dtype=np.uint8).reshape(28, 28)
        data = np.memmap(file.name, np.uint8, "r", 0, (count, 28, 28))
        labels = np.arange(count, dtype=np.uint8) % 10
        vectors = isinstance(encoder, nw.Vector)
        data = data.reshape(count, 784) if vectors else data
        parts = [nw.Linear(8), nw.relu, nw.Linear(10), nw.softmax]
        net = nw.Chain(*([] if vectors else [nw.Flatten()]), *parts, input=encoder)
        settings = dict(epochs=1, batch_size=1024, validation=0.1, threads=1, progress=False)
        return most_while(lambda: nw.train(net, (data, labels), **settings))

encoder = eval(sys.argv[1])
few = peak(4096, encoder)
print(peak(int(sys.argv[2]), encoder) - few)
"""
STREAM = """
import sys
import numpy as np
import netwright as nw
from memory import most_while

def rows(count):  # of 4 MB each, in float32, so that little time goes into encoding them
    for i in range(count):
        yield np.full((1024, 1024), i % 256 / 256, np.float32), i % 2

def peak(data, **more):
    parts = [nw.AvgPool(64), nw.Flatten(), 2, nw.softmax]
    net = nw.Chain(*parts, input=nw.Image(1024, 1024, "gray"), output=nw.Category([0, 1]))
    settings = dict(batch_size=4, threads=1, progress=False, **more)
    return most_while(lambda: nw.train(net, data, **settings))

count, held = int(sys.argv[1]), sys.argv[2]
few = list(rows(8))
memory = peak(few, epochs=4, validation=few)
if held == "another stream":
    more = dict(steps_per_epoch=count // 4, validation=lambda: rows(60))
else:
    more = dict(validation=0.1)
print(peak(lambda: rows(count), epochs=1, **more) - memory)
"""
PARQUET = """
import sys, tempfile
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import netwright as nw
from memory import most_while

def peak(count):
    # the most memory in a run on so many pictures in one row group of a file
    with tempfile.NamedTemporaryFile() as file:
        pictures = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(1024 * 784, dtype=np.float32) % 256), 784)
        batch = pa.record_batch([pictures, pa.array(np.arange(1024) % 10)], ["pictures", "labels"])
        pq.write_table(pa.Table.from_batches([batch] * (count // 1024)), file.name, row_group_size=count)
        assert pq.read_metadata(file.name).num_row_groups == 1
        data = nw.parquet(file.name)
        net = nw.Chain(nw.Linear(8), nw.relu, nw.Linear(10), nw.softmax, input=nw.Vector(784, 0, 1))
        settings = dict(epochs=1, batch_size=1024, validation=0.1, threads=1, progress=False)
        return most_while(lambda: nw.train(net, (data["pictures"], data["labels"]), **settings))

few = peak(1024)
print(peak(int(sys.argv[1])) - few)
"""
ENCODERS = ["nw.Vector()", "nw.Array('28 28')", "nw.Image(28, 28, color='gray', mean=FREE, deviation=FREE)"]


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory is a program's own")


def above(script: str, *given: object) -> int:
    """What a program printed: bytes above a run on few data."""
    command = [sys.executable, "-c", script, *map(str, given)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(memory.__file__).parent)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@linux
def test_200_megabytes_of_a_memory_map() -> None:
    assert above(MAP, "nw.Array('28 28')", 200_000_000 // 784) < 0.3 * MOST


@linux
@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS)
def test_2_gigabytes_of_a_memory_map(encoder: str) -> None:
    batch = 1024 * 784 * 4
    assert above(MAP, encoder, 2_000_000_000 // 784) < MOST + 8 * batch


@linux
@pytest.mark.parametrize("count", [48 * 1024, pytest.param(1024 * 1024, marks=pytest.mark.slow)])
def test_one_row_group_of_a_parquet_file(count: int) -> None:
    pytest.importorskip("pyarrow")
    batch = 1024 * 784 * 4
    assert above(PARQUET, count) < MOST + 8 * batch


@linux
@pytest.mark.parametrize(
    ("held", "count"),
    [
        ("a part of it", 100),
        pytest.param("a part of it", 1_000, marks=pytest.mark.slow),
        pytest.param("another stream", 2_500, marks=pytest.mark.slow),
    ],
)
def test_4_megabytes_of_a_stream_for_each_example(held: str, count: int) -> None:
    batch = 4 * 1024 * 1024 * 4
    assert above(STREAM, count, held) < MOST + 8 * batch

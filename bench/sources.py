"""How fast a run is on data that is read when it is needed, against the same data in memory, for bench.runs."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

import netwright as nw

CLASSES = 10


class Rows(torch.utils.data.Dataset[Any]):
    """Pictures one by one, as a user's Dataset gives them."""

    def __init__(self, pictures: np.ndarray, labels: np.ndarray) -> None:
        self.pictures, self.labels = pictures, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return torch.from_numpy(self.pictures[index]), int(self.labels[index])


def forms(folder: Path, count: int) -> dict[str, tuple[Any, int]]:
    """The same pictures in every form, each with its number of workers."""
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (count, 784), dtype=np.uint8).astype(np.float32)
    labels = draw.integers(0, CLASSES, count)
    np.save(folder / "pictures.npy", pictures)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(pictures.ravel()), 784)
    arrow = pa.table({"input": lists, "target": labels})
    pq.write_table(arrow, folder / "pictures.parquet", row_group_size=2000)
    files = nw.parquet(folder / "pictures.parquet")
    with open(folder / "plain.jsonl", "w") as plain, gzip.open(folder / "small.jsonl.gz", "wt") as small:
        for picture, label in zip(pictures.astype(int), labels, strict=True):
            line = json.dumps({"input": picture.tolist(), "target": int(label)}) + "\n"
            plain.write(line)
            small.write(line)

    def one_by_one() -> Iterator[Any]:
        yield from zip(pictures, labels, strict=True)

    return {
        "memory": ((pictures, labels), 0),
        "memory map": ((np.load(folder / "pictures.npy", mmap_mode="r"), labels), 0),
        "Arrow table": (arrow, 0),
        "Parquet": ((files["input"], files["target"]), 0),
        "Dataset": (Rows(pictures, labels), 0),
        "Dataset, 2 workers": (Rows(pictures, labels), 2),
        "generator": (one_by_one, 0),
        "jsonl": (nw.jsonl(folder / "plain.jsonl"), 0),
        "jsonl.gz": (nw.jsonl(folder / "small.jsonl.gz"), 0),
    }


NETS: dict[str, Callable[[], nw.Net]] = {
    # a step takes some 20 ms
    "convolutional": lambda: nw.Chain(
        nw.Reshape(28, 28, 1), nw.Conv(16, 3), nw.relu, nw.MaxPool(2), nw.Conv(32, 3), nw.relu, nw.MaxPool(2),
        nw.Flatten(), nw.Linear(CLASSES), nw.softmax, input=nw.Array(784),
    ),
    # about as long as it takes to read a batch
    "dense": lambda: nw.Chain(512, nw.relu, 512, nw.relu, CLASSES, nw.softmax, input=nw.Array(784)),
}  # fmt: skip


def candidate(data: Any, workers: int, net: nw.Net) -> Callable[[], float]:
    """The seconds that the steps of one epoch took, reading included."""

    def turn() -> float:
        run = nw.train(net, data, epochs=1, batch_size=64, threads=1, progress=False, workers=workers)
        return sum(epoch.seconds for epoch in run.epochs)

    return turn

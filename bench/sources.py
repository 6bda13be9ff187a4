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

CLASSES, EPOCHS = 10, 3


class Rows(torch.utils.data.Dataset[Any]):
    """Pictures one by one, as a user's Dataset gives them."""

    def __init__(self, pictures: np.ndarray, labels: np.ndarray) -> None:
        self.pictures, self.labels = pictures, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return torch.from_numpy(self.pictures[index]), int(self.labels[index])


def pictures(folder: Path, count: int) -> dict[str, tuple[Any, int]]:
    """The same pictures in every form, each with its number of workers."""
    draw = np.random.default_rng(0)
    seen = draw.integers(0, 256, (count, 784), dtype=np.uint8).astype(np.float32)
    labels = draw.integers(0, CLASSES, count)
    np.save(folder / "pictures.npy", seen)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(seen.ravel()), 784)
    arrow = pa.table({"input": lists, "target": labels})
    pq.write_table(arrow, folder / "pictures.parquet", row_group_size=2000)
    files = nw.parquet(folder / "pictures.parquet")
    with open(folder / "plain.jsonl", "w") as plain, gzip.open(folder / "small.jsonl.gz", "wt") as small:
        for picture, label in zip(seen.astype(int), labels, strict=True):
            line = json.dumps({"input": picture.tolist(), "target": int(label)}) + "\n"
            plain.write(line)
            small.write(line)

    def one_by_one() -> Iterator[Any]:
        yield from zip(seen, labels, strict=True)

    return {
        "memory": ((seen, labels), 0),
        "memory map": ((np.load(folder / "pictures.npy", mmap_mode="r"), labels), 0),
        "Arrow table": (arrow, 0),
        "Parquet": ((files["input"], files["target"]), 0),
        "Dataset": (Rows(seen, labels), 0),
        "Dataset, 2 workers": (Rows(seen, labels), 2),
        "generator": (one_by_one, 0),
        "jsonl": (nw.jsonl(folder / "plain.jsonl"), 0),
        "jsonl.gz": (nw.jsonl(folder / "small.jsonl.gz"), 0),
    }


def sentences(folder: Path, count: int) -> dict[str, tuple[Any, int]]:
    """The same sentences in every form of a stream, each with its number of workers.

    They are of one length: in memory, batches are made of sentences of similar length, which streams cannot know.
    """
    draw = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(2000)])
    texts = [" ".join(words[draw.integers(0, len(words), 16)]) for _ in range(count)]
    labels = draw.integers(0, CLASSES, count).tolist()
    with open(folder / "texts.jsonl", "w") as plain, gzip.open(folder / "texts.jsonl.gz", "wt") as small:
        for text, label in zip(texts, labels, strict=True):
            line = json.dumps({"input": text, "target": label}) + "\n"
            plain.write(line)
            small.write(line)

    def one_by_one() -> Iterator[Any]:
        yield from zip(texts, labels, strict=True)

    return {
        "memory": ((texts, labels), 0),
        "generator": (one_by_one, 0),
        "jsonl": (nw.jsonl(folder / "texts.jsonl"), 0),
        "jsonl.gz": (nw.jsonl(folder / "texts.jsonl.gz"), 0),
    }


NETS: dict[str, tuple[Callable[[Path, int], dict[str, tuple[Any, int]]], Callable[[], nw.Net]]] = {
    # a step takes some 20 ms
    "convolutional net on pictures": (pictures, lambda: nw.Chain(
        nw.Reshape(28, 28, 1), nw.Conv(16, 3), nw.relu, nw.MaxPool(2), nw.Conv(32, 3), nw.relu, nw.MaxPool(2),
        nw.Flatten(), nw.Linear(CLASSES), nw.softmax, input=nw.Array(784),
    )),
    # about as long as it takes to read a batch
    "dense net on pictures": (pictures, lambda: nw.Chain(
        512, nw.relu, 512, nw.relu, CLASSES, nw.softmax, input=nw.Array(784),
    )),
    "recurrent net on sentences": (sentences, lambda: nw.Chain(
        nw.Embedding(32), nw.GRU(64), nw.Last(), nw.Linear(CLASSES), nw.softmax, input=nw.Words(),
    )),
}  # fmt: skip
"""Nets, each with what makes its data."""


def candidate(data: Any, workers: int, net: nw.Net) -> Callable[[], float]:
    """The seconds that the epochs took, reading included."""

    def turn() -> float:
        run = nw.train(net, data, epochs=EPOCHS, batch_size=64, threads=1, progress=False, workers=workers)
        return sum(epoch.seconds for epoch in run.epochs)

    return turn

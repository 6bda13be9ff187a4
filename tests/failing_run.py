"""Runs that fail on several processes, as programs of torchrun: each writes what it was told, by its rank."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import torch

import netwright as nw
from in_folder import LONG, trained_in
from netwright.errors import TrainingError
from netwright.training.processes import launched
from netwright.training.result import Run
from not_finite import CASES
from sharded_run import in_shares
from together import RANK, ends, refused, rows, train


def said(name: str, folder: Path) -> str:
    """The error with which a run stops, and its notes."""
    net, data, more, _ = CASES[name]
    try:
        nw.train(net, data, folder=folder, epochs=3, batch_size=10, threads=1, progress=False, **more)
    except TrainingError as error:
        return str(error)
    return "not refused"


def numbers(folder: Path) -> None:
    found: dict[str, str] = {}
    for held in ("whole", "shares"):
        with in_shares() if held == "shares" else nullcontext():
            found |= {f"{held}/{name}": said(name, folder / held / name) for name in CASES}
    (folder / f"{RANK}.json").write_text(json.dumps(found))


def versions(folder: Path) -> None:
    """One process has another torch, in a folder where a run has begun."""
    if RANK == 1:
        torch.__version__ = "1.0"
    try:
        trained_in(folder / "run")
    except TrainingError as error:
        (folder / f"{RANK}.json").write_text(json.dumps(str(error)))
        start = time.monotonic()
        while not all((folder / f"{rank}.json").exists() for rank in (0, 1)) and time.monotonic() - start < LONG:
            time.sleep(0.01)  # so that torchrun does not end the other process before it has said its error
        raise


UNEQUAL: dict[str, Callable[[Path], Run]] = {  # each with what differs
    "netwright": lambda _: with_another_netwright(),
    "net": lambda _: train(ends(8 + RANK), rows(20)),
    "data of another size": lambda _: train(ends(8), (rows(20)[0][:, : 6 - RANK], rows(20)[1])),
    "classes": lambda _: of_classes(3 + RANK),
    "number of examples": lambda _: train(ends(8), rows(20 + 400 * RANK), batch_size=None, schedule="constant"),
    "data": lambda _: train(ends(8), rows(20, seed=RANK)),
    "epochs": lambda _: train(ends(8), rows(20), epochs=2 + RANK),
    "batch_size": lambda _: train(ends(8), rows(20), batch_size=RANK * 5 or None),
    "precision": lambda _: train(ends(8), rows(20), precision="float32" if RANK else "float64"),
    "validation": lambda _: train(ends(8), rows(20), validation=4 if RANK else None),
    "learning_rate": lambda _: train(ends(8), rows(20), learning_rate={"linear1": 0} if RANK else 0.1),
    "folder": lambda folder: train(ends(8), rows(20), folder=folder / "some" if RANK else None),
}


def with_another_netwright() -> Run:
    with patch.object(launched, "netwright_version", lambda: f"0.{RANK}"):
        return train(ends(8), rows(20))


def of_classes(count: int) -> Run:
    """A net whose last layer is as wide as there are classes in the data."""
    net = nw.Chain(4, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector(6), output=nw.Category())
    return train(net, (rows(20)[0], [i % count for i in range(20)]))


def unequal(folder: Path) -> None:
    found = {name: refused(lambda make=make: make(folder)) for name, make in UNEQUAL.items()}
    (folder / f"{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    {"numbers": numbers, "versions": versions, "unequal": unequal}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])

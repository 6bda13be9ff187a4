"""Runs that fail on several processes, as programs of torchrun: each writes what it was told, by its rank."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import netwright as nw
from netwright.errors import TrainingError
from not_finite import CASES
from sharded_run import in_shares
from together import RANK


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


if __name__ == "__main__":
    {"numbers": numbers}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])

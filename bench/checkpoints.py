"""What keeping a run in a folder costs, against the same run without: python -m bench.checkpoints"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.interleave import interleave, table

import netwright as nw


def nets() -> dict[str, tuple[nw.Net, tuple[int, ...]]]:
    """A net with costly steps, one with cheap steps, and one with much state; each with the shape of an example."""
    classes = (10, nw.softmax)
    return {
        "conv": (
            nw.Chain(nw.Conv(16, (3, 3)), nw.relu, nw.Flatten(), *classes, input=nw.Array((28, 28, 1))),
            (28, 28, 1),
        ),
        "mlp": (nw.Chain(128, nw.relu, *classes, input=nw.Array(784)), (784,)),
        "large": (nw.Chain(4096, nw.relu, 1024, nw.relu, *classes, input=nw.Array(784)), (784,)),
    }


def candidate(net: nw.Net, data: Any, epochs: int, folder: Path | None) -> Callable[[], float]:
    """The seconds of a whole call, the first and the last files included."""

    def turn() -> float:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        start = time.perf_counter()
        nw.train(net, data, epochs=epochs, optimizer="adam", threads=1, progress=False, folder=folder)
        return time.perf_counter() - start

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    draw = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (chosen.examples,), generator=draw)
    with tempfile.TemporaryDirectory() as place:
        for name, (net, shape) in nets().items():
            data = (torch.randn(chosen.examples, *shape, generator=draw), labels)
            found = {
                "without a folder": candidate(net, data, chosen.epochs, None),
                "with a folder": candidate(net, data, chosen.epochs, Path(place, name)),
            }
            print(
                name
                + "\n"
                + table(interleave(found, chosen.repeats, "without a folder"), chosen.examples * chosen.epochs)
            )


if __name__ == "__main__":
    main()

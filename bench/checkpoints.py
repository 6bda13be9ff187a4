"""What keeping a run in a folder costs, against the same run without one, for bench.runs."""

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench.interleave import Row, interleave

import netwright as nw

EXAMPLES = 4000


def nets() -> dict[str, nw.Net]:
    """A net with costly steps, one with cheap steps, and one with much state."""
    classes = (10, nw.softmax)
    convolution = (nw.Reshape(28, 28, 1), nw.Conv(16, 3), nw.relu, nw.Flatten())
    return {
        "convolutional": nw.Chain(*convolution, *classes, input=nw.Array(784)),
        "small dense": nw.Chain(128, nw.relu, *classes, input=nw.Array(784)),
        "large dense": nw.Chain(4096, nw.relu, 1024, nw.relu, *classes, input=nw.Array(784)),
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


def kept(net: nw.Net, seconds: float, repeats: int, place: Path) -> tuple[int, list[Row]]:
    """Steps of a run that takes about so many seconds, and the race of that run without and with a folder."""
    draw = torch.Generator().manual_seed(0)
    data = (torch.randn(EXAMPLES, 784, generator=draw), torch.randint(0, 10, (EXAMPLES,), generator=draw))
    first = nw.train(net, data, epochs=2, optimizer="adam", threads=1, progress=False)
    epochs = max(2, math.ceil(seconds / first.epochs[-1].seconds))
    found = {
        "without a folder": candidate(net, data, epochs, None),
        "with a folder": candidate(net, data, epochs, place),
    }
    return epochs * len(first.losses) // 2, interleave(found, repeats, "without a folder")

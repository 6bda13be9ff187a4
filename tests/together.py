"""What every process of the tests runs: it trains in several ways, and writes what came out, by its rank."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import netwright as nw
from netwright.errors import NetwrightError
from netwright.training.result import Run

RANK = int(os.environ.get("RANK", "0"))


def rows(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))
    return x, x.sum(1).abs()


def texts(count: int) -> list[str]:
    return ["abcabcabcabcabc"[i % 3 : 4 + i % 3 + i % 8] for i in range(count)]


def ends(*body: Any) -> nw.Net:
    return nw.Chain(*body, nw.Linear(), input=nw.Vector(6), output=nw.Number())


def train(net: nw.Net, data: Any, **more: Any) -> Run:
    options = {"epochs": 2, "batch_size": 9, "threads": 1, "progress": False, "precision": "float64", "seed": 3, **more}
    return nw.train(net, data, **options)


class Rows(torch.utils.data.Dataset):
    """Rows that do something when one is read, in the second process alone."""

    def __init__(self, act: Callable[[], None], at: int) -> None:
        self.x, self.y = rows(40)
        self.act, self.left = act, at

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.left -= 1
        if self.left == 0 and RANK == 1:
            self.act()
        return self.x[i], self.y[i]


EQUAL: dict[str, Callable[[], Run]] = {
    # 61 − 11 = 50 examples: batches of 9, of which no number of processes is a divisor, and a last one of 5
    "batch norm, dropout, weights": lambda: train(
        ends(8, nw.BatchNorm(), nw.relu, nw.Dropout(0.3)), rows(61), validation=11, optimizer="sgd", clip=1.0,
        epochs=9, weights=[1 + i % 3 for i in range(61)], schedule="constant", learning_rate=0.01,
    ),
    "penalties": lambda: train(ends(8, nw.tanh), rows(40), penalties={"*/weight": nw.L2(0.1), "linear1": nw.L1(0.03)}),
    "parts in turn": lambda: train(
        nw.gan(
            nw.Chain(5, nw.BatchNorm(), nw.relu, 6, input=3),
            nw.Chain(8, nw.relu, 1, nw.sigmoid, input=nw.Vector(6)),
        ),
        rows(40)[0], clip=0.3, objective=nw.Alternate({"disc*": "discriminator_loss", "gen*": "generator_loss"}),
    ),
    "a last batch of one": lambda: train(ends(8, nw.tanh), rows(19), learning_rate=0.01),
    "lengths": lambda: train(
        nw.Chain(
            nw.Embedding(4), nw.GRU(5), nw.BatchNorm(), nw.Last(), nw.Linear(), nw.softmax,
            input=nw.Characters("abc"), output=nw.Category([*"abc"]),
        ),
        (texts(40), [text[-1] for text in texts(40)]), validation=8,
    ),
    "mixup": lambda: train(ends(8, nw.tanh), rows(31), mixup=0.4, validation=5),
    "variation": lambda: train(
        nw.Chain(
            *(nw.Flatten(), 8, nw.tanh, nw.Linear()),
            input=nw.Image(6, 4, "gray", vary=(nw.Shift(1), nw.Rotate(20), nw.GaussianNoise(0.1))),
            output=nw.Number(),
        ),
        (rows(120)[0].sigmoid().reshape(30, 6, 4), rows(30)[1]),
    ),
    "a stream": lambda: train(ends(8, nw.tanh), lambda: zip(*map(torch.Tensor.tolist, rows(40)), strict=True)),
    "a figure chooses the epoch": lambda: train(
        ends(8, nw.tanh), rows(40), validation=10, measurements=["mae", "r2"], best="r2", learning_rate=0.01, epochs=3
    ),
    "a range test": lambda: train(ends(8, nw.tanh), rows(40), learning_rate=nw.RangeTest(steps=40)),
    "a rate that a callback changes": lambda: train(
        ends(8, nw.tanh), rows(40), learning_rate=0.01, callbacks=[Slows()]
    ),
}  # fmt: skip


class Slows(nw.Callback):
    """Changes the rate twice, and looks at the net; only the first process calls it."""

    def on_step(self, status: nw.Status) -> None:
        if status.step in (3, 6):
            status.rate_factor /= 8
            self.seen = status.net()


CLOSE: dict[str, Callable[[], Run]] = {
    "kernels": lambda: train(ends(8, nw.relu), rows(40), precision="float32", validation=10),
}


def kept(run: Run) -> dict[str, Any]:
    return {
        "arrays": {path: array.tolist() for path, array in run.last.arrays.items()},
        "losses": run.losses,
        "measured": [dict(epoch.validation) for epoch in run.epochs],
        "same on all": repr((run.epochs, run.choices, run.seconds, run.ended)),
        "ended": run.ended,
    }


def refused(make: Callable[[], Any]) -> str:
    try:
        make()
    except (NetwrightError, OSError) as error:
        return str(error)
    return "not refused"


def interrupted() -> None:
    signal.raise_signal(signal.SIGINT)


def broken() -> None:
    raise OSError("the disk of the second process is gone")


def main(folder: Path) -> None:
    found: dict[str, Any] = {name: kept(make()) for name, make in {**EQUAL, **CLOSE}.items()}
    found["stopped"] = kept(train(ends(8), Rows(interrupted, 200), epochs=9, progress=True))
    found["other data"] = refused(lambda: train(ends(8), rows(20, seed=RANK)))
    found["other setting"] = refused(lambda: train(ends(8), rows(20), batch_size=9 if RANK else None))
    found["small batch"] = refused(lambda: train(ends(8), rows(20), batch_size=1))
    module = nw.Module(torch.nn.BatchNorm1d(6), "6 -> 6")
    found["own statistics"] = refused(lambda: train(ends(module), rows(20)))
    found["broken"] = refused(lambda: train(ends(8), Rows(broken, 200), epochs=9))
    found["left as it was"] = not torch.distributed.is_initialized()
    (folder / f"{RANK}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

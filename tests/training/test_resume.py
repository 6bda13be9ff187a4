"""A run that goes on from a snapshot is the run that was never interrupted, bit for bit."""

import json
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow
import pyarrow.dataset
import pytest
import torch

import netwright as nw
from netwright.training.events import Callback, Status
from netwright.training.loop import Loop
from netwright.training.optimizers import OPTIMIZERS, optimizer_of
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare
from netwright.training.schedules import SCHEDULES
from netwright.training.snapshot import Snapshot


def stream() -> Any:
    yield from rows(40)


def rows(count: int) -> list[dict[str, Any]]:
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(count, 4, generator=draw)
    return [{"input": a.tolist(), "target": float(a.sum())} for a in x]


def mapped(count: int) -> tuple[Any, list[float]]:
    """As `rows`, with inputs in a file."""
    found = rows(count)
    with tempfile.TemporaryFile() as file:
        np.save(file, [row["input"] for row in found])
        return np.memmap(file, np.float64, "r", 128, (count, 4)), [row["target"] for row in found]


def arrow(count: int) -> Any:
    """As `rows`, in an Arrow table."""
    found = rows(count)
    return pyarrow.table({name: [row[name] for row in found] for name in ("input", "target")})


class Pairs(torch.utils.data.Dataset[Any]):
    """As `rows`, read one by one."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> Any:
        return rows(20)[index]


def texts(count: int) -> list[str]:
    return ["abcabcabcabc"[: 2 + i % 9] for i in range(count)]


def plain() -> nw.Net:
    return nw.Chain(8, nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number())


SETTINGS: dict[str, tuple[Callable[[], nw.Net], Any, dict[str, Any]]] = {
    **{f"optimizer {name}": (plain, rows(40), {"optimizer": o}) for name, o in OPTIMIZERS.items()},
    "optimizer of torch": (plain, rows(40), {"optimizer": torch.optim.NAdam}),
    **{f"schedule {name}": (plain, rows(40), {"schedule": name}) for name in SCHEDULES},
    "validation": (plain, rows(40), {"validation": 10}),
    "rates": (plain, rows(40), {"learning_rate": {"linear1": 0, "linear2": 0.01, "linear2/bias": 0.003}}),
    "bf16": (plain, rows(40), {"precision": "bf16"}),
    "float64": (plain, rows(40), {"precision": "float64", "validation": 10}),
    "clip, weights": (plain, rows(40), {"clip": 0.1, "weights": [1 + i % 3 for i in range(40)]}),
    "stream": (plain, stream, {}),
    "Arrow table": (plain, arrow(40), {"validation": 10}),
    "Arrow dataset": (plain, pyarrow.dataset.dataset([arrow(17), arrow(23)]), {}),
    "workers": (plain, Pairs(), {"workers": 1, "epochs": 2}),
    "memory map": (plain, mapped(40), {"validation": 10}),
    "last batch joined": (
        lambda: nw.Chain(6, nw.BatchNorm(), nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number()),
        rows(41), {},
    ),
    "running arrays, dropout": (
        lambda: nw.Chain(
            8, nw.BatchNorm(), nw.relu, nw.Dropout(0.3), nw.Linear(), input=nw.Vector(4), output=nw.Number()
        ),
        rows(40), {"validation": 10},
    ),
    "bucketing": (
        lambda: nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc")),
        texts(40), {"objective": nw.NextElement()},
    ),
}  # fmt: skip


class Taker(Callback):
    """Takes a snapshot after every step and every epoch."""

    def __init__(self) -> None:
        self.loop: Loop | None = None
        self.found: list[Snapshot] = []

    def on_step(self, status: Status) -> None:
        assert self.loop is not None
        self.found.append(self.loop.snapshot())

    on_epoch = on_step


def loop_of(name: str, *callbacks: Callback) -> Loop:
    net, data, more = SETTINGS[name]
    options = {"epochs": 3, "batch_size": 10, "threads": 1, "seed": 1, "choices": (), **more}
    if "optimizer" in options:
        options["optimizer"] = optimizer_of(options["optimizer"])
    filled = {field: options.get(field) for field in Options.__dataclass_fields__}
    return Loop(prepare(net(), data, Options(**filled)), callbacks)


def stored(snapshot: Snapshot) -> Snapshot:
    """As a file gives it back."""
    return Snapshot(
        {path: array.clone() for path, array in snapshot.arrays.items()}, json.loads(json.dumps(snapshot.plain))
    )


def same(left: Snapshot, right: Snapshot) -> bool:
    arrays = left.arrays.keys() == right.arrays.keys() and all(
        torch.equal(array, right.arrays[path]) for path, array in left.arrays.items()
    )
    return arrays and _timeless(left.plain) == _timeless(right.plain)


def _timeless(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {
            key: _timeless(value) for key, value in plain.items() if "seconds" not in key and "per_second" not in key
        }
    return [_timeless(value) for value in plain] if isinstance(plain, list) else plain


@pytest.mark.parametrize("name", SETTINGS)
def test_cut_at_every_step(name: str) -> None:
    taker = Taker()
    taker.loop = loop_of(name, taker)
    begun = taker.loop.snapshot()
    taker.loop.run()
    whole = taker.loop.snapshot()
    assert len(taker.found) == taker.loop.status.steps + taker.loop.status.epochs  # after every step and epoch
    for cut in (begun, *taker.found):
        again = loop_of(name)
        again.restore(stored(cut))
        assert same(again.snapshot(), cut)
        again.run()
        assert same(again.snapshot(), whole)
        assert again.status.ended == "all epochs done"

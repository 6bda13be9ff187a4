"""A run that goes on from a snapshot is the run that was never interrupted, bit for bit."""

import functools
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.dataset
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

import netwright as nw
from netwright.data.jsonl import JsonLines
from netwright.training.events import Callback, Status
from netwright.training.loop import Loop
from netwright.training.optimizers import OPTIMIZERS, optimizer_of
from netwright.training.prepare.arguments import measurements as as_measured
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


def judge() -> nw.Net:
    return nw.Chain(6, nw.relu, nw.Dropout(0.2), 1, nw.sigmoid, input=nw.Vector(4))


GAN = nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})


class Numbered(IterableDataset):
    """Says its place and goes to one; each pass is longer than the one before."""

    def __init__(self) -> None:
        self.passes = self.begin = self.given = 0

    def set_epoch(self, epoch: int) -> None:
        self.passes = epoch

    def state_dict(self) -> dict[str, int]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.begin = state["given"]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        begin, self.begin = self.begin, 0
        for number, row in enumerate(rows(37 + 5 * self.passes)[begin:], begin + 1):
            self.given = number
            yield row


class NumberedByTensor(Numbered):
    """Its state is no JSON, so a checkpoint does not hold it, and examples are skipped."""

    def state_dict(self) -> dict[str, Any]:
        return {"given": torch.tensor(self.given)}


ROWS = rows(40)


class ReadByRow(Dataset):
    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> dict[str, Any]:
        return ROWS[index]


@functools.cache
def files() -> JsonLines:
    folder = Path(tempfile.mkdtemp())
    for name, part in (("b", rows(40)[:11]), ("a", rows(40)[11:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return nw.jsonl(folder / "*.jsonl")


def tuple_of(found: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([row["input"] for row in found]), torch.tensor([row["target"] for row in found])


def spread(answers: list[float], targets: list[float]) -> float:
    return max(answers) - min(answers)


class Made:
    """Data that is made when a test needs it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


SETTINGS: dict[str, tuple[Callable[[], nw.Net], Any, dict[str, Any]]] = {
    **{f"optimizer {name}": (plain, rows(40), {"optimizer": o}) for name, o in OPTIMIZERS.items()},
    "optimizer of torch": (plain, rows(40), {"optimizer": torch.optim.NAdam}),
    **{f"schedule {name}": (plain, rows(40), {"schedule": name}) for name in SCHEDULES},
    "validation": (plain, rows(40), {"validation": 10}),
    "rates": (plain, rows(40), {"learning_rate": {"linear1": 0, "linear2": 0.01, "linear2/bias": 0.003}}),
    "bf16": (plain, rows(40), {"precision": "bf16"}),
    "float64": (plain, rows(40), {"precision": "float64", "validation": 10}),
    "clip, weights": (plain, rows(40), {"clip": 0.1, "weights": [1 + i % 3 for i in range(40)]}),
    "label_smoothing": (
        lambda: nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector(4), output=nw.Category(range(3))),
        [{"input": row["input"], "target": i % 3} for i, row in enumerate(rows(40))], {"label_smoothing": 0.2},
    ),
    "loss_weights": (
        lambda: nw.Parallel(
            a=[3, nw.softmax], b=1, input=nw.Vector(4), output={"a": nw.Category(range(3)), "b": nw.Number()}
        ),
        [{"input": row["input"], "a_target": i % 3, "b_target": row["target"]} for i, row in enumerate(rows(40))],
        {"loss_weights": {"a": 0.2}, "validation": 10},
    ),
    "mixup": (
        lambda: nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector(4), output=nw.Category(range(3))),
        [{"input": row["input"], "target": i % 3} for i, row in enumerate(rows(40))], {"mixup": 0.4, "validation": 10},
    ),
    "class_weights": (
        lambda: nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector(4), output=nw.Category(range(3))),
        [{"input": row["input"], "target": i % 3} for i, row in enumerate(rows(40))], {"class_weights": {2: 5.0}},
    ),
    "variation": (
        lambda: nw.Chain(
            *(nw.Flatten(), 8, nw.relu, nw.Linear(), nw.softmax),
            input=nw.Image(4, 4, "gray", vary=(nw.Shift(1), nw.Flip(), nw.GaussianNoise(0.1))),
            output=nw.Category(range(3)),
        ),
        (np.arange(640, dtype=np.uint8).reshape(40, 4, 4), [i % 3 for i in range(40)]), {},
    ),
    "accumulate, lengths differ": (
        lambda: nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc")),
        texts(40), {"objective": nw.NextElement(), "accumulate": 5},
    ),
    "penalties": (plain, rows(40), {"penalties": {"linear*": nw.L2(0.01), "linear1/weight": nw.L1(0.003)}}),
    "measurements, best": (
        plain, rows(40), {"validation": 10, "measurements": as_measured(["mae", "r2", spread]), "best": "r2"},
    ),
    "range test": (plain, rows(40), {"learning_rate": nw.RangeTest(steps=30)}),
    "parts in turn": (
        lambda: nw.gan(nw.Chain(5, nw.BatchNorm(), nw.relu, 4, input=3), judge()),
        [row["input"] for row in rows(40)],
        {"objective": GAN, "penalties": {"*/weight": nw.L2(0.01)}, "clip": 0.5, "epochs": 2},
    ),
    "ema": (plain, rows(40), {"ema": 0.9, "validation": 10}),
    "clip_value, limits": (plain, rows(40), {"clip_value": 0.05, "validation": 10, "patience": 3, "minutes": 60.0}),
    "stream in blocks": (plain, stream, {}),
    "stream kept": (plain, stream, {"keep": True}),
    "stream, a part of it held out": (plain, stream, {"validation": 10}),
    "stream of batches, a part of it held out": (
        plain, DataLoader(rows(40), batch_size=7, collate_fn=tuple_of), {"validation": 0.3},
    ),
    "stream with its own place, a part of it held out": (plain, Made(Numbered), {"validation": 0.3}),
    "jsonl, a part of it held out": (plain, Made(files), {"validation": 10}),
    "stream, another one validates": (plain, stream, {"validation": stream}),
    "steps per epoch": (plain, stream, {"steps_per_epoch": 3}),
    "stream of batches": (plain, DataLoader(rows(40), batch_size=7, collate_fn=tuple_of), {}),
    "stream with its own place, uneven passes": (plain, Made(Numbered), {}),
    "stream whose state is no JSON": (plain, Made(NumberedByTensor), {}),
    "jsonl": (plain, Made(files), {}),
    "read by row": (plain, ReadByRow(), {}),
    "stream of texts": (
        lambda: nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc")),
        lambda: iter(texts(40)), {"objective": nw.NextElement()},
    ),
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
    data = data.make() if isinstance(data, Made) else data
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
        torch.equal(array, right.arrays[path]) for path, array in left.arrays.items() if not _is_time(path)
    )
    return arrays and _timeless(left.plain) == _timeless(right.plain)


def _is_time(name: str) -> bool:
    return "seconds" in name or "per_second" in name


def _timeless(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _timeless(value) for key, value in plain.items() if not _is_time(key)}
    return [_timeless(value) for value in plain] if isinstance(plain, list) else plain


@pytest.mark.parametrize("name", SETTINGS)
def test_cut_at_every_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.data.blocks.MOST", 16)  # so that a pass has several blocks
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

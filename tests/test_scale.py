"""The tables of docs/scale.md are those that bench/scale.py computes, and its formulas are what was counted."""

import runpy
from pathlib import Path

import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.training.batch import Batch
from netwright.training.loop import Loop
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare
from netwright.training.processes.group import Group, Part

ROOT = Path(__file__).parents[1]
SCALE = runpy.run_path(str(ROOT / "bench" / "scale.py"))


class Counted(Group):
    """The first of two processes of which the second does the same; the bytes that they would share are counted."""

    size = 2

    def __init__(self) -> None:
        self.bytes: list[int] = []

    def part(self, batch: Batch) -> Part:
        half = batch.size // 2
        return Part(batch.rows(slice(half)), half / batch.size, lambda x: Total.apply(self, x))

    def add(self, *arrays: Tensor) -> None:
        for array in arrays:
            self.bytes.append(array.nbytes)
            array.mul_(2)

    def highest(self, number: int) -> int:
        self.bytes.append(8)
        return number


class Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, group, x):
        ctx.group = group
        total = x.clone()
        group.add(total)
        return total

    @staticmethod
    def backward(ctx, gradient):
        total = gradient.clone()
        ctx.group.add(total)
        return None, total


def loop_of(group: Group, precision: str) -> Loop:
    net = nw.Chain(
        nw.Linear(5, bias=False), nw.BatchNorm(), nw.relu, nw.Linear(7), nw.BatchNorm(), nw.relu, nw.Linear(),
        input=nw.Vector(4), output=nw.Number(),
    )  # fmt: skip
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    given = {"epochs": 1, "batch_size": 10, "precision": precision, "optimizer": "adam", "threads": 1, "seed": 0}
    options = Options(**{**dict.fromkeys(Options.__dataclass_fields__), **given, "choices": ()})
    return Loop(prepare(net, (x, x.sum(1)), options, group))


@pytest.mark.parametrize("precision", ["float32", "bf16", "float64"])
def test_bytes_that_are_held_and_sent_are_those_of_the_formulas(precision: str) -> None:
    group = Counted()
    loop = loop_of(group, precision)
    flat = loop.prepared.engine.flat
    sizes = [array.numel() for array in flat.views(flat.master).values()]
    before = len(group.bytes)
    loop.run()
    wide = "float64" if precision == "float64" else "float32"
    sent = sum(SCALE["sent"](sizes, [5, 7], wide).values())
    extra = 8 + 8 + 8  # whether to stop, before the epoch and at the end; which signal came
    assert sum(group.bytes[before:]) == 2 * sent + extra
    held = SCALE["held"](sizes, 2 * (5 + 7), precision)
    states = [array for update, _ in loop.prepared.updates for array in update.state().arrays.values()]
    assert held == {
        "weights": flat.master.nbytes,
        "gradient": flat.gradient.nbytes,
        "Adam": sum(array.nbytes for array in states),
        "copy in bf16": 0 if flat.working is flat.master else flat.working.nbytes,
        "best net so far": sum(array.nbytes for array in loop.kept.values() if array.is_floating_point()),
    }


@pytest.mark.parametrize("name", ["memory_table", "devices_table", "waiting_table"])
def test_the_document_has_the_computed_tables(name: str) -> None:
    assert SCALE[name]() in (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")

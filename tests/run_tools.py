"""A small run and its comparison, for the tests of folders."""

from pathlib import Path

import torch

import netwright as nw
from netwright.training.events import Callback, Choice, Status
from netwright.training.result import Run

XS = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
YS = XS.sum(1)


class Ends(Callback):
    """Raises an error after a step."""

    def __init__(self, step: int, error: BaseException) -> None:
        self.step, self.error = step, error

    def on_step(self, status: Status) -> None:
        if status.step == self.step:
            raise self.error


def trained(folder: Path | None, **more: object) -> Run:
    net = nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number())
    options = {"epochs": 3, "batch_size": 9, "validation": 0.1, "threads": 1, "progress": False, **more}
    return nw.train(net, (XS, YS), folder=folder, **options)  # type: ignore[arg-type]


def assert_same(run: Run, other: Run) -> None:
    assert run.net == other.net
    assert run.last == other.last
    assert run.losses == other.losses
    assert without_folder(run) == without_folder(other)
    assert (run.best, run.ended) == (other.best, other.ended)
    assert [(e.loss, e.validation) for e in run.epochs] == [(e.loss, e.validation) for e in other.epochs]


def without_folder(run: Run) -> list[Choice]:
    return [choice for choice in run.choices if choice.name != "folder"]

"""A source that hangs is said wherever it is read, and the run goes on when it gives examples again."""

import itertools
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

import netwright as nw
from messages import message
from netwright.training.events import Callback, Status
from netwright.training.telling import told

LONG = 60.0  # seconds after which a test has failed
ROWS = [([float(i)], float(i)) for i in range(12)]


class Hears(Callback):
    """Lets a source that hangs go on when it is said."""

    def __init__(self, go_on: threading.Event) -> None:
        self.go_on, self.said, self.steps = go_on, list[tuple[str, bool]](), 0

    def on_step(self, status: Status) -> None:
        self.steps = status.step

    def on_wait(self, status: Status) -> None:
        self.said.append((status.waiting, status.steps > 0))
        self.go_on.set()


class Hanging(Dataset):
    def __init__(self, act: Callable[[int], Any]) -> None:
        self.act = act

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, index: int) -> Any:
        self.act(index)
        return ROWS[index]


def noised(x: torch.Tensor) -> torch.Tensor:
    return x + 0.001 * torch.rand_like(x)


LINE = nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
LEARNS = nw.Chain(nw.Linear(1), input=nw.Vector(), output=nw.Number())
OWN = nw.Chain(nw.Linear(1), nw.Function(noised, "n -> n"), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
FIRST = "the data gave nothing for 0.3 s, at item 0 {}"
PASSES: dict[str, tuple[nw.Net, int, str]] = {  # the net, the pass over the stream that hangs, what is said
    "counting": (LEARNS, 2, "before the first step; Ctrl-C ends the run"),
    "read ahead": (LINE, 3, "in epoch 1; Ctrl-C ends the run"),
    "code of the user's own": (OWN, 3, "in epoch 1; Ctrl-C, pressed twice, ends the run"),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch) -> None:
    monkeypatch.setattr("netwright.data.reading.GLANCE", 0.01)
    monkeypatch.setattr("netwright.data.reading.PATIENCE", 0.3)


def train(net: nw.Net, data: Any, hears: Callback, **more: Any) -> nw.Run:
    return nw.train(net, data, epochs=2, batch_size=4, threads=1, callbacks=[hears], progress=False, **more)


def hanging(at: int, go_on: threading.Event) -> Callable[[], Iterator[Any]]:
    """A generator function; this pass of it hangs at its first item."""
    passes = itertools.count()

    def rows() -> Iterator[Any]:
        if next(passes) == at:
            assert go_on.wait(LONG)
        yield from ROWS

    return rows


@pytest.mark.parametrize("where", PASSES)
def test_a_stream_that_hangs_is_said(monkeypatch, where: str) -> None:
    net, at, said = PASSES[where]
    monkeypatch.setattr("netwright.data.blocks.MOST", 12)  # so that a pass is longer than a block may be, and counted
    hears = Hears(threading.Event())
    run = train(net, hanging(at, hears.go_on), hears)
    before = where == "counting"
    assert (FIRST.format(said), not before) in hears.said
    assert hears.said[-1] == ("", not before)
    assert len(run.losses) == 6
    waits = [choice.value for choice in run.choices if choice.name == "data waits"]
    assert before or "gave nothing for 0.3 s, at item 0 in epoch 1" in waits


def test_validation_data_that_hang_are_said() -> None:
    hears = Hears(threading.Event())
    train(LINE, ROWS, hears, validation=hanging(2, hears.go_on))
    assert (FIRST.format("in epoch 1; Ctrl-C, pressed twice, ends the run"), True) in hears.said


def test_a_data_set_that_hangs_is_said_with_its_row() -> None:
    hears, hung = Hears(threading.Event()), list[int]()

    def act(index: int) -> None:
        if hears.steps and not hung:
            hung.append(index)
            assert hears.go_on.wait(LONG)

    train(LINE, Hanging(act), hears)
    start = f"the data gave nothing for 0.3 s, at row {hung[0]} in epoch "
    assert [said for said, _ in hears.said if said.startswith(start) and said.endswith("; Ctrl-C ends the run")]


def test_an_error_of_a_callback_names_it() -> None:
    class Fails(Callback):
        def on_step(self, status: Status) -> None:
            raise ValueError("no ink")

    with pytest.raises(ValueError, match="no ink") as caught:
        told([Fails().on_step], Status(1, 1, 1, 1, ()))
    assert caught.value.__notes__ == ["The callback Fails.on_step raised this error after step 0 of the run."]


@pytest.mark.parametrize("factor", [math.nan, math.inf, -0.1, "0.5", None, [1.0], 10**400])
def test_a_rate_that_no_step_can_have_is_refused_with_the_callback(factor: Any) -> None:
    class Spoils(Callback):
        def on_step(self, status: Status) -> None:
            status.rate_factor = factor

    said = (
        "status.rate_factor is a finite number of at least 0\n"
        "  where:    the callback Spoils.on_step, after step 1 of the run\n"
        f"  got:      {factor!r}\n"
        "  mend:     status.rate_factor = 0.5, for half the rate of the schedule"
    )
    assert message(train, LINE, ROWS, Spoils()) == said
    status = Status(1, 1, 1, 1, (), step=1)
    assert message(told, [Spoils().on_step], status) == said


def test_a_rate_of_another_number_type() -> None:
    class Sets(Callback):
        def on_step(self, status: Status) -> None:
            status.rate_factor = np.float32(0.5)  # type: ignore[assignment]

    status = Status(1, 1, 1, 1, (), step=1)
    told([Sets().on_step], status)
    assert status.rate_factor == 0.5
    assert type(status.rate_factor) is float

"""Data that fails, hangs or ends early within a run: the same call goes on to the result of data that does not."""

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import Dataset, IterableDataset

import netwright as nw
from netwright.training.events import Callback
from netwright.training.result import Run
from run_tools import XS, YS, Ends, assert_same

LONG = 120.0  # seconds after which a test fails
ROWS = [(x.tolist(), float(y)) for x, y in zip(XS, YS, strict=True)]


class Reads:
    """Counts the items that are read, and does something at one of them."""

    def __init__(self) -> None:
        self.count, self.at, self.act = 0, 0, lambda: None

    def item(self, number: int) -> Any:
        self.count += 1
        if self.count == self.at:
            self.act()
        return ROWS[number]

    def set(self, at: int, act: Callable[[], None]) -> None:
        self.count, self.at, self.act = 0, at, act


READS = Reads()


class Items(Dataset[Any]):
    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, number: int) -> Any:
        return READS.item(number)


class Stream(IterableDataset[Any]):
    def __len__(self) -> int:
        return len(ROWS)

    def __iter__(self) -> Iterator[Any]:
        return (READS.item(number) for number in range(len(ROWS)))


def generated() -> Iterator[Any]:
    yield from (READS.item(number) for number in range(len(ROWS)))


class Held(Dataset[Any]):
    """Other data, to validate on."""

    def __len__(self) -> int:
        return 9

    def __getitem__(self, number: int) -> Any:
        return READS.item(number)


class Shorter(Stream):
    """Says that it has more items than it gives."""

    def __len__(self) -> int:
        return 50


FORMS = {
    "dataset": (Items(), 0.1),
    "stream": (Stream(), (XS[:9], YS[:9])),
    "generator": (generated, (XS[:9], YS[:9])),
    "validation data": ((XS, YS), Held()),
    "ends early": (Shorter(), (XS[:9], YS[:9])),
}


def trained(form: str, folder: Path | None, *callbacks: Callback) -> Run:
    data, validation = FORMS[form]
    net = nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number())
    return nw.train(
        net, data, validation=validation, epochs=3, batch_size=9, threads=1, progress=False, folder=folder,
        callbacks=callbacks,
    )  # fmt: skip


def fails() -> None:
    raise ZeroDivisionError("no more")


@pytest.mark.parametrize("places", [3, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("form", FORMS)
def test_an_item_that_fails(tmp_path: Path, form: str, places: int) -> None:
    READS.set(0, fails)
    whole = trained(form, None)
    count = READS.count
    failed = 0
    for at in range(1, count + 1, max(1, count // places)):
        READS.set(at, fails)
        try:
            trained(form, tmp_path / str(at))
        except ZeroDivisionError as error:
            failed += 1
            assert any(
                re.match(r"raised by the data at (row|item) \d+, counted from 0", note) for note in error.__notes__
            )
        READS.set(0, fails)
        assert_same(trained(form, tmp_path / str(at)), whole)
    assert failed >= places - 1
    print(f"{form}: {failed} items that failed")


@pytest.mark.parametrize("form", ["dataset", "stream", "generator"])
def test_an_item_that_hangs_and_is_interrupted(tmp_path: Path, form: str) -> None:
    READS.set(0, fails)
    whole, go_on = trained(form, None), threading.Event()

    def hangs() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert go_on.wait(LONG)

    READS.set(READS.count - 30, hangs)
    run = trained(form, tmp_path)
    assert run.ended == "interrupted"
    assert len(run.losses) < len(whole.losses)
    go_on.set()
    READS.set(0, fails)
    assert_same(trained(form, tmp_path), whole)


@pytest.mark.parametrize("step", [3, 7, 11])
def test_data_that_ends_early(tmp_path: Path, step: int) -> None:
    READS.set(0, fails)
    whole = trained("ends early", None)
    assert [choice.value for choice in whole.choices if choice.name == "data"] == ["pass 1 ended after 40 examples"]
    with pytest.raises(ValueError, match="no more"):
        trained("ends early", tmp_path, Ends(step, ValueError("no more")))
    assert_same(trained("ends early", tmp_path), whole)

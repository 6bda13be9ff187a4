"""Trains in a folder, as a program of torchrun does; something may end the second process on the way."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import netwright as nw
from netwright.training.interrupts import Requests
from netwright.training.result import Run
from together import Rows, broken, ends, train

LONG = 200.0  # seconds


def once(folder: Path | None, ended_by: str) -> Callable[[], None]:
    """What ends a process when it is called, but the first time alone: a signal of this name, "raises" or "waits".

    The last one waits until the process hears of a signal that another program sends.
    """

    def act() -> None:
        assert folder is not None
        came = folder.with_name("came")
        if not ended_by or came.exists():
            return
        came.touch()
        if ended_by == "raises":
            broken()
        elif ended_by == "waits":
            heard.wait()
        else:
            os.kill(os.getpid(), signal.Signals[ended_by])

    return act


class Heard:
    """Whether this process has heard of a signal that asks it to end."""

    def __init__(self) -> None:
        self.usual, self.came = Requests._hear, False

    def wait(self) -> None:
        start = time.monotonic()
        while not self.came:
            assert time.monotonic() - start < LONG
            time.sleep(0.01)

    def hear(self, requests: Requests, number: int, frame: Any) -> None:
        self.came = True
        self.usual(requests, number, frame)


heard = Heard()


def trained_in(folder: Path | None, ended_by: str = "", at: int = 0, **more: Any) -> Run:
    """The run; this ends it at an item of the second process."""
    net = ends(8, nw.BatchNorm(), nw.relu, nw.Dropout(0.3))
    options = {"optimizer": "sgd", "learning_rate": 0.01, "schedule": "constant", "validation": 7, **more}
    return train(net, Rows(once(folder, ended_by), at), folder=folder, epochs=12, **options)


if __name__ == "__main__":
    with patch.object(Requests, "_hear", lambda requests, number, frame: heard.hear(requests, number, frame)):
        trained_in(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

"""The interface between a run and the tools that keep its numbers; a tool that fails does not stop the run."""

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from netwright.errors import missing_extra
from netwright.machine import unchanged
from netwright.training.events import Callback, Choice, Epoch, Status

LINES = 1000  # of steps, at most


class Logger(Callback):
    """Gives a tool the choices of a run as texts, and the numbers of its steps and epochs.

    At most about 1,000 steps are logged, evenly spread, and every epoch. A run that goes on in its folder gives the
    tool its earlier numbers again, since a program that was killed may not have written all of them. An error of the
    tool is recorded as a choice, and the tool is not used again. Nothing is sent over a network.

    Fields: `module` of the tool, imported when the logger is made, so that a missing package is an error at once.
    """

    def __init__(self, module: str, package: str, extra: str) -> None:
        name = type(self).__name__
        try:
            with unchanged():
                warnings.simplefilter("ignore")
                self.module: Any = importlib.import_module(module)
        except ImportError:
            missing_extra(package, extra, f"nw.{name}")
        self.begun = self.stopped = False

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        """Open the tool, which may hold numbers of the run already if the run goes on."""
        raise NotImplementedError

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Write numbers by name; the tool may hold them already. Steps never go back."""
        raise NotImplementedError

    def end(self) -> None:
        """Close the tool; it may not have been opened whole."""
        raise NotImplementedError

    def on_step(self, status: Status) -> None:
        self._open(status, status.step - 1, status.done)
        self._log_step(status, status.step)

    def on_epoch(self, status: Status) -> None:
        self._open(status, status.step, status.done[:-1])
        self._log_epoch(status, status.done[-1])

    def on_end(self, status: Status) -> None:
        if self.begun:
            self._try(status, self.end)
        self.begun = self.stopped = False  # for the next run

    def _open(self, status: Status, steps: int, epochs: Sequence[Epoch]) -> None:
        """Open the tool once, and give it the steps and epochs that an earlier program has made."""
        if self.begun:
            return
        self.begun = True
        texts = {choice.name: f"{choice.value} ({choice.why})" for choice in status.choices}
        self._try(status, lambda: self.begin(texts, steps > 0))
        ends = {epoch.step: epoch for epoch in epochs}
        for step in range(1, steps + 1):
            self._log_step(status, step)
            if step in ends:
                self._log_epoch(status, ends[step])

    def _log_step(self, status: Status, step: int) -> None:
        if step % max(1, status.steps // LINES) == 0:
            rate = status.learning_rates[step - 1]
            numbers = {"step/loss": status.losses[step - 1], "step/learning_rate": rate}
            self._try(status, lambda: self.log(numbers, step))

    def _log_epoch(self, status: Status, epoch: Epoch) -> None:
        numbers = {
            "epoch/loss": epoch.loss,
            "epoch/learning_rate": epoch.learning_rate,
            "epoch/examples_per_second": epoch.examples_per_second,
            **{f"epoch/validation_{name}": value for name, value in epoch.validation.items()},
        }
        self._try(status, lambda: self.log(numbers, epoch.step))

    def _try(self, status: Status, call: Callable[[], None]) -> None:
        if self.stopped:
            return
        with unchanged():
            warnings.simplefilter("ignore")
            try:
                call()
            except Exception as error:
                self.stopped = True
                why = f"from step {status.step} on: {type(error).__name__}: {error}"
                status.choices += (Choice(f"logger {type(self).__name__}", "stopped", why),)
                with suppress(Exception):  # the files and processes of the tool, as far as it can
                    self.end()

"""The interface between a run and the tools that keep its numbers; a tool that fails does not stop the run."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from netwright.errors import missing_extra
from netwright.machine import unchanged
from netwright.training.events import Callback, Choice, Status

LINES = 1000  # of steps, at most


class Logger(Callback):
    """Gives a tool the choices of a run as texts, and the numbers of its steps and epochs.

    At most about 1,000 steps are logged, evenly spread, and every epoch. A run that goes on in its folder logs the
    steps that it makes from there on. An error of the tool is recorded as a choice, and the tool is not used again.

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

    def begin(self, texts: Mapping[str, str], step: int) -> None:
        """Open the tool for a run whose next step is `step`; the tool may hold steps of it already."""
        raise NotImplementedError

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        """Write numbers by name."""
        raise NotImplementedError

    def end(self) -> None:
        """Close the tool."""
        raise NotImplementedError

    def on_step(self, status: Status) -> None:
        self._open(status, status.step)
        if status.step % max(1, status.steps // LINES) == 0:
            numbers = {"step/loss": status.losses[-1], "step/learning_rate": status.learning_rate}
            self._try(status, lambda: self.log(numbers, status.step))

    def on_epoch(self, status: Status) -> None:
        self._open(status, status.step)
        epoch = status.done[-1]
        numbers = {
            "epoch/loss": epoch.loss,
            "epoch/learning_rate": epoch.learning_rate,
            "epoch/examples_per_second": epoch.examples_per_second,
            **{f"epoch/validation_{name}": value for name, value in epoch.validation.items()},
        }
        self._try(status, lambda: self.log(numbers, status.step))

    def on_end(self, status: Status) -> None:
        if self.begun:
            self._try(status, self.end)
        self.begun = self.stopped = False  # for the next run

    def _open(self, status: Status, step: int) -> None:
        if not self.begun:
            self.begun = True
            texts = {choice.name: f"{choice.value} ({choice.why})" for choice in status.choices}
            self._try(status, lambda: self.begin(texts, step))

    def _try(self, status: Status, call: Callable[[], None]) -> None:
        if self.stopped:
            return
        try:
            with unchanged():
                warnings.simplefilter("ignore")
                call()
        except Exception as error:
            self.stopped = True
            why = f"from step {status.step} on: {type(error).__name__}: {error}"
            status.choices += (Choice(f"logger {type(self).__name__}", "stopped", why),)

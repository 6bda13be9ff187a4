"""Runs a loop in a folder: from its newest sound checkpoint to its end, with checkpoints and a log on the way."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from netwright.errors import FileError, TrainingError
from netwright.file.save import save
from netwright.net.part import Net
from netwright.training.events import Callback, Choice, Status
from netwright.training.folder.made_from import made_from
from netwright.training.folder.run_folder import RunFolder, held_folder
from netwright.training.folder.settings import completed, settings_of
from netwright.training.loop import Loop
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare
from netwright.training.result import Run, result_of

SHARE = 0.02  # of the time of a run that checkpoints may take
WHY_SHARE = f"checkpoints take at most {SHARE:.0%} of the time; the same call goes on from the newest"
LINES = 1000  # of steps in the log, at most


class Recorder(Callback):
    """Writes checkpoints and the log while a run goes on. A disk that fails does not stop the run."""

    def __init__(self, folder: RunFolder, loop: Loop, clock: Callable[[], float] = time.perf_counter) -> None:
        self.folder, self.loop, self.clock = folder, loop, clock
        self.every = max(1, loop.status.steps // LINES)
        self.lines: list[Mapping[str, Any]] = []
        self.written, self.cost, self.failed = self.clock(), 0.0, ""

    def on_step(self, status: Status) -> None:
        if status.step % self.every == 0:
            self.lines.append({
                "step": status.step, "loss": status.losses[-1], "learning rate": status.learning_rate,
                "seconds": round(status.seconds, 3),
            })  # fmt: skip
        self._write(status)

    def on_epoch(self, status: Status) -> None:
        self.lines.append({"step": status.step, **asdict(status.done[-1])})
        self._write(status)

    def on_end(self, status: Status) -> None:
        self._write(status, due=True)
        if status.ended in ("all epochs done", "stopped"):
            self._try(lambda: self.folder.end(status.ended))

    def save_nets(self, net: Net, last: Net) -> None:
        """Write the best and the last net, when the run has ended."""
        self._try(lambda: save(net, self.folder.path / "best.net"))
        self._try(lambda: save(last, self.folder.path / "last.net"))

    def _write(self, status: Status, due: bool = False) -> None:
        """Write the log and a checkpoint where the last ones are so long ago that the share of time stays small."""
        start = self.clock()
        if not due and start - self.written < self.cost / SHARE:
            return
        if self._try(lambda: self.folder.log(self.lines)):
            self.lines = []
        if self.loop.whole:
            self._try(lambda: self.folder.save(self.loop.snapshot(), status.step))
        self.written = self.clock()
        self.cost = self.written - start

    def _try(self, write: Callable[[], object]) -> bool:
        """Whether it could be written; the first failure is said as a choice."""
        try:
            write()
            return True
        except (FileError, OSError) as error:
            if not self.failed:
                self.failed = error.what if isinstance(error, FileError) else str(error)
                why = f"from step {self.loop.status.step} on: {self.failed}"
                self.loop.status.choices += (Choice("folder", "not written", why),)
            return False


def resume(loop: Loop, folder: RunFolder) -> None:
    """Put a loop where the run in the folder was.

    Raises: TrainingError where checkpoints are there and none is as it was written.
    """
    snapshot, damaged = folder.newest()
    if snapshot is not None:
        loop.restore(snapshot)
        loop.status.stopping = folder.ended == "stopped"
        folder.cut_log(loop.status.step)
    elif damaged:
        raise TrainingError(
            what="no checkpoint of the run is as it was written", where=os.fspath(folder.path), got="; ".join(damaged),
            mend="another folder=, to begin anew",
        )  # fmt: skip
    if damaged:
        loop.status.choices += (Choice("checkpoint", f"of step {loop.status.step}", f"damaged: {'; '.join(damaged)}"),)


def train_in(path: Path, net: Net, data: Any, options: Options, callbacks: Sequence[Callback]) -> Run:
    """Begin a run in a folder, or go on with the one that is there, and run it to its end."""
    with held_folder(path) as folder:
        settings = settings_of(options)
        options = completed(options, folder.settings, os.fspath(path))
        prepared = prepare(net, data, replace(options, choices=(*options.choices, *folder.choices)))
        folder.begin(made_from(net, options, prepared), settings, prepared)
        heard = list(callbacks)
        loop = Loop(prepared, heard)
        whys = {choice.name: choice.why for choice in folder.choices}  # of the call that began the run
        loop.status.choices = tuple(replace(made, why=whys.get(made.name, made.why)) for made in prepared.choices)
        loop.status.choices += (Choice("folder", os.fspath(path), WHY_SHARE),)
        resume(loop, folder)
        recorder = Recorder(folder, loop)
        heard.insert(0, recorder)  # before those that may raise an error: the log and the checkpoints agree
        run = result_of(loop)
        recorder.save_nets(run.net, run.last)
        return run

"""Runs a loop in a folder: from its newest sound checkpoint to its end, and writes how it goes on the way."""

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from netwright.around import around
from netwright.errors import FileError, TrainingError
from netwright.file.save import save
from netwright.net.part import Net
from netwright.training.events import Callback, Choice, Status
from netwright.training.folder.begun import begun
from netwright.training.folder.case import write_case
from netwright.training.folder.pages import write_page
from netwright.training.folder.run_folder import RunFolder, held_folder
from netwright.training.folder.settings import completed, settings_of
from netwright.training.folder.time_share import TimeShare
from netwright.training.loop import Loop
from netwright.training.prepare.options import Options
from netwright.training.processes.group import Group
from netwright.training.processes.refusals import refuse_unequal
from netwright.training.processes.spread import spread_snapshot
from netwright.training.progress.progress import figure
from netwright.training.result import Run, result_of, run_so_far
from netwright.training.start import Start

CHECKPOINT_SHARE, EPOCH_SHARE, VIEW_SHARE = 0.007, 0.004, 0.003  # of the time of a run
FREE = 0.15  # seconds of keeping epochs that a short run may take beyond that
LINES = 1000  # of steps in the log, at most
PAGE, BEST, LAST = "report.html", "best.net", "last.net"


class Recorder(Callback):
    """Writes the log, checkpoints, nets and the page while a run goes on. What fails here does not stop the run."""

    def __init__(
        self,
        folder: RunFolder,
        loop: Loop,
        start: Start | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.folder, self.loop, self.start = folder, loop, start
        self.every = max(1, loop.status.steps // LINES)
        self.lines: list[Mapping[str, Any]] = []
        self.checkpoints = TimeShare(CHECKPOINT_SHARE, clock=clock)
        self.epochs = TimeShare(EPOCH_SHARE, FREE, clock)
        self.views = TimeShare(VIEW_SHARE, clock=clock)
        self.saved, self.viewed = (-1, 0), -1  # step and kept epoch of the newest checkpoint, step of the nets
        self.failed: set[str] = set()
        self.said: tuple[Choice, ...] | None = None  # the choices that were written at the end

    def on_step(self, status: Status) -> None:
        if status.step % self.every == 0:
            self.lines.append({
                "step": status.step, "loss": status.losses[-1], "learning_rate": status.learning_rate,
                "seconds": round(status.seconds, 3),
            })  # fmt: skip

    def on_epoch(self, status: Status) -> None:
        self.lines.append(asdict(status.done[-1]))
        if self.views.due:
            with self.views.measured():
                self._view(status)

    def step_done(self, status: Status) -> None:
        """Keep the state of the run after a step, with what all callbacks have changed."""
        if self.checkpoints.due:
            with self.checkpoints.measured():
                self._save(status)

    def epoch_done(self, status: Status) -> None:
        """Keep the state of the run after an epoch, with what all callbacks have changed."""
        kind = self.epochs if self.epochs.due else self.checkpoints
        if kind.due:
            with kind.measured():
                self._save(status, keep=kind is self.epochs)

    def on_end(self, status: Status) -> None:
        if self.folder.ended:  # it had ended before, and nothing has changed, but files may have been removed
            if not all((self.folder.path / name).exists() for name in (PAGE, BEST, LAST)):
                self._view(status)
            return
        self._try("case", lambda: write_case(self.loop, self.folder.path))
        self._save(status, keep=self.loop.running.batches == 0 and bool(status.done))
        self._view(status)
        if status.final:
            self._try("folder", lambda: self.folder.end(status.ended))
        self.said = status.choices

    def end_again(self, status: Status) -> None:
        """Write what callbacks have said at the end, such as a logger that could not be closed."""
        if self.said in (None, status.choices):
            return
        keep, self.saved = self.saved[1] > 0, (-1, 0)
        self._save(status, keep)
        self._view(status)

    def _save(self, status: Status, keep: bool = False) -> None:
        """Write the log and a checkpoint; it is that of an epoch if it is kept."""
        if self._try("folder", lambda: self.folder.log(self.lines)):
            self.lines = []
        now = (status.step, len(status.done) if keep else 0)
        if not self.loop.whole or now == self.saved or self.loop.broken() is not None:
            return  # from weights that are not finite no run goes on; the checkpoint before shows the step again
        if self._try("folder", lambda: self.folder.save(self.loop.snapshot(), *now)):
            self.saved = now

    def _view(self, status: Status) -> None:
        """Write what people look at: the best and the last net, and the page."""
        if self.loop.apart:
            return
        run, path = run_so_far(self.loop, self.start), self.folder.path
        for net, name in ((run.net, BEST), (run.last, LAST)) if status.step != self.viewed else ():
            self._try("folder", lambda net=net, name=name: save(net, path / name))
        self.viewed = status.step
        self._try("page", lambda: write_page(run, path / PAGE, so_far(status)))

    def _try(self, name: str, write: Callable[[], object]) -> bool:
        """Whether it could be written; the first failure of each kind is said as a choice."""
        try:
            write()
            return True
        except Exception as error:
            if name != "page" and not isinstance(error, OSError):  # a net that cannot be drawn may raise anything
                raise
            if name not in self.failed:
                self.failed.add(name)
                what = error.what if isinstance(error, FileError) else f"{type(error).__name__}: {error}"
                why = f"from step {self.loop.status.step} on: {what}"
                self.loop.status.choices += (Choice(name, "not written", why),)
            return False


class EndRecorder(Callback):
    """Stands after all other callbacks, so that what they have changed is kept, such as the rate of the next steps."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def on_step(self, status: Status) -> None:
        self.recorder.step_done(status)

    def on_epoch(self, status: Status) -> None:
        self.recorder.epoch_done(status)

    def on_end(self, status: Status) -> None:
        self.recorder.end_again(status)


def so_far(status: Status) -> str:
    """How far a run is, in words; empty when all epochs are done."""
    if status.ended == "all epochs done":
        return ""
    done = f"{len(status.done)} of {status.epochs} epochs and {status.step:,} of {status.steps:,} steps are done"
    if status.done:
        figures = [f"loss {status.done[-1].loss:.4g}"]
        figures += [f"validation {name} {figure(name, value)}" for name, value in status.done[-1].validation.items()]
        done += f"; after epoch {len(status.done)}: {', '.join(figures)}"
    if status.final:
        why = "A callback stopped the run" if status.ended == "stopped" else f"The run has ended: {status.ended}"
        return f"{why}. {done}. nw.fork goes on from a kept epoch in another folder."
    if status.ended:
        return f"The run ended early ({status.ended}). {done}. The same call of nw.train goes on."
    return f"The run goes on. {done}. The page is written again after an epoch; load it again then."


def resume(loop: Loop, folder: RunFolder) -> None:
    """Put a loop where the run in the folder was.

    Raises: TrainingError where checkpoints are there and none is as it was written.
    """
    group = loop.prepared.group
    snapshot, damaged = folder.newest() if group.leads else (None, [])
    snapshot, damaged = spread_snapshot(group, snapshot), group.agreed(damaged)
    if snapshot is not None:
        loop.restore(snapshot)
        loop.status.stopping = folder.ended not in ("", "all epochs done")
        if group.leads:
            folder.cut_log(loop.status.step)
    elif damaged:
        raise TrainingError(
            what="no checkpoint of the run is as it was written", where=os.fspath(folder.path), got="; ".join(damaged),
            mend="another folder=, to begin anew",
        )  # fmt: skip
    if damaged:
        loop.status.choices += (Choice("checkpoint", f"of step {loop.status.step}", f"damaged: {'; '.join(damaged)}"),)


@around
def folder_of(path: Path, group: Group) -> Generator[RunFolder]:
    """The folder of a run: the first process holds it, and tells the others what the run was made from."""
    if not group.leads:
        yield RunFolder(path, group.agreed({}))
        return
    with held_folder(path) as folder:
        group.agreed(folder.about)
        yield folder


def train_in(
    path: Path, net: Net, data: Any, options: Options, callbacks: Sequence[Callback], group: Group | None = None
) -> Run:
    """Begin a run in a folder, or go on with the one that is there, and run it to its end.

    Of several processes the first one reads and writes the folder.
    """
    group = group or Group()
    with folder_of(path, group) as folder:
        settings = settings_of(options)
        options = completed(options, folder.settings, os.fspath(path))
        prepared, start = begun(net, data, replace(options, choices=(*options.choices, *folder.choices)), group)
        refuse_unequal(group, start.made_from)
        if group.leads:
            folder.begin(start, settings, prepared)
        start = folder.started(start) if folder.about else start
        heard = list(callbacks)
        loop = Loop(prepared, heard)
        whys = {choice.name: choice.why for choice in folder.choices}  # of the call that began the run
        loop.status.choices = tuple(replace(made, why=whys.get(made.name, made.why)) for made in prepared.choices)
        loop.status.choices += (folder.choice,)
        resume(loop, folder)
        loop.status.choices = folder.named(loop.status.choices)
        if group.leads:
            recorder = Recorder(folder, loop, start)
            heard.insert(0, recorder)  # before those that may raise: log and checkpoints agree
            heard.append(EndRecorder(recorder))
        try:
            return result_of(loop, start)
        except TrainingError as error:
            if loop.not_finite is not None:
                error.add_note(f"The batch is kept: nw.load_case({os.fspath(path)!r}).replay() computes it again.")
            raise

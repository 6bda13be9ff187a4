"""Trains the trials of a sweep by turns: each goes on exactly where it was, on examples that are encoded once."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from netwright.errors import TrainingError
from netwright.sweep.figures import TrialFigures, figures_of
from netwright.sweep.result import Key, Trial, key_of, said_of
from netwright.sweep.variants import Variant
from netwright.training.events import Callback, Status
from netwright.training.folder.made_from import start_of
from netwright.training.loop import Loop
from netwright.training.prepare.front import FrozenFront, behind_front, frozen_front
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.result import run_so_far
from netwright.training.start import Start


class Pause(Callback):
    """Lets a run stop after a step, from which it goes on later."""

    step: int | None = None

    def on_step(self, status: Status) -> None:
        if status.step == self.step:
            status.stop()


class Runner:
    """One trial, which is trained a stretch at a time. The schedule of its rate is that of its whole run."""

    def __init__(self, variant: Variant, prepared: Prepared, start: Start, by_figure: bool = False) -> None:
        self.variant, self.start, self.pause = variant, start, Pause()
        self.loop = Loop(prepared, [self.pause])
        self.failed, self.rounds = "", 0
        self.by_figure = by_figure
        self.figures: TrialFigures | None = None

    def train(self, share: float) -> None:
        """Go on to this share of the steps of the whole run, of whole epochs where these are as many."""
        status = self.loop.status
        self.pause.step = pause_after(share, status.steps, status.epochs)
        if status.ended in ("", "stopped"):  # not where patience or time ended the run
            status.stopping, status.final, status.ended = False, False, ""
            try:
                self.loop.run()
            except TrainingError as error:
                self.failed = f"{error.what} ({error.where})"
            except Exception as error:  # of the user's own code, or of data that are read on the way
                error.add_note(f"The trial with {said_of(self.variant.changes)} raised this error.")
                raise
        prepared = self.loop.prepared
        self.figures = None if self.failed else figures_of(prepared, self.loop.reached()[0])
        self.rounds += not self.interrupted

    @property
    def interrupted(self) -> bool:
        """Whether the user ended it."""
        return self.loop.status.ended == "interrupted"

    @property
    def trial(self) -> Trial:
        """The trial as it is now."""
        status = self.loop.status
        run = run_so_far(self.loop, self.start)
        return Trial(
            self.variant.changes, run, self.figures, status.step, status.steps, self.rounds, self.failed, self.cost
        )

    @property
    def key(self) -> Key:
        """The lower, the better."""
        return key_of(self.rounds, self.figures, self.cost)

    @property
    def cost(self) -> float | None:
        """The figure of the best epoch that `best=` names, lower for a better one; None if the loss counts."""
        status, best = self.loop.status, self.loop.prepared.best
        return best.cost(status.done[status.best - 1]) if self.by_figure and status.best else None

    @property
    def size(self) -> str:
        """How many examples train and validate, in words."""
        prepared = self.loop.prepared
        held_out = 0 if prepared.validate is None else len(prepared.validate.data)
        return f"{len(prepared.feed):,} examples, validated on {held_out:,}"

    @property
    def examples(self) -> tuple[int, int]:
        """How many examples it was trained on, and would be in its whole run; each counts once for each epoch."""
        status = self.loop.status
        return status.step * status.batch_size, status.steps * status.batch_size


def pause_after(share: float, steps: int, epochs: int) -> int | None:
    """The step after which a share of a run is done: the end of an epoch if that is a whole one; None at the end."""
    if share >= 1:
        return None
    step, each = max(1, math.ceil(share * steps)), steps // epochs
    return step if step < each else math.ceil(step / each) * each


def runners(variants: Sequence[Variant], data: Any, options: Sequence[Options]) -> list[Callable[[], Runner]]:
    """What makes the runner of each variant. Those with the same frozen front train on its values."""
    front: list[FrozenFront | None] = []

    def made(variant: Variant, own: Options) -> Runner:
        whole = prepare(variant.net, data, own)
        start = start_of(variant.net, own, whole)
        if not front:
            front.append(frozen_front(whole, own))
        behind = None if front[0] is None else behind_front(whole, front[0], own)
        return Runner(variant, behind or whole, start, own.best is not None)

    return [partial(made, variant, own) for variant, own in zip(variants, options, strict=True)]

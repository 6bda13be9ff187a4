"""The loop: order, batch, gradient, update, validation. It never prints; it calls its callbacks."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from netwright.data.order import batch_sizes
from netwright.errors import TrainingError
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, first_broken
from netwright.training.engines.flat import Flat
from netwright.training.events import Callback, Choice, Epoch, Status
from netwright.training.prepare.prepare import Prepared
from netwright.training.prepare.threads import Pace, using

SMOOTH = 0.02  # share of a step in the running mean of the loss


class Loop:
    """A run in progress: its status, and the best arrays so far."""

    def __init__(
        self, prepared: Prepared, callbacks: Sequence[Callback] = (), clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.prepared = prepared
        self.feed = prepared.feed
        self.callbacks = callbacks
        self.clock = clock
        self.peak = max(rate for _, rate in prepared.updates)  # the highest learning rate of any array
        self.pace = Pace() if prepared.watched else None
        steps = len(batch_sizes(len(self.feed), prepared.batch_size, prepared.least))
        self.status = Status(
            prepared.epochs, prepared.epochs * steps, prepared.batch_size, len(self.feed), prepared.choices
        )
        self.kept = self.state()
        self._lowest = math.inf

    def run(self) -> None:
        """Run all epochs, unless something ends the run earlier; the best weights so far are kept in any case."""
        status = self.status
        try:
            self._refuse_broken()
            with using(self.prepared.threads):
                self._epochs()
        except BaseException as error:
            status.ended = error.what if isinstance(error, TrainingError) else f"{type(error).__name__}: {error}"
            raise
        finally:
            self._end(self.callbacks)

    def state(self) -> dict[str, Tensor]:
        """A copy of the present value of every array of the net."""
        flat, others = self.prepared.engine.flat, self.prepared.other_arrays
        learned = {path: a.clone(memory_format=torch.contiguous_format) for path, a in flat.views(flat.master).items()}
        return {**learned, **{path: array.clone() for path, array in others.items()}}

    def reached(self) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """The best arrays so far, and the last ones; the best again if the last ones are not finite.

        Before the first epoch is done the best are the last.
        """
        last = self.state() if self._broken() is None else self.kept
        return (self.kept if self.status.best else last), last

    def _epochs(self) -> None:
        status = self.status
        try:
            for number in range(1, status.epochs + 1):
                self._epoch(number)
                if status.stopping:
                    break
            ended = "stopped" if status.stopping else "all epochs done"
        except KeyboardInterrupt:
            ended = "interrupted"
        self._refuse_broken()
        status.ended = ended

    def _end(self, callbacks: Sequence[Callback]) -> None:
        """Call every callback at the end, even if one of them raises."""
        if callbacks:
            try:
                callbacks[0].on_end(self.status)
            finally:
                self._end(callbacks[1:])

    def _refuse_broken(self) -> None:
        """Raise an error if an array is not finite; a loss would show it in the next step, but this may be the last."""
        path = self._broken()
        if path is not None:
            raise self._not_finite(Culprit("weights", path), "nan or inf")

    def _broken(self) -> str | None:
        """The path of the first array that is not finite as it is, or in the number type of the user's net."""
        path, kind = self.prepared.engine.broken(), self.prepared.kind
        if path is not None or torch.finfo(kind).max >= torch.finfo(torch.float32).max:
            return path
        return first_broken({path: array.to(kind) for path, array in self.state().items() if array.is_floating_point()})

    def _epoch(self, number: int) -> None:
        status, start = self.status, self.clock()
        before, first = status.seconds, status.step
        total, seen, last = 0.0, 0, first + len(batch_sizes(len(self.feed), status.batch_size, self.prepared.least))
        if number > 1:
            self.feed = self.feed.next_pass()
        order = self.feed.order(status.batch_size, self.prepared.seed, number)
        hearing = [callback.on_step for callback in self.callbacks if type(callback).on_step is not Callback.on_step]
        for batch in self.feed.batches(order, status.batch_size, self.prepared.least):
            loss, size = self._step(batch), batch.size
            total, seen = total + loss * size, seen + size
            done = before + self.clock() - start
            if self.pace is not None and self.pace.is_slow((done - status.seconds) / batch.positions):
                self._go_on_alone()
            status.seconds = done
            for tell in hearing:
                tell(status)
            if status.stopping and status.step < last:
                return
        trained = self.clock() - start
        self._refuse_broken()
        measured = dict(self.prepared.validate()) if self.prepared.validate is not None else {}
        status.seconds = before + self.clock() - start
        if not math.isfinite(measured.get("loss", 0.0)):
            found = self.prepared.validate.culprit() if self.prepared.validate is not None else None
            who = (
                f", {found.path.removeprefix(self.prepared.prefix)}, example {found.example}"
                if found is not None
                else ""
            )
            raise TrainingError(
                what="the validation loss is not finite",
                where=f"after epoch {number}{who}",
                got=str(measured["loss"]),
                mend=("look at that example of the validation data", f"a lower learning rate than {self.peak:g}"),
            )
        epoch = Epoch(number, total / seen, measured, status.learning_rate, trained, seen / max(trained, 1e-9))
        status.done.append(epoch)
        self._keep(epoch)
        for callback in self.callbacks:
            callback.on_epoch(status)

    def _go_on_alone(self) -> None:
        self.pace = None
        torch.set_num_threads(1)
        why = f"from step {self.status.step} on, since steps took more than five times as long as before"
        self.status.choices += (Choice("threads", "1", why, 1),)

    def _step(self, batch: Batch) -> float:
        status, engine = self.status, self.prepared.engine
        loss = engine.gradient(batch, status.step)
        if not math.isfinite(loss):
            raise self._not_finite(engine.culprit(batch, status.step) or Culprit("loss", ""), str(loss))
        if self.prepared.clip is not None:
            clip(engine.flat, self.prepared.clip)
        factor = self.prepared.schedule.factor(status.step, status.steps)
        with torch.no_grad():
            for update, rate in self.prepared.updates:
                update(rate * factor)
        status.learning_rate = self.peak * factor
        status.step += 1
        status.losses.append(loss)
        status.loss = loss if status.step == 1 else status.loss + SMOOTH * (loss - status.loss)
        return loss

    def _not_finite(self, culprit: Culprit, got: str) -> TrainingError:
        """The error of a step; if the weights are not finite, it names the step before, if there was one."""
        weights, step, path = (
            culprit.what == "weights",
            self.status.step,
            culprit.path.removeprefix(self.prepared.prefix),
        )
        when = f"step {step + 1}" if not weights else f"after step {step}" if step else "before the first step"
        example = "" if culprit.example is None else f"example {culprit.example}"
        lower, look = f"a lower learning rate than {self.peak:g}", "look at that example"
        mends = {
            "weights": (lower, "clip=1.0") if step else ("net.bare(), to begin with new arrays",),
            "loss": (lower, "clip=1.0", *([look] if example else [])),
            "gradient": (
                *([look] if example else []),
                f"a function with a finite slope there, in place of {path}",
                lower,
            ),
        }
        return TrainingError(
            what=f"the {culprit.what} {'are' if weights else 'is'} not finite",
            where=", ".join(text for text in (when, path, example) if text),
            got=got,
            mend=mends[culprit.what],
        )

    def _keep(self, epoch: Epoch) -> None:
        loss = epoch.validation.get("loss", -float(epoch.number))  # without validation the last epoch is the best
        if loss < self._lowest:
            self._lowest, self.kept, self.status.best = loss, self.state(), epoch.number


def clip(flat: Flat, most: float) -> None:
    """Scale the whole gradient down to this length if it is longer. Torch: torch.nn.utils.clip_grad_norm_."""
    length = flat.gradient.norm()
    flat.gradient.mul_((most / (length + 1e-6)).clamp(max=1.0))

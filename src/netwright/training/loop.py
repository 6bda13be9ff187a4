"""The loop: order, batch, gradient, update, validation. It never prints; it calls its callbacks."""

import math
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from netwright.data.order import batch_sizes
from netwright.data.reading import Read, watched
from netwright.errors import TrainingError
from netwright.net.part import Net
from netwright.training.average import Average
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, NotFinite, first_broken, nearest
from netwright.training.epochs import epoch_columns, epochs_of
from netwright.training.events import RATE_FACTOR, Callback, Choice, Epoch, Status
from netwright.training.interrupts import EXIT, Requests
from netwright.training.not_finite import error_of_step, error_of_validation
from netwright.training.prepare.prepare import Prepared
from netwright.training.prepare.threads import Pace, using
from netwright.training.snapshot import Snapshot
from netwright.training.start import trained_so_far
from netwright.training.telling import tell_what_waits, told
from netwright.value import Value

WHY_NEW_STATE = "the state before does not fit the optimizer, or the groups of arrays with one learning rate"
OF_THIS_CALL = ("processes", "sharing")  # choices that a run which goes on does not take over
SMOOTH = 0.02  # share of a step in the running mean of the loss


class Moment(Value, eq=False):
    """What this process holds of all arrays at one moment: the trained ones in one buffer, the others by path."""

    trained: Tensor
    others: Mapping[str, Tensor]


@dataclass
class Running:
    """How far the epoch is that is running."""

    number: int = 1
    batches: int = 0  # done
    loss: float = 0.0  # the sum over the examples seen
    examples: int = 0  # seen
    seconds: float = 0.0  # of training


class Loop:
    """A run in progress: its status, and the best arrays so far."""

    def __init__(
        self, prepared: Prepared, callbacks: Sequence[Callback] = (), clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.prepared = prepared
        self.callbacks = callbacks
        self.clock = clock
        self.peak = max(rate for _, rate in prepared.updates)  # the highest learning rate of any array
        self.pace = Pace() if prepared.watched else None
        self.threads = prepared.threads
        self.pieces = next((choice.setting for choice in prepared.choices if choice.name == "pieces"), 1)
        steps = len(batch_sizes(len(prepared.feed), prepared.batch_size, prepared.least))
        self.status = Status(
            prepared.epochs, prepared.epochs * steps, prepared.batch_size, len(prepared.feed), prepared.choices
        )
        waits = prepared.group.size > 1  # processes stop after the same step
        prepared.feed.heard_by(self.status, waits)
        self.requests = Requests(self.status.stop)
        self.whole = (
            True  # whether no step or epoch is half counted, so that a snapshot is one of a moment between them
        )
        self.not_finite: NotFinite | None = None  # what ended the run, where that is a number
        self.running = Running()
        self.limit = ""  # which limit of the run is reached
        self.factor = 1.0  # of the rates of the schedule, as all processes have it
        master = prepared.engine.flat.master
        self.average = None if prepared.ema is None else Average(master, prepared.running, prepared.ema)
        self._best = self._now()
        self._asking = False  # whether the other processes wait for what the first one asks them
        self.apart = False  # whether they may have ended, so that shares of a net can no longer be gathered
        self._lowest = math.inf

    def run(self) -> None:
        """Run all epochs, unless something ends the run earlier; the best weights so far are kept in any case."""
        status = self.status
        try:
            self._refuse_broken()
            with self.requests.heard(), using(self.threads), watched(self._tell_what_waits):
                self._epochs()
        except BaseException as error:
            if self.prepared.engine.shared and self.not_finite is None and not isinstance(error, SystemExit):
                self.apart, self.whole = True, False
            status.ended = error.what if isinstance(error, TrainingError) else f"{type(error).__name__}: {error}"
            raise
        finally:
            self._end(self.callbacks)

    def state(self) -> dict[str, Tensor]:
        """A copy of the present value of every array of the net, which the next step changes."""
        self._ask("state")
        return self._arrays(self._present())

    @property
    def kept(self) -> dict[str, Tensor]:
        """The best value of every array so far; the first one before the first epoch is done."""
        return self._arrays(self._best)

    def _present(self) -> Moment:
        others = {path: array.clone() for path, array in self.prepared.other_arrays.items()}
        return Moment(self.prepared.engine.flat.master.clone(), others)

    def _now(self) -> Moment:
        """What the run would give at this moment: the present arrays, or averages of them."""
        if self.average is None:
            return self._present()
        with self.average.in_place():
            return self._present()

    def _arrays(self, moment: Moment) -> dict[str, Tensor]:
        return {**self.prepared.engine.arrays(moment.trained), **moment.others}

    def net(self) -> Net:
        """The user's net as the run would give it now, apart from the run: later steps do not change it."""
        net, step = self.prepared.holding(self.last(), self.status.step), self.status.step
        return trained_so_far(net, self.prepared.net, step, self.prepared.seed)

    def reached(self) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """The best arrays so far, and the last ones, as `last` gives them.

        Before the first epoch is done the best are the last.
        """
        if self.apart:
            return self._before(), self._before()
        self._ask("reached")
        last = self._last()
        return (self.kept if self.status.best else last), last

    def last(self) -> Mapping[str, Tensor]:
        """The last arrays, or the best ones if the last are not finite.

        If other processes may have ended, those that hold a share of the net cannot give it, and the arrays are those
        before the run.
        """
        if self.apart:
            return self._before()
        self._ask("last")
        return self._last()

    def _last(self) -> Mapping[str, Tensor]:
        return self._arrays(self._now()) if self._broken() is None else self.kept

    def _before(self) -> Mapping[str, Tensor]:
        return {f"{self.prepared.prefix}{path}": array for path, array in self.prepared.net.held.arrays.items()}

    def broken(self) -> str | None:
        """The path of the first array that is not finite as it is, or in the number type of the user's net."""
        self._ask("broken")
        return self._broken()

    def _broken(self) -> str | None:
        path, kind = self.prepared.engine.broken(), self.prepared.kind
        if path is not None or torch.finfo(kind).max >= torch.finfo(torch.float32).max:
            return path
        arrays = self._arrays(self._now())
        return first_broken({path: array.to(kind) for path, array in arrays.items() if array.is_floating_point()})

    def snapshot(self) -> Snapshot:
        """All that the rest of the run depends on, as it is after the last step or epoch."""
        self._ask("snapshot")
        status = self.status
        parts = {f"update{i}": update.state() for i, (update, _) in enumerate(self.prepared.updates)}
        parts["last"] = Snapshot(self._arrays(self._present()), {})
        if self.average is not None and self.average.mean is not None:
            means = {**self.prepared.engine.arrays(self.average.mean), **self.average.running_means}
            parts["average"] = Snapshot(means, {})
        parts["kept"] = Snapshot(self.kept if status.best else {}, {"epoch": status.best})
        curves = {"losses": status.losses, "learning rates": status.learning_rates}
        parts["data"] = Snapshot({}, self.prepared.feed.state())
        parts["epochs"] = Snapshot(epoch_columns(status.done), {})
        parts["run"] = Snapshot(
            {name: torch.tensor(curve, dtype=torch.float64, device="cpu") for name, curve in curves.items()},
            {
                "step": status.step,
                "seconds": status.seconds,
                "loss": status.loss if status.step else 0.0,
                "learning rate": status.learning_rate if status.step else 0.0,
                "rate factor": status.rate_factor,
                "running": asdict(self.running),
                "choices": [[choice.name, choice.value, choice.why] for choice in status.choices],
                "threads": self.threads,
                "batch size": status.batch_size,
                "arrays": [*self.prepared.engine.paths],
                "pieces": self.prepared.engine.count,
            },
        )
        return Snapshot.joined(parts)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where a run of the same net, data and settings was when it gave this snapshot."""
        status, run, kept = self.status, snapshot.part("run"), snapshot.part("kept")
        fits = self._fits(snapshot)
        for i, (update, _) in enumerate(self.prepared.updates if fits else ()):
            update.restore(snapshot.part(f"update{i}"))
        self._put(snapshot.part("last").arrays)
        if self.average is not None and "average" in snapshot.plain:
            means = snapshot.part("average").arrays
            self.average.mean = self.prepared.engine.buffer(means)
            self.average.running_means = {path: means[path] for path in self.average.running}
        self.prepared.feed.restore(snapshot.part("data").plain)
        status.losses, status.learning_rates = (run.arrays[name].tolist() for name in ("losses", "learning rates"))
        status.step, status.seconds = run.plain["step"], run.plain["seconds"]
        if status.step:
            status.loss, status.learning_rate = run.plain["loss"], run.plain["learning rate"]
        status.rate_factor = run.plain["rate factor"]
        status.done = epochs_of(snapshot.part("epochs").arrays)
        status.best = kept.plain["epoch"]
        self.running = Running(**run.plain["running"])
        settings = {choice.name: choice.setting for choice in status.choices}
        saved = [choice for choice in run.plain["choices"] if choice[0] not in OF_THIS_CALL]
        said = tuple(Choice(name, value, why, settings.get(name)) for name, value, why in saved)
        names = {choice.name for choice in said}
        status.choices = (*(choice for choice in status.choices if choice.name not in names), *said)
        if not fits:
            status.choices += (Choice("state of the optimizer", "new", WHY_NEW_STATE),)
        if run.plain["batch size"] != status.batch_size:  # after a fork; the place in the schedule is that of the steps
            each = status.steps // status.epochs
            status.steps = status.step - self.running.batches + (status.epochs - len(status.done)) * each
        self.pieces = self.prepared.engine.count = run.plain["pieces"]
        if run.plain["threads"] < self.threads:
            self.threads, self.pace = run.plain["threads"], None
        if status.best:
            others = {path: kept.arrays[path].to(now.device) for path, now in self.prepared.other_arrays.items()}
            self._best = Moment(self.prepared.engine.buffer(kept.arrays), others)
            self._lowest = self.prepared.best.cost(status.done[status.best - 1])

    def _fits(self, snapshot: Snapshot) -> bool:
        """Whether the optimizer can go on with the state in a snapshot; after a fork it may be another."""
        updates = [update for update, _ in self.prepared.updates]
        found = [snapshot.part(name) for name in snapshot.plain if name.startswith("update")]
        same = snapshot.plain["run"]["arrays"] == [*self.prepared.engine.paths] and len(found) == len(updates)
        return same and all(update.fits(state) for update, state in zip(updates, found, strict=True))

    def _put(self, arrays: Mapping[str, Tensor]) -> None:
        engine = self.prepared.engine
        engine.flat.master.copy_(engine.buffer(arrays))
        for path, array in self.prepared.other_arrays.items():
            array.copy_(arrays[path])

    def _epochs(self) -> None:
        status = self.status
        try:
            while len(status.done) < status.epochs and not self._stopping():
                self._epoch()
            ended = self._why() if self._stopping() else "all epochs done"
        except KeyboardInterrupt:
            if self.requests.came is not None or self.prepared.group.size > 1:
                raise  # the second Ctrl-C does not wait, and ends the program; other processes are within a step
            ended = "interrupted"
        self._refuse_broken()
        came = self.prepared.group.highest(self.requests.came or 0)
        status.ended = "interrupted" if came else ended
        status.final = status.ended != "interrupted"
        if came not in (0, signal.SIGINT):
            raise SystemExit(EXIT)
        self._as_the_first_process_has_it()

    def _why(self) -> str:
        """Why the run ends, if it was asked to stop or a limit is reached."""
        limit = self.prepared.group.agreed(self.limit)
        if not limit:
            return "stopped"
        return limit if len(self.status.done) < self.status.epochs else "all epochs done"

    def _end(self, callbacks: Sequence[Callback]) -> None:
        """Call every callback at the end, even if one of them raises."""
        self._tell(lambda: self._ended(callbacks))

    def _ended(self, callbacks: Sequence[Callback]) -> None:
        if callbacks:
            try:
                told([callbacks[0].on_end], self.status)
            finally:
                self._ended(callbacks[1:])

    def _tell(self, tell: Callable[[], None]) -> None:
        """Call the callbacks, which the first process has. They may ask for arrays that all processes hold together."""
        group = self.prepared.group
        if not self.prepared.engine.shared or self.apart:
            with self.status.giving(self.net):
                tell()
        elif group.leads:
            self._asking = True
            with self.status.giving(self.net):
                tell()
            self._asking = bool(group.agreed(""))  # no more questions
        else:
            while question := group.agreed(""):
                getattr(self, question)()  # "state", "last", "reached", "snapshot" or "broken"

    def _ask(self, question: str) -> None:
        """Let the other processes do what this one does now, where they wait for that."""
        if self._asking:
            self.prepared.group.agreed(question)

    def _refuse_broken(self) -> None:
        """Raise an error if an array is not finite; a loss would show it in the next step, but this may be the last."""
        path = self.broken()
        if path is not None:
            raise self._not_finite(NotFinite(Culprit("weights", path)), "nan or inf")

    def _epoch(self) -> None:
        """The epoch that is running, from where it is to its end."""
        status, running, start = self.status, self.running, self.clock()
        number, before, trained = running.number, status.seconds, running.seconds
        feed, seed, least = self.prepared.feed, self.prepared.seed, self.prepared.least
        count = len(batch_sizes(len(feed), status.batch_size, least))
        hearing = [callback.on_step for callback in self.callbacks if type(callback).on_step is not Callback.on_step]
        with closing(feed.epoch(number, status.batch_size, seed, least, running.batches)) as batches:
            for batch in batches:
                self.whole = False
                loss, size = self._step(self.prepared.variation(batch, status.step)), batch.size
                now = self.clock() - start
                running.batches, running.seconds = running.batches + 1, trained + now
                running.loss, running.examples = running.loss + loss * size, running.examples + size
                self.whole = True
                if self.pace is not None and self.pace.is_slow((before + now - status.seconds) / batch.positions):
                    self._go_on_alone()
                status.seconds = before + now
                self._tell(lambda: told(hearing, status))
                if self._stopping():
                    break
        if status.stopping and running.batches < count:
            return
        self._refuse_broken()
        with nullcontext() if self.average is None else self.average.in_place():
            measured = dict(self.prepared.validate()) if self.prepared.validate is not None else {}
        if not math.isfinite(measured.get("loss", 0.0)):
            self.not_finite = self.prepared.validate.not_finite() if self.prepared.validate is not None else None
            found = None if self.not_finite is None else self.not_finite.culprit
            raise error_of_validation(found, measured["loss"], number, self.prepared.prefix, self.peak)
        if self.prepared.measures is not None:
            measured |= self.prepared.measured(self.last(), status.step)
        status.seconds = before + self.clock() - start
        mean, speed = running.loss / running.examples, running.examples / max(running.seconds, 1e-9)
        epoch = Epoch(number, mean, measured, status.learning_rate, running.seconds, speed, status.step)
        self.whole = False
        status.done.append(epoch)
        self._keep(epoch)
        self.running = Running(number + 1)
        self.whole = True
        self._tell(lambda: told([callback.on_epoch for callback in self.callbacks], status))

    def _tell_what_waits(self, read: Read | None) -> None:
        twice = read is not None and (read.in_main_thread or self.prepared.group.size > 1)
        place = f"in epoch {self.status.epoch}"
        if read is not None:
            why = "the run waits for what is read"
            self.status.choices += (Choice("data waits", f"{read} {place}", why),)
        tell_what_waits(read, place, "Ctrl-C, pressed twice," if twice else "Ctrl-C", self.callbacks, self.status)

    def _stopping(self) -> bool:
        """Whether a process was asked to stop; all of them stop after the same step, and take the rate of the first."""
        group = self.prepared.group
        if group.leads and not self.limit:  # times differ between processes
            self.limit = self.prepared.limits.reached(self.status)
        stopping = self.status.stopping or bool(self.limit)
        more = len(self.status.done) < self.status.epochs
        changed = more and group.leads and self.status.rate_factor != self.factor
        said = group.highest(stopping + 2 * changed)
        if said > 1:
            self._change_rate()
            said = group.highest(stopping)
        stopping = bool(said)
        if stopping:
            self.status.stopping = True
        return stopping

    def _change_rate(self) -> None:
        """Let the steps that follow have the rate that a callback of the first process has set."""
        status = self.status
        self.factor = status.rate_factor = self.prepared.group.agreed(status.rate_factor)
        if not any(choice.name == RATE_FACTOR for choice in status.choices):
            status.choices += (
                Choice(RATE_FACTOR, "set by callbacks", f"{self.factor:g} from step {status.step + 1} on"),
            )

    def _go_on_alone(self) -> None:
        self.pace, self.threads = None, 1
        torch.set_num_threads(1)
        why = f"from step {self.status.step} on, since steps took more than five times as long as before"
        self.status.choices += (Choice("threads", "1", why, 1),)

    def _step(self, batch: Batch) -> float:
        status, engine = self.status, self.prepared.engine
        loss = engine.gradient(batch, status.step) + self.prepared.shaping(engine)
        if engine.count > self.pieces:
            self.pieces = engine.count
            why = f"from step {status.step + 1} on, since memory ended; the sum of their gradients is that of the batch"
            status.choices += (Choice("pieces", f"{engine.count} of a batch", why, engine.count),)
        if not math.isfinite(loss):
            raise self._not_finite(NotFinite(self._culprit(batch), batch), str(loss))
        factor = self.prepared.schedule.factor(status.step, status.steps) * self.factor
        with torch.no_grad():
            for update, rate in self.prepared.updates:
                update(rate * factor)
            if self.average is not None:
                self.average.update()
        status.learning_rate = self.peak * factor
        status.step += 1
        status.losses.append(loss)
        status.learning_rates.append(status.learning_rate)
        status.loss = loss if status.step == 1 else status.loss + SMOOTH * (loss - status.loss)
        return loss

    def _culprit(self, batch: Batch) -> Culprit:
        """What is to blame in the first piece of a batch in which a process finds anything."""
        engine, paths = self.prepared.engine, [step.path for step in self.prepared.net_with_loss.plan.steps]
        for piece in batch.split(engine.count):
            own = engine.culprit(piece, self.status.step)
            found = self.prepared.group.gathered(None if own is None else asdict(own))
            first = nearest([Culprit(**one) for one in found if one is not None], paths)
            if first is not None:
                return first
        return Culprit("loss", "")

    def _as_the_first_process_has_it(self) -> None:
        """Take times and choices from the first process, so that the results of all processes are equal."""
        status, group = self.status, self.prepared.group
        if group.size == 1:
            return
        settings = {choice.name: choice.setting for choice in status.choices}
        status.seconds = group.agreed(status.seconds)
        status.done = [Epoch(**epoch) for epoch in group.agreed([asdict(epoch) for epoch in status.done])]
        choices = group.agreed([(choice.name, choice.value, choice.why) for choice in status.choices])
        status.choices = tuple(Choice(name, value, why, settings.get(name)) for name, value, why in choices)

    def _not_finite(self, found: NotFinite, got: str) -> TrainingError:
        self.not_finite = found
        return error_of_step(found.culprit, got, self.status.step, self.prepared.prefix, self.peak)

    def _keep(self, epoch: Epoch) -> None:
        cost = self.prepared.best.cost(epoch)
        if cost < self._lowest:
            self._lowest, self._best, self.status.best = cost, self._now(), epoch.number

"""Reads the next batches in a thread while a step computes, in the same order; an error comes out where it would."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from contextvars import copy_context
from typing import Any, NamedTuple

import torch

from netwright.net.plan.plan import Plan
from netwright.net.run.lengths import Stored
from netwright.training.batch import Batch
from netwright.training.events import Status
from netwright.training.feeds.batches import Batches

MOST = 4  # batches that wait to be taken
BYTES = 32 << 20  # of these, from which on no further one is read; one is always read
SWITCH = 1e-5  # seconds after which the thread lets a step go on in Python; by Python's 5 ms, each part of a step waits
GLANCE = 0.2  # seconds after which a waiting run looks whether it is to stop


class ReadBatch(NamedTuple):
    """A batch that was read ahead, and the place in the data after it."""

    batch: Batch
    place: Mapping[str, Any]


class Ahead(Batches):
    """Batches that are read from elsewhere, some of them ahead of the step that takes them.

    Each epoch has a thread of its own, which ends with the epoch.
    """

    def __init__(self, batches: Batches) -> None:
        self.batches = batches
        self.codecs, self.device, self.typical = batches.codecs, batches.device, batches.typical
        self._place = batches.state()
        self._status: Status | None = None
        self._waits = False

    def __len__(self) -> int:
        return len(self.batches)

    @property
    def raw(self) -> bool:
        return True

    def epoch(self, number: int, size: int, seed: int, least: int = 1, skip: int = 0) -> Generator[Batch]:
        if self._place != self.batches.state():  # an epoch was left early, and the thread had read on
            self.batches.restore(self._place)
        shelf = Shelf()
        thread = threading.Thread(
            target=copy_context().run,  # in which it is known who watches the reading
            args=(shelf.fill, self._reading(number, size, seed, least, skip), self.batches.read_on, Surroundings()),
            name="netwright-ahead",
            daemon=True,  # a source that hangs does not keep the program from ending
        )
        thread.start()
        interval = sys.getswitchinterval()
        sys.setswitchinterval(min(interval, SWITCH))
        try:
            while (read := self._waited_for(shelf)) is not None:
                self._place = read.place
                yield read.batch
        finally:
            sys.setswitchinterval(interval)
            shelf.close()
            thread.join(GLANCE)

    def _reading(self, *epoch: int) -> Generator[ReadBatch]:
        with closing(self.batches.epoch(*epoch)) as batches:
            for batch in batches:
                yield ReadBatch(batch, self.batches.state())

    def _waited_for(self, shelf: "Shelf") -> ReadBatch | None:
        """The next batch; None at the end, and where the run is to stop before the batch has come."""
        while not shelf.ready(GLANCE):
            if self._status is not None and self._status.stopping and not self._waits:
                return None
        return shelf.take()

    def trial(self, size: int, seed: int, least: int = 1) -> Generator[Batch]:
        return self.batches.trial(size, seed, least)

    def first(self, count: int) -> Batch:
        return self.batches.first(count)

    def every(self, size: int) -> Iterator[Batch]:
        return self.batches.every(size)

    @property
    def stored(self) -> Mapping[str, Stored]:
        return self.batches.stored

    def digests(self) -> Mapping[str, str]:
        return self.batches.digests()

    def composition(self, size: int, seed: int) -> tuple[str, str] | None:
        return self.batches.composition(size, seed)

    def state(self) -> Mapping[str, Any]:
        return self._place

    def restore(self, state: Mapping[str, Any]) -> None:
        self.batches.restore(state)
        self._place = self.batches.state()

    def heard_by(self, status: Status, waits: bool = False) -> None:
        self._status, self._waits = status, waits
        self.batches.heard_by(status, waits)


class Shelf:
    """Where one thread puts what it read, and another takes it, in the same order; it holds a few things only."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # on a lock that its thread may take again
        self._read: deque[ReadBatch] = deque()
        self._bytes = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, reading: Generator[ReadBatch], read_on: Callable[[], bool], around: "Surroundings") -> None:
        """Read until the end, an error, or until no more is wanted; this is what the thread does.

        While there is no room for another batch, `read_on` reads a little of what comes later, until it gives False.
        """
        error: BaseException | None = None
        try:
            with around.here(), closing(reading):
                while self._has_room(read_on) and (read := next(reading, None)) is not None:
                    self._put(read)
        except BaseException as raised:
            error = raised
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def ready(self, seconds: float) -> bool:
        """Whether there is something to take within this time: a batch, the end, or an error."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._read) or self._ended, seconds)

    def take(self) -> ReadBatch | None:
        """The next one; None at the end. An error is raised as it was in the thread."""
        with self._changed:
            if self._read:
                read = self._read.popleft()
                self._bytes -= bytes_in(read.batch)
                self._changed.notify_all()
                return read
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def close(self) -> None:
        """Nothing more is wanted."""
        with self._changed:
            self._closed = True
            self._read.clear()
            self._changed.notify_all()

    def _has_room(self, read_on: Callable[[], bool]) -> bool:
        """Wait until another one may be read, and read on meanwhile; False where none is wanted any more."""
        while not self._wants() and read_on():
            pass
        with self._changed:
            self._changed.wait_for(self._wants)
            return not self._closed

    def _wants(self) -> bool:
        with self._changed:
            return self._closed or not self._read or (len(self._read) < MOST and self._bytes < BYTES)

    def _put(self, read: ReadBatch) -> None:
        with self._changed:
            if not self._closed:
                self._read.append(read)
                self._bytes += bytes_in(read.batch)
                self._changed.notify_all()


class Surroundings:
    """What torch keeps for each thread by itself, as it is in the thread that makes this."""

    def __init__(self) -> None:
        self.gradients, self.inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        self.device = torch.get_default_device()

    def here(self) -> ExitStack:
        """The same in another thread, while a block runs."""
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode(self.inference))
            stack.enter_context(torch.set_grad_enabled(self.gradients))
            if self.device.type != "cpu":
                stack.enter_context(self.device)
            return stack.pop_all()


def read_ahead(batches: Batches, plan: Plan) -> Batches:
    """The same batches, read ahead where that saves time and changes nothing.

    A net with code of the user's own lets torch's generators begin anew in each step, and what the data draws from them
    at the same time would depend on chance.
    """
    own = any(step.leaf.code() is not None for step in plan.steps)
    return Ahead(batches) if batches.raw and not own else batches


def bytes_in(batch: Batch) -> int:
    """The memory of a batch."""
    return sum(value.nbytes for value in batch.inputs.values())

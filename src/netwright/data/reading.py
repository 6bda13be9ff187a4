"""Watches the reading of data, so that it can be said that a source gives nothing, whatever it is read for."""

import threading
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import NamedTuple, ParamSpec, TypeVar

from netwright.around import around

PATIENCE = 60.0  # seconds of one read after which it is said
GLANCE = 0.2  # seconds after which the thread looks again
P = ParamSpec("P")
T = TypeVar("T")


class Read(NamedTuple):
    """A read that is under way.

    Fields: `what` is read, and its `number`, such as item 7; `since` when; in which `thread`.
    """

    what: str
    number: int
    since: float
    thread: int

    @property
    def in_main_thread(self) -> bool:
        """Whether the program itself waits, and not only a thread that reads ahead."""
        return self.thread == threading.main_thread().ident

    def __str__(self) -> str:
        return f"gave nothing for {PATIENCE:g} s, at {self.what} {self.number:,}"


class Watch:
    """The reads under way, and a thread that looks at them; it begins with the first read.

    Fields: `say` is called in that thread, with a read that takes long, and with None when none does any more.
    """

    def __init__(self, say: Callable[[Read | None], None]) -> None:
        self.say = say
        self._reads: dict[int, Read] = {}
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._started = threading.Lock()
        self._thread: threading.Thread | None = None

    def reading(self, what: str, number: int, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `read` gives, while the read is known here."""
        thread = threading.get_ident()
        around = self._reads.get(thread)
        self._reads[thread] = Read(what, number, time.monotonic(), thread)
        if self._thread is None:
            self._start()
        try:
            return read(*args, **kwargs)
        finally:
            if around is None:
                del self._reads[thread]
            else:
                self._reads[thread] = around

    def end(self) -> None:
        """End the thread; an error that `say` raised in it is raised here."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _start(self) -> None:
        with self._started:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="netwright-watch", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        said = False
        try:
            while not self._ended.wait(GLANCE):
                read = min(list(self._reads.values()), key=lambda read: read.since, default=None)
                waits = read is not None and time.monotonic() - read.since >= PATIENCE
                if waits != said:
                    said = waits
                    self.say(read if waits else None)
            if said:
                self.say(None)
        except Exception as error:
            self._error = error


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@around
def watched(say: Callable[[Read | None], None]) -> Generator[None]:
    """Within, what reads too long is said: `say` gets the read, and None when it is over. It runs in another thread."""
    watch = Watch(say)
    token = _WATCH.set(watch)
    try:
        yield
    finally:
        _WATCH.reset(token)
        watch.end()


def reading(what: str, number: int, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `read` gives; where reading is watched, it is known that it is under way."""
    watch = _WATCH.get()
    return read(*args, **kwargs) if watch is None else watch.reading(what, number, read, *args, **kwargs)

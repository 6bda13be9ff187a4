"""Holds signals back while they could do harm: until a step is done, and while the result of a run is being made."""

import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

from netwright.around import around

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
DEFAULT = (signal.SIG_DFL, signal.default_int_handler)
EXIT = 128 + 15  # the exit code of a program that was asked to end, as schedulers know it


@around
def held() -> Generator[Callable[[], None]]:
    """Hold back the signals that Python code handles; the returned function delivers them afterwards.

    Signals reach the main thread alone, so elsewhere there is nothing to hold.
    """
    came: list[tuple[signal.Signals, FrameType | None]] = []
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()} if _main() else {}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}

    def deliver() -> None:
        while came:
            number, frame = came.pop(0)
            ours[number](number, frame)

    for number in ours:
        signal.signal(number, lambda number, frame: came.append((signal.Signals(number), frame)))
    try:
        yield deliver
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()


class Requests:
    """Signals that ask a run to end: Ctrl-C, and those with which a system ends a program.

    The first one lets the step end; the second one ends the run at once. A signal for which the program has a handler
    of its own is left to that one.

    Fields:
        came: the first one; None before.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self.came: signal.Signals | None = None

    @around
    def heard(self) -> Generator[None]:
        """Hear of signals during a block; they reach the main thread alone."""
        usual = {name: getattr(signal, name) for name in ENDING if hasattr(signal, name)} if _main() else {}
        ours = [number for number in usual.values() if signal.getsignal(number) in DEFAULT]
        before = {number: signal.signal(number, self._hear) for number in ours}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.came is not None:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(EXIT)
        self.came = signal.Signals(number)
        self.tell()

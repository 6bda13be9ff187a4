"""Holds signals back while they could do harm: Ctrl-C while the result of a run is being made."""

import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

from netwright.around import around


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

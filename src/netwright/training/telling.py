"""Tells the callbacks of a run what happens, and that it waits for its data."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from netwright.around import Around
from netwright.data.reading import Read, watched
from netwright.errors import TrainingError
from netwright.training.events import Callback, Status


def tell_what_waits(read: Read | None, place: str, key: str, callbacks: Sequence[Callback], status: Status) -> None:
    """Tell callbacks what waits for its data, where, and the key that ends the run; or, for None, that nothing does."""
    status.waiting = "" if read is None else f"the data {read} {place}; {key} ends the run"
    told([callback.on_wait for callback in callbacks], status)


def watched_before_the_first_step(callbacks: Sequence[Callback]) -> Around[None]:
    """Within, callbacks hear what waits for its data while a run is prepared; a loop watches its data by itself."""
    status = Status(epochs=0, steps=0, batch_size=0, examples=0, choices=())
    return watched(lambda read: tell_what_waits(read, "before the first step", "Ctrl-C", callbacks, status))


def told(methods: Sequence[Callable[[Status], None]], status: Status) -> None:
    """Call methods of callbacks; an error that one of them raises says whose it is."""
    for tell in methods:
        before = status.rate_factor
        try:
            tell(status)
        except Exception as error:
            with suppress(AttributeError):  # an error that is a frozen dataclass takes no note
                error.add_note(f"The callback {_name(tell)} raised this error after step {status.step} of the run.")
            raise
        given, status.rate_factor = status.rate_factor, before  # an end by an error leaves the rate as it was
        status.rate_factor = _sound(given, tell, status.step)


def _name(tell: Callable[[Status], None]) -> str:
    return getattr(tell, "__qualname__", repr(tell)).rpartition("<locals>.")[2]


def _sound(factor: Any, tell: Callable[[Status], None], step: int) -> float:
    """The factor of the rate that a callback has set.

    Raises: TrainingError for one with which no step can be made.
    """
    try:
        found = math.nan if isinstance(factor, str) else float(factor)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise TrainingError(
            what="status.rate_factor is a finite number of at least 0",
            where=f"the callback {_name(tell)}, after step {step} of the run",
            got=repr(factor),
            mend="status.rate_factor = 0.5, for half the rate of the schedule",
        )
    return found

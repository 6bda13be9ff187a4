"""Tells the callbacks of a run what happens, and that it waits for its data."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from netwright.around import Around
from netwright.data.reading import Read, watched
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
        try:
            tell(status)
        except Exception as error:
            name = getattr(tell, "__qualname__", repr(tell)).rpartition("<locals>.")[2]
            with suppress(AttributeError):  # an error that is a frozen dataclass takes no note
                error.add_note(f"The callback {name} raised this error after step {status.step} of the run.")
            raise

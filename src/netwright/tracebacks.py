"""Shows an error of ours from outside: with the lines of the user's code, and none of Netwright, torch or matplotlib.

A user who gives a wrong size has to see the own line and what the error says, not twenty lines of a solver. So
notebooks and the prompt show these errors without the lines inside of libraries. Nothing is lost: the error keeps its
whole traceback, a debugger stops where it always did, and `traceback.print_exception(sys.last_value)` prints all lines.
"""

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Any

from netwright.around import around

OWN = str(Path(__file__).parent)
LIBRARIES = ("torch", "matplotlib")  # through which a call of the user may come to us
WHOLE = "Verbose"  # the mode of IPython in which a user asks for everything


@around
def seen_from_outside(error: BaseException) -> Generator[None]:
    """For the length of a block, an error and those it was raised from have no lines inside of libraries.

    An error that was caught inside of a library, without a line outside, is not shown as the context of another one. An
    error from which another one was raised on purpose keeps all its lines, since it may be the user's.
    """
    inside = _libraries()
    kept: list[tuple[BaseException, TracebackType | None, bool]] = []
    one: BaseException | None = error
    while one is not None and all(one is not known for known, _, _ in kept):
        kept.append((one, one.__traceback__, one.__suppress_context__))
        context = None if one.__cause__ is not None or one.__suppress_context__ else one.__context__
        if context is not None and _outside(context.__traceback__, inside) is None:
            one.__suppress_context__ = True
            context = None
        if one is error:
            one.__traceback__ = _outside(one.__traceback__, inside) or one.__traceback__
        one = context
    try:
        yield
    finally:
        for one, trace, suppressed in kept:
            one.__traceback__ = trace
            one.__suppress_context__ = suppressed


def lines_in_notebook(error: BaseException) -> list[str]:
    """The traceback of an error as IPython prints it in the mode that the user has chosen, seen from outside.

    In the mode "Verbose" (`%xmode Verbose`) all lines are there.
    """
    shell: Any = sys.modules["IPython"].get_ipython()
    table: Any = shell.InteractiveTB
    if table.mode == WHOLE:
        return table.structured_traceback(type(error), error, error.__traceback__)
    with seen_from_outside(error):
        return table.structured_traceback(type(error), error, error.__traceback__)


def shorten_at_prompt(kind: type[BaseException]) -> None:
    """Let Python's prompt show errors of a kind from outside. Scripts, and a hook of the user, stay as they are."""
    prompt = hasattr(sys, "ps1") or sys.flags.interactive  # with `python -i file.py` it comes after the file
    if prompt and sys.excepthook is sys.__excepthook__:
        sys.excepthook = _hook_for(kind)


def _hook_for(kind: type[BaseException]) -> Callable[[type[BaseException], BaseException, TracebackType | None], Any]:
    def show(found: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, kind) or not hasattr(sys, "ps1"):
            sys.__excepthook__(found, error, trace)
            return
        with seen_from_outside(error):
            sys.__excepthook__(found, error, error.__traceback__)

    return show


def _libraries() -> tuple[str, ...]:
    """The folders whose lines are not shown, each with a separator at its end."""
    files = [getattr(sys.modules.get(name), "__file__", None) for name in LIBRARIES]
    return tuple(folder + os.sep for folder in (OWN, *(str(Path(file).parent) for file in files if file)))


def _outside(trace: TracebackType | None, inside: tuple[str, ...]) -> TracebackType | None:
    """A traceback without the lines in some folders; None if no line is left."""
    lines: list[TracebackType] = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(inside):
            lines.append(trace)
        trace = trace.tb_next
    found: TracebackType | None = None
    for line in reversed(lines):
        found = TracebackType(found, line.tb_frame, line.tb_lasti, line.tb_lineno)
    return found

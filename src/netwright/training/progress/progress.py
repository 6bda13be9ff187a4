"""Shows a run: live in a terminal, as plain lines in a pipe, as a panel with a stop button in a notebook.

The loop never prints; these callbacks read its `Status`. Messages go to stderr, since stdout is for data.
"""

import html
import itertools
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, TypeAlias

from netwright.forms import html_form
from netwright.machine import unchanged
from netwright.training.events import Callback, Epoch, Status
from netwright.training.progress.notebook import Show, kernel, pane

if TYPE_CHECKING:  # importing rich takes longer than starting most programs, so only a run that is shown imports it
    from rich.console import Console, Group
    from rich.live import Live
    from rich.table import Table

Clock: TypeAlias = Callable[[], float]

BLOCKS = "▁▂▃▄▅▆▇█"
TERMINAL_EVERY = 0.1  # seconds between two pictures in a terminal: more often costs time and shows nothing new
PANEL_EVERY = 0.5  # and in a notebook, where every picture is a message
LINES_EVERY = 15.0  # seconds between two lines in a pipe, beside the one of each epoch
CURVE = 48  # characters of the learning curve
BAR = 32  # and of the bar
EPOCHS = 12  # rows of the table: the last ones


def progress(console: "Console | None" = None, clock: Clock = time.monotonic) -> Callback:
    """The callback that fits where the program runs: a notebook, a terminal, or a pipe.

    Fields:
        console: where to write; stderr by default.
        clock: seconds, ascending.
    """
    if console is None and kernel() is not None:
        return Panel(clock)
    with unchanged():  # rich draws random numbers
        from rich.console import Console

        console = console or Console(stderr=True)
        terminal = console.is_terminal and not console.is_dumb_terminal
        return Terminal(console, clock) if terminal else Lines(console.file, clock)


class Lines(Callback):
    """One line an epoch, and one from time to time in between: for pipes and files."""

    def __init__(self, file: IO[str] | None = None, clock: Clock = time.monotonic) -> None:
        self.file = file
        self.clock = clock
        self.last_line = clock()

    def on_step(self, status: Status) -> None:
        now = self.clock()
        ends_epoch = status.step % _steps_each(status) == 0  # the line of the epoch follows
        if now - self.last_line < LINES_EVERY or ends_epoch:
            return
        self.last_line = now
        self._print(
            f"epoch {status.epoch}/{status.epochs}, step {status.step:,}/{status.steps:,}, "
            f"loss {status.loss:.4g}, {status.examples_per_second:,.0f} examples/s, {left(status)}"
        )

    def on_epoch(self, status: Status) -> None:
        epoch = status.done[-1]
        self.last_line = self.clock()
        parts = [f"epoch {epoch.number}/{status.epochs}", f"loss {epoch.loss:.4g}"]
        parts += [f"validation {name} {figure(name, value)}" for name, value in epoch.validation.items()]
        parts.append(f"{epoch.examples_per_second:,.0f} examples/s")
        parts.append(left(status) if len(status.done) < status.epochs else duration(status.seconds))
        self._print(", ".join(parts) + (" (best)" if status.best == epoch.number and epoch.validation else ""))

    def on_wait(self, status: Status) -> None:
        self._print(status.waiting or "the wait for the data is over")

    def on_end(self, status: Status) -> None:
        self._print(ending(status))

    def _print(self, line: str) -> None:
        print(line, file=self.file or sys.stderr, flush=True)


class Terminal(Callback):
    """A view that stays in place: bar, time left, speed, losses, a table of epochs, a small learning curve."""

    def __init__(self, console: "Console", clock: Clock = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self.live: Live | None = None
        self.drawn = -math.inf

    def on_step(self, status: Status) -> None:
        if self.clock() - self.drawn >= TERMINAL_EVERY:
            self._draw(status)

    def on_epoch(self, status: Status) -> None:
        self._draw(status)

    on_wait = on_epoch

    def on_end(self, status: Status) -> None:
        self._draw(status)
        with unchanged():
            if self.live is not None:
                self.live.stop()
        self.live = None

    def _draw(self, status: Status) -> None:
        with unchanged():  # rich draws random numbers
            from rich.live import Live

            if self.live is None:
                # no thread of its own: the view is drawn when the loop makes a step
                self.live = Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
                self.live.start()
            self.live.update(view(status), refresh=True)
        self.drawn = self.clock()


class Panel(Callback):
    """The same in a notebook, with a button that stops the run and keeps the best net so far.

    The button is shown if its click can be received while the cell runs: with ipywidgets, in a kernel of ipykernel.
    Interrupting the kernel does the same anywhere, and the panel says so.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.drawn = -math.inf
        self.pane: tuple[Show, Callable[[], None]] | None = None
        self.status: Status | None = None

    def on_step(self, status: Status) -> None:
        if self.clock() - self.drawn >= PANEL_EVERY:
            self._draw(status)

    def on_wait(self, status: Status) -> None:
        self._draw(status)

    def on_end(self, status: Status) -> None:
        _, finish = self._draw(status)
        finish()

    def _draw(self, status: Status) -> tuple[Show, Callable[[], None]]:
        self.status = status  # of the run, once it has begun
        self.pane = self.pane or pane(self._stop)
        self.pane[0](panel_html(status))
        self.drawn = self.clock()
        return self.pane

    def _stop(self) -> None:
        if self.status is not None:
            self.status.stop()


def view(status: Status) -> "Group":
    """The whole picture of a run for a terminal."""
    from rich.console import Group
    from rich.text import Text

    done = status.step / status.steps if status.steps else 0.0
    bar = Text()
    bar.append(f"epoch {status.epoch}/{status.epochs}  ", "bold")
    filled = round(done * BAR)
    bar.append("━" * filled, "cyan").append("━" * (BAR - filled), "bright_black")
    bar.append(f"  {math.floor(done * 100)}%", "bold")
    bar.append(f"  {left(status) if not status.ended else duration(status.seconds)}")
    bar.append(f"  {status.examples_per_second:,.0f} examples/s", "bright_black")
    curve = Text()
    curve.append(sparkline(status.losses, CURVE), "cyan")
    curve.append(f"  training loss {status.loss:.4g}")
    pieces: list[Text | Table] = [bar, curve]
    if status.done:
        pieces.append(_epochs(status))
    if status.waiting:
        pieces.append(Text(status.waiting, "bold"))
    if status.ended:
        pieces.append(Text(ending(status), "bold" if status.best else ""))
    return Group(*pieces)


def _epochs(status: Status) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bright_black", pad_edge=False)
    names = list(status.done[-1].validation)
    for name in ("epoch", "training loss", *(f"validation {name}" for name in names), "seconds"):
        table.add_column(name, justify="right")
    table.add_column("")
    for epoch in status.done[-EPOCHS:]:
        kept = epoch.number == status.best and bool(names)
        figures = [figure(name, epoch.validation.get(name, math.nan)) for name in names]
        cells = [str(epoch.number), f"{epoch.loss:.4g}", *figures, f"{epoch.seconds:.1f}", "best" if kept else ""]
        table.add_row(*cells, style="bold" if kept else "")
    return table


def sparkline(values: Sequence[float], width: int) -> str:
    """A curve of block characters on a logarithmic scale: the mean of each stretch.

    Example:
        >>> sparkline([8.0, 4.0, 2.0, 1.0], 4)
        '█▆▃▁'
    """
    known = [value for value in values if math.isfinite(value) and value > 0]
    n = min(width, len(known))
    cuts = [round(i * len(known) / n) for i in range(n + 1)] if n else []
    heights = [math.log(math.fsum(known[a:b]) / (b - a)) for a, b in itertools.pairwise(cuts)]
    if not heights:
        return ""
    low, span = min(heights), (max(heights) - min(heights)) or 1.0
    return "".join(BLOCKS[round((height - low) / span * (len(BLOCKS) - 1))] for height in heights)


def figure(name: str, value: float) -> str:
    """A validation figure: an error in percent, anything else as a number."""
    return f"{value:.2%}" if name in ("error", "accuracy") else f"{value:.4g}"


def left(status: Status) -> str:
    """The time left in words."""
    return f"{duration(status.seconds_left)} left" if math.isfinite(status.seconds_left) else "starting"


def duration(seconds: float) -> str:
    """Seconds as a clock shows them.

    Example:
        >>> duration(75.4), duration(3723)
        ('1:15', '1:02:03')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ending(status: Status) -> str:
    """How the run ended, and which net was kept."""
    kept = f"; kept: the net of epoch {status.best}" if status.best else ""
    return f"{status.ended or 'ended'} after {duration(status.seconds)}{kept}"


def panel_html(status: Status) -> str:
    """The picture of a run for a notebook."""
    done = status.step / status.steps if status.steps else 0.0
    head = f"epoch {status.epoch}/{status.epochs}, {duration(status.seconds) if status.ended else left(status)}"
    speed = f"{status.examples_per_second:,.0f} examples/s, training loss {status.loss:.4g}"
    bar = (
        "<div style='height:6px;border-radius:3px;background:#8884;margin:6px 0'>"
        f"<div style='height:6px;border-radius:3px;background:#2f6bd0;width:{done:.1%}'></div></div>"
    )
    small = f"<div style='font-family:monospace;color:#2f6bd0'>{sparkline(status.losses, CURVE)}</div>"
    curve = (html_form(status) if status.ended else "") or small  # what stays in the cell shows more
    rows = "".join(_html_row(epoch, status) for epoch in status.done[-EPOCHS:])
    names = list(status.done[-1].validation) if status.done else []
    heads = ("epoch", "training loss", *(f"validation {name}" for name in names), "seconds")
    table = (
        f"<table><tr>{''.join(f'<th>{html.escape(name)}</th>' for name in heads)}</tr>{rows}</table>" if rows else ""
    )
    hint = "interrupting the kernel stops the run; the best net so far is kept"
    said = ending(status) if status.ended else status.waiting
    end = f"<b>{html.escape(said)}</b>" if said else f"<span style='color:#888'>{hint}</span>"
    return f"<div style='max-width:60em'><b>{head}</b> &nbsp; {speed}{bar}{curve}{table}<div>{end}</div></div>"


def _html_row(epoch: Epoch, status: Status) -> str:
    figures = [figure(name, value) for name, value in epoch.validation.items()]
    cells = [str(epoch.number), f"{epoch.loss:.4g}", *figures, f"{epoch.seconds:.1f}"]
    weight = " style='font-weight:600'" if epoch.number == status.best else ""
    return f"<tr{weight}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _steps_each(status: Status) -> int:
    return max(1, status.steps // max(1, status.epochs))

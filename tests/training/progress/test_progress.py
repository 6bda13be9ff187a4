"""What a run shows must be exact, in a terminal, in a pipe and in a notebook, with a clock and a width of our own."""

import io
import random

import pytest
from rich.console import Console

from netwright.training.events import Epoch, Status
from netwright.training.progress import progress as module
from netwright.training.progress.progress import Lines, Panel, Terminal, panel_html, progress, sparkline, view

FIRST = Epoch(1, 0.9123, {"loss": 0.4, "error": 0.0512}, 1e-3, 2.0, 250.0, 10)
SECOND = Epoch(2, 0.5, {"loss": 0.45, "error": 0.06}, 1e-3, 2.1, 240.0, 20)


def status(**changes):
    facts = {"epochs": 3, "steps": 12, "batch_size": 125, "examples": 500, "choices": (), "step": 6, "seconds": 4.0}
    facts |= {"loss": 0.31234, "losses": [4.0, 2.0, 1.0, 0.5, 0.4, 0.3], "done": [FIRST], "best": 1}
    return Status(**(facts | changes))


def console(width=100):
    return Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)


def test_the_view_of_a_terminal():
    shown = console()
    shown.print(view(status()))
    assert shown.file.getvalue() == (
        "epoch 2/3  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  50%  0:04 left  250 examples/s\n"
        "█▆▄▂▂▁  training loss 0.3123\n"
        "epoch   training loss   validation loss   validation error   seconds       \n"
        "    1          0.9123               0.4              5.12%       2.0   best\n"
    )


def test_the_view_at_the_end_and_without_validation():
    shown = console()
    alone = Epoch(1, 0.9, {}, 1e-3, 2.0, 250.0, 10)
    shown.print(view(status(done=[alone], step=12, ended="all epochs done")))
    assert shown.file.getvalue() == (
        "epoch 2/3  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  100%  0:04  250 examples/s\n"
        "█▆▄▂▂▁  training loss 0.3123\n"
        "epoch   training loss   seconds    \n"
        "    1             0.9       2.0    \n"
        "all epochs done after 0:04; kept: the net of epoch 1\n"
    )


WAITS = "the data gave nothing for 60 s, at example 8 of epoch 2; Ctrl-C ends the run"


def test_a_run_that_waits_for_its_data_shows_it_until_they_come():
    shown, waits, over = console(), status(waiting=WAITS), status()
    shown.print(view(waits))
    assert shown.file.getvalue().endswith(f"\n{WAITS}\n")
    assert f"<b>{WAITS}</b>" in panel_html(waits) and WAITS not in panel_html(over)
    pictures = []
    terminal, panel, lines = Terminal(console()), Panel(), Lines(io.StringIO())
    terminal._draw = panel._draw = pictures.append
    for shows in (terminal, panel, lines):
        shows.on_wait(waits)
        shows.on_wait(over)
    assert pictures == [waits, over] * 2
    assert lines.file.getvalue() == f"{WAITS}\nthe wait for the data is over\n"


def test_the_view_before_anything_was_done():
    shown = console()
    nothing = Status(epochs=3, steps=0, batch_size=1, examples=0, choices=())
    shown.print(view(nothing))
    assert "epoch 1/3" in shown.file.getvalue() and "starting" in shown.file.getvalue()


def test_a_terminal_is_drawn_a_few_times_a_second():
    shown, now = console(), [0.0]
    terminal = Terminal(shown, lambda: now[0])
    drawn = []
    terminal._draw = lambda _, draw=terminal._draw: (drawn.append(now[0]), draw(_))
    for i in range(40):
        now[0] = i / 100
        terminal.on_step(status())
    terminal.on_epoch(status())
    terminal.on_end(status(ended="stopped"))
    assert drawn == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.39, 0.39], abs=0.011)
    assert terminal.live is None and "stopped after 0:04" in shown.file.getvalue()


def test_lines_in_a_pipe():
    file, now = io.StringIO(), [0.0]
    lines = Lines(file, lambda: now[0])
    for seconds in (1.0, 14.9, 15.1, 16.0):
        now[0] = seconds
        lines.on_step(status())
    lines.on_epoch(status(step=4))
    lines.on_epoch(status(step=8, done=[FIRST, SECOND]))
    lines.on_end(status(step=12, ended="interrupted"))
    assert file.getvalue() == (
        "epoch 2/3, step 6/12, loss 0.3123, 250 examples/s, 0:04 left\n"
        "epoch 1/3, loss 0.9123, validation loss 0.4, validation error 5.12%, 250 examples/s, 0:08 left (best)\n"
        "epoch 2/3, loss 0.5, validation loss 0.45, validation error 6.00%, 240 examples/s, 0:02 left\n"
        "interrupted after 0:04; kept: the net of epoch 1\n"
    )


def test_lines_go_to_stderr(capsys):
    Lines().on_end(status(ended="stopped"))
    assert capsys.readouterr() == ("", "stopped after 0:04; kept: the net of epoch 1\n")


def test_the_place_chooses(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress(console()), Terminal)
    assert isinstance(progress(Console(file=io.StringIO(), force_terminal=False)), Lines)
    monkeypatch.setattr(module, "kernel", object)
    assert isinstance(progress(), Panel)


def test_a_panel_is_drawn_twice_a_second_and_its_button_stops_the_run(monkeypatch):
    shown, panes, now = [], [], [1.0]
    monkeypatch.setattr(module, "pane", lambda stop: panes.append(stop) or (shown.append, lambda: shown.append("end")))
    run, panel = status(), Panel(lambda: now[0])
    panel.on_step(run)
    now[0] = 1.4
    panel.on_step(run)
    assert shown == [panel_html(run)]
    now[0] = 1.5
    panel.on_step(run)
    panel.on_epoch(run)
    assert shown == [panel_html(run)] * 2 and not run.stopping
    panes[0]()
    assert run.stopping
    ended = status(ended="stopped")
    panel.on_end(ended)
    assert shown[2:] == [panel_html(ended), "end"] and len(panes) == 1
    assert "interrupting the kernel stops the run" in shown[0] and "interrupting" not in shown[2]


def test_a_panel_shows_the_last_epochs():
    done = [Epoch(number, 0.5, {}, 1e-3, 2.0, 250.0, 10 * number) for number in range(1, 1001)]
    shown = panel_html(status(done=done))
    assert shown.count("<tr") == 1 + 12 and "<td>989</td>" in shown and "<td>988</td>" not in shown


def test_the_panel_escapes_what_it_shows():
    assert "<b>x" not in panel_html(status(ended="<b>x"))


def test_curves_of_blocks():
    assert sparkline([], 5) == "" and sparkline([float("nan"), -1.0], 5) == ""
    assert sparkline([1.0, 1.0], 5) == "▁▁"
    assert len(sparkline([1.0 + i for i in range(1000)], 48)) == 48
    assert sparkline([2.0**i for i in range(8)], 8) == "▁▂▃▄▅▆▇█"


def test_a_run_that_is_shown_leaves_python_s_random_numbers_as_they_were() -> None:
    own = console()
    state = random.getstate()
    shown = progress(own)
    assert isinstance(shown, Terminal)
    shown.on_step(status())
    shown.on_end(status())
    assert "epoch 2/3" in own.file.getvalue()
    assert random.getstate() == state

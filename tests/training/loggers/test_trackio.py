"""Every number that Trackio reads from its database is the number of the run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from logger_tools import (
    Numbers,
    assert_cut_run_is_kept,
    assert_fork_is_another_run,
    assert_killed_run_is_kept,
    assert_whole_run_is_kept,
)
from run_tools import trained

storage: Any = pytest.importorskip("trackio.sqlite_storage")


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put the folder of Trackio, which it takes from its variable when it is imported, into that of the test."""
    monkeypatch.setattr(storage, "TRACKIO_DIR", tmp_path / "trackio")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # for child processes


def runs() -> list[Any]:
    return storage.SQLiteStorage.get_run_records("digits")


def read() -> Numbers:
    """The numbers of the newest run."""
    run = storage.SQLiteStorage.get_latest_run_record_by_name("digits", "a")["id"]
    found: Numbers = {}
    for line in storage.SQLiteStorage.get_logs("digits", "a", run_id=run):
        for name in line.keys() - {"step", "timestamp"}:
            found.setdefault(name, []).append((line["step"], line[name]))
    return found


def test_all_numbers_read_back_are_equal() -> None:
    assert_whole_run_is_kept(lambda: nw.Trackio("digits", "a"), read)


def test_a_run_that_goes_on_is_one_run_of_trackio(tmp_path: Path) -> None:
    assert_cut_run_is_kept(lambda: nw.Trackio("digits", "a"), read, tmp_path / "run")
    assert len(runs()) == 1


def test_another_run_of_the_same_name_is_another_run_of_trackio() -> None:
    logger = nw.Trackio("digits", "a")
    choices = trained(None, callbacks=[logger]).choices
    assert_whole_run_is_kept(lambda: logger, read)
    assert len(runs()) == 2
    config = storage.SQLiteStorage.get_run_config("digits", "a")
    assert config["loss"] == next(f"{c.value} ({c.why})" for c in choices if c.name == "loss")


def test_a_fork_of_the_same_name_is_another_run_of_trackio(tmp_path: Path) -> None:
    assert_fork_is_another_run(lambda: nw.Trackio("digits", "a"), read, tmp_path)
    assert len(runs()) == 2


@pytest.mark.slow
def test_trackio_prints_nothing_and_leaves_no_thread(tmp_path: Path) -> None:
    code = (
        "import threading, netwright as nw\nfrom run_tools import trained\nlogger = nw.Trackio('digits', 'a')\n"
        "before = threading.active_count()\ntrained(None, callbacks=[logger])\n"
        "assert threading.active_count() == before, threading.enumerate()"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=Path(__file__).parents[2], timeout=300, capture_output=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert sorted(path.name for path in (tmp_path / "trackio").iterdir()) == ["digits.db", "digits.lock"]


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_a_killed_run_goes_on_in_trackio(tmp_path: Path, step: int) -> None:
    assert_killed_run_is_kept(
        "nw.Trackio('digits', 'a')", lambda: nw.Trackio("digits", "a"), read, tmp_path / "run", step
    )

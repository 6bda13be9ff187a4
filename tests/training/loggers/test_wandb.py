"""Every number in the file that wandb writes for a run is the number of the run; wandb ends with the run."""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from logger_tools import (
    Numbers,
    Rates,
    assert_cut_run_is_kept,
    assert_killed_run_is_kept,
    assert_whole_run_is_kept,
    numbers_of,
    run_of,
)
from run_tools import trained

wandb: Any = pytest.importorskip("wandb")
BLOCK = 32768  # bytes; a record of the file does not cross the end of a block, but goes on in the next one


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file, which is a log of LevelDB; wandb has a reader in Go only."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole = file.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):  # all of a record, or its end
            yield Record.FromString(whole)
            whole = b""


def read(folder: Path) -> Numbers:
    """The numbers of the newest run, whose file was written last."""
    file = max(folder.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime_ns)
    found: Numbers = {}
    for record in records(file):
        line = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
        for name in [name for name in line if not name.startswith("_")]:
            found.setdefault(name, []).append((line["_step"], line[name]))
    return found


def test_all_numbers_read_back_are_equal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert_whole_run_is_kept(lambda: nw.WandB(tmp_path, "digits", "a"), lambda: read(tmp_path))
    assert capfd.readouterr() == ("", "")


def test_a_run_that_goes_on_is_one_curve(tmp_path: Path) -> None:
    assert_cut_run_is_kept(lambda: nw.WandB(tmp_path, "digits", "a"), lambda: read(tmp_path), tmp_path / "run")


def test_wandb_leaves_the_program_as_it_was(tmp_path: Path) -> None:
    variables, hooks = dict(os.environ), (sys.exit, sys.excepthook)
    logger = nw.WandB(tmp_path, "digits", "a")
    before = threading.active_count()
    trained(None, callbacks=[logger])
    assert (sys.exit, sys.excepthook, threading.active_count()) == (*hooks, before)
    assert dict(os.environ) == variables  # no service runs
    assert wandb.run is None


def test_a_run_of_the_user_goes_on(tmp_path: Path) -> None:
    hooks, rates, logs = (sys.exit, sys.excepthook), Rates(), tmp_path / "logs"
    own = wandb.init(dir=tmp_path, settings={"mode": "offline", "silent": True, "console": "off"})
    try:
        run = run_of(None, [nw.WandB(logs, "digits", "a"), rates])
        assert wandb.run is own
        own.log({"mine": 1.5}, step=3)
        own.finish()
    finally:
        wandb.teardown()
        sys.exit, sys.excepthook = hooks
    assert read(tmp_path) == {"mine": [(3, 1.5)]}
    assert read(logs) == numbers_of(run, rates.rates)


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file", encoding="utf-8")
    run = trained(None, callbacks=[nw.WandB(tmp_path / "logs", "digits", "a")])
    assert run.net == trained(None).net
    assert [choice.value for choice in run.choices if choice.name == "logger WandB"] == ["stopped"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux lists the children of a process in /proc")
def test_wandb_is_silent_and_leaves_no_process(tmp_path: Path) -> None:
    code = (
        "import netwright as nw\nfrom pathlib import Path\nfrom run_tools import trained\n"
        f"trained(None, callbacks=[nw.WandB({str(tmp_path)!r}, 'digits', 'a')])\n"
        "children = ' '.join(path.read_text() for path in Path('/proc/self/task').glob('*/children')).split()\n"
        "assert children == [], [Path(f'/proc/{child}/cmdline').read_text() for child in children]\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=Path(__file__).parents[2], timeout=300, capture_output=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_a_killed_run_is_one_curve(tmp_path: Path, step: int) -> None:
    code = f"nw.WandB({str(tmp_path)!r}, 'digits', 'a')"
    run = tmp_path / "run"
    assert_killed_run_is_kept(code, lambda: nw.WandB(tmp_path, "digits", "a"), lambda: read(tmp_path), run, step)

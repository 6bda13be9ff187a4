"""Every number that TensorBoard reads from the files is the number of the run."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwright as nw
from logger_tools import Numbers, assert_cut_run_is_kept, assert_killed_run_is_kept, assert_whole_run_is_kept

# the one that TensorBoard's own server uses
accumulator: Any = pytest.importorskip("tensorboard.backend.event_processing.plugin_event_accumulator")


def read(folder: Path) -> Numbers:
    from tensorboard.util import tensor_util

    events = accumulator.EventAccumulator(str(folder), {"tensors": 0})
    events.Reload()
    tags = [tag for tag in events.Tags()["tensors"] if not tag.startswith("choices/")]
    return {
        tag: [(e.step, float(np.asarray(tensor_util.make_ndarray(e.tensor_proto)))) for e in events.Tensors(tag)]
        for tag in tags
    }


def logger(folder: Path) -> nw.TensorBoard:
    """A logger that begins in a later second than the one before: the names of files have the second, then a number."""
    names = [path.name for path in folder.glob("events.*")]
    while any(f".{int(time.time())}." in name for name in names):
        time.sleep(0.05)
    return nw.TensorBoard(folder)


def test_all_numbers_read_back_are_equal(tmp_path: Path) -> None:
    assert_whole_run_is_kept(lambda: logger(tmp_path), lambda: read(tmp_path))


def test_a_run_that_goes_on_is_one_curve(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    assert_cut_run_is_kept(lambda: logger(logs), lambda: read(logs), tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_a_killed_run_is_one_curve(tmp_path: Path, step: int) -> None:
    logs = tmp_path / "logs"
    assert_killed_run_is_kept(
        f"nw.TensorBoard({str(logs)!r})", lambda: logger(logs), lambda: read(logs), tmp_path / "run", step
    )

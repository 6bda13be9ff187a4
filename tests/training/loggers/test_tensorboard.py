"""Every number that TensorBoard reads from the files is the number of the run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netwright as nw
from netwright.training.result import Run
from run_tools import Ends, trained

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.util import tensor_util

    events: Any = accumulator.EventAccumulator(str(folder), {"tensors": 0})
    events.Reload()
    tags = [tag for tag in events.Tags()["tensors"] if not tag.startswith("choices/")]
    return {
        tag: [(e.step, float(np.asarray(tensor_util.make_ndarray(e.tensor_proto)))) for e in events.Tensors(tag)]
        for tag in tags
    }


def expected(run: Run) -> dict[str, list[tuple[int, float]]]:
    each = len(run.losses) // len(run.epochs)
    ends = [each * epoch.number for epoch in run.epochs]
    return {
        "step/loss": [*enumerate(run.losses, 1)],
        "epoch/loss": [*zip(ends, [epoch.loss for epoch in run.epochs], strict=True)],
        "epoch/validation_loss": [*zip(ends, [epoch.validation["loss"] for epoch in run.epochs], strict=True)],
    }


def test_numbers_read_back_are_equal(tmp_path: Path) -> None:
    run = trained(None, callbacks=[nw.TensorBoard(tmp_path)])
    found = read(tmp_path)
    for name, numbers in expected(run).items():
        assert found[name] == numbers


def test_a_run_that_goes_on_is_one_curve(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with pytest.raises(RuntimeError):
        trained(tmp_path / "run", callbacks=[nw.TensorBoard(logs), Ends(5, RuntimeError("cut"))])
    run = trained(tmp_path / "run", callbacks=[nw.TensorBoard(logs)])
    assert read(logs)["step/loss"] == [*enumerate(run.losses, 1)]

"""Every number that MLflow reads from its store is the number of the run."""

from pathlib import Path
from typing import Any

import pytest

import netwright as nw
from netwright.training.loggers.mlflow import MLflow
from run_tools import Ends, trained

pytest.importorskip("mlflow")


def history(logger: MLflow, name: str) -> list[tuple[int, float]]:
    found: Any = logger.client.get_metric_history(logger.run, name)
    return [(one.step, one.value) for one in found]


def test_numbers_read_back_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # so that the variable is as it was after the test
    logger = nw.MLflow(tmp_path / "store", "digits")
    run = trained(None, callbacks=[logger])
    assert history(logger, "step/loss") == [*enumerate(run.losses, 1)]
    assert [value for _, value in history(logger, "epoch/validation_loss")] == [
        e.validation["loss"] for e in run.epochs
    ]
    assert [choice for choice in run.choices if choice.name.startswith("logger")] == []


def test_a_run_that_goes_on_is_one_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with pytest.raises(RuntimeError):
        trained(tmp_path / "run", callbacks=[nw.MLflow(tmp_path / "store", "a"), Ends(5, RuntimeError("cut"))])
    logger = nw.MLflow(tmp_path / "store", "a")
    run = trained(tmp_path / "run", callbacks=[logger])
    assert history(logger, "step/loss") == [*enumerate(run.losses, 1)]

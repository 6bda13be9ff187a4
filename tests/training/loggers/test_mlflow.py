"""Every number that MLflow reads from its store is the number of the run."""

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

mlflow: Any = pytest.importorskip("mlflow")


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables that the logger sets, so that they are as they were after a test."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


def runs(store: Path) -> list[Any]:
    return [*mlflow.MlflowClient(str(store)).search_runs(["0"])]


def read(store: Path) -> Numbers:
    """The numbers of the newest run."""
    client, run = mlflow.MlflowClient(str(store)), runs(store)[0]
    histories = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    return {name: sorted((one.step, one.value) for one in history) for name, history in histories.items()}


def test_all_numbers_read_back_are_equal(tmp_path: Path) -> None:
    assert_whole_run_is_kept(lambda: nw.MLflow(tmp_path / "s", "a"), lambda: read(tmp_path / "s"))


def test_a_run_that_goes_on_is_one_run_of_mlflow(tmp_path: Path) -> None:
    store = tmp_path / "s"
    assert_cut_run_is_kept(lambda: nw.MLflow(store, "a"), lambda: read(store), tmp_path / "run")
    assert len(runs(store)) == 1


def test_another_run_of_the_same_name_is_another_run_of_mlflow(tmp_path: Path) -> None:
    logger = nw.MLflow(tmp_path / "s", "a")
    choices = trained(None, callbacks=[logger]).choices
    assert_whole_run_is_kept(lambda: logger, lambda: read(tmp_path / "s"))
    assert len(runs(tmp_path / "s")) == 2
    assert runs(tmp_path / "s")[0].data.tags["loss"] == next(
        f"{c.value} ({c.why})" for c in choices if c.name == "loss"
    )


def test_a_fork_of_the_same_name_is_another_run_of_mlflow(tmp_path: Path) -> None:
    assert_fork_is_another_run(lambda: nw.MLflow(tmp_path / "s", "a"), lambda: read(tmp_path / "s"), tmp_path)
    assert len(runs(tmp_path / "s")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 4, 6, 8])
def test_a_killed_run_goes_on_in_mlflow(tmp_path: Path, step: int) -> None:
    store = tmp_path / "s"
    code = f"nw.MLflow({str(store)!r}, 'a')"
    assert_killed_run_is_kept(code, lambda: nw.MLflow(store, "a"), lambda: read(store), tmp_path / "run", step)

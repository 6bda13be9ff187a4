"""Writes the numbers of a run for MLflow, into a folder."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwright.training.loggers.logger import Logger


class MLflow(Logger):
    """Writes a run into MLflow's store of files: `nw.train(…, callbacks=[nw.MLflow("mlruns", "digits")])`.

    A run of this name that is in the folder goes on. MLflow cannot overwrite a number, so steps that it has already
    are left out. MLflow writes files only where the variable `MLFLOW_ALLOW_FILE_STORE` is set, so it is set.

    Fields:
        folder: of the store.
        name: of the run.

    Raises: MissingExtraError without the package mlflow-skinny.

    Example:
        >>> import netwright as nw
        >>> nw.train(net, data, callbacks=[nw.MLflow("mlruns", "digits")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str], name: str) -> None:
        super().__init__("mlflow", "mlflow-skinny", "mlflow")
        self.folder, self.name, self.known = Path(folder), name, dict[str, int]()

    def begin(self, texts: Mapping[str, str], step: int) -> None:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self.client: Any = self.module.MlflowClient(self.folder.absolute().as_uri())
        there = [run for run in self.client.search_runs(["0"]) if run.info.run_name == self.name]
        self.run: str = (there or [self.client.create_run("0", run_name=self.name)])[0].info.run_id
        for key in self.client.get_run(self.run).data.metrics:
            self.known[key] = max(one.step for one in self.client.get_metric_history(self.run, key))
        for name, text in texts.items():
            self.client.set_tag(self.run, name, text)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            if step > self.known.get(name, 0):
                self.client.log_metric(self.run, name, value, step=step)

    def end(self) -> None:
        self.client.set_terminated(self.run)

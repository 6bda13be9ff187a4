"""Writes the numbers of a run for MLflow, into a folder."""

import os
from collections.abc import Mapping

from netwright.file.format import folder_path
from netwright.training.loggers.logger import Logger


class MLflow(Logger):
    """Writes a run into MLflow's store of files, with variables set that allow it and send no statistics. A run that
    goes on continues the newest one of its `name` in the `folder`; one that `nw.fork` made is another.

    Raises: MissingExtraError without the package mlflow-skinny.

    Example:
        >>> import netwright as nw
        >>> nw.train(net, data, callbacks=[nw.MLflow("mlruns", "digits")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str], name: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        super().__init__("mlflow", "mlflow-skinny", "mlflow")
        self.folder, self.name = os.fspath(folder_path(folder)), name

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        client = self.module.MlflowClient(self.folder)
        named = [run for run in client.search_runs(["0"]) if goes_on and run.info.run_name == self.name]
        there = [run for run in named if run.data.tags.get("forked") == texts.get("forked")]
        run = there[0] if there else client.create_run("0", run_name=self.name, tags=dict(texts))
        self.client, self.run = client, run.info.run_id
        self.known = {key: max(m.step for m in client.get_metric_history(self.run, key)) for key in run.data.metrics}

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name in [name for name in numbers if step > self.known.get(name, 0)]:  # MLflow cannot overwrite
            self.client.log_metric(self.run, name, numbers[name], step=step)

    def end(self) -> None:
        self.client.set_terminated(self.run)

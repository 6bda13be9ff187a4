"""Writes the numbers of a run for Trackio, into the database of a project."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from netwright.training.loggers.logger import Logger


class Trackio(Logger):
    """Writes a run into Trackio's folder: the one that the variable `TRACKIO_DIR` names, or that of the user.

    A run that goes on continues the newest one of its `name` in the `project`; one that `nw.fork` made is another.

    Raises: MissingExtraError without the package trackio.

    Example:
        >>> import netwright as nw
        >>> nw.train(net, data, callbacks=[nw.Trackio("digits", "first")])  # doctest: +SKIP
    """

    def __init__(self, project: str, name: str) -> None:
        super().__init__("trackio.sqlite_storage", "trackio", "trackio")
        self.project, self.name = project, name
        self.store: Any = self.module.SQLiteStorage  # trackio.init has threads, prints, and asks who the user is

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        runs = self.store.get_run_records(self.project) if goes_on else []
        named = [run["id"] for run in runs if run["name"] == self.name]
        begun = {run: self.store.get_run_config(self.project, run_id=run) or {} for run in named}
        there = [run for run in named if begun[run].get("forked") == texts.get("forked")]
        self.run, self.texts = there[-1] if there else uuid4().hex, dict(texts)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        key = f"{self.run} {step} {min(numbers)}"  # Trackio leaves out what it has already
        place = {"project": self.project, "run": self.name, "run_id": self.run, "config": self.texts}
        self.store.bulk_log(**place, metrics_list=[dict(numbers)], steps=[step], log_ids=[key])

    def end(self) -> None:
        """Every number is on disk already."""

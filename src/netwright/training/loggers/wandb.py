"""Writes the numbers of a run for Weights & Biases, without a network."""

import os
from collections.abc import Mapping
from typing import Any

from netwright.file.format import folder_path
from netwright.training.loggers.logger import Logger


class WandB(Logger):
    """Writes an offline run of Weights & Biases, which `wandb sync` uploads. A run that goes on is a new one, whole.

    Fields: `folder` of the files; `project` and `name` of the run.

    Raises: MissingExtraError without the package wandb.

    Example:
        >>> import netwright as nw
        >>> nw.train(net, data, callbacks=[nw.WandB("logs", "digits", "first")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | os.PathLike[str], project: str, name: str) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # else it reports its errors over the network
        super().__init__("wandb", "wandb", "wandb")
        self.folder, self.about = os.fspath(folder_path(folder)), {"project": project, "name": name}

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        os.makedirs(self.folder, exist_ok=True)  # else wandb writes elsewhere
        self.owned = "WANDB_SERVICE" not in os.environ  # the process of wandb, not that of a run which the user has
        about = {**self.about, "config": dict(texts), "settings": {"mode": "offline", "silent": True, "console": "off"}}
        self.run: Any = self.module.init(**about, dir=self.folder, reinit="create_new")

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        self.run.log(dict(numbers), step=step)

    def end(self) -> None:
        self.run.finish()
        if self.owned:
            self.module.teardown()

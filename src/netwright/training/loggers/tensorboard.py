"""Writes the numbers of a run for TensorBoard."""

import os
from collections.abc import Mapping
from typing import Any

from netwright.file.format import folder_path
from netwright.training.loggers.logger import Logger


class TensorBoard(Logger):
    """Writes a run for TensorBoard, with all digits of its numbers. TensorBoard shows the last run of a folder.

    Fields: `folder` of the files, which `tensorboard --logdir FOLDER` shows.

    Raises: MissingExtraError without the package tensorboard.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, ([0, 1, 2], [0, 2, 4]), epochs=2, progress=False, callbacks=[nw.TensorBoard("logs")])

    Torch: torch.utils.tensorboard.SummaryWriter.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__("torch.utils.tensorboard", "tensorboard", "tensorboard")
        self.folder = os.fspath(folder_path(folder))

    def begin(self, texts: Mapping[str, str], goes_on: bool) -> None:
        self.writer: Any = self.module.SummaryWriter(self.folder, purge_step=1)  # what is there is not shown
        for name, text in texts.items():
            self.writer.add_text(f"choices/{name.replace(' ', '_')}", text, 1)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step, new_style=True, double_precision=True)

    def end(self) -> None:
        self.writer.close()

"""Writes the numbers of a run for TensorBoard."""

import os
from collections.abc import Mapping
from typing import Any

from netwright.training.loggers.logger import Logger


class TensorBoard(Logger):
    """Writes a run for TensorBoard, which `tensorboard --logdir logs` shows.

    Numbers keep all their digits. If the program was killed, and the run goes on from an earlier step, TensorBoard
    leaves out what the killed program wrote after that step.

    Fields:
        folder: where the files are written.

    Raises: MissingExtraError without the package tensorboard.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, ([0, 1, 2], [0, 2, 4]), epochs=2, progress=False, callbacks=[nw.TensorBoard("logs")])
        >>> [choice for choice in run.choices if choice.value == "stopped"]
        []

    Torch: torch.utils.tensorboard.SummaryWriter.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__("torch.utils.tensorboard", "tensorboard", "tensorboard")
        self.folder = os.fspath(folder)

    def begin(self, texts: Mapping[str, str], step: int) -> None:
        self.writer: Any = self.module.SummaryWriter(self.folder, purge_step=step)
        for name, text in texts.items():
            self.writer.add_text(f"choices/{name.replace(' ', '_')}", text, step)

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step, new_style=True, double_precision=True)

    def end(self) -> None:
        self.writer.close()

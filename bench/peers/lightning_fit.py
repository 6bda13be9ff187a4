"""Lightning's `Trainer.fit` over a DataLoader, as its guide writes it; what prints or saves is turned off."""

import logging
import time
import warnings

import lightning
import numpy as np
import torch
from bench.peers.torch_base import build, loss_of, tensors
from bench.workloads import RATE, Workload
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset


class Module(lightning.LightningModule):
    """The base's net and loss in Lightning's form."""

    def __init__(self, workload: Workload):
        super().__init__()
        self.workload, self.net = workload, build(workload)

    def training_step(self, columns: list[Tensor]) -> Tensor:
        *inputs, target = columns
        return loss_of(self.workload, self.net(*inputs), target)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), RATE)


class Clock(lightning.Callback):
    """Starts when the warm-up steps are done, stops after the last step."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up, self.start, self.stop = warm_up, 0.0, 0.0

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: object) -> None:
        if trainer.global_step == self.warm_up:
            self.start = time.perf_counter()

    def on_train_batch_end(self, *_: object) -> None:
        self.stop = time.perf_counter()


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(*tensors(workload, xs, ys)), batch, shuffle=True, drop_last=True)
    clock = Clock(workload.warm_up)
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=workload.warm_up + steps, max_epochs=-1, callbacks=[clock], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(workload), loader)
    return clock.stop - clock.start

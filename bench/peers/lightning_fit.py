"""Lightning's `Trainer.fit` over a DataLoader, as its guide writes it; what prints or saves is turned off."""

import logging
import time
import warnings

import lightning
import numpy as np
import torch
import torch.nn.functional as F
from bench.peers.torch_base import build, tensors
from bench.workloads import RATE, WARM_UP, Workload
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset


class Module(lightning.LightningModule):
    """The base's net and loss in Lightning's form."""

    def __init__(self, workload: Workload):
        super().__init__()
        self.net = build(workload)
        self.loss_of = F.cross_entropy if workload.classes else F.mse_loss

    def training_step(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        x, y = pair
        return self.loss_of(self.net(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), RATE)


class Clock(lightning.Callback):
    """Starts when the warm-up steps are done, stops after the last step."""

    def __init__(self) -> None:
        self.start = self.stop = 0.0

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: object) -> None:
        if trainer.global_step == WARM_UP:
            self.start = time.perf_counter()

    def on_train_batch_end(self, *_: object) -> None:
        self.stop = time.perf_counter()


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(*tensors(workload, xs, ys)), batch, shuffle=True, drop_last=True)
    clock = Clock()
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=WARM_UP + steps, max_epochs=-1, callbacks=[clock], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(workload), loader)
    return clock.stop - clock.start

"""The base of every ratio: a plain eager float32 torch loop over contiguous tensors, with torch's default threads."""

import time

import numpy as np
import torch
import torch.nn.functional as F
from bench.workloads import RATE, WARM_UP, Workload
from torch import Tensor, nn


def build(workload: Workload) -> nn.Module:
    """The workload's net as torch's own modules, channels first."""
    if workload.name == "lenet":
        return nn.Sequential(
            nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
        )  # fmt: skip
    return nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))


def tensors(workload: Workload, xs: np.ndarray, ys: np.ndarray) -> tuple[Tensor, Tensor]:
    """All the data as contiguous float32 inputs, channels first, and targets."""
    x = torch.from_numpy(xs)
    if workload.classes:
        x = (x.permute(0, 3, 1, 2).float() / 255).contiguous()
    return x, torch.from_numpy(ys)


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    torch.manual_seed(0)
    net, (x, y) = build(workload), tensors(workload, xs, ys)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    loss_of = F.cross_entropy if workload.classes else F.mse_loss
    start = 0.0
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            start = time.perf_counter()
        index = torch.randint(len(x), (batch,))
        optimizer.zero_grad()
        loss = loss_of(net(x[index]), y[index])
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start

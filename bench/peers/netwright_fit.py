"""Netwright's `train`, as its guide writes it: it chooses all but the rate and the batch size, which are the race's."""

import time

import numpy as np
from bench.workloads import RATE, WARM_UP, Workload

import netwright as nw
from netwright.training.events import Callback, Status


class Clock(Callback):
    """Starts when the warm-up steps are done, stops after so many more."""

    def __init__(self, steps: int) -> None:
        self.steps, self.start, self.stop = steps, 0.0, 0.0

    def on_step(self, status: Status) -> None:
        if status.step == WARM_UP:
            self.start = time.perf_counter()
        elif status.step == WARM_UP + self.steps:
            self.stop = time.perf_counter()
            status.stop()


def build(workload: Workload) -> nw.Net:
    """The workload's net as Netwright's layers, features last."""
    if workload.name == "lenet":
        return nw.Chain(
            nw.Conv(20, 5), nw.relu, nw.MaxPool(2), nw.Conv(50, 5), nw.relu, nw.MaxPool(2),
            nw.Flatten(), nw.Linear(500), nw.relu, nw.Linear(), nw.softmax,
            input=nw.Image(28, 28, "gray"), output=nw.Category(range(10)),
        )  # fmt: skip
    return nw.Chain(64, nw.tanh, 64, nw.tanh, nw.Linear(), input=nw.Vector(2), output=nw.Number())


def train(workload: Workload, xs: np.ndarray, ys: np.ndarray, steps: int, batch: int) -> float:
    """Seconds that `steps` steps took after warm-up."""
    clock = Clock(steps)
    epochs = -(-(WARM_UP + steps) * batch // len(xs))
    nw.train(
        build(workload), (xs, ys), epochs=epochs, batch_size=batch, learning_rate=RATE, schedule="constant",
        callbacks=[clock], progress=False,
    )  # fmt: skip
    return clock.stop - clock.start

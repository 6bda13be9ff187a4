"""What bf16 costs in accuracy: LeNet on MNIST in both precisions, the same seeds, the paired differences of errors."""

from bench.peers.netwright_fit import build
from bench.workloads import WORKLOADS

import netwright as nw
from netwright.data.datasets import Dataset

WITHIN = 0.15  # points of test accuracy, of the mean difference


def accuracy(precision: str, seed: int, epochs: int, data: Dataset) -> float:
    """Test accuracy in percent after a run."""
    run = nw.train(
        build(WORKLOADS["lenet"]), data.train, validation=data.test, epochs=epochs, batch_size=128,
        precision=precision, seed=seed, progress=False,
    )  # fmt: skip
    return 100 * (1 - run.epochs[-1].validation["error"])


def differences(seeds: int, epochs: int) -> list[float]:
    """For each seed the test accuracy in bf16 less the one in float32, in points."""
    data = nw.dataset("mnist")
    found: list[float] = []
    for seed in range(seeds):
        low, full = (accuracy(precision, seed, epochs, data) for precision in ("bf16", "float32"))
        found.append(low - full)
    return found

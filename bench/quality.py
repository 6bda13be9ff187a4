"""What bf16 costs in accuracy: LeNet on MNIST in both precisions, the same seeds, the paired differences of errors."""

import argparse
import math
import statistics

import numpy as np
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


def main() -> None:
    """Train every pair and print the mean difference with its standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=1)
    args = parser.parse_args()
    data = nw.dataset("mnist")
    differences: list[float] = []
    for seed in range(args.seeds):
        low, full = (accuracy(precision, seed, args.epochs, data) for precision in ("bf16", "float32"))
        differences.append(low - full)
        print(f"seed {seed}: bf16 {low:.2f} %, float32 {full:.2f} %", flush=True)
    mean = statistics.mean(differences)
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
    extremes = np.array([min(differences), max(differences)]).round(2).tolist()
    print(f"bf16 − float32: {mean:+.3f} ± {error:.3f} points, from {extremes[0]:+} to {extremes[1]:+}", end=": ")
    print("within" if abs(mean) <= WITHIN else "not within", f"{WITHIN} points")


if __name__ == "__main__":
    main()

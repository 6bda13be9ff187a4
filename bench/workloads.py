"""The shapes every bench peer trains, and their data, so that all peers race over the same examples."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 1e-3  # Adam's rate, for every peer
WARM_UP = 10  # steps before the clock starts, for every peer: compilers, allocators and caches settle in them


@dataclass(frozen=True)
class Workload:
    """One net and its data: the sizes of an input example, what the output is, and the batch it is trained with.

    Fields:
        name: what the command line calls it, and what a peer looks up to build the net.
        batch: examples in one step.
        example: sizes of one input, features last.
        classes: how many classes the output tells apart; 0 for a regression to one number.
    """

    name: str
    batch: int
    example: tuple[int, ...]
    classes: int

    def data(self, count: int, path: Path | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Draw `count` examples: uint8 pictures and int64 labels, or float32 points and float32 targets.

        With `path`, an .npz file with arrays `images` (n, 28, 28) or (n, 28, 28, 1) and `labels` (n,), both uint8,
        gives the pictures instead of the generator.
        """
        draw = np.random.default_rng(seed)
        if path is not None:
            with np.load(path, allow_pickle=False) as file:
                images, labels = file["images"][:count], file["labels"][:count]
            return images.reshape(-1, *self.example), labels.astype(np.int64)
        if self.classes:
            images = draw.integers(0, 256, (count, *self.example), dtype=np.uint8)
            return images, draw.integers(0, self.classes, count)
        points = draw.uniform(-1, 1, (count, *self.example)).astype(np.float32)
        return points, np.sin(math.pi * points[:, :1]) * points[:, 1:]


WORKLOADS = {
    w.name: w
    for w in (
        Workload("lenet", batch=128, example=(28, 28, 1), classes=10),
        Workload("mlp", batch=64, example=(2,), classes=0),
    )
}

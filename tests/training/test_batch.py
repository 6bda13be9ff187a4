"""A batch knows how many examples it has, and what the time of a step grows with."""

import torch

from netwright.training.batch import Batch


def test_size_and_positions() -> None:
    batch = Batch({"input": torch.zeros(3, 7, 2), "target": torch.zeros(3)}, torch.tensor([4, 8, 1]), None)
    assert batch.size == 3
    assert batch.positions == 14
    assert batch.lengths == {}

"""What engines share: the mean loss of a batch."""

import pytest
import torch

from netwright.training.engines.engine import Engine, mean_loss


def test_a_weighted_mean() -> None:
    losses = torch.tensor([1.0, 3.0])
    assert mean_loss(losses, None) == 2
    assert mean_loss(losses, torch.tensor([1.5, 0.5])) == pytest.approx(1.5)


def test_the_engine_is_an_interface() -> None:
    with pytest.raises(TypeError):
        Engine()  # type: ignore[abstract]

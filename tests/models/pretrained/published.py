"""What the tests of pre-trained nets share: tiny random nets of the package that publishes, saved as it saves them."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from netwright.models.pretrained.activations import ACTIVATIONS

ACTS = [*ACTIVATIONS]
SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 60))]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}


def saved(model: Any, folder: Path) -> Path:
    """A model of theirs with weights far from zero, in a folder."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    model.eval()
    model.save_pretrained(folder)
    return folder


def drawn(seed: int, **choices: Iterable[Any]) -> dict[str, Any]:
    """A value for each field, the same for a seed."""
    chance = random.Random(seed)
    return {name: chance.choice([*values]) for name, values in choices.items()}


def tokens(*lengths: int, below: int = 50) -> list[torch.Tensor]:
    """Random tokens, a tensor for each example."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(0, below, (length,), generator=generator) for length in lengths]

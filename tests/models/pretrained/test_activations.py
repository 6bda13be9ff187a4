"""The activations of published nets: what the package that publishes computes under the same names."""

import pytest
import torch

from netwright.models.pretrained.activations import ACTIVATIONS

theirs = pytest.importorskip("transformers.activations")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_names_mean_the_same(name: str) -> None:
    x = torch.linspace(-3, 3, 50)
    torch.testing.assert_close(ACTIVATIONS[name].forward({}, x), theirs.ACT2FN[name](x), rtol=0, atol=2e-6)

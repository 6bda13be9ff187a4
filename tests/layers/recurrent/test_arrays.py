"""What recurrent leaves own, and what they start from."""

import torch

from netwright.layers.recurrent.arrays import NAMES, started, weights, weights_of


def test_names_and_axes() -> None:
    assert {name: weight.axes for name, weight in weights(3).items()} == {
        "weight_ih": "3*out in",
        "weight_hh": "3*out out",
        "bias_ih": "3*out",
        "bias_hh": "3*out",
    }
    assert weights(1)["bias_hh"].axes == "out"


def test_in_the_precision_of_the_input() -> None:
    w = {name: torch.ones(2) for name in reversed(NAMES)} | {"bias_hh": torch.zeros(2)}
    got = weights_of(w, torch.ones(1, dtype=torch.bfloat16))
    assert [one.dtype for one in got] == [torch.bfloat16] * 4
    assert [one[0].item() for one in got] == [1, 1, 1, 0]


def test_a_start() -> None:
    arrays, x = [torch.ones(6, 3), torch.ones(6, 2)], torch.ones(4, 5, 3, dtype=torch.bfloat16)
    assert torch.equal(started(None, x, arrays), torch.zeros(4, 2, dtype=torch.bfloat16))
    assert started(torch.ones(4, 2), x, arrays).dtype == torch.bfloat16

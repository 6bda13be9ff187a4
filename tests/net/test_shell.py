"""Copies without values: what is shared stays shared, what is frozen stays frozen, what a module is can be said."""

import pytest
import torch
from torch import Tensor, nn

from netwright.net import shell


def module() -> nn.Sequential:
    both = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    both[1].weight = both[0].weight
    both[0].bias.requires_grad_(False)
    return both


def test_a_shell_has_shapes_and_types_but_no_values() -> None:
    whole = module().double()
    hollow = shell.shell(whole)
    assert all(array.is_meta for array in shell.arrays_of(hollow).values())
    assert hollow[0].weight is hollow[1].weight
    assert shell.frozen(hollow) == ("0.bias",)
    assert shell.tied(hollow) == {"1.weight": "0.weight"}
    assert {name: (a.shape, a.dtype) for name, a in shell.arrays_of(hollow).items()} == {
        name: (a.shape, a.dtype) for name, a in shell.arrays_of(whole).items()
    }
    assert not whole[0].weight.is_meta


def test_lazily_sized_arrays_stay_open_on_the_device_of_the_others() -> None:
    lazy = shell.shell(nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()))
    assert [name for name, array in shell.arrays_of(lazy).items() if shell.is_lazy(array)] == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
    ]
    assert lazy(torch.empty(4, 2, device="meta")).shape == (4, 3)


def test_options_say_what_a_repr_does_not() -> None:
    assert shell.options(nn.ReLU()) == "ReLU()"
    assert shell.options(module()).splitlines()[-2:] == ["frozen 0.bias", "1.weight is 0.weight"]


def test_plain_attributes_and_tensors_are_told_apart() -> None:
    one, other = nn.ReLU(), nn.ReLU()
    assert shell.plain_attributes(one) == shell.plain_attributes(other)
    one.kept, other.kept = torch.ones(2), torch.zeros(2)
    assert shell.plain_attributes(one) != shell.plain_attributes(other)
    other.kept = torch.ones(2)
    assert shell.plain_attributes(one) == shell.plain_attributes(other)


def test_tensors_come_out_of_anything_nested() -> None:
    a, b = torch.ones(1), torch.zeros(1)
    assert shell.tensors((a, [b, None], {"c": a}), ("x",)) == [a, b, a]
    assert shell.tensors({"x": b, "y": a, "z": object()}, ("x",)) == [b]
    with pytest.raises(TypeError, match="it gives a str, which is no tensor"):
        shell.tensors("text", ("x",))


def test_what_was_raised_is_told_in_one_line() -> None:
    assert shell.error_text(ValueError("one\ntwo")) == "ValueError: one"
    assert shell.error_text(AssertionError()) == "AssertionError"


def test_a_copy_with_other_arrays_is_independent() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.count += 1
            return x

    first = Writes()
    second = shell.with_arrays(first, torch.clone)
    second(torch.ones(1))
    assert (float(first.count), float(second.count)) == (0, 1)

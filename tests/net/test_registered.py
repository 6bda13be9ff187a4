"""A module that holds an array where PyTorch does not register it is refused, and the mend in the text is one."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import netwright as nw
from netwright.errors import NetError


class Heads(nn.Module):
    """Two layers whose weights are kept a second time, in the shape that a test asks for."""

    def __init__(self, keep: Callable[[list[nn.Parameter]], Any] = list) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.weights = keep([layer.weight for layer in self.layers])

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weights[0]) + F.linear(x, self.weights[1])


class Mended(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])

    @property
    def weights(self) -> list[Tensor]:
        return [layer.weight for layer in self.layers]

    forward = Heads.forward


class Slotted:
    __slots__ = ("weight",)

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight


def refusal(module: nn.Module) -> str:
    with pytest.raises(NetError) as caught:
        nw.Module(module)
    return str(caught.value)


def linear() -> nn.Module:
    return nn.Linear(3, 3)


def test_weights_in_a_list_are_refused_and_both_mends_compute_the_same() -> None:
    assert refusal(Heads()) == (
        "Heads keeps the array layers.0.weight a second time, and a net changes the registered one only\n"
        "  where:    self.weights[0]\n"
        "  expected: registered arrays, read where they are registered\n"
        "  mend:     self.weights as a property, such as: return [layer.weight for layer in self.layers]\n"
        "  or:       nn.ParameterList or nn.ParameterDict for a list or a dict of parameters"
    )
    x = torch.randn(4, 3)
    for module in (Mended(), Heads(nn.ParameterList)):
        net = nw.Chain(nw.Module(module), input=3)
        torch.testing.assert_close(nw.apply(net, {}, x), module(x))
        changed = net.with_arrays({**net.arrays, "module1/layers/0/weight": torch.zeros(3, 3)})
        torch.testing.assert_close(nw.apply(changed, {}, x), F.linear(x, module.layers[1].weight))


@pytest.mark.parametrize(
    ("keep", "where"),
    [
        (tuple, "self.weights[0]"),
        (lambda weights: {"a": {1: weights[1]}}, "self.weights['a'][1]"),
        (lambda weights: {weights[0]}, "self.weights"),
        (lambda weights: SimpleNamespace(first=weights), "self.weights.first[0]"),
        (lambda weights: Slotted(weights[0]), "self.weights.weight"),
        (lambda weights: functools.partial(F.linear, weight=weights[0]), "self.weights.keywords['weight']"),
        (lambda weights: [functools.partial(torch.add, weights[0])], "self.weights[0].args[0]"),
    ],
)
def test_every_plain_container_is_searched(keep: Callable[[list[nn.Parameter]], Any], where: str) -> None:
    text = refusal(nn.Sequential(nn.ReLU(), Heads(keep)))
    assert text.splitlines()[1] == f"  where:    {where} in the module 1"
    assert text.splitlines()[0].startswith("Heads keeps the array 1.layers.")


def test_what_an_object_holds_is_found_where_another_object_holds_it_too() -> None:
    part = nn.Sequential(linear())
    inner = SimpleNamespace(weight=part[0].weight)
    part.outer = SimpleNamespace(inner=inner)
    part.outer.outer = part.outer
    part.inner = inner
    assert "  where:    self.inner.weight\n" in refusal(part)


def test_one_array_in_one_attribute_is_refused_by_name() -> None:
    for second in (lambda weight: weight, lambda weight: weight.data, lambda weight: weight.detach()):
        both = nn.Sequential(linear())
        both.__dict__["w"] = second(both[0].weight)
        assert refusal(both) == (
            "Sequential keeps the array 0.weight a second time, and a net changes the registered one only\n"
            "  where:    self.w\n"
            "  expected: registered arrays, read where they are registered\n"
            "  mend:     self.w as a property that returns self[0].weight\n"
            "  or:       register_buffer('w', …) for an array that is not learned"
        )


def test_what_is_not_registered_at_all_is_refused() -> None:
    hidden = nn.ReLU()
    hidden.parts = [linear()]
    assert refusal(nn.Sequential(hidden)) == (
        "ReLU keeps modules that are not registered, and a net would not train them\n"
        "  where:    self.parts[0] in the module 0\n"
        "  expected: modules in a nn.ModuleList, in a nn.ModuleDict, or each in an attribute\n"
        "  got:      the module Linear\n"
        "  mend:     self.parts = nn.ModuleList(…)\n"
        "  or:       self.parts = nn.ModuleDict(…)"
    )
    hidden.parts = (nn.Parameter(torch.ones(2)),)
    assert refusal(hidden) == (
        "ReLU keeps parameters that are not registered, and a net would not train them\n"
        "  where:    self.parts[0]\n"
        "  expected: parameters in a nn.ParameterList, in a nn.ParameterDict, or each in an attribute\n"
        "  got:      a parameter of shape (2,)\n"
        "  mend:     self.parts = nn.ParameterList(…)\n"
        "  or:       self.parts = nn.ParameterDict(…)"
    )


def test_a_function_that_keeps_the_module_is_refused() -> None:
    part = nn.Sequential(linear())
    part.run = lambda x: part[0](x)
    assert refusal(part) == (
        "Sequential keeps a function that reads arrays, and a copy of the module reads the same ones\n"
        "  where:    self.run, a function's variable part\n"
        "  expected: a function that gets every array as an argument\n"
        "  got:      the module Sequential\n"
        "  mend:     self.run as a method of Sequential"
    )
    part.run = lambda x, weight=part[0].weight.data: x @ weight
    assert "  where:    self.run, a function's variable weight\n  expected:" in refusal(part)


def test_two_parameters_on_one_piece_of_memory_are_refused() -> None:
    both = nn.Sequential(linear(), linear())
    both[1].weight = nn.Parameter(both[0].weight.data)
    assert refusal(both) == (
        "two parameters of Sequential lie in one piece of memory, and a net parts them\n"
        "  where:    0.weight and 1.weight\n"
        "  expected: one parameter with two names, or two parameters with memory of their own\n"
        "  mend:     self[1].weight = self[0].weight\n"
        "  or:       self[1].weight = nn.Parameter(self[0].weight.detach().clone())"
    )
    both[1].weight = both[0].weight
    assert nw.Module(both).arrays.keys() == {"0/weight", "0/bias", "1/bias"}


def test_other_places_of_one_storage_are_arrays_of_their_own() -> None:
    whole = torch.randn(2, 3, 3)
    both = nn.Sequential(linear(), linear())
    both[0].weight, both[1].weight = nn.Parameter(whole[0]), nn.Parameter(whole[1])
    x = torch.randn(4, 3)
    torch.testing.assert_close(nw.apply(nw.Chain(nw.Module(both), input=3), {}, x), both(x))
    lstm = nn.LSTM(3, 2, num_layers=2, batch_first=True)
    first = lstm.weight_ih_l0
    flat = torch.cat([array.detach().flatten() for array in lstm.parameters()])
    at = 0
    for array in lstm.parameters():
        array.data = flat[at : at + array.numel()].view_as(array)
        at += array.numel()
    assert lstm.weight_ih_l0 is first
    net = nw.Chain(nw.Module(lstm, "5 3 -> y: 5 2, h: 2 2, c: 2 2"), input=(5, 3))
    x = torch.randn(4, 5, 3)
    torch.testing.assert_close(nw.apply(net, {}, x)["y"], lstm(x)[0])


def test_constants_registered_modules_and_functions_of_their_arguments_are_kept() -> None:
    part = nn.Sequential(linear(), nn.ReLU())
    part.again = [part[0], part]
    part.run = part[0].forward
    part.mask = {"of": torch.ones(3), "not": range(10**9), "empty": [torch.empty(0)] * 2}
    part.own = part.mask
    part.scale, factor = (lambda x: x * factor), 2.0
    part.without = [nn.Tanh()]
    assert nw.Module(part).arrays.keys() == {"0/weight", "0/bias"}


def test_an_attribute_that_a_hook_sets_before_each_run_is_kept() -> None:
    part = linear()
    part.double = part.bias.data
    part.register_forward_pre_hook(double)
    assert nw.Module(part).arrays.keys() == {"weight", "bias"}


def double(module: nn.Module, _: Any) -> None:
    module.double = module.bias.detach() * 2

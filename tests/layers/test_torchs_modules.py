"""Every module that torch itself lists for its tests goes in as a part, with torch's outputs and gradients."""

import sys
import types
import unittest
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as tree

import netwright as nw
from netwright.errors import NetwrightError
from netwright.net.shell import tensors

if "expecttest" not in sys.modules:  # torch's list imports it, for tests of its own
    sys.modules["expecttest"] = types.ModuleType("expecttest")
    sys.modules["expecttest"].TestCase = unittest.TestCase  # type: ignore[attr-defined]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

NOT = {  # what cannot go in, and why
    "CTCLoss": "it has the batch axis second",
    "FractionalMaxPool2d": "torch lists it with samples for one size of the batch, and else it draws them",
}
ENOUGH = 4  # cases of one module that went in: some have hundreds


class Call(nn.Module):
    """A module with what it is given beside examples: options, masks, and how its inputs are nested."""

    def __init__(self, module: nn.Module, given: Any, batched: list[int]) -> None:
        super().__init__()
        self.module, self.batched = module, batched
        self.leaves, self.spec = tree.tree_flatten(given)

    def forward(self, *x: Tensor) -> Any:
        leaves = [*self.leaves]
        for place, value in zip(self.batched, x, strict=True):
            leaves[place] = value
        args, kwargs = tree.tree_unflatten(leaves, self.spec)
        return self.module(*args, **kwargs)


def cases(info: Any) -> Iterator[tuple[nn.Module, list[Tensor]]]:
    """Modules and batches: the inputs that torch lists as they are, and five of each, where they are one example.

    Losses that give one number for the whole batch, and modules that have the batch axis second, are left out.
    """
    torch.manual_seed(0)
    for one in info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=False, training=False):
        if one.forward_input is None:
            continue
        torch.manual_seed(0)
        module = info.module_cls(*one.constructor_input.args, **one.constructor_input.kwargs).double().eval()
        if getattr(module, "reduction", "none") != "none" or getattr(module, "batch_first", True) is False:
            continue
        given = (one.forward_input.args, one.forward_input.kwargs)
        inputs = tree.tree_leaves(given)
        places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor)]
        batched = [i for i in places if inputs[i].ndim and len(inputs[i]) == len(inputs[places[0]])]
        yield Call(module, given, batched), [inputs[i] for i in batched]
        if all(inputs[i].ndim for i in places):
            rows = [torch.stack([inputs[i], inputs[i].flip(0)] * 2 + [inputs[i]]) for i in places]
            yield Call(module, given, places), rows


def as_net(module: nn.Module, inputs: list[Tensor]) -> Any:
    """A net of the module alone; None where it does not go in with these inputs."""
    marks = ["" if x.is_floating_point() or (x < 0).any() else " <99>" for x in inputs]  # signs are no indices
    names = [f"x{i}" for i in range(len(inputs))]
    sizes = [" ".join(map(str, x.shape[1:])) or "()" for x in inputs]
    try:
        count = len(tensors(module(*inputs), ()))
        reads = ", ".join(f"{name}: *s{name}{mark}" for name, mark in zip(names, marks, strict=True))
        gives = ", ".join(f"y{i}: *t{i}" for i in range(count))
        ports = {name: nw.Array(size + mark) for name, size, mark in zip(names, sizes, marks, strict=True)}
        return nw.initialize(nw.Graph(part=(nw.Module(module, f"{reads} -> {gives}"), *names), input=ports))
    except NetwrightError:
        return None
    except Exception:  # torch refuses these inputs itself, as they are no batch
        return None


def compare(net: Any, module: nn.Module, inputs: list[Tensor]) -> None:
    """Outputs and gradients of a net and a module on the same examples."""
    arrays = {
        path: array.requires_grad_(net.plan.arrays[path].weight.kind == "learned") for path, array in net.arrays.items()
    }
    loss = "Loss" in type(module.module).__name__  # some have no gradient for what they are held against
    x = [value.clone().requires_grad_(value.is_floating_point() and not (loss and i)) for i, value in enumerate(inputs)]
    own = {path.removeprefix("part/").replace("/", "."): array for path, array in arrays.items()}
    got = tensors(nw.apply(net, arrays, dict(zip(net.input_names, x, strict=True))), ())
    wanted = tensors(torch.func.functional_call(module, own, tuple(x)), ())
    for one, two in zip(got, wanted, strict=True):
        axis = next(i for i in range(two.ndim) if two.movedim(i, 0).shape == one.shape)
        torch.testing.assert_close(one, two.movedim(axis, 0), equal_nan=True)
    over = [value for value in (*arrays.values(), *x) if value.requires_grad]
    totals = [[y.sum() for y in side if y.requires_grad] for side in (got, wanted)]
    assert len(totals[0]) == len(totals[1])
    if over and totals[0]:
        one, two = (torch.autograd.grad(sum(side), over, allow_unused=True, materialize_grads=True) for side in totals)
        torch.testing.assert_close(one, two, equal_nan=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("info", module_db, ids=[info.name for info in module_db])
def test_torchs_own_modules_go_in(info: Any) -> None:
    went = 0
    for module, inputs in cases(info):
        net = as_net(module, inputs)
        if net is not None:
            compare(net, module, inputs)
            went += 1
        if went == ENOUGH:
            break
    assert (went > 0) != (info.name.removeprefix("nn.") in NOT)

"""Compares a net with another library's net of the same weights: outputs, gradients of one step, names of arrays."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import netwright as nw
from netwright.models.pretrained.weights import From
from oracles.formula import Floats, digest_of, formula_array, formula_pictures, formula_state, sum_and_length

STORED = Path(__file__).parent / "oracles" / "stored"
CLASSES = range(10)


def stored(name: str) -> Mapping[str, Any]:
    """The arrays that a script of `oracles/` stored."""
    with np.load(STORED / f"{name}.npz") as file:
        return dict(file)


def shapes_of(facts: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the state dict of the other net."""
    lines = (line.split() for line in str(facts["names"]).splitlines())
    return {name: tuple(map(int, shape)) for name, *shape in lines}


def assert_equal_to_stored(
    name: str, make: Callable[[Mapping[str, Tensor]], nw.Net], table: Mapping[str, From], until: str | None = "softmax"
) -> None:
    """Assert that a net with the other's weights gives its outputs, and in one step its gradients and statistics.

    Fields:
        make: gives the net of a state dict.
        table: from which tensor each array of the net comes.
        until: the first part that is left out, so that the output is the scores.
    """
    facts = stored(name)
    state = {key: torch.from_numpy(array) for key, array in formula_state(shapes_of(facts)).items()}
    count, size = map(int, facts["size"])
    net = make(state).with_input((size, size, 3))
    module = nw.to_torch(net[:until] if until else net).double()  # so that both round alike
    module.load_state_dict({key: array.double() for key, array in _arrays_in_full(state, table).items()})
    x = torch.from_numpy(formula_pictures(count, size))
    with torch.no_grad():
        np.testing.assert_allclose(in_rows(module.eval()(x)).numpy(), facts["logits"], rtol=1e-8, atol=1e-8)
    y = in_rows(module.train()(x))
    (y * torch.from_numpy(formula_array("slopes", y.shape))).sum().backward()
    ours: dict[str, Floats] = {}
    for path, array in {**dict(module.named_parameters()), **dict(module.named_buffers())}.items():
        source = table[path.replace(".", "/")]
        found = array.detach() if array.grad is None else array.grad
        ours[source.name] = found.reshape(state[source.name].shape).numpy()
    for names, numbers in (("learned", "gradients"), ("running_names", "running")):
        theirs = facts[numbers].reshape(-1, 2)
        got = np.array([sum_and_length(key, ours[key]) for key in facts[names]]).reshape(-1, 2)
        scale = np.maximum(np.abs(theirs), 1e-3 * np.abs(theirs).max(initial=0))
        assert np.abs((got - theirs) / scale).max(initial=0) < 1e-5


def in_rows(y: Tensor | dict[str, Tensor]) -> Tensor:
    """All outputs of each example in one row."""
    return torch.cat([part.flatten(1) for part in (y.values() if isinstance(y, dict) else (y,))], 1)


def _arrays_in_full(state: Mapping[str, Tensor], table: Mapping[str, From]) -> dict[str, Tensor]:
    """The arrays by the names that `to_torch` gives them, with the digits that a net in float32 has not."""
    return {
        path.replace("/", "."): source.change(state[source.name]) if source.change else state[source.name]
        for path, source in table.items()
    }


def assert_names_are_theirs(family: str, member: str, net: nw.Net, table: Mapping[str, From]) -> None:
    """Assert that the other net has as many parameters, and that the table reads each of its arrays, of its size.

    The net needs no arrays.
    """
    rows = {key: (int(parameters), digest) for key, parameters, digest in stored(family)["rows"]}
    assert nw.summary(net).parameters == rows[member][0]
    assert net.plan.arrays.keys() == table.keys()
    sizes = {table[path].name: math.prod(spec.known or ()) for path, spec in net.plan.arrays.items()}
    assert digest_of(sizes) == rows[member][1]

"""The check of a gradient by finite differences: right nets pass, and a wrong backward is found and named."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

import netwright as nw
import random_nets
from inside.nets import classifier, folded, language, rows
from messages import message
from netwright.inside.check_gradient import Slope


class Doubled(torch.autograd.Function):
    """Twice its input; its gradient is a little too large."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        return 2.01 * slopes[0]


class WrongBias(nw.Leaf):
    """Adds a bias whose gradient is wrong, or is not there at all."""

    forgets: bool = False
    ports = "... in -> ... in"

    def weights(self) -> dict[str, nw.Weight]:
        return {"bias": nw.Weight("in", nw.inits.zeros)}

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x + (w["bias"].detach() if self.forgets else Doubled.apply(w["bias"]))  # (..., in)


def single(x: Tensor) -> Tensor:
    """Code that computes in float32, whatever it is given."""
    return (2 * x.float()).tanh()


NETS: dict[str, tuple[nw.Net, Any]] = {
    "classifier": (classifier(), rows(3, 3)),
    "kinks": (nw.initialize(nw.Chain(nw.Linear(200), nw.relu, nw.Linear(3), input=20)), rows(8, 20)),
    "sequences": (folded(), [rows(3, 4), rows(5, 4)]),
    "texts": (language(), ["abc", "hgfedc"]),
    "recurrent": (nw.initialize(nw.Chain(nw.LSTM(3), nw.GRU(3), nw.Last(), input=("n", 2))), [rows(2, 2), rows(4, 2)]),
    "pictures": (
        nw.initialize(nw.Chain(nw.Conv(3, 3), nw.MaxPool(), nw.Flatten(), nw.Linear(2), input=(6, 6, 1))),
        rows(2, 6, 6, 1),
    ),
    "loss": (nw.with_loss(classifier(), nw.CrossEntropy()), {"input": rows(3, 3), "target": list("abd")}),
    "code in float32": (
        nw.initialize(nw.Chain(nw.Linear(4), nw.Function(single, "... -> ..."), nw.Linear(1), input=3)),
        rows(3, 3),
    ),
    "a bias that a norm removes": (
        nw.initialize(nw.Chain(nw.Linear(4), nw.LayerNorm(), nw.Linear(1), input=3)),
        rows(3, 3),
    ),
}


@pytest.mark.parametrize("name", NETS)
def test_right_gradients_are_right(name: str) -> None:
    net, x = NETS[name]
    found = nw.check_gradient(net, x)
    assert found.holds, str(found)
    assert str(found).startswith(f"all {len(found.slopes)} gradients are right to 1e-05; the worst is\n  ")


@settings(max_examples=10)
@given(random_nets.nets())
def test_random_nets_are_right(net: nw.Net) -> None:
    found = nw.check_gradient(net, rows(2, random_nets.WIDTH))
    assert found.holds, str(found)


@pytest.mark.parametrize(("part", "error"), [(WrongBias(), 0.01), (WrongBias(forgets=True), 1.0)])
def test_a_wrong_backward_is_found_and_named(part: nw.Net, error: float) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(4), part, nw.tanh, nw.Linear(2), input=3))
    found = nw.check_gradient(net, rows(3, 3))
    assert not found.holds
    name = next(path for path in net.plan.arrays if path.endswith("/bias") and "linear" not in path)
    assert [slope.name for slope in found.failed] == [name] == [found.worst.name]
    assert error / 20 < found.worst.error < error * 3
    assert str(found).startswith(f"1 of 6 gradients is wrong\n  {name}: computed ")


def test_the_text_of_a_slope() -> None:
    assert str(Slope("linear1/bias", 1.0, 1.25, 0.2)) == "linear1/bias: computed 1, measured 1.25, apart by 0.2"


def test_a_net_without_anything_to_check_is_refused() -> None:
    net = nw.initialize(nw.Chain(nw.OneHot(), input=nw.Characters("ab")))
    assert message(nw.check_gradient, net, "ab") == (
        "there is no gradient to check: the net has no learned arrays and no inputs that are numbers\n"
        "  where:    check_gradient\n"
        "  got:      input"
    )


def test_the_net_is_not_changed() -> None:
    net = classifier()
    nw.check_gradient(net, rows(2, 3))
    assert net == classifier()

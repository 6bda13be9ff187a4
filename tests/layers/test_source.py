"""Values without inputs: how they begin, and what is refused."""

import pytest
import torch

import netwright as nw
from messages import message
from netwright.net.run.noise import Noise


def test_a_constant_takes_lists():
    assert nw.Constant([[1, 2], [3, 4]]) == nw.Constant(((1, 2), (3, 4)))
    assert nw.Constant([[1, 2], [3, 4]]).plan.outputs == {"output": (2, 2)}
    assert message(lambda: nw.Constant([[1, 2], [3]])) == (
        "a constant is a number, or rows of numbers that are equally long\n"
        "  where:    Constant\n"
        "  got:      [[1, 2], [3]]\n"
        "  mend:     nw.Constant(array.tolist()) for an array"
    )
    assert message(lambda: nw.Constant("one")).startswith("a constant is a number")
    assert message(lambda: nw.Constant(10**400)).startswith("a constant is a number")


def test_in_a_graph():
    x = nw.Input("x", 2)
    net = nw.Graph(nw.Multiply()(nw.Add()(x, nw.Constant((1.0, -1.0))()), nw.Constant(3.0)()))
    assert net(torch.tensor([1.0, 1.0])).tolist() == [6.0, 0.0]


def test_a_constant_is_where_the_net_is_and_of_its_type():
    x = nw.Input("x", 2)
    net = nw.initialize(nw.Graph(nw.MatMul()(nw.Linear(2)(x), nw.Constant((1.0, -1.0))())), seed=0)
    double = net.to(torch.float64)([[1.0, 2.0]], nw.raw)
    assert double.dtype == torch.float64
    assert double.item() == pytest.approx(net([[1.0, 2.0]], nw.raw).item(), rel=1e-6)
    assert net.to("meta")([[1.0, 2.0]], nw.raw).device.type == "meta"


def test_a_constant_in_a_net_without_arrays_follows_the_input():
    net = nw.Graph(nw.Add()(nw.Input("x", 2), nw.Constant((1.0, -1.0))()))
    assert net([[1.0, 1.0]], nw.raw).tolist() == [[2.0, 0.0]]


def test_parameters_begin_as_biases_or_as_weights():
    assert nw.initialize(nw.Parameter(3)).arrays["value"].tolist() == [0.0, 0.0, 0.0]
    matrix = nw.initialize(nw.Parameter(40, 30)).arrays["value"]
    assert matrix.shape == (40, 30)
    assert len(matrix.unique()) == 1200


def test_parameter_sizes():
    assert repr(nw.Parameter(4, 2)) == "Parameter(4, 2)"
    assert message(lambda: nw.Parameter(4, 0)) == (
        "a parameter's sizes are whole numbers of at least 1\n  where:    Parameter\n  got:      (4, 0)"
    )


def test_normal_numbers() -> None:
    drawn = nw.Normal(50).forward({}, batch=2000, like=torch.zeros(1, dtype=torch.float64))
    assert drawn.shape == (2000, 50) and drawn.dtype == torch.float64
    assert abs(drawn.mean()) < 0.02 and abs(drawn.std() - 1) < 0.02
    inside = (drawn.abs() < 1.96).double().mean()
    assert abs(inside - 0.95) < 0.005
    assert not torch.equal(drawn[0], drawn[1])
    assert drawn.abs().max() < 6


def test_normal_numbers_are_those_of_their_example() -> None:
    noise = Noise(3, 5, torch.arange(8), "latent")
    whole = nw.Normal(4, 2).forward({}, batch=8, like=torch.zeros(1), random=noise)
    some = nw.Normal(4, 2).forward({}, batch=2, like=torch.zeros(1), random=Noise(3, 5, torch.tensor([6, 2]), "latent"))
    assert torch.equal(some, whole[[6, 2]])
    other = nw.Normal(4, 2).forward({}, batch=8, like=torch.zeros(1), random=Noise(3, 6, torch.arange(8), "latent"))
    assert not torch.equal(other, whole)
    assert nw.Normal().forward({}, batch=3, like=None).shape == (3,)


def test_a_call_draws_by_its_seed() -> None:
    net = nw.initialize(nw.Graph(nw.Input("x", 2) + nw.Normal(2)()), seed=0)
    first, again, other = (net((0.0, 0.0), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_normal_has_sizes() -> None:
    assert repr(nw.Normal(4, 2)) == "Normal(4, 2)"
    assert message(lambda: nw.Normal(4, 0)) == (
        "sizes are whole numbers of at least 1\n  where:    Normal\n  got:      (4, 0)"
    )


def test_uniform_numbers_are_spread_evenly() -> None:
    drawn = nw.Uniform(50).forward({}, batch=2000, like=torch.zeros(1, dtype=torch.float64))
    assert 0 < drawn.min() < 1e-3 and 0.999 < drawn.max() < 1
    assert abs(float(drawn.mean()) - 0.5) < 0.01 and abs(float(drawn.var()) - 1 / 12) < 0.001
    assert repr(nw.Uniform(4, 2)) == "Uniform(4, 2)"

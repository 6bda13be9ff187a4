"""Values without inputs: how they begin, and what is refused."""

import pytest
import torch

import netwright as nw
from messages import message


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

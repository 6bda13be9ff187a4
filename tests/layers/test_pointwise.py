"""Functions of single values: how they are named, and which are refused."""

import math

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from layers.tools import unfit
from messages import message
from netwright.layers.pointwise import FUNCTIONS, NAMED, UNBOUNDED


@pytest.mark.parametrize("name", NAMED)
def test_public_names(name):
    assert getattr(nw, name) == nw.Elementwise(name)
    assert repr(nw.Elementwise(name)) == name
    assert nw.Chain(nw.Elementwise(name)).paths == (f"{name}1",)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_all_are_functions_of_single_values(name):
    x = torch.linspace(0.1, 1.9, 12, dtype=torch.float64)
    f = FUNCTIONS[name]
    torch.testing.assert_close(f(x)[3:7], f(x[3:7]), equal_nan=True)
    assert f(x).shape == x.shape


def test_torch_functions_are_shorthand():
    assert nw.Elementwise(torch.relu) == nw.Elementwise(F.relu) == nw.relu
    assert nw.Chain(torch.tanh) == nw.Chain(nw.tanh)
    assert nw.Elementwise(F.logsigmoid) == nw.Elementwise("logsigmoid")


def test_a_slope_is_part_of_the_function():
    steep = nw.Elementwise("leaky_relu", slope=0.2)
    assert repr(steep) == "Elementwise('leaky_relu', slope=0.2)"
    assert nw.Chain(steep).paths == ("leaky_relu1",)
    assert steep != nw.leaky_relu == nw.Elementwise("leaky_relu", slope=0.01)
    assert nw.Elementwise("elu", slope=1.0) == nw.elu
    bounds = [nw.Elementwise(name, slope=slope).bounds() for name in ("elu", "leaky_relu") for slope in (0.5, 0, -2)]
    assert [low for low, _ in bounds] == [-0.5, 0, 0, -math.inf, 0, 0]
    assert {high for _, high in bounds} == {math.inf}


@pytest.mark.parametrize(("name", "slope"), [("tanh", 0.5), ("elu", math.inf)])
def test_a_slope_that_cannot_be(name, slope):
    assert message(lambda: nw.Elementwise(name, slope=slope)) == (
        "a slope is a finite number, for functions that have one\n"
        f"  where:    Elementwise, {name}\n"
        "  expected: leaky_relu or elu\n"
        f"  got:      slope={slope}"
    )


def test_others_are_refused():
    assert message(lambda: nw.Elementwise("tahn")) == (
        "this is not a function of single values that torch has, so a net that holds it could not be saved\n"
        "  got:      'tahn'\n"
        "  mend:     did you mean 'tan' or 'tanh' or 'atan'?\n"
        "  or:       nw.Function(f, '... -> ...') for a function of your own"
    )
    for other in (torch.load, torch.cumsum, torch.nn.ReLU, math.sin, "load", "softmax"):
        assert message(lambda other=other: nw.Elementwise(other)).startswith("this is not a function of single values")


def test_softmax_is_no_elementwise():
    assert nw.Chain(nw.softmax, nw.log_softmax).paths == ("softmax1", "log_softmax1")
    assert repr(nw.log_softmax) == "log_softmax"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_unbounded_functions_are_those_that_are_infinite_or_no_number(name):
    x = torch.tensor([-1e4, -2.0, -1.0, 0.0, 1.0, 2.0, 1e4], dtype=torch.float64, requires_grad=True)
    y = FUNCTIONS[name](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert (y.isfinite() & slope.isfinite()).all() == (name not in UNBOUNDED)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bounds_are_met_and_hold(name):
    places = torch.tensor([-1e30, -1e5, -1.0, 0.0, 1.0, 1e5, 1e30], dtype=torch.float64)
    wide = torch.cat([torch.linspace(-8, 8, 160_001, dtype=torch.float64), places])
    y = FUNCTIONS[name](wide)
    y, (low, high) = y[~y.isnan()], nw.Elementwise(name).bounds()
    assert (low <= y).all() and (y <= high).all()
    assert low == -math.inf or y.min() < low + 1e-3
    assert high == math.inf or y.max() > high - 1e-3


def test_the_logarithm_of_a_softmax_is_taken_at_once():
    net = nw.Chain(nw.softmax, nw.log, input=2)
    torch.testing.assert_close(net(torch.tensor([0.0, -1000.0])), torch.tensor([0.0, -1000.0]))
    both = net(torch.tensor([0.0, -1000.0]), at=["softmax1", "log1"])
    assert both["log1"].tolist() == [0.0, float("-inf")]  # somebody wants the probabilities


def test_softmax_of_another_axis_is_no_class_probabilities() -> None:
    assert nw.Softmax(0).gives() == "numbers" and nw.softmax.gives() == "class probabilities"
    assert nw.LogSoftmax(0).gives() == "numbers" and nw.log_softmax.gives() == "log probabilities"
    assert repr(nw.Softmax()) == "softmax" and repr(nw.Softmax(0)) == "Softmax(0)"
    x, target = nw.Input("x", "4 3"), nw.Input("target", "4 <3>")
    net = nw.Graph(nw.CrossEntropy()(nw.Softmax(0)(x), target))
    found = net({"x": torch.zeros(1, 4, 3), "target": nw.batch([[0, 1, 2, 0]])})
    torch.testing.assert_close(found, torch.tensor([4.0]).log())


def test_softmax_of_an_axis_says_what_it_sees() -> None:
    assert nw.Softmax(1).span("input", 0, 3, False) == (0, 0)
    assert nw.Softmax(1).span("input", 1, 3, False) is None


def test_softmax_of_an_axis_that_is_not_there() -> None:
    assert unfit(nw.Softmax(2), (4, 3)) == ("its input has no axis 2", "3 axes or more", "2")
    assert unfit(nw.LogSoftmax(-3), (4, 3)) == ("its input has no axis -3", "3 axes or more", "2")
    assert message(lambda: nw.Softmax(99)) == (
        "a value has at most 64 axes\n  where:    Softmax\n  expected: an axis from -64 to 63\n  got:      axis=99"
    )

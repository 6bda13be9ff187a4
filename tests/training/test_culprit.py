"""Who is to blame: the first part that gives what is not finite, or the one whose derivative is not."""

import math

import pytest
import torch

import netwright as nw
from engine_pairs import batch_of, engines
from netwright.errors import DataError
from netwright.training.culprit import Culprit, finite, first_broken, naming_rows, nearest


def test_a_sum_that_is_too_large_is_not_taken_for_a_number_that_is_not_finite() -> None:
    large = torch.full((4,), 3e38)
    assert finite([large, torch.arange(3), torch.zeros(0)])
    assert not finite([large, torch.tensor([1.0, math.inf, -math.inf])])
    assert not finite([torch.tensor([math.nan])])
    assert first_broken({"a": large, "b": torch.tensor(math.nan), "c": torch.tensor(math.inf)}) == "b"
    assert first_broken({"a": large}) is None


def blamed(net, x, loss=None) -> Culprit | None:
    """The culprit of the autograd engine on examples of which the target is 0."""
    engine, _ = engines(net, loss or nw.MSE())
    batch = batch_of(x, torch.zeros(len(x), *net.plan.outputs["output"]))
    return engine.culprit(batch, 0)


def lengths(end=()):
    """A net that takes the length of a vector: its derivative at 0 is not finite."""
    return nw.Chain(nw.Linear(4, bias=False), nw.square, nw.Sum(0), nw.sqrt, nw.Reshape(1), *end, input=3)


def test_a_derivative_is_blamed_with_its_part_and_example() -> None:
    x = torch.ones(5, 3)
    assert blamed(lengths(), x) is None
    x[3] = 0
    assert blamed(lengths(), x) == Culprit("gradient", "net/sqrt1", 3)
    assert blamed(lengths([nw.Linear(2), nw.tanh, nw.Linear(1)]), x) == Culprit("gradient", "net/sqrt1", 3)


def test_of_several_readers_the_one_whose_derivative_is_not_finite_is_blamed() -> None:
    net = nw.Graph(
        a=(nw.Linear(2, bias=False), "input"),
        plain=(nw.tanh, "a"),
        root=(nw.Chain(nw.square, nw.sqrt), "a"),
        late=(nw.sigmoid, "a"),
        sum=(nw.Add(), "plain", "root", "late"),
        input=3,
    )
    x = torch.ones(4, 3)
    x[1] = 0
    assert blamed(net, x) == Culprit("gradient", "net/root/sqrt1", 1)


def test_inside_a_map_the_example_is_that_of_the_batch() -> None:
    net = nw.Chain(nw.Map(nw.Chain(nw.Linear(2, bias=False), nw.square, nw.Sum(0), nw.sqrt)), input=(5, 3))
    x = torch.ones(4, 5, 3)
    x[2, 4] = 0
    assert blamed(net, x) == Culprit("gradient", "net/map1/body/sqrt1", 2)


def test_of_an_array_whose_own_gradient_is_too_large_its_part_is_blamed() -> None:
    x = torch.ones(4, 3)
    x[2] = 1e30
    net = nw.Chain(nw.Linear(2, bias=False), nw.Elementwise("sin"), input=3)
    small = nw.Chain(nw.Linear(2, bias=False), nw.Function(lambda x: x * 1e-25, "... -> ..."), input=3)
    assert blamed(net, x) is None
    assert blamed(small, x, nw.MSE()) is None
    huge = nw.Chain(nw.Linear(2, bias=False), nw.Function(Steep.apply, "... -> ..."), input=3)
    assert blamed(huge, x) == Culprit("gradient", "net/linear1", 2)


class Steep(torch.autograd.Function):
    """Gives 1 with a finite, steep slope."""

    @staticmethod
    def forward(ctx, x):
        return torch.ones_like(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 1e15


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_of_values_the_first_is_blamed(value) -> None:
    x = torch.ones(4, 3)
    x[1, 0] = value
    assert blamed(nw.Chain(nw.Linear(2), nw.tanh, nw.Linear(1), input=3), x) == Culprit("loss", "net/linear1", 1)


def test_of_what_several_processes_found_a_value_is_named_before_a_gradient() -> None:
    late, early, first = (Culprit("loss", path, example) for path, example in (("b", 1), ("a", 7), ("a", 9)))
    gradients = [Culprit("gradient", path, 2) for path in ("a", "b")]
    paths = ["a", "b"]
    assert nearest([late, early, first], paths) == early
    assert nearest([*gradients, late], paths) == late
    assert nearest(gradients, paths) == gradients[1]
    assert nearest([], paths) is None


def test_an_error_about_an_example_of_a_batch_names_its_row_in_the_data():
    error = DataError(what="too long", where="CTCLoss, example 1 of the batch")
    error.row = 1
    with pytest.raises(DataError) as caught, naming_rows(torch.tensor([7, 40])):
        raise error
    assert caught.value.where == "row 40, CTCLoss"
    with pytest.raises(DataError) as held, naming_rows(torch.tensor([7, 40]), "validation data"):
        raise error
    assert held.value.where == "validation data, row 40, CTCLoss"
    with pytest.raises(DataError) as other, naming_rows(torch.tensor([7, 40])):
        raise DataError(what="wrong", where="row 1")
    assert other.value.where == "row 1"

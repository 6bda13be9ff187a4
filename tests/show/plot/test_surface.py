"""The surface of a loss goes through the loss of the net, along directions as long as its filters."""

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, MissingArraysError, NetError
from netwright.show.plot.surface import _direction
from netwright.training.prepare.goal import goal_of

X = torch.linspace(-1, 1, 30)[:, None]
NET = nw.initialize(nw.Chain(6, nw.tanh, nw.Linear(), input=1, output=nw.Number(0, 1)), seed=0)


def test_the_net_is_in_the_middle():
    axes = nw.plot.loss_surface(NET, (X, X**2)).axes[0]
    assert axes.get_title() == f"loss; the net has {float(nw.measure(NET, (X, X**2)).mse):.3g}"
    assert [*axes.lines[0].get_xdata()] == [0]


def test_every_filter_of_a_direction_is_as_long_as_the_nets():
    goal = goal_of(NET, None)
    found = _direction(goal, torch.Generator().manual_seed(0))
    assert found.keys() == {path for path, array in goal.net.arrays.items() if array.ndim > 1}
    for path, step in found.items():
        assert torch.allclose(step.norm(dim=1), goal.net.arrays[path].norm(dim=1), rtol=1e-4)


def test_classes_of_words():
    net = nw.Chain(nw.Embedding(4), nw.Mean(0), nw.Linear(), nw.softmax, input=nw.Characters("abc"))
    net = nw.initialize(net.with_output(nw.Category(["x", "y"])), seed=0)
    data = (["ab", "c", "abca"], ["x", "y", "x"])
    title = nw.plot.loss_surface(net, data).axes[0].get_title()
    assert title == f"loss; the net has {float(nw.measure(net, data).log_loss):.3g}"


def test_what_has_no_surface():
    with pytest.raises(MissingArraysError) as error:
        nw.plot.loss_surface(nw.Chain(1, input=1, output=nw.Number()), (X, X))
    assert str(error.value) == (
        "the net has no weights yet, so its loss has no surface\n"
        "  where:    linear1/weight, linear1/bias\n"
        "  mend:     nw.train(net, data).net"
    )
    two = nw.initialize(nw.Graph(nw.Add()(nw.Input("a", 2), nw.Input("b", 2))))
    with pytest.raises(NetError) as error:
        nw.plot.loss_surface(two, (X, X))
    assert str(error.value) == (
        "the surface of a loss is drawn for a net with one input and one output\n"
        "  where:    plot.loss_surface\n"
        "  got:      inputs a, b; outputs output"
    )
    with pytest.raises(DataError) as error:
        nw.plot.loss_surface(NET, ([], []))
    assert str(error.value) == "there are no examples, so there is no loss\n  where:    plot.loss_surface"


def test_a_net_whose_loss_is_no_number():
    broken = NET.with_arrays({path: array * float("nan") for path, array in NET.arrays.items()})
    with pytest.raises(DataError, match="the cost is a finite number nowhere in this area"):
        nw.plot.loss_surface(broken, (X, X**2))

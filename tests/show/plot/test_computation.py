"""A computational graph has the values and the derivatives of the net on its edges."""

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, NetError

NET = nw.Chain(2, nw.tanh, nw.Linear(1), input=2).with_arrays(
    {
        "linear1/weight": [[1.0, 0.0], [0.0, 2.0]],
        "linear1/bias": [0.0, 0.0],
        "linear2/weight": [[3.0, 4.0]],
        "linear2/bias": [0.5],
    }
)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_values_and_derivatives():
    said = texts(nw.plot.computational_graph(NET, torch.zeros(2)))
    assert "(0, 0)\n∂ (3, 8)" in said  # the input
    assert "(0, 0)\n∂ (3, 4)" in said  # what comes out of linear1, and of tanh1
    assert "∂ (0, 0, 0, 0)" in said and "∂ (0, 0)" in said and "0.50" in said
    assert {"input", "linear1", "tanh1", "linear2", "weight", "bias", "output"} <= {*said}


def test_a_loss_with_its_target():
    net = nw.initialize(nw.Chain(2, nw.softmax, input=3, output=nw.Category(["a", "b"])))
    loss = nw.with_loss(net, nw.CrossEntropy())
    figure = nw.plot.computational_graph(loss, {"input": (1.0, 2.0, 3.0), "target": "a"})
    assert {"target", "loss", "softmax1"} <= {*texts(figure)}


def test_branches_are_side_by_side():
    x = nw.Input("input", 2)
    net = nw.initialize(nw.Graph(nw.Add()(nw.tanh(nw.Linear(2)(x)), nw.relu(nw.Linear(2)(x)))))
    axes = nw.plot.computational_graph(net, torch.ones(2)).axes[0]
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places["tanh1"][1] == places["relu1"][1] and places["tanh1"][0] < places["relu1"][0]


def test_what_is_too_large():
    with pytest.raises(NetError) as error:
        nw.plot.computational_graph(nw.initialize(nw.Chain(*[nw.tanh] * 30, input=2)), torch.zeros(2))
    assert str(error.value) == (
        "this net is too large for a picture of each of its values\n"
        "  where:    plot.computational_graph\n"
        "  expected: at most 24 leaves, and none inside of a Map or Fold\n"
        "  got:      30 leaves\n"
        "  mend:     a part of the net, net['…']\n"
        "  or:       nw.draw(net), which draws nets of any size"
    )
    with pytest.raises(DataError) as error:
        nw.plot.computational_graph(NET, torch.zeros(3, 2))
    assert str(error.value) == (
        "a picture shows the computation for one example\n"
        "  where:    plot.computational_graph\n"
        "  expected: an example, as the net takes it\n"
        "  got:      several"
    )


def test_very_large_and_very_small_numbers():
    said = texts(nw.plot.computational_graph(NET, torch.tensor([1e30, -1.5e-30])))
    assert "(1e+30, −1.5e−30)\n∂ (0, 8)" in said


def test_a_layer_alone():
    assert {"input", "linear"} <= {
        *texts(nw.plot.computational_graph(nw.initialize(nw.Linear(2).with_input(2)), (1, 2)))
    }

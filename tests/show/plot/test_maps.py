"""Kernels, maps and values are drawn as they are, and what has none is told how to mend it."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import DataError, MissingArraysError, NetError, PathError
from netwright.show.pictures import mosaic


def drawn(figure, place=0):
    return np.asarray(figure.axes[place].images[0].get_array())


def title(figure):
    return figure.axes[0].get_title()


def net_of(*parts, **ports):
    return nw.initialize(nw.Chain(*parts, **ports), seed=0)


def test_kernels_of_one_channel_on_one_scale():
    net = net_of(nw.Conv(12, 5), input=(9, 9, 1))
    figure = nw.plot.kernels(net, "conv1")
    weight = net.arrays["conv1/weight"].numpy()
    assert np.allclose(drawn(figure), mosaic(weight[:, 0], 10), equal_nan=True)
    low, high = figure.axes[0].images[0].get_clim()
    assert -low == high == pytest.approx(abs(weight).max())
    assert title(figure) == "conv1: 12 kernels of 5 × 5"


def test_kernels_of_three_channels_in_colour():
    weight = torch.zeros(2, 3, 1, 1)
    weight[0, 0], weight[1, 2] = 2.0, -0.5
    net = nw.Chain(nw.Conv(2, 1), input=(9, 9, 3)).with_arrays({"conv1/weight": weight, "conv1/bias": [0.0, 0.0]})
    figure = nw.plot.kernels(net, "conv1")
    red, gap, dark_blue = drawn(figure)[0]
    assert red.tolist() == [1.0, 0.5, 0.5, 1.0] and gap[3] == 0.0 and dark_blue.tolist() == [0.5, 0.5, 0.0, 1.0]
    assert title(figure) == "conv1: 2 kernels of 1 × 1 × 3" and len(figure.axes) == 1


def test_kernels_of_many_channels_and_of_sequences():
    figure = nw.plot.kernels(net_of(nw.Conv(70, 3), input=(9, 9, 18)), "conv1")
    assert drawn(figure).shape == (16 * 4 - 1, 16 * 4 - 1)
    assert title(figure) == "conv1: the first 16 of 70 kernels of 3 × 3,\nthe first 16 of 18 input channels"
    figure = nw.plot.kernels(net_of(nw.Conv(70, 3), input=("n", 4)), "conv1")
    assert drawn(figure).shape == (6 * 5 - 1, 12 * 4 - 1)
    assert title(figure) == "conv1: the first 64 of 70 kernels of 3 × 4"


def test_what_has_no_kernels():
    with pytest.raises(PathError) as error:
        nw.plot.kernels(nw.Chain(nw.Conv(2, 3), nw.relu, nw.MaxPool(2), input=(9, 9, 1)), "conf1")
    assert str(error.value) == (
        "'conf1' has no kernels\n  where:    plot.kernels\n  expected: conv1\n  mend:     did you mean 'conv1'?"
    )
    with pytest.raises(PathError) as error:
        nw.plot.kernels(nw.Chain(4, input=3), "linear1")
    assert str(error.value) == (
        "'linear1' has no kernels\n"
        "  where:    plot.kernels\n"
        "  expected: a part whose window slides, such as nw.Conv: this net has none"
    )
    with pytest.raises(MissingArraysError) as error:
        nw.plot.kernels(nw.Chain(nw.Conv(2, 3), input=(9, 9, 1)), "conv1")
    assert str(error.value) == (
        "these kernels do not exist yet\n  where:    conv1\n  mend:     nw.initialize(net), or nw.train(net, data).net"
    )
    with pytest.raises(NetError) as error:
        nw.plot.kernels(net_of(nw.Conv(2, 3), input=(5, 5, 5, 1)), "conv1")
    assert str(error.value) == (
        "kernels are drawn over one axis or two\n"
        "  where:    conv1\n"
        "  got:      kernels over 3 axes: 2 × 1 × 3 × 3 × 3\n"
        "  mend:     a slice of net.arrays['conv1/weight']"
    )


def test_feature_maps():
    net = net_of(nw.Conv(12, 3), nw.relu, nw.Flatten(), input=(8, 8, 1))
    x = torch.rand(8, 8, 1)
    figure = nw.plot.feature_maps(net, x, "relu1")
    value = net(x, at="relu1").numpy()
    assert np.allclose(drawn(figure), mosaic(np.moveaxis(value, -1, 0), 10), equal_nan=True)
    assert title(figure) == "relu1: 12 maps of 6 × 6"
    with pytest.raises(DataError) as error:
        nw.plot.feature_maps(net, x, "flatten1")
    assert str(error.value) == (
        "this part makes no feature maps\n"
        "  where:    flatten1\n"
        "  expected: an output of height × width × channels\n"
        "  got:      an output of 432\n"
        "  mend:     nw.plot.inner_values(net, x, 'flatten1'), which draws values of any shape"
    )


def test_several_examples_are_refused():
    with pytest.raises(DataError) as error:
        nw.plot.feature_maps(net_of(nw.Conv(2, 3), input=(8, 8, 1)), torch.rand(3, 8, 8, 1), "conv1")
    assert str(error.value) == (
        "a picture shows the values of one example\n"
        "  where:    plot.feature_maps\n"
        "  expected: an example, as the net takes it\n"
        "  got:      several\n"
        "  mend:     x[0], the first of them"
    )


def test_inner_values_of_every_shape():
    net = net_of(nw.Conv(2, 3), nw.Flatten(), 60, 4, input=nw.Image(6, 6, "gray"))
    figure = nw.plot.inner_values(net, np.full((6, 6), 255, np.uint8))
    names = [axes.texts[0].get_text() for axes in figure.axes[::2]]
    assert names == ["input", "conv1\n4 × 4 × 2", "flatten1\n32", "linear1\n60", "linear2\n4"]
    assert [drawn(figure, place).shape for place in (1, 3, 5, 7, 9)] == [(6, 6), (4, 9), (1, 32), (2, 50), (1, 4)]
    assert drawn(figure, 1).max() == 1.0


def test_inner_values_of_a_text():
    net = net_of(nw.Embedding(3), nw.GRU(4), nw.Last(), input=nw.Characters("abc"))
    figure = nw.plot.inner_values(net, "abca", ["embedding1", "last1"])
    assert [axes.texts[0].get_text() for axes in figure.axes[::2]] == ["embedding1\n4 × 3", "last1\n4"]
    assert drawn(figure, 1).shape == (3, 4)


def test_one_number_that_is_not_finite_does_not_hide_the_others():
    net = net_of(nw.Conv(2, 3), input=(9, 9, 1))
    weight = net.arrays["conv1/weight"].clone()
    weight[0, 0, 0, 0], weight[1, 0, 0, 0] = float("nan"), float("inf")
    low, high = nw.plot.kernels(net.with_arrays({"conv1/weight": weight}), "conv1").axes[0].images[0].get_clim()
    assert -low == high == pytest.approx(float(weight[weight.isfinite()].abs().max()))
    coloured = nw.Chain(nw.Conv(1, 1), input=(9, 9, 3)).with_arrays(
        {"conv1/weight": torch.tensor([float("inf"), 1.0, 0.0]).reshape(1, 3, 1, 1), "conv1/bias": [0.0]}
    )
    assert drawn(nw.plot.kernels(coloured, "conv1"))[0, 0].tolist() == [0.5, 1.0, 0.5, 1.0]


def test_maps_are_those_of_one_part():
    net = net_of(nw.Conv(2, 3), nw.relu, input=(9, 9, 1))
    assert title(nw.plot.feature_maps(net, torch.rand(9, 9, 1), "re*")) == "relu1: 2 maps of 7 × 7"
    with pytest.raises(PathError) as error:
        nw.plot.feature_maps(net, torch.rand(9, 9, 1), "*")
    assert str(error.value) == (
        "a picture shows the maps of one part\n  where:    plot.feature_maps\n"
        "  expected: the path of one part\n  got:      conv1, relu1"
    )


def test_values_of_too_many_parts():
    net = net_of(*[nw.tanh] * 101, input=3)
    with pytest.raises(NetError) as error:
        nw.plot.inner_values(net, torch.rand(3))
    assert str(error.value) == (
        "101 parts are too many for one picture\n  where:    plot.inner_values\n"
        "  expected: at most 100\n  mend:     at=…, a pattern or a list of paths"
    )


def test_a_path_that_is_no_text():
    with pytest.raises(PathError, match="5 has no kernels"):
        nw.plot.kernels(net_of(nw.Conv(2, 3), input=(9, 9, 1)), 5)

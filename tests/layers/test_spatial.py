"""The spatial transformer and the pixel shuffle beyond the table: what they undo, sizes both ways, what they refuse."""

import pytest
import torch

import netwright as nw
from layers.tools import unfit
from messages import message


@pytest.mark.parametrize("shape", [(6, 8), (4, 6, 8), (4, 2, 6, 16)])
def test_pixels_go_there_and_back(shape):
    x = torch.randn(2, *shape)
    there, back = nw.PixelShuffle(2), nw.PixelUnshuffle(2)
    assert torch.equal(back(nw.batch(there(nw.batch(x)))), x)


def test_sizes_follow_both_ways():
    assert nw.Chain(nw.PixelShuffle(3), output=(9, 6, 2)).plan.inputs == {"input": (3, 2, 18)}
    assert nw.Chain(nw.PixelUnshuffle(2), output=(9, 6, 8)).plan.inputs == {"input": (18, 12, 2)}
    net = nw.Chain(nw.PixelShuffle(2), nw.PixelUnshuffle(2), input=("n", 6))
    assert str(net.plan.outputs["output"][0]) == "n"


def test_grids_that_a_factor_does_not_divide():
    assert unfit(nw.PixelShuffle(2), (4, 4, 6)) == (
        "its features are no multiple of its factor",
        "a multiple of 4",
        "6",
    )
    assert unfit(nw.PixelUnshuffle(2), (4, 5, 3)) == (
        "an axis of its grid is no multiple of its factor",
        "a multiple of 2",
        "5",
    )
    assert unfit(nw.PixelUnshuffle(2), ("n", 3))[2] == "n"
    assert message(lambda: nw.PixelShuffle(0)) == (
        "a factor is a whole number of at least 1\n  where:    PixelShuffle\n  got:      0"
    )


def test_the_transform_as_it_is_changes_nothing():
    x, same = torch.randn(2, 5, 7, 3), torch.tensor([[1.0, 0, 0, 0, 1, 0]] * 2)
    torch.testing.assert_close(nw.SpatialTransformer().forward({}, x, same), x)


def test_outside_of_the_picture_there_is_nothing():
    x, far = torch.ones(1, 4, 4, 1), torch.tensor([[1.0, 0, 5, 0, 1, 0]])
    assert not nw.SpatialTransformer((3, 3)).forward({}, x, far).any()


def test_a_net_learns_where_to_look():
    picture = nw.Input("picture", (8, 8, 1))
    where = nw.Linear(6)(nw.relu(nw.Linear(8)(nw.Flatten()(picture))))
    net = nw.Graph(nw.Linear(1)(nw.Flatten()(nw.SpatialTransformer((4, 4))(picture, where))))
    slopes = nw.gradients(nw.initialize(net), torch.rand(8, 8, 1), of=lambda y: y[0])
    assert any(slope.any() for path, slope in slopes.items() if path.startswith("linear"))


def test_a_size_that_is_none():
    assert message(lambda: nw.SpatialTransformer((3, 0))) == (
        "a size is a height and a width, whole numbers of at least 1\n"
        "  where:    SpatialTransformer\n"
        "  got:      (3, 0)\n"
        "  mend:     nw.SpatialTransformer((28, 28))"
    )

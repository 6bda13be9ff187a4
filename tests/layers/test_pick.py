"""Layers that pick, order and repeat, beyond the table: ties, sizes that follow, and what is refused."""

import torch

import netwright as nw
from messages import message


def test_equal_values_keep_their_order() -> None:
    x = nw.batch([[2.0, 1.0, 2.0, 1.0]])
    assert nw.Ordering()(x).tolist() == [[1, 3, 0, 2]]
    assert nw.Ordering(descending=True)(x).tolist() == [[0, 2, 1, 3]]


def test_values_in_their_order() -> None:
    """The ordering gives indices, which gathering takes, on varying lengths too."""
    x = nw.Input("x", "n")
    net = nw.Graph(x[nw.Ordering()(x)])
    assert [y.tolist() for y in net([torch.tensor([3.0, 1.0, 2.0]), torch.tensor([2.0, -1.0])])] == [
        [1.0, 2.0, 3.0],
        [-1.0, 2.0],
    ]


def test_a_vector_beside_each_element_of_a_sequence() -> None:
    vector, sequence = nw.Input("vector", 2), nw.Input("sequence", "n 3")
    net = nw.Graph(nw.Concatenate()(sequence, nw.Replicate()(vector, sequence)))
    assert str(net.plan.outputs["output"][1]) == "5"


def test_counts_and_axes() -> None:
    assert message(lambda: nw.Replicate(3, axis=-1)) == (
        "a value has at most 64 axes\n  where:    Replicate\n  expected: an axis from 0 to 63\n  got:      axis=-1"
    )
    assert repr(nw.Replicate()) == "Replicate()" and repr(nw.Replicate(2, axis=1)) == "Replicate(2, axis=1)"
    assert nw.Chain(nw.Linear(), nw.Replicate(3), input=2, output="3 4").plan.arrays["linear1/weight"].known == (4, 2)

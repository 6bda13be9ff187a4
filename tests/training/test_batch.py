"""A batch knows how many examples it has, and what the time of a step grows with."""

import torch

from netwright.training.batch import Batch


def test_size_and_positions() -> None:
    batch = Batch({"input": torch.zeros(3, 7, 2), "target": torch.zeros(3)}, torch.tensor([4, 8, 1]), None)
    assert batch.size == 3
    assert batch.positions == 14
    assert batch.lengths == {}


def test_pieces_have_every_example_once_with_all_that_belongs_to_it() -> None:
    x, ids, weights = torch.arange(14.0).view(7, 2), torch.arange(7) + 3, torch.rand(7)
    batch = Batch({"input": x}, ids, weights, {"n": torch.arange(7), "k": 5})
    pieces = batch.split(3)
    assert [piece.size for piece in pieces] == [2, 2, 3]
    assert torch.equal(torch.cat([piece.inputs["input"] for piece in pieces]), x)
    assert torch.equal(torch.cat([piece.examples for piece in pieces]), ids)
    assert torch.equal(torch.cat([piece.weights for piece in pieces]), weights)
    assert torch.equal(torch.cat([piece.lengths["n"] for piece in pieces]), torch.arange(7))
    assert {piece.lengths["k"] for piece in pieces} == {5}
    assert len(batch.split(9)) == 7

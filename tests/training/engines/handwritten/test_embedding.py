"""The embedding kernel: as autograd, with indices that repeat, and from one step to the next."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.engine import Written


@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_as_autograd(precision) -> None:
    net = nw.Chain(nw.Embedding(70), nw.Flatten(), nw.Linear(70), nw.relu, nw.Linear(2), input="5 <9>")
    one, other = engines(net, nw.MSE(), precision)
    assert isinstance(other, Written)
    torch.manual_seed(0)
    for high in (9, 2, 9):  # what one step reads must not be left in the gradient of the next
        batch = batch_of(torch.randint(high, (6, 5)), torch.randn(6, 2))
        assert_same_gradient(one, other, batch, 2e-6 if precision is None else 0.03)


def test_a_recommender() -> None:
    user, item = nw.Input("input", "<20>"), nw.Input("item", "<7>")
    both = nw.Concatenate()(nw.Embedding(4)(user), nw.Embedding(3)(item))
    one, other = engines(nw.Graph(nw.Chain(8, nw.relu, nw.Linear(1))(both)), nw.MSE())
    assert isinstance(other, Written)
    torch.manual_seed(0)
    batch = batch_of(torch.randint(20, (6,)), torch.randn(6, 1))
    batch.inputs["item"] = torch.randint(7, (6,))
    assert_same_gradient(one, other, batch, 2e-6)

"""Join kernels: sums and concatenations as autograd, and values that several parts read."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.engine import Written

PART = st.sampled_from(
    [[], [nw.relu], [nw.Linear(6)], [nw.Linear(6), nw.tanh], [nw.LayerNorm(), nw.Linear(6), nw.relu]]
)


@given(
    st.lists(PART, min_size=2, max_size=3), st.booleans(), st.sampled_from([nw.relu, nw.relu6, nw.gelu]), st.booleans()
)
@settings(max_examples=40, deadline=None)
def test_parts_side_by_side(parts, adds, after, low) -> None:
    join = nw.Add() if adds else nw.Concatenate()
    net = nw.Chain(
        nw.Linear(6), nw.Parallel(*(p or nw.Chain(nw.tanh) for p in parts)), join, after, nw.Linear(2), input=4
    )
    one, other = engines(net, nw.MSE(), torch.bfloat16 if low else None)
    assert isinstance(other, Written) == (not adds or len(parts) == 2)
    torch.manual_seed(0)
    assert_same_gradient(one, other, batch_of(torch.randn(5, 4), torch.randn(5, 2)), 0.03 if low else 3e-6)


@pytest.mark.parametrize("depth", [1, 4])
def test_a_value_that_many_read(depth) -> None:
    net = nw.Chain(nw.Linear(6), *(nw.Residual(nw.Residual([nw.Linear(6), nw.relu])) for _ in range(depth)), input=6)
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(5, 6), torch.randn(5, 6)), 1e-5)


def test_the_input_itself_is_added() -> None:
    net = nw.Chain(nw.Residual([nw.Linear(6), nw.relu]), nw.Linear(2), input=6)
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(5, 6), torch.randn(5, 2)), 1e-6)


def test_two_inputs() -> None:
    a, b = nw.Input("input", 3), nw.Input("b", 5)
    net = nw.Graph(nw.Linear(2)(nw.relu(nw.Concatenate()(nw.Linear(4)(a), b))))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    batch = batch_of(torch.randn(5, 3), torch.randn(5, 2))
    batch.inputs["b"] = torch.randn(5, 5)
    assert_same_gradient(one, other, batch, 1e-6)


def test_a_sum_of_other_shapes_is_for_autograd() -> None:
    a = nw.Input("input", (3, 4))
    one, other = engines(nw.Graph(nw.Add()(nw.Linear(4)(a), nw.Mean(0)(a))), nw.MSE())
    assert not isinstance(other, Written)
    assert_same_gradient(one, other, batch_of(torch.randn(5, 3, 4), torch.randn(5, 3, 4)), 1e-6)

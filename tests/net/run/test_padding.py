"""Helpers for padded batches: what lies behind an end, in one axis or in an axis that varies within another."""

import torch

import netwright as nw
from netwright.net.run.padding import (
    NO_LENGTHS,
    ended,
    ended_run,
    filled,
    inside,
    last,
    length_of,
    lengths_of,
    mean_of_own,
    own_elements,
    picked_elements,
)

LENGTH = torch.tensor([2, 3])
WITHIN = torch.tensor([[1, 2, 4], [3, 1, 2]])  # of the second axis, within the first
X = torch.arange(24.0).reshape(2, 3, 4)


def test_lengths_by_name():
    assert length_of(NO_LENGTHS, "n") is None
    assert length_of({"n": LENGTH}, "n") is LENGTH
    assert lengths_of(NO_LENGTHS, "s", 2) == (None, None)
    assert lengths_of({"s": (None, LENGTH)}, "s", 2) == (None, LENGTH)


def test_inside():
    assert inside(LENGTH, 3).tolist() == [[True, True, False], [True, True, True]]
    assert inside(WITHIN, 4)[0].int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]


def test_filled():
    assert filled(X, None, 7) is X
    assert filled(X, LENGTH, 7)[0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [7, 7, 7, 7]]
    assert filled(X, LENGTH, 7, -1)[0].tolist() == [[0, 1, 7, 7], [4, 5, 7, 7], [8, 9, 7, 7]]
    assert filled(X, WITHIN, -1, 2)[0].tolist() == [[0, -1, -1, -1], [4, 5, -1, -1], [8, 9, 10, 11]]
    assert filled(X.long(), LENGTH, 0.0).dtype == torch.int64


def test_ended():
    assert ended(X, None) is X
    assert ended(X, LENGTH)[0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5, 6, 7]]
    assert ended(X, WITHIN, 2)[1].tolist() == [[12, 13, 14, 14], [16, 16, 16, 16], [20, 21, 21, 21]]


def test_inner_axes_end_before_outer_ones():
    assert ended_run(X, (LENGTH, WITHIN))[0].tolist() == [[0, 0, 0, 0], [4, 5, 5, 5], [4, 5, 5, 5]]
    assert ended_run(X, (None, None)) is X


def test_last():
    assert last(X, None).tolist() == X[:, -1].tolist()
    assert last(X, LENGTH).tolist() == [[4, 5, 6, 7], [20, 21, 22, 23]]


def test_picked():
    index = torch.tensor([[2, 0], [1, 1]])
    assert picked_elements(X, index)[:, :, 0].tolist() == [[8, 0], [16, 16]]
    assert picked_elements(X, index, -1)[0].tolist() == [[2, 0], [6, 4], [10, 8]]


def test_own_values():
    assert own_elements(X, (None, None), (1, 2)) is None
    assert own_elements(X, (LENGTH, None), (2,)) is None
    mask = own_elements(X, (LENGTH, WITHIN), (1, 2))
    assert X[0][mask[0]].tolist() == [0, 4, 5]
    turned = X.unsqueeze(1)  # (2, 1, 3, 4): what WITHIN varies within is the second axis of an example
    mask = own_elements(turned, (None, LENGTH, WITHIN), (1, 2, 3), {3: 2})
    assert mask.shape == (2, 1, 3, 4) and turned[0][mask[0]].tolist() == [0, 4, 5]
    assert mean_of_own(X, (LENGTH, WITHIN), (1, 2)).tolist() == [3, (12 + 13 + 14 + 16 + 20 + 21) / 6]
    assert mean_of_own(X, (LENGTH, None), (1, 2)).tolist() == [3.5, 17.5]
    assert mean_of_own(X, (None, None), (1, 2)).tolist() == [5.5, 17.5]


def test_nothing_flows_into_what_is_behind_an_end():
    x = X.double().requires_grad_()
    (grad,) = torch.autograd.grad(ended(x, LENGTH).sum(), x)
    assert grad[0, :, 0].tolist() == [1, 2, 0]
    (grad,) = torch.autograd.grad(mean_of_own(x, (LENGTH, None), (1, 2)).sum(), x)
    assert grad[0].tolist() == [[0.125] * 4, [0.125] * 4, [0.0] * 4]


def test_a_function_within_an_axis_that_varies_meets_real_elements_alone():
    x = torch.full((2, 3, 4), -1e4, dtype=torch.float64)
    for i, length in enumerate(LENGTH.tolist()):
        for j in range(length):
            x[i, j, : WITHIN[i, j]] = 2.0
    x.requires_grad_()
    y = nw.log.forward({}, x, lengths={"...": (LENGTH, WITHIN)})
    (grad,) = torch.autograd.grad(y[0, 1, :2].sum(), x)
    assert y.isfinite().all()
    assert grad.sum().item() == 1
    assert not nw.log.forward({}, x).isfinite().all()

"""Choosing between values: torch's answer, both gradients, and sizes that must agree."""

import pytest
import torch

import netwright as nw
from netwright.errors import SizeError


def test_it_chooses_as_torch_does() -> None:
    net = nw.Graph(nw.where(nw.Input("condition", 4), nw.Input("a", 4), nw.Input("b", 4)))
    x = {name: torch.randn(5, 4, requires_grad=True) for name in ("condition", "a", "b")}
    got = nw.apply(net, {}, x)
    assert got.equal(torch.where(x["condition"] > 0, x["a"], x["b"]))
    got.sum().backward()
    assert x["a"].grad is not None
    assert x["a"].grad.equal((x["condition"] > 0).float())


def test_zero_is_not_above_zero() -> None:
    net = nw.Graph(nw.where(nw.Input("x", 2), nw.Input("x2", 2), nw.Input("x3", 2)))
    assert net({"x": (0.0, 1e-9), "x2": (1.0, 1.0), "x3": (2.0, 2.0)}).tolist() == [2, 1]


def test_sizes_agree() -> None:
    with pytest.raises(SizeError):
        nw.Graph(nw.where(nw.Input("condition", 4), nw.Input("a", 4), nw.Input("b", 3)))


def test_its_text_gives_it_back() -> None:
    assert repr(nw.where) == "where"
    assert repr(nw.Shared("s", nw.where)) == "Shared('s', where)"

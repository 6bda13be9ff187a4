"""Losses of angles beyond the table: vectors of no length, and what a temperature is."""

import pytest
import torch

import netwright as nw
from messages import message


def test_a_vector_of_no_length_has_a_slope() -> None:
    x = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    loss = nw.CosineLoss().forward({}, x, torch.ones(1, 3, dtype=torch.float64))
    (slope,) = torch.autograd.grad(loss.sum(), x)
    assert loss.tolist() == [1.0] and slope.isfinite().all()


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan")])
def test_a_temperature_is_above_0(wrong: float) -> None:
    assert message(lambda: nw.InfoNCE(wrong)) == (
        f"a temperature is above 0\n  where:    InfoNCE\n  got:      {wrong!r}"
    )


def test_partners_are_found() -> None:
    """Two views of the same points, turned differently, are brought together by two linear maps."""
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(40, 8, 6, generator=draw)
    turns = [torch.linalg.qr(torch.randn(6, 6, generator=draw))[0] for _ in range(2)]
    one, two = (nw.Linear(6)(nw.Input(name, "8 6")) for name in ("one", "two"))
    net = nw.Graph(nw.InfoNCE(0.2)(one, two))
    data = {name: points @ turn for name, turn in zip(("one", "two"), turns, strict=True)}
    run = nw.train(net, data, epochs=20, learning_rate=0.02, seed=0, threads=1, progress=False)
    assert run.losses[-1] < 0.5 * run.losses[0]

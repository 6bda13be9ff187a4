"""Positions: what they refuse, and longer batches than there are positions."""

import pytest
import torch

import netwright as nw
from layers.tools import unfit
from messages import message
from netwright.layers.position import Positions, SinePositions

WEIGHT = {"positions": torch.arange(8.0).reshape(4, 2)}
TOO_LONG = (
    "a sequence has more elements than there are positions\n"
    "  where:    Positions\n"
    "  expected: at most 4 elements\n"
    "  got:      5 elements\n"
    "  mend:     nw.Positions(5), trained anew\n"
    "  or:       nw.SinePositions(), which has no end"
)


def test_too_few_positions():
    assert unfit(Positions(4), (5, 2)) == (
        "its input has more elements than it has positions",
        "at most 4 elements",
        "5 elements",
    )
    assert message(lambda: Positions(0)) == (
        "the number of positions is a whole number of at least 1\n  where:    Positions\n  got:      0"
    )


def test_a_longer_sequence():
    leaf, x = Positions(4), torch.zeros(2, 5, 2)
    assert message(lambda: leaf.forward(WEIGHT, x)) == TOO_LONG
    assert message(lambda: leaf.forward(WEIGHT, x, lengths={"n": torch.tensor([2, 5])})) == TOO_LONG
    _, memory = leaf.step(WEIGHT, None, x[:, :3])
    assert message(lambda: leaf.step(WEIGHT, memory, x[:, :2])) == TOO_LONG


def test_padding_may_reach_further_than_the_positions():
    y = Positions(4).forward(WEIGHT, torch.zeros(2, 6, 2), lengths={"n": torch.tensor([4, 1])})
    assert torch.equal(y[0, :4], WEIGHT["positions"])
    assert y.isfinite().all()


def test_sizes_follow():
    assert nw.Chain(Positions(9), input=("n", 3)).plan.arrays["positions1/positions"].known == (9, 3)
    assert str(nw.Chain(SinePositions(), input=("n", 3)).plan.outputs["output"]) == "(n, 3)"


def test_far_positions_in_half_precision():
    y = SinePositions().forward({}, torch.zeros(1, 1000, 8, dtype=torch.bfloat16))
    exact = SinePositions().forward({}, torch.zeros(1, 1000, 8, dtype=torch.float64))
    torch.testing.assert_close(y.double(), exact, rtol=0, atol=0.01)


def test_turns_that_were_asked_for_without_gradients_serve_with_them():
    net = nw.initialize(nw.Chain(nw.Rotary(), input=("n", 6)), seed=0)
    step = nw.unfold(net)
    with torch.inference_mode():
        nw.apply(step, {}, {"input": torch.ones(1, 1, 6)})
    x = torch.ones(1, 1, 6, requires_grad=True)
    out = nw.apply(step, {}, {"input": x})
    (out["output"] if isinstance(out, dict) else out).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("fields", "what", "got"),
    [
        ({"slower": 0.0}, "slower is a finite number above 0", "0.0"),
        ({"slower": float("inf")}, "slower is a finite number above 0", "inf"),
        ({"kept": (8.0, 4.0)}, "kept is two wavelengths above 0, the shorter one first", "(8.0, 4.0)"),
    ],
)
def test_angles_that_are_none(fields, what: str, got: str):
    with pytest.raises(nw.NetError) as caught:
        nw.Rotary(**fields)
    assert str(caught.value) == f"{what}\n  where:    Rotary\n  got:      {got}"


def test_slower_angles_step_as_they_run():
    net = nw.initialize(nw.Chain(nw.Rotary(2, 100.0, 8.0, (8.0, 90.0)), input=("n", 12)))
    x = torch.randn(1, 9, 12)
    found = []
    whole = nw.apply(net, {}, x)
    stepping = nw.Stateful(net)
    for i in range(9):
        out, stepping = stepping(x[0, i : i + 1])
        found.append(out)
    torch.testing.assert_close(torch.cat(found), whole[0])


def test_a_number_of_segments_that_is_none():
    with pytest.raises(nw.NetError) as caught:
        nw.Segments(0)
    assert str(caught.value) == (
        "the number of segments is a whole number of at least 1\n  where:    Segments\n  got:      0"
    )

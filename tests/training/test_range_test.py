"""The curve of a range test and the rate that follows from it; a run keeps both, and repeats no trial."""

import math
from pathlib import Path

import pytest

import netwright as nw
from messages import message
from netwright.training.prepare import prepare
from netwright.training.range_test import RangeTest, RateRange, rate_found, smoothed_losses
from run_tools import XS, YS, assert_same, trained


def test_the_rates_go_up_by_the_same_factor() -> None:
    rates = RangeTest(steps=21, lowest=0.01, highest=100).rates(0.5)
    assert len(rates) == 21
    assert rates == pytest.approx([0.005 * 10 ** (step / 5) for step in range(21)])


def test_a_curve_has_no_noise_of_batches() -> None:
    before = [1.0 + (7 * i) % 5 for i in range(40)]
    losses = [loss * (0.5 if i >= 20 else 1.0) for i, loss in enumerate(before)]
    curve = smoothed_losses(losses, before)
    mean = sum(before) / 40
    assert curve[:14] == pytest.approx([mean] * 14)
    assert curve[26:] == pytest.approx([mean / 2] * 14)
    assert smoothed_losses([-1.0, -3.0], [-1.0, -1.0]) == pytest.approx((-2.0, -2.0))  # a loss may be negative
    assert smoothed_losses([], []) == ()


def of_curve(*values: float) -> RateRange:
    """What follows where every thirteen steps have the same loss, and rates are 1, 2, 3, …"""
    losses = [value for value in values for _ in range(13)]
    return rate_found(0.5, [float(i + 1) for i in range(len(losses))], losses, [values[0]] * len(losses))


def test_the_rate_is_a_tenth_of_the_highest_at_which_the_loss_is_low() -> None:
    found = of_curve(4.0, 2.0, 2.0, 4.0)
    assert found.curve[6] == 4.0
    assert found.curve[32] == 2.0
    assert found.rates[38] == 39.0  # there seven of thirteen steps have a loss of 2, and the mean is below 3
    assert found.rate == 3.9
    assert found.why == "a tenth of 39, the highest rate before the loss had risen halfway again"
    low = of_curve(4.0, 2.0)
    assert (low.rate, low.why) == (2.6, "a tenth of 26, the highest rate of the test")


def test_a_loss_that_does_not_fall_leaves_the_rate() -> None:
    why = "the optimizer's own, since the loss fell at none of the rates"
    for found in (of_curve(4.0, 3.97, 8.0), of_curve(0.0, 0.0), rate_found(0.5, [], [], [])):
        assert (found.rate, found.why) == (0.5, why)


def test_what_it_says() -> None:
    lines = repr(of_curve(4.0, 2.0, 2.0, 4.0)).splitlines()
    assert lines[0] == "RateRange: 3.9, a tenth of 39, the highest rate before the loss had risen halfway again"
    assert lines[1:3] == ["  rate      loss", "  1         4"]
    assert lines[-1] == "  52        4"
    assert len(lines) == 11
    assert repr(rate_found(0.5, [], [], [])).count("\n") == 0


def test_a_test_that_cannot_be() -> None:
    assert message(RangeTest, steps=5) == (
        "a range test has at least 20 steps\n  where:    RangeTest\n  got:      steps=5\n  mend:     steps=100"
    )
    assert message(RangeTest, lowest=2.0, highest=1.0) == (
        "the rates of a range test go up\n  where:    RangeTest\n  expected: 0 < lowest < highest\n"
        "  got:      lowest=2, highest=1"
    )
    assert message(RangeTest, steps=50.0).startswith("steps of RangeTest cannot be this\n")
    net = nw.Chain(nw.Linear(), input=nw.Vector(4), output=nw.Number())
    assert message(nw.train, net, (XS, YS), learning_rate={"linear1": RangeTest()}) == (
        "learning_rate['linear1'] is a finite number of at least 0\n  where:    learning_rate['linear1']\n"
        "  got:      RangeTest(steps=100, lowest=0.0001, highest=1000.0)"
    )


def test_a_run_has_the_rate_and_says_why() -> None:
    run = trained(None, learning_rate=RangeTest(), schedule="constant")
    found = run.rate_range
    assert found is not None
    assert run.epochs[0].learning_rate == found.rate
    said = {choice.name: choice for choice in run.choices}
    assert str(said["learning rate"]) == f"learning rate: {found.rate:.3g} ({found.why})"
    assert said["range test"].value.startswith(f"{len(found.rates)} steps, from ")
    assert len(found.rates) == len(found.losses) == len(found.before) == len(found.curve)
    known = trained(None, learning_rate=found.rate, schedule="constant")
    assert known.losses == run.losses  # the trial has left nothing behind
    assert known.rate_range is None
    assert trained(None, learning_rate=RangeTest(), schedule="constant").rate_range == found


def test_a_run_in_a_folder_goes_on_without_another_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(None, learning_rate=RangeTest())

    class Ends(nw.Callback):
        def on_step(self, status: nw.Status) -> None:
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, learning_rate=RangeTest(), callbacks=[Ends()])
    monkeypatch.setattr(prepare, "rate_range_of", None)
    run = trained(tmp_path, learning_rate=RangeTest())
    assert_same(run, whole)
    assert run.rate_range == whole.rate_range == nw.load_run(tmp_path).rate_range
    assert trained(tmp_path).losses == whole.losses  # the folder has the setting
    again = nw.replay(nw.load_run(tmp_path), (XS, YS), progress=False)
    assert again.equal, repr(again)
    assert again.run.rate_range == whole.rate_range
    forked = trained(nw.fork(tmp_path, epoch=1, clip=9.0))
    assert math.isclose(forked.epochs[1].learning_rate, whole.epochs[1].learning_rate)


def test_it_begins_before_the_first_step_only(tmp_path: Path) -> None:
    trained(tmp_path)
    assert message(nw.fork, tmp_path, learning_rate=RangeTest(steps=50)) == (
        "a range test begins before the first step, and the run has begun\n  where:    fork\n"
        "  got:      learning_rate=RangeTest(steps=50, lowest=0.0001, highest=1000.0)\n"
        "  mend:     learning_rate=…, a number"
    )

"""Schedules: each one's first, highest and last factor, and one-cycle as torch has it."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import NetError, TrainingError
from netwright.training.schedules import (
    SCHEDULES,
    ConstantRate,
    CosineDecay,
    OneCycle,
    StepDecay,
    WarmupStableDecay,
    schedule_of,
)


def test_one_cycle_is_torch_s() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=50, cycle_momentum=False, div_factor=25, final_div_factor=400
    )
    for step in range(50):
        assert OneCycle().factor(step, 50) * 0.1 == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        if step < 49:
            theirs.step()


@pytest.mark.parametrize("schedule", SCHEDULES.values())
@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
def test_factors_lie_between_zero_and_one(schedule, steps) -> None:
    factors = [schedule.factor(step, steps) for step in range(steps)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert steps < 1000 or max(factors) > 0.999


def test_shapes_of_the_others() -> None:
    assert [ConstantRate().factor(step, 4) for step in range(4)] == [1, 1, 1, 1]
    assert [round(CosineDecay().factor(step, 3), 6) for step in range(3)] == [1, 0.5, 0]
    assert [round(StepDecay().factor(step, 4), 6) for step in range(4)] == [1, 1, 0.1, 0.01]


def test_the_default_is_at_its_peak_for_most_of_the_run() -> None:
    schedule = WarmupStableDecay()
    factors = [schedule.factor(step, 1000) for step in range(1000)]
    assert (factors[0], factors[50], factors[799], factors[-1]) == pytest.approx((0.04, 1.0, 1.0, 1e-4))
    assert sum(factor == 1.0 for factor in factors) >= 740
    assert factors[:51] == sorted(factors[:51])
    assert factors[799:] == sorted(factors[799:], reverse=True)
    assert sum(factors) > 0.86 * 1000, "few steps are given away to the warmup and the decay"


def test_the_default_comes_as_far_as_a_constant_rate_in_few_epochs() -> None:
    xs = torch.randn(400, 1, generator=torch.Generator().manual_seed(0)).numpy()
    data = (xs, (3 * xs[:, 0]).tolist())
    net = nw.Chain(nw.Linear(1), input=nw.Array(1), output=nw.Number(0, 1))
    slopes = {
        name: float(nw.train(net, data, epochs=40, schedule=name, progress=False).net.arrays["linear1/weight"])
        for name in (None, "constant")
    }
    assert slopes[None] == pytest.approx(3, abs=0.1)
    assert slopes["constant"] == pytest.approx(3, abs=0.1)


def test_numbers_of_numpy_are_kept_and_printed_as_plain_ones() -> None:
    cycle = OneCycle(np.float64(0.1))  # type: ignore[arg-type]
    assert repr(cycle) == "OneCycle(warmup=0.1, start=0.04, end=0.0001)"
    with pytest.raises(NetError) as error:
        OneCycle("a tenth")  # type: ignore[arg-type]
    assert str(error.value) == (
        "warmup of OneCycle cannot be this\n"
        "  where:    OneCycle\n"
        "  expected: a number\n"
        "  got:      'a tenth', of type str"
    )


@pytest.mark.parametrize(
    ("given", "mend"),
    [
        (torch.optim.lr_scheduler.StepLR, "nw.StepDecay(at=(0.5, 0.75), factor_each=0.1), at parts of the run"),
        ("CosineAnnealingLR", "nw.CosineDecay()"),
        ("ReduceLROnPlateau", "a callback that sets status.rate_factor, or patience=5"),
        ("Cosine", "did you mean 'cosine'?"),
    ],
)
def test_schedules_of_others(given: object, mend: str) -> None:
    with pytest.raises(TrainingError) as caught:
        schedule_of(given)
    assert caught.value.what == f"there is no schedule {given!r}" and caught.value.mend == (mend,)


def test_what_is_no_schedule() -> None:
    with pytest.raises(TrainingError) as caught:
        schedule_of([0.1])
    assert (caught.value.what, caught.value.mend) == ("there is no schedule [0.1]", ())

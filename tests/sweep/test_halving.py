"""The rounds of a sweep: how many trials go how far, and what that costs beside the whole grid."""

import pytest

from netwright.sweep.halving import rounds


@pytest.mark.parametrize(
    ("trials", "factor", "expected"),
    [
        (1, 3, [(1, 1.0)]),
        (3, 3, [(3, 1 / 3), (1, 1.0)]),
        (6, 3, [(6, 1 / 9), (2, 1 / 3), (1, 1.0)]),
        (10, 3, [(10, 1 / 27), (4, 1 / 9), (2, 1 / 3), (1, 1.0)]),
        (100, 3, [(100, 1 / 27), (34, 1 / 9), (12, 1 / 3), (4, 1.0)]),
        (6, 2, [(6, 1 / 8), (3, 1 / 4), (2, 1 / 2), (1, 1.0)]),
        (6, 1, [(6, 1.0)]),
        (6, 10**400, [(6, 0.0), (1, 1.0)]),
    ],
)
def test_rounds(trials: int, factor: int, expected: list[tuple[int, float]]) -> None:
    found = rounds(trials, factor)
    assert [each.trials for each in found] == [count for count, _ in expected]
    assert [each.share for each in found] == pytest.approx([share for _, share in expected])


@pytest.mark.parametrize("trials", [*range(6, 40), 100, 1000])
def test_six_trials_or_more_cost_at_most_31_percent_of_the_grid(trials: int) -> None:
    plan = rounds(trials, 3)
    before = [0.0, *(each.share for each in plan)]
    cost = sum(each.trials * (each.share - done) for each, done in zip(plan, before, strict=False))
    assert cost / trials < 0.31

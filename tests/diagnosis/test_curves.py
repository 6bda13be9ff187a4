"""What the curves of a run tell: each number on curves that are written down."""

import pytest

import netwright as nw
from netwright.diagnosis.curves import beginning, fallen, late_fall, overfitting, rise


def epochs(training: list[float], validation: list[float], errors: list[float] | None = None) -> list[nw.Epoch]:
    figures = [{"loss": loss} for loss in validation]
    for figure, error in zip(figures, errors or [], strict=False):
        figure["error"] = error
    rows = zip(training, figures, strict=True)
    return [nw.Epoch(i, loss, found, 0.01, 1.0, 100.0, i) for i, (loss, found) in enumerate(rows, 1)]


def test_a_single_odd_step_is_no_rise() -> None:
    assert beginning([2.0, 50.0, 2.0, 2.0, 1.0]) == 2.0
    assert rise([2.0] * 10 + [50.0] + [1.0] * 10, 2.0) == 1.0
    assert rise([2.0] * 10 + [50.0] * 5 + [1.0] * 10, 2.0) == 25.0
    assert rise([1.0], 2.0) == 0.5
    assert rise([1.0], 0.0) == 1.0


def test_what_is_left_of_the_loss() -> None:
    assert fallen([4.0] * 10 + [1.0] * 10, 4.0) == 0.25
    assert fallen([4.0], 0.0) == 1.0


def test_when_the_loss_fell() -> None:
    assert late_fall([10.0 - i / 10 for i in range(100)]) == pytest.approx(0.5, abs=0.03)
    assert late_fall([10.0] * 5 + [1.0] * 95) == 0
    assert late_fall([1.0] * 50 + [2.0] * 50) == 0
    assert late_fall([1.0, 0.5]) == 0


def test_overfitting_begins_at_the_best_epoch() -> None:
    falling = [1.0, 0.8, 0.5, 0.3, 0.2, 0.1]
    assert overfitting(epochs(falling, [1.0, 0.8, 0.9, 1.0, 1.2, 1.2])) == (2, pytest.approx(0.5), pytest.approx(0.4))
    assert overfitting(epochs(falling, [1.0, 0.9, 0.8, 0.7, 0.6, 0.5])) == (0, 0.0, 0.0)
    assert overfitting(epochs(falling[::-1], [1.0, 0.8, 0.9, 1.0, 1.2, 1.2])) == (
        0,
        0.0,
        0.0,
    )  # it trains no better either
    assert overfitting(epochs(falling, [1.0, 0.8, 0.8, 0.8, 0.8, 9.0])) == (0, 0.0, 0.0)  # one odd epoch
    assert overfitting(epochs([1.0, 0.5], [1.0, 2.0])) == (0, 0.0, 0.0)


def test_a_loss_that_rises_while_the_error_falls_is_none() -> None:
    falling, rising = [1.0, 0.8, 0.5, 0.3, 0.2, 0.1], [1.0, 0.8, 0.9, 1.0, 1.2, 1.2]
    assert overfitting(epochs(falling, rising, [0.5, 0.3, 0.3, 0.2, 0.2, 0.2])) == (0, 0.0, 0.0)
    assert overfitting(epochs(falling, rising, [0.5, 0.3, 0.3, 0.3, 0.3, 0.3]))[0] == 2


def test_without_validation_there_is_none() -> None:
    rows = [nw.Epoch(i, 1.0 / i, {}, 0.01, 1.0, 100.0, i) for i in range(1, 6)]
    assert overfitting(rows) == (0, 0.0, 0.0)

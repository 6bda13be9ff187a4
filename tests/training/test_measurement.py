"""A measurement has a name, and the best epoch is the one with the lowest or the highest figure."""

import math
from typing import Any

import pytest

from messages import message
from netwright.training.events import Epoch
from netwright.training.measurement import Best, Measurement


def epoch(number: int, **figures: float) -> Epoch:
    return Epoch(number, 0.0, figures, 0.0, 0.0, 0.0, number)


def best_of(best: Best, *epochs: Epoch) -> int:
    return min(epochs, key=best.cost).number


def test_the_best_epoch() -> None:
    epochs = [epoch(1, loss=2.0, f1=0.5), epoch(2, loss=1.0, f1=math.nan), epoch(3, loss=3.0, f1=0.8)]
    assert best_of(Best(), *epochs) == 2
    assert best_of(Best("f1", higher=True), *epochs) == 3
    assert best_of(Best("f1"), *epochs) == 1
    assert best_of(Best(), epoch(1), epoch(2)) == 2  # nothing is validated: the last one
    assert best_of(Best(), epoch(1, other=0.1), epoch(2, other=0.5)) == 2


def share(answers: Any, targets: Any) -> float:
    return len(answers) / len(targets)


def test_names() -> None:
    assert Measurement("accuracy").title == "accuracy"
    assert Measurement("accuracy", name="accuracy of the street", data=[]).title == "accuracy of the street"
    assert Measurement(share).title == "share"
    assert Measurement(lambda answers, targets: 0.0, name="none").title == "none"
    assert [Measurement("accuracy").held, Measurement("accuracy", data=[]).held, Measurement(share).held] == [
        True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"what": 3},
            "a measurement is the name of a figure or a function of answers and targets\n  where:    measurements\n"
            '  expected: such as "accuracy"\n  got:      3',
        ),
        (
            {"what": lambda answers, targets: 0.0},
            "a function without a name needs one as a measurement\n  where:    measurements\n"
            '  got:      <lambda>\n  mend:     nw.Measurement(…, name="…")',
        ),
        (
            {"what": share, "better": "more"},
            'better is "higher" or "lower"\n  where:    Measurement\n  got:      better=\'more\'',
        ),
    ],
)
def test_what_is_no_measurement(given: dict[str, Any], said: str) -> None:
    assert message(Measurement, **given) == said

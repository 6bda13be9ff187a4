"""The errors of numbers that are not finite say which number, where, and what may help."""

import pytest

from netwright.errors import TrainingError
from netwright.training.culprit import Culprit
from netwright.training.not_finite import error_of_step, error_of_validation

ERRORS: dict[str, tuple[TrainingError, str]] = {
    "weights": (
        error_of_step(Culprit("weights", "net/linear1/bias"), "inf", 3, "net/", 0.5),
        "the weights are not finite\n  where:    after step 3, linear1/bias\n  got:      inf\n"
        "  mend:     a lower learning rate than 0.5\n  or:       clip=1.0",
    ),
    "weights before": (
        error_of_step(Culprit("weights", "net/linear1/bias"), "inf", 0, "net/", 0.5),
        "the weights are not finite\n  where:    before the first step, linear1/bias\n  got:      inf\n"
        "  mend:     net.bare(), to begin with new arrays",
    ),
    "loss": (
        error_of_step(Culprit("loss", "net/log1", 7), "nan", 3, "net/", 0.5),
        "the loss is not finite\n  where:    step 4, log1, example 7\n  got:      nan\n"
        "  mend:     a lower learning rate than 0.5\n  or:       clip=1.0\n  or:       look at that example",
    ),
    "gradient": (
        error_of_step(Culprit("gradient", "net/length1"), "nan", 3, "net/", 0.5),
        "the gradient is not finite\n  where:    step 4, length1\n  got:      nan\n"
        "  mend:     a function with a finite slope there, in place of length1\n"
        "  or:       a lower learning rate than 0.5",
    ),
    "validation": (
        error_of_validation(Culprit("loss", "net/log1", 7), float("nan"), 2, "net/", 0.5),
        "the validation loss is not finite\n  where:    after epoch 2, log1, example 7\n  got:      nan\n"
        "  mend:     look at that example of the validation data\n  or:       a lower learning rate than 0.5",
    ),
    "validation, nobody found": (
        error_of_validation(None, float("inf"), 2, "net/", 0.5),
        "the validation loss is not finite\n  where:    after epoch 2\n  got:      inf\n"
        "  mend:     look at that example of the validation data\n  or:       a lower learning rate than 0.5",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_said(name: str) -> None:
    error, said = ERRORS[name]
    assert str(error) == said

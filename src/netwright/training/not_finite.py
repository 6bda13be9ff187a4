"""The errors with which a run ends when a number is not finite: which number, where, and what may help."""

from netwright.errors import TrainingError
from netwright.training.culprit import Culprit


def error_of_step(culprit: Culprit, got: str, step: int, prefix: str, peak: float) -> TrainingError:
    """The error of a step; if the weights are not finite, it names the step before, if there was one.

    Fields:
        got: the number.
        step: steps that were done.
        prefix: of the paths of the user's net.
        peak: the highest learning rate of the run.
    """
    weights, path = culprit.what == "weights", culprit.path.removeprefix(prefix)
    when = f"step {step + 1}" if not weights else f"after step {step}" if step else "before the first step"
    example = "" if culprit.example is None else f"example {culprit.example}"
    lower, look = f"a lower learning rate than {peak:g}", ["look at that example"] if example else []
    mends = {
        "weights": (lower, "clip=1.0") if step else ("net.bare(), to begin with new arrays",),
        "loss": (lower, "clip=1.0", *look),
        "gradient": (*look, f"a function with a finite slope there, in place of {path}", lower),
    }
    return TrainingError(
        what=f"the {culprit.what} {'are' if weights else 'is'} not finite",
        where=", ".join(text for text in (when, path, example) if text),
        got=got,
        mend=mends[culprit.what],
    )


def error_of_validation(culprit: Culprit | None, loss: float, epoch: int, prefix: str, peak: float) -> TrainingError:
    """The error of the validation after an epoch, with the part and the example if they were found."""
    who = "" if culprit is None else f", {culprit.path.removeprefix(prefix)}, example {culprit.example}"
    return TrainingError(
        what="the validation loss is not finite",
        where=f"after epoch {epoch}{who}",
        got=str(loss),
        mend=("look at that example of the validation data", f"a lower learning rate than {peak:g}"),
    )

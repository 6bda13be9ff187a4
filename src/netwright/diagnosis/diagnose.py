"""Says in words what is wrong with a run, the cause first, each finding with its number and one remedy."""

import os
import textwrap
from collections.abc import Sequence
from typing import Any, cast

import torch

from netwright.diagnosis.inspection import inspected
from netwright.diagnosis.rules import Symptom, findings
from netwright.errors import DataError, NetwrightError, TrainingError, shortened
from netwright.machine import without_autocast
from netwright.net.initialize import initialize
from netwright.training.folder.made_from import digest_of_examples
from netwright.training.prepare.goal import goal_of
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.replay import options_again
from netwright.training.result import Run
from netwright.training.start import Start
from netwright.value import Value, few_lines

CURVES = "the curves, the choices, the weights"
WITH_DATA = "the curves, the choices, the weights; gradients, units and answers on the data"


WIDTH = 76  # columns of a printed diagnosis, so that it fits a page of the book


class Diagnosis(Value):
    """What is wrong with a run.

    Fields:
        findings: the first one is the one to mend first; those after it may be its effects.
        looked_at: what was looked at, in words.
    """

    findings: tuple[Symptom, ...]
    looked_at: str

    def __str__(self) -> str:
        count = f"{len(self.findings)} finding{'' if len(self.findings) == 1 else 's'}, the first one to mend first"
        more = "" if self.looked_at == WITH_DATA else "; nw.diagnose(run, data) looks at gradients and answers too"
        lines = [line for i, one in enumerate(self.findings, 1) for line in f"  {i}. {one}".splitlines()]
        head = f"Diagnosis: {count if lines else 'nothing found'}"
        whole = [head, *lines, f"Looked at: {self.looked_at}{more}"]
        return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="     ") for line in whole)

    def __repr__(self) -> str:
        return few_lines(str(self))


@torch.inference_mode(False)
@without_autocast()
def diagnose(
    run: Run, data: Any = None, *, validation: Any = None, weights: Sequence[float] | None = None
) -> Diagnosis:
    """Say what is wrong with a run: findings in words, the cause first, each with its number and one remedy.

    From the run alone: a rate that is too high or too low, overfitting since an epoch, and validation examples that
    train too. With its data also: a gradient that explodes or vanishes at a path, dead units, a class that is never
    predicted, and a net that is no better than the naive answer. For this the run is prepared again, as for
    `nw.replay`, and the gradient of one batch is computed with its first and its last weights; training itself is not
    slower.

    The thresholds were fixed on MNIST. They find what is clearly wrong; a run without findings may still be improved.

    Args:
        run: what `nw.train`, `nw.load_run` or `error.run` gave.
        data: those of the run, which holds only their digest; None looks at what the run holds.
        validation, weights: given to the run as data, they must be given again with `data`.

    Raises: TrainingError for what is not a run, and for a setting that a run does not hold, such as its validation
        data; DataError for data that do not fit, or are not those of the run.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> data = (xs, [x * x for x in xs])
        >>> run = nw.train(net, data, epochs=30, learning_rate=1e-7, progress=False)
        >>> found = nw.diagnose(run, data)
        >>> found.findings[0].kind, found.findings[0].remedy
        ('rate too low', 'learning_rate=1e-06')
        >>> print(nw.diagnose(nw.train(net, data, epochs=200, progress=False), data))
        Diagnosis: nothing found
        Looked at: the curves, the choices, the weights; gradients, units and
             answers on the data
    """
    if not isinstance(cast(Any, run), Run):
        raise TrainingError(
            what="this is not a run",
            expected="what nw.train or nw.load_run gave",
            got=shortened(repr(run), 80),
            mend=f"nw.diagnose(nw.load_run({run!r}))" if isinstance(run, str | os.PathLike) else (),
        )
    moved = None if run.start is None else movement(run, run.start)
    if data is None:
        return Diagnosis(tuple(findings(run, moved, None)), CURVES)
    if run.start is None:
        raise TrainingError(what="this run does not hold what it began with", expected="a run of nw.train")
    again = {"validation": validation, "weights": weights}
    options = options_again(
        run, run.start, {name: value for name, value in again.items() if value is not None}, "diagnose"
    )
    prepared = prepare(run.start.net, data, options)
    _refuse_other_data(run.start, prepared)
    return Diagnosis(tuple(findings(run, moved, inspected(run, prepared))), WITH_DATA)


def _refuse_other_data(start: Start, prepared: Prepared) -> None:
    """Refuse data that are not those of the run: what is found on them says nothing of it."""
    feeds = {
        "data": prepared.feed,
        **({} if prepared.validate is None else {"validation data": prepared.validate.data}),
    }
    now = {name: digest_of_examples(feed) for name, feed in feeds.items()}
    other = [name for name, said in now.items() if start.made_from.get(name, said) != said]
    if other:
        raise DataError(
            what=f"the {' and the '.join(other)} of this call are not those of the run",
            expected="; ".join(f"{name}: {start.made_from[name]}" for name in other),
            got="; ".join(f"{name}: {now[name]}" for name in other),
            mend="nw.diagnose(run, …) with the data of the run, or nw.diagnose(run)",
        )


def movement(run: Run, start: Start) -> float | None:
    """The largest way of a matrix from the beginning to the end of a run, by its length at the beginning.

    None where the first weights are not known: those of a fork, and of a net whose loss the run does not hold.
    """
    if "forked" in start.made_from:
        return None
    try:
        goal = goal_of(start.net, start.settings.get("loss"))
        first = initialize(goal.net, seed=int(start.made_from["seed"]))
    except NetwrightError:
        return None
    ways = [0.0]
    for path, array in run.last.held.arrays.items():
        before = first.held.arrays[f"{goal.prefix}{path}"]
        if array.ndim > 1 and array.is_floating_point() and bool(before.any()):
            ways.append(float((array - before).double().norm() / before.double().norm()))
    return max(ways) if len(ways) > 1 else None

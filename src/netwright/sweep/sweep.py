"""Sweeps: trains variants of a net, each a little, and the better ones further, until the best is left."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from netwright.errors import NetwrightError, TrainingError, did_you_mean
from netwright.machine import without_autocast
from netwright.net.part import Net
from netwright.sweep.halving import rounds
from netwright.sweep.result import Sweep, Trial, said_of
from netwright.sweep.runner import Runner, runners
from netwright.sweep.variants import Variant, variants_of
from netwright.training.prepare import arguments
from netwright.training.prepare.examples import split_data
from netwright.training.prepare.options import CHECKS, options_of

DONE, INTERRUPTED = "all rounds done", "interrupted"


@torch.inference_mode(False)
@without_autocast()
def sweep(
    net: Net,
    changes: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    data: Any,
    *,
    validation: Any,
    factor: int = 3,
    progress: bool = True,
    **settings: Any,
) -> Sweep:
    """Train variants of a net, compare them on validation data, and give back all trials, the best first.

    All trials are trained for a part of their run. The best third of them goes on to three times as many steps, and so
    on, until the last round ends with the whole run of the best. A trial goes on exactly where it was, and the schedule
    of its rate is that of the whole run from the beginning. So the best trial is what `nw.train` gives for its net, and
    the others are such runs up to a step. Trials are compared by the validation loss of their best epoch so far, by
    which a run keeps its net too: it tells nets apart long before their errors do. `best=` names another figure for
    both.

    The examples are read once, and encoded once for all nets that encode them alike. If `learning_rate` freezes the
    front of the first net, what it gives for all examples is computed once, for all trials that have this front and
    freeze it too. The losses of such trials differ from those of whole runs in the last digits of floats.

    Args:
        net: of which the trials are variants.
        changes: by name the values to try, in all combinations; or a list with the changes of each trial, for searches
            of your own. `"linear1.out"` is a field of a part, `"*dropout*.rate"` one of several, `"relu1"` is a part,
            to be replaced by others, and `"learning_rate"` is a setting: accumulate, batch_size, class_weights, clip,
            clip_value, ema, learning_rate, mixup, optimizer, penalties, precision, schedule. With all of these the
            validation means the same.
        data: as in `nw.train`.
        validation: as in `nw.train`; all trials are compared on the same examples.
        factor: from round to round 1/factor of the trials goes on, factor times as far; 3, since e is the best in
            theory. With 1 all trials are trained to the end.
        progress: whether a line is printed to stderr when a trial has gone on.
        settings: of `nw.train`, the same for all trials.

    Raises: PathError for a part, a field or a setting that is not there; TrainingError without validation data; both,
        and whatever a net or a setting that cannot be raises, before anything is trained. A trial with a loss that is
        not finite is the last of the table, and the others go on.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> data = (xs, [x * x for x in xs])
        >>> found = nw.sweep(net, {"linear1.out": [1, 16]}, data, validation=0.2, epochs=30, progress=False)
        >>> found.best.changes
        {'linear1.out': 16}
        >>> print(found.best.figures.loss.n, "examples were held out of", found.data)
        20 examples were held out of 80 examples, validated on 20

    Source: Jamieson and Talwalkar 2016, arXiv 1502.07943; Li et al. 2018, "Hyperband", arXiv 1603.06560
    """
    arguments.check_net(net)
    _check_settings(settings)
    factor = arguments.whole("factor", factor, 1) or 1
    if validation is None:
        raise TrainingError(
            what="a sweep compares its trials on validation data",
            where="validation",
            got="None",
            mend=("validation=0.1, a part of the data", "validation=(inputs, targets)"),
        )
    variants = variants_of(net, changes)
    _refuse_both(variants, settings)
    options = [options_of({**settings, **one.settings, "validation": validation}) for one in variants]
    shared = split_data(net, data, options)
    making = runners(variants, data if shared is None else shared, options)
    return _raced(_prepared(variants, making), factor, progress)


def _prepared(variants: Sequence[Variant], making: Sequence[Callable[[], Runner]]) -> list[Runner]:
    """What trains each variant: all are made before one is trained, so that a wrong setting costs no training.

    An error after the first one names the change, since the settings of all were right for the first.
    """
    made: list[Runner] = []
    for variant, make in zip(variants, making, strict=True):
        try:
            made.append(make())
        except NetwrightError as error:
            if not made:
                raise
            raise error.within(said_of(variant.changes)) from None
    return made


def _raced(made: Sequence[Runner], factor: int, progress: bool) -> Sweep:
    """The trials in their rounds; those that are left behind keep their results alone."""
    racing: list[Runner] = [*made]
    behind: list[Trial] = []
    counts: list[tuple[int, int]] = []
    plan, ended, size = rounds(len(made), factor), DONE, ""
    for number, each in enumerate(plan):
        trained: list[Runner] = []
        for i, runner in enumerate(racing):
            trained.append(runner)
            runner.train(each.share)
            size = size or runner.size
            if progress:
                print(
                    f"round {number + 1} of {len(plan)}, trial {i + 1}: {runner.trial!r}", file=sys.stderr, flush=True
                )
            if runner.interrupted:
                ended = INTERRUPTED
                break
        racing = trained if number == 0 else [*trained, *racing[len(trained) :]]
        if ended == INTERRUPTED or number + 1 == len(plan):
            break
        racing.sort(key=lambda runner: runner.key)
        best = [runner for runner in racing[: plan[number + 1].trials] if not runner.failed]
        behind += [runner.trial for runner in racing if runner not in best]
        counts += [runner.examples for runner in racing if runner not in best]
        racing = best
    trials = sorted([*behind, *(runner.trial for runner in racing)], key=lambda trial: trial.key)
    counts += [runner.examples for runner in racing]
    seen, whole = (sum(column) for column in zip(*counts, strict=True))
    return Sweep(tuple(trials), size, seen / whole, ended)


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse what is no setting that all trials may have."""
    for name in settings:
        if name not in CHECKS:
            raise TrainingError(
                what=f"{name} is not a setting of a sweep",
                where="sweep",
                expected=", ".join(CHECKS),
                mend=did_you_mean(name, CHECKS),
            )


def _refuse_both(variants: Sequence[Variant], settings: Mapping[str, Any]) -> None:
    """Refuse a setting that is given for all trials and varied too."""
    for one in variants:
        for name in one.settings:
            if name in settings:
                raise TrainingError(
                    what=f"{name} is varied, and given for all trials too",
                    where="sweep",
                    got=f"{name}={settings[name]!r}",
                    mend=f"leave out {name}={settings[name]!r}",
                )

"""Checks the arguments of `train` before anything is read or computed, so that a wrong one gives a clear error."""

import functools
import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

import torch

from netwright.codecs.numeric import plain_number
from netwright.errors import NetError, TrainingError, shortened
from netwright.fields import expect_seed, refuse_call
from netwright.net.part import Net
from netwright.training.events import Callback, Choice
from netwright.training.measurement import Measurement
from netwright.training.penalties import Penalty
from netwright.training.prepare.alternate import Alternate
from netwright.training.prepare.next_element import NextElement
from netwright.training.range_test import RangeTest

MOST_THREADS = 256
LARGEST = 2**63 - 1  # of what is counted: files hold such numbers, and more epochs than that never end
PRECISIONS: Mapping[str, torch.dtype | None] = {"float32": None, "bf16": torch.bfloat16, "float64": torch.float64}

P = ParamSpec("P")
R = TypeVar("R")


def with_checked_names(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function: its error for an unknown argument suggests the right name."""

    @functools.wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> R:
        if len(args) == 3:
            raise TrainingError(
                what="inputs and targets are given together, as one pair",
                where=function.__name__,
                got="3 values: net, inputs, targets",
                mend="nw.train(net, (inputs, targets))",
            )
        refuse_call(function, function.__name__, args, named)
        return function(*args, **named)

    return call


def whole(name: str, value: Any, least: int, most: float = math.inf) -> int | None:
    """A whole number of at least `least` and at most `most`, or None."""
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not least <= number <= most:
        bounds = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
        raise TrainingError(
            what=f"{name} is a whole number {bounds}", where=name, got=f"{_shown(value)} ({type(value).__name__})"
        )
    return number


def seed(value: Any) -> int | None:
    """A seed, or None."""
    try:
        return None if value is None else expect_seed(value, "seed")
    except NetError as error:
        raise TrainingError.of(error.faults) from None


def counted(name: str, value: Any) -> int | None:
    """A whole number of at least 1 that a file can hold, or None."""
    found = whole(name, value, 1)
    if found is not None and found > LARGEST:
        raise TrainingError(what=f"{name} is at most {LARGEST:,}", where=name, got=_shown(value))
    return found


def _shown(value: Any) -> str:
    """A value as it is written; of a whole number with very many digits, how many there are."""
    if not isinstance(value, int) or abs(value) <= LARGEST:
        return repr(value)
    return f"a whole number with about {int(value.bit_length() * math.log10(2)) + 1:,} digits"


def yes_or_no(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TrainingError(what=f"{name} is True or False", where=name, got=f"{value!r} ({type(value).__name__})")
    return value


def most_threads() -> int:
    """The largest number of threads: more gain nothing, and on a small system they would end the process."""
    return max(MOST_THREADS, os.cpu_count() or 1)


def check_number(name: str, value: Any, zero: bool = False) -> float:
    """A finite number above zero; zero too if `zero` is set."""
    try:
        found = float(value) if not isinstance(value, str) else math.nan
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < 0 or (found == 0 and not zero):
        raise TrainingError(
            what=f"{name} is a finite number {'of at least' if zero else 'above'} 0", where=name, got=_shown(value)
        )
    return found


def number(name: str, value: Any) -> float | None:
    """A finite number above zero, or None."""
    return None if value is None else check_number(name, value)


def share(name: str, value: Any) -> float | None:
    """A number above 0 and below 1, or None."""
    if value is None:
        return None
    found = check_number(name, value)
    if found >= 1:
        raise TrainingError(what=f"{name} is a number above 0 and below 1", where=name, got=repr(value))
    return found


def rate(value: Any) -> float | dict[str, float] | RangeTest | None:
    """A learning rate, or learning rates by path, or a test that finds one; a rate of zero freezes arrays."""
    if value is None or isinstance(value, RangeTest):
        return value
    if isinstance(value, Mapping):
        return {
            str(pattern): check_number(f"learning_rate[{pattern!r}]", each, zero=True)
            for pattern, each in value.items()
        }
    return check_number("learning_rate", value)


def by_class(value: Any) -> dict[Any, float] | None:
    """Weights by class, each above zero."""
    return _weights("class_weights", value, "classes", '{"rare": 10}')


def by_loss(value: Any) -> dict[str, float] | None:
    """Weights of losses by output, each above zero."""
    return _weights("loss_weights", value, "outputs", '{"mask": 0.5}')


def _weights(name: str, value: Any, of: str, example: str) -> dict[Any, float] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise TrainingError(
            what=f"{name} is a mapping from {of} to numbers",
            where=name,
            expected=f"such as {example}",
            got=repr(cast(Any, value)),
        )
    given = cast(Mapping[Any, Any], value)
    return {plain_number(label): check_number(f"{name}[{label!r}]", each) for label, each in given.items()}


def penalties(value: Any) -> dict[str, Penalty] | None:
    """Penalties by path, or None."""
    if value is None:
        return None
    given = cast(Mapping[Any, Any], value) if isinstance(value, Mapping) else {}
    wrong = next((each for each in given.values() if not isinstance(each, Penalty)), value)
    if not given or wrong is not value:
        raise TrainingError(
            what="penalties is a mapping from path patterns to penalties",
            where="penalties",
            expected='such as {"*/weight": nw.L2(1e-4)}',
            got=repr(cast(Any, wrong)),
        )
    return {str(pattern): each for pattern, each in given.items()}


def measurements(value: Any) -> dict[str, Measurement] | None:
    """Measurements by the names that their figures have in the epochs of a run."""
    checked = isinstance(value, dict) and all(isinstance(one, Measurement) for one in cast(Any, value).values())
    if value is None or checked:
        return cast("dict[str, Measurement] | None", value)
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise TrainingError(
            what="measurements is a list of names, functions and values of nw.Measurement",
            where="measurements",
            expected='such as ["accuracy"]',
            got=shortened(repr(cast(object, value)), 80),
            mend=f"measurements=[{value!r}]" if isinstance(value, str) else 'nw.Measurement(…, name="…")',
        )
    found: dict[str, Measurement] = {}
    for one in cast(Iterable[Any], value):
        made = one if isinstance(one, Measurement) else Measurement(one)
        if made.title == "loss" or made.title in found:
            raise TrainingError(
                what=f"two figures have the name {made.title!r}"
                + (", which is that of the validation loss" if made.title == "loss" else ""),
                where="measurements",
                mend='nw.Measurement(…, name="…")',
            )
        found[made.title] = made
    return found or None


def best(value: Any) -> str | None:
    """The name of a figure, or None."""
    if value is None or isinstance(value, str):
        return value
    raise TrainingError(
        what="best is the name of a figure that is measured after each epoch",
        where="best",
        expected='such as "accuracy"',
        got=repr(value),
    )


def precision(value: Any) -> str | None:
    """The name of a precision, or None."""
    if value is None or (isinstance(value, str) and value in PRECISIONS):
        return value
    raise TrainingError(
        what="there is no such precision",
        where="precision",
        expected='"float32", "bf16" or "float64"',
        got=repr(value),
    )


def device(value: Any) -> torch.device | None:
    """A device that torch knows and that is there."""
    try:
        found = None if value is None else torch.device(value)
        if found is not None:
            torch.empty(1, device=found, dtype=torch.float32).cpu()  # "meta" has no numbers to give back
    except (RuntimeError, TypeError, AssertionError) as error:
        raise TrainingError(
            what="torch has no such device here",
            where="device",
            expected='"cpu", "cuda" or "mps"',
            got=f"{value!r}: {str(error).splitlines()[0]}",
        ) from None
    return found


def check_net(value: Any) -> Net:
    """A net of Netwright."""
    if not isinstance(value, Net):
        mend = "nw.Module(module), a part" if isinstance(value, torch.nn.Module) else "a net: nw.Chain(…)"
        raise TrainingError(what="this is not a net", where="net", got=type(value).__name__, mend=mend)
    return value


def objective(value: Any) -> NextElement | Alternate | None:
    """An objective of training, or None."""
    if value is None or isinstance(value, NextElement | Alternate):
        return value
    raise TrainingError(
        what="this is not an objective of training",
        where="objective",
        expected="nw.NextElement(), nw.Alternate(…), or None to compare with the targets in the data",
        got=repr(value),
        mend="loss=…, for a function of outputs and targets",
    )


def all_of(name: str, values: Any, kind: type[Callback] | type[Choice]) -> list[Any]:
    """Several values of one kind."""
    found = list(values) if isinstance(values, Iterable) else [values]
    wrong = next((value for value in found if not isinstance(value, kind)), None)
    if wrong is not None:
        raise TrainingError(
            what=f"{name} takes values of nw.{kind.__name__}",
            where=name,
            got=repr(wrong),
            mend=f"class Mine(nw.{kind.__name__}): …" if kind is Callback else f"{name}=run.{name}",
        )
    return found


def folder(value: Any) -> str:
    """The path of a folder."""
    if not isinstance(value, str | os.PathLike):
        raise TrainingError(
            what="folder is a path", where="folder", expected="a text or a pathlib.Path", got=repr(value)
        )
    return os.fspath(cast("str | os.PathLike[str]", value))

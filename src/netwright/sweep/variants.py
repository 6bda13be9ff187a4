"""Makes the variants of a sweep: nets with other fields or parts at some paths, and other settings of training."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from torch import Tensor

from netwright.editing.set_fields import fields_of, set
from netwright.errors import NetwrightError, PathError, TrainingError, did_you_mean, shortened
from netwright.fields import plain
from netwright.net import surgery
from netwright.net.node import Node
from netwright.net.part import Net
from netwright.training.folder.fork import CHECKS as CHANGE_CHECKS
from netwright.training.folder.made_from import CHANGEABLE
from netwright.training.prepare.options import CHECKS
from netwright.value import Value

NOT_VARIED = ("epochs", "minutes", "patience", "device", "threads")
"""Settings that decide how long a trial is, or nothing but its speed."""
VARIED = tuple(name for name in (*CHANGEABLE, "class_weights", "mixup") if name not in NOT_VARIED)
"""The settings of training that may differ between trials: the validation loss means the same with all of them."""


class Variant(Value, eq=False):
    """One trial of a sweep before it is trained.

    Fields: `changes` as the sweep gives them, `net` with those of its parts, `settings` those of training.
    """

    changes: Mapping[str, Any]
    net: Net
    settings: Mapping[str, Any]


def variants_of(net: Net, changes: Any) -> list[Variant]:
    """A variant for each combination of the values of a mapping, or for each mapping of a list.

    Raises: PathError for a path, a part or a setting that is not there; TrainingError for values that are none; and
        whatever a net that cannot be raises, with the change before it.
    """
    if isinstance(changes, Mapping):
        axes = {str(name): _values(str(name), values) for name, values in cast(Mapping[Any, Any], changes).items()}
        combined = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    else:
        combined = [_given(one) for one in _listed(changes)]
    if not combined or not combined[0]:
        raise _no_changes(changes)
    return [variant(net, one) for one in combined]


def variant(net: Net, changes: Mapping[str, Any]) -> Variant:
    """The net with these changes, and the settings among them."""
    changed, settings = net, dict[str, Any]()
    for name, value in changes.items():
        if name not in net.paths and "." in name:
            changed = set(changed, {name: value})
            continue
        try:
            if name in net.paths:
                changed = changed.replace(name, value)
            elif name in VARIED:
                settings[name] = value
                {**CHECKS, **CHANGE_CHECKS}[name](value)
            else:
                raise _unknown(net, name)
        except NetwrightError as error:
            raise error.within(f"{name}={shortened(repr(value), 60)}") from None
    return Variant(changes, changed, settings)


def _values(name: str, values: Any) -> list[Any]:
    """The values of one axis.

    Raises: TrainingError for what is no list, an empty one, or one with a value twice.
    """
    listed = isinstance(values, list | tuple | range | np.ndarray | Tensor)
    given = values.tolist() if isinstance(values, Tensor | np.ndarray) else values
    found = [plain(value) for value in given] if listed and isinstance(given, Sequence) else []
    if not found:
        raise TrainingError(
            what="the values of a sweep are a list",
            where=name,
            expected="at least one value, such as [50, 100]",
            got=shortened(repr(values), 60),
            mend=() if listed else _as_list(name, values),
        )
    twice = next((value for i, value in enumerate(found) if any(_same(value, other) for other in found[:i])), None)
    if twice is not None:
        raise TrainingError(what="a value of a sweep stands there twice", where=name, got=repr(twice))
    return found


def _as_list(name: str, values: Any) -> str:
    """What to write for values that are no list: those of a set or a generator, or a single one."""
    many = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping | Node)
    return f"{name!r}: list(…)" if many else f"{name!r}: [{shortened(repr(values), 60)}]"


def _same(value: Any, other: Any) -> bool:
    """Whether two values are one; arrays, such as weights of classes, are compared as wholes."""
    if type(value) is not type(other):
        return False
    if isinstance(value, Mapping):
        return value.keys() == other.keys() and all(_same(value[key], other[key]) for key in value)
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(_same, value, other))
    if isinstance(value, np.ndarray | Tensor):
        return value.shape == other.shape and bool((value == other).all())
    return bool(value == other)


def _listed(changes: Any) -> Sequence[Any]:
    if not isinstance(changes, Sequence) or isinstance(changes, str):
        raise _no_changes(changes)
    return cast(Sequence[Any], changes)


def _given(one: Any) -> dict[str, Any]:
    if not isinstance(one, Mapping) or not one:
        raise _no_changes(one)
    return {str(name): value for name, value in cast(Mapping[Any, Any], one).items()}


def _no_changes(given: Any) -> TrainingError:
    return TrainingError(
        what="a sweep takes a mapping from fields or settings to their values, or a list of changes",
        where="changes",
        expected='{"linear1.out": [50, 100]}, or [{"linear1.out": 50}, {"linear1.out": 100}]',
        got=shortened(repr(given), 60),
    )


def _unknown(net: Net, name: str) -> PathError:
    """The error for a name that is neither a part nor a setting that may differ between trials."""
    if name in CHECKS:
        return PathError(
            what=f"{name} is the same for all trials of a sweep",
            expected=f"a field of a part, or one of {', '.join(VARIED)}",
            mend=f"nw.sweep(…, {name}=…)",
        )
    own = [f"{path}.{field}" for path in net.paths for field in fields_of(surgery.get(net, path))]
    return PathError(
        what=f"the net has no part {name!r}, and it is no setting that a sweep varies",
        expected='the path of a part, a field such as "linear1.out", or one of ' + ", ".join(VARIED),
        mend=did_you_mean(name, [*own, *net.paths, *VARIED]),
    )

"""Gives the parts of a net other values of their fields: the mechanism of `nw.set`, of selections and of sweeps."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, cast

from netwright.editing.rewrite import Edit, Spot, spots, with_edits
from netwright.errors import Fault, NetError, NetwrightError, PathError, did_you_mean, shortened
from netwright.fields import plain
from netwright.net import surgery
from netwright.net.leaf import LeafNode
from netwright.net.lineage import recorded, some_of
from netwright.net.node import Node, expect_net, field_values
from netwright.net.part import Net

LONGEST = 60  # characters of a value that a message shows


def set(net: Net, changes: Mapping[str, Any]) -> Net:
    """The net with other values of fields, said by path: `{"lstm1.out": 50, "dropout*.rate": 0.2}`.

    The text before the last point is the path of a part, or a pattern of paths as in `learning_rate=`. A pattern means
    all parts that it matches and that have the field. A part that is used several times has its fields once. All
    changes are made at once, so sizes have to fit at the end only. Arrays that still fit are kept.

    Args:
        net: is not changed.
        changes: from paths with a field to values. Where two name one field, the later one counts.

    Raises: PathError for a part or a field that is not there, NetError for a value that the field cannot have, both
        with all that is wrong; SizeError for sizes that do not fit.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(4, nw.Dropout(0.5), 3, nw.Dropout(0.5), 2, input=5)
        >>> nw.set(net, {"linear1.out": 8, "dropout*.rate": 0.2})
        Chain(Linear(8), Dropout(0.2), Linear(3), Dropout(0.2), Linear(2), input=Array('5'))
    """
    expect_net(net, "set")
    if not isinstance(cast(Any, changes), Mapping) or not changes:
        raise NetError(
            what="set takes a mapping from paths with a field to values",
            where="set",
            expected='{"linear1.out": 50}',
            got=shortened(repr(changes), LONGEST),
        )
    known, found, wrong = spots(net), dict[str, dict[str, Any]](), list[NetwrightError]()
    for name, value in changes.items():
        try:
            for spot, field in _named(net, known.values(), str(name)):
                with_fields(spot.part, {field: plain(value)}, spot.path)  # a wrong value is found with its own name
                found.setdefault(spot.key, {})[field] = plain(value)
        except NetwrightError as error:
            wrong.append(error.within(_said(name, value)))
    if wrong:
        raise together(wrong)
    said = [_said(name, value) for name, value in changes.items()]
    try:
        return recorded(set_at(net, found), net, f"set {some_of(said)}")
    except NetwrightError as error:
        raise error.within(", ".join(said)) from None


def set_at(net: Net, fields: Mapping[str, Mapping[str, Any]]) -> Net:
    """The net with other values of fields, by the keys of parts."""

    def edit(changes: Mapping[str, Any]) -> Edit:
        return lambda part: with_fields(part, changes, "")

    return with_edits(net, {key: edit(changes) for key, changes in fields.items()})[0]


def with_fields(part: Node, changes: Mapping[str, Any], path: str) -> Node:
    """The part with other values of some fields, with the arrays that still fit.

    Raises: PathError for a field that it does not have.
    """
    known = fields_of(part)
    for field in changes:
        if field not in known:
            raise PathError(
                what=f"{type(part).__name__} has no field {field!r} that can be changed",
                where=path,
                expected=f"one of {', '.join(known)}" if known else "a part with fields",
                mend=did_you_mean(field, known),
            )
    made = type(part)(**{**field_values(part), **changes})
    made = made.holding(shared=part.held.shared) if part.held.shared else made
    return surgery.hold_arrays(made, part.held.arrays)


def fields_of(part: Node) -> list[str]:
    """The fields of a part that are no parts: all of a leaf, numbers and texts of a container."""
    if isinstance(part, LeafNode):
        return [*field_values(part)]
    return [name for name, value in field_values(part).items() if isinstance(value, bool | int | float | str)]


def together(errors: Iterable[NetwrightError]) -> NetwrightError:
    """Several errors as one: of their kind where they have one kind, else a NetError."""
    every = list(errors)
    kind = type(every[0]) if len({type(error) for error in every}) == 1 else NetError
    return kind.of(_different(fault for error in every for fault in error.faults))


def _different(faults: Iterable[Fault]) -> list[Fault]:
    """The faults, those that say the same once."""
    return list(dict.fromkeys(faults))


def _named(net: Net, known: Iterable[Spot], name: str) -> list[tuple[Spot, str]]:
    """The parts that a path or pattern names, and the field."""
    every = list(known)
    pattern, _, field = name.rpartition(".")
    exact = [spot for spot in every if pattern in spot.paths]
    if exact:
        return [(exact[0], field)]
    like = [spot for spot in every if any(fnmatchcase(path, pattern) for path in spot.paths)]
    found = [(spot, field) for spot in like if field in fields_of(spot.part)]
    if found:
        return found
    if like:
        own = dict.fromkeys(own for spot in like for own in fields_of(spot.part))
        raise PathError(
            what=f"none of the {len(like)} parts like {pattern!r} has a field {field!r} that can be changed",
            expected=f"one of {', '.join(own)}" if own else "parts with fields",
            mend=did_you_mean(field, own),
        )
    if pattern and not {*"*?["} & {*pattern}:
        surgery.get(net, pattern)  # the error of a part that is not there
    paths = [path for spot in every for path in spot.paths]
    own = [f"{path}.{one}" for spot in every for path in spot.paths for one in fields_of(spot.part)]
    raise PathError(
        what=f"no part of this net has a path like {pattern!r}" if pattern else f"{name!r} names no field of a part",
        expected='a path or pattern, a point and a field, such as "linear1.out"',
        mend=did_you_mean(name, [*own, *paths]),
    )


def _said(name: object, value: object) -> str:
    return f"{name}={shortened(repr(value), LONGEST)}"

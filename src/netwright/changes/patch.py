"""Applies a difference to a net, after it was seen that every place it touches is as it was."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from torch import Tensor

from netwright.changes.diff import home_of
from netwright.changes.difference import Change, Difference, PlaceChange
from netwright.changes.fields import plain_fields, same_option
from netwright.changes.rebuild import Rebuilding
from netwright.changes.structure import reads_of
from netwright.errors import NetError, NetwrightError, shortened
from netwright.net.lineage import recorded
from netwright.net.node import Held, Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call
from netwright.net.plan.plan import plan_of

MOST_NAMED = 12  # places in one error
ABSENT = object()  # what a net says of a place that it does not have


def patch(net: Net, difference: Difference) -> Net:
    """The net with a difference applied: `nw.patch(before, nw.diff(before, after)) == after`, arrays included.

    The net is the one that the difference was made from, or any net in which every place that the difference touches
    is the same; its other places may be different. What is not touched is shared with the net, as with every edit.

    Fields:
        net: the net to change; it stays as it is.
        difference: from `nw.diff` or `nw.load_difference`.

    Raises: NetError if a place that the difference touches is not as it was in the net it was made from; it names all
        of them.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(2), input=4))
        >>> change = nw.diff(net, net.insert("linear2", nw.Dropout(0.5)))
        >>> nw.patch(net.rename("linear1", "dense"), change).paths
        ('dense', 'relu1', 'dropout1', 'linear2')
    """
    expect_net(net, "patch")
    if not isinstance(cast(Any, difference), Difference):
        raise NetError(
            what="patch takes a difference",
            got=shortened(repr(difference), 100),
            mend="nw.patch(net, nw.diff(before, after))",
        )
    _check_base(net, difference)
    try:
        made = applied(net, difference.places, difference.changes)
    except NetwrightError as error:
        raise error.changed(what=f"the difference does not go with this net: {error.what}") from None
    count = len(difference.rows())
    return recorded(made, net, f"patch {count} change{'' if count == 1 else 's'}")


def applied(net: Net, places: Sequence[PlaceChange], changes: Sequence[Change]) -> Net:
    """The net with these changes, which were found to fit. Raises: the errors of a net that cannot be."""
    inputs = _codecs(net.held.inputs, places, "encoder")
    outputs = _codecs(net.held.outputs, places, "decoder")
    rebuilding = Rebuilding(places)
    inside = any(one.kind not in ("encoder", "decoder") for one in places)
    kept = Held(inputs=inputs, outputs=outputs, shared=net.held.shared)
    made = rebuilding.whole(net, inputs, outputs) if inside else net.rebuilt(kept)
    arrays = _arrays(net, changes)
    if rebuilding.homes:
        arrays = {home_of(path, rebuilding.homes): array for path, array in arrays.items()}
    known = plan_of(made).arrays
    lost = [f"array {path}" for path in arrays if path not in known]
    lost += [f"encoder {port}" for port in inputs if port not in made.input_names]
    lost += [f"decoder {port}" for port in outputs if port not in made.output_names]
    if lost:
        raise NetError(what="the net has no place for these any more", where=", ".join(lost[:MOST_NAMED]))
    held = Held(MappingProxyType(arrays), inputs, outputs, made.held.shared)
    return cast(Net, made.rebuilt(held))


def _arrays(net: Net, changes: Sequence[Change]) -> dict[str, Tensor]:
    """The arrays of the net with the changes, by the names before."""
    old = net.held.arrays
    found = dict(old)
    for change in changes:
        for path in change.touches:
            found.pop(path, None)
    for change in changes:
        if change.source:
            found[change.home] = old[change.source]
        elif change.new is not None:
            assert change.new.array is not None
            found[change.home] = change.new.array
    return found


def _codecs(side: Mapping[str, Any], places: Sequence[PlaceChange], kind: str) -> Mapping[str, Any]:
    changed = {change.name: change.after for change in places if change.kind == kind}
    return {port: codec for port, codec in {**side, **changed}.items() if codec is not None}


def _check_base(net: Net, difference: Difference) -> None:
    """Refuse a net in which a touched place is not as it was."""
    wrong = [change.place for change in difference.places if not _as_it_was(net, change)]
    arrays = net.held.arrays
    for change in _touching(difference.changes):
        if change.old is None:
            wrong += [f"array {change.home}"] if change.home in arrays else []
        elif not change.old.holds(arrays.get(change.source or change.home)):
            wrong.append(f"array {change.source or change.home}")
    if wrong:
        more = len(wrong) - MOST_NAMED
        raise NetError(
            what="the difference was made from another net",
            where=", ".join(wrong[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else ""),
            expected="a net in which every place that the difference touches is as it was in its first net",
            mend="nw.merge(base, net, nw.patch(base, difference)), where base is the net it was made from",
        )


def _touching(changes: Sequence[Change]) -> list[Change]:
    return [change for change in changes if change.touches]


def _as_it_was(net: Net, change: PlaceChange) -> bool:
    """Whether the net has at a place what a change says of the time before."""
    if change.kind in ("encoder", "decoder"):
        side = net.held.inputs if change.kind == "encoder" else net.held.outputs
        ports = net.input_names if change.kind == "encoder" else net.output_names
        return side.get(change.name) == change.before and (change.before is None or change.name in ports)
    call, part = _found(net.stripped(), change.path)
    if change.kind == "name":
        return part is not None
    if change.kind == "part":
        return (part is None) == (change.before is None) and (part is None or part == change.before)
    if change.kind == "reads":
        if call is None or change.before is None:
            return call is None and change.before is None
        place, reads = reads_of(call, call.name, {})
        return (place, dict(reads)) == (change.before[0], dict(change.before[1]))
    if part is None:
        return False
    if change.kind == "shared":
        return part.held.shared == change.before
    if change.kind == "option":
        return same_option(plain_fields(part).get(change.name, ABSENT), change.before)
    return isinstance(part, ContainerNode) and (part.level.inputs, part.level.outputs) == change.before


def _found(net: Node, path: str) -> tuple[Call | None, Node | None]:
    """The call and the part at a path, if there are."""
    call, part = None, net
    for name in path.split("/") if path else ():
        call = _named(part, name)
        if call is None:
            return None, None
        part = call.part
    return call, part


def _named(part: Node, name: str) -> Call | None:
    calls: Iterator[Call] = iter(part.level.calls if isinstance(part, ContainerNode) else ())
    return next((call for call in calls if call.name == name), None)

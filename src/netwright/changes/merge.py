"""Joins two edits of one net; where both change one place differently, every such place is named with both sides."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from netwright.changes.diff import diff
from netwright.changes.difference import Change, Difference, PlaceChange, side_text
from netwright.changes.patch import MOST_NAMED, applied
from netwright.errors import NetError, NetwrightError
from netwright.net.history import EDIT, Entry, History
from netwright.net.lineage import history_of, holding_history
from netwright.net.node import expect_net
from netwright.net.part import Net

MEND = "give both nets the same at each of these places, or change it in one of them only"


def merge(base: Net, mine: Net, theirs: Net) -> Net:
    """The net with two edits of one net joined: what only one of them changed, and what both changed alike.

    Structure, options, codecs, shared names and arrays are joined place by place, and a part that one side renamed
    takes the other side's changes under its new name. Edits of different places give the same net in either order.

    Fields:
        base: the net that both were made from.
        mine, theirs: the two nets made from it.

    Raises: NetError where both changed one place differently: it names each place with both sides, and nothing is
        joined. The errors of a net that cannot be, where the two do not go together although their places are
        different ones, such as two layers whose sizes no longer fit.

    Example:
        >>> import netwright as nw
        >>> base = nw.Chain(3, nw.relu, nw.Dropout(0.5), 2, input=4)
        >>> mine = base.replace("dropout1", nw.Dropout(0.3)).rename("linear1", "dense")
        >>> theirs = base.replace("dropout1", nw.Dropout(0.1)).append(nw.softmax)
        >>> nw.merge(base, mine, theirs)
        Traceback (most recent call last):
        netwright.errors.NetError: the two nets change 1 place differently
          where:    dropout1.rate: 0.3 in mine, 0.1 in theirs, 0.5 in base
          mend:     give both nets the same at each of these places, or change it in one of them only
        >>> nw.merge(base, mine, theirs.replace("dropout1", nw.Dropout(0.3))).paths
        ('dense', 'relu1', 'dropout1', 'linear2', 'softmax1')
    """
    for net in (base, mine, theirs):
        expect_net(net, "merge")
    left, right = diff(base, mine), diff(base, theirs)
    found = list(
        dict.fromkeys(
            [*_places(left, right), *_parts(left, right), *_parts(right, left, swapped=True), *_arrays(left, right)]
        )
    )
    if found:
        more = [f"and {len(found) - MOST_NAMED:,} more"] if len(found) > MOST_NAMED else []
        raise NetError(
            what=f"the two nets change {len(found):,} place{'' if len(found) == 1 else 's'} differently",
            where="\n".join([*found[:MOST_NAMED], *more]),
            mend=MEND,
        )
    try:
        made = applied(base, *_together(left, right))
    except NetwrightError as error:
        text = f"the two nets change different places, but together they make no net: {error.what}"
        raise error.changed(what=text) from None
    return holding_history(made, _history(base, mine, theirs))


def _history(base: Net, mine: Net, theirs: Net) -> History:
    """The history of mine, then what theirs has beyond the base, then the entry of the merge."""
    known, more = history_of(base), history_of(theirs)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(known, more, strict=False)))
    own = list(more)[same:]
    text = f"merge {len(own)} {'entry' if len(own) == 1 else 'entries'} of another net made from the same"
    return history_of(mine).then([*own, Entry(EDIT, text)])


def _together(left: Difference, right: Difference) -> tuple[list[PlaceChange], list[Change]]:
    places = {change.key: change for change in (*left.places, *right.places)}
    touching = [change for change in (*left.changes, *right.changes) if change.touches]
    return [*places.values()], [*{change.home: change for change in touching}.values()]


def _places(left: Difference, right: Difference) -> Iterator[str]:
    """The places that both change, to other values."""
    theirs = {change.key: change for change in right.places}
    for change in left.places:
        other = theirs.get(change.key)
        if other is not None and not _same(change.after, other.after):
            yield _conflict(change.place, change, side_text(change), side_text(other))


def _parts(left: Difference, right: Difference, swapped: bool = False) -> Iterator[str]:
    """The parts that one side takes away or replaces, while the other changes something in them."""
    gone = {change.path: change for change in left.places if change.kind == "part"}
    alike = {change.key for change in left.places} & {change.key for change in right.places}
    for change in right.places if gone else ():
        around = (gone[path] for path in _around(change) if path in gone and gone[path].key not in alike)
        above = next((one for one in around if _in_the_way(one, change)), None)
        if above is not None:
            sides = side_text(above), f"{change.place} {side_text(change)}"
            yield _conflict(above.place, above, *(reversed(sides) if swapped else sides))


def _in_the_way(above: PlaceChange, change: PlaceChange) -> bool:
    """Whether a change is lost with a part; a new name is not, where the part is only replaced."""
    return above.after is None or above.path != change.path or change.kind != "name"


def _around(change: PlaceChange) -> Iterator[str]:
    """The parts whose absence a change does not survive, the outermost first."""
    pieces = change.path.split("/") if change.path else []
    if change.kind not in ("encoder", "decoder"):
        for i in range(len(pieces) + (change.kind in ("name", "option", "shared", "ports"))):
            yield "/".join(pieces[:i])


def _arrays(left: Difference, right: Difference) -> Iterator[str]:
    """The arrays that both change, to other numbers."""
    theirs: dict[str, Change] = {path: change for change in right.changes for path in change.touches}
    for change in left.changes:
        for path in change.touches:
            other = theirs.get(path)
            if other is not None and not (change.home == other.home and _same(_numbers(change), _numbers(other))):
                yield f"array {path}: {_fate(change)} in mine, {_fate(other)} in theirs"


def _numbers(change: Change) -> Any:
    return change.source, change.new


def _fate(change: Change) -> str:
    return (
        f"{change.fate} {' '.join(change.sizes.split())}"
        if change.by is not None or change.before != change.after
        else change.fate
    )


def _conflict(place: str, change: PlaceChange, mine: str, theirs: str) -> str:
    base = f", {side_text(change, before=True)} in base" if change.before is not None else ""
    return f"{place}: {mine} in mine, {theirs} in theirs{base}"


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))

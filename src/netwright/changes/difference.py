"""A difference between two nets as a value: changes of places and of arrays, and how they are shown."""

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from netwright.changes.array_state import ArrayState
from netwright.changes.fields import other_options
from netwright.errors import shortened
from netwright.net.lineage import in_brief
from netwright.net.names import join_path
from netwright.net.node import Node
from netwright.value import Value, few_lines, literal

Kind: TypeAlias = Literal["name", "part", "reads", "ports", "option", "shared", "encoder", "decoder"]
Fate: TypeAlias = Literal["kept", "renamed", "shared", "changed", "reshaped", "reset", "removed", "added"]
Row: TypeAlias = tuple[str, str, str]  # what happened, where, and from what to what

ORDER: tuple[str, ...] = ("name", "part", "reads", "ports", "option", "shared", "encoder", "decoder")
LONGEST = 60  # characters of a value in a row
WIDTH = 9  # of the first column of the text
NO_NAMES: Mapping[str, str] = MappingProxyType({})
EQUAL = "the nets are equal"
STYLE = """
.nw-diff table{border-collapse:collapse;color:inherit;font-size:.9em}
.nw-diff th,.nw-diff td{text-align:left;padding:.25em .8em;border-bottom:1px solid rgba(128,128,128,.35);
color:inherit;background:transparent}
.nw-diff td{font-family:ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.nw-diff .plus th{box-shadow:inset 3px 0 #2f9e58}.nw-diff .minus th{box-shadow:inset 3px 0 #d04a4a}
.nw-diff .other th{box-shadow:inset 3px 0 #5b8def}.nw-diff p{opacity:.75}
"""
"""Colours of the text are those of the page, so that the table is readable on a light one and on a dark one."""
COLOURED = {"added": "plus", "removed": "minus", "reset": "minus"}


class PlaceChange(Value):
    """What one place of a net is before and after.

    Places are named as in the net before; a part that is new has its own name there. So changes that two people made
    to one net can be joined, whatever either of them renamed.

    Fields:
        kind: "name" of a part; "part", which is None where there is none; "reads", what a part reads and the name its
            arrays are kept under; "ports", the inputs and outputs of a container; an "option" of a part; the name a
            part is "shared" under; the "encoder" or "decoder" of a port.
        path: the part; empty for the whole net.
        name: the option or the port.
        before, after: the two values.
    """

    kind: Kind
    path: str
    name: str
    before: Any
    after: Any

    @property
    def key(self) -> tuple[str, str, str]:
        """What is changed, whatever it becomes."""
        return self.kind, self.path, self.name

    @property
    def place(self) -> str:
        """The place as a message names it."""
        own = self.path or "the net"
        if self.kind == "option":
            return f"{self.path}.{self.name}".lstrip(".")
        if self.kind in ("encoder", "decoder"):
            return f"{self.kind} {self.name}"
        return own if self.kind == "part" else f"{self.kind} of {own}"


class Change(Value):
    """The change of one array between two nets.

    Fields: `path` in the second net, in the first if it is removed; `before` and `after` its sizes; `was` the path
    that a renamed one had; `by` how far a changed one went, |after - before| / |before|; `home` its path by the names
    of the first net, and `source` where in the first net its numbers are, if elsewhere; `old` and `new` its numbers,
    where they are not kept.
    """

    path: str
    fate: Fate
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None
    was: str = ""
    by: float | None = field(default=None, compare=False)  # follows from the numbers, and NaN is not itself
    home: str = ""
    source: str = ""
    old: ArrayState | None = None
    new: ArrayState | None = None

    @property
    def touches(self) -> tuple[str, ...]:
        """The paths in the first net that this changes; none if it only follows the name of its part."""
        if self.source:
            return self.home, self.source
        return () if self.old is None and self.new is None else (self.home,)

    @property
    def sizes(self) -> str:
        """The sizes, and the types where they are others."""
        before, after = ("-" if shape is None else str(shape) for shape in (self.before, self.after))
        text = before if before == after else f"{before} -> {after}"
        if self.old is not None and self.new is not None and self.old.dtype != self.new.dtype:
            text += f"  {_dtype(self.old)} -> {_dtype(self.new)}"
        if self.by is not None:
            text += (
                f"  by {self.by:.2%}" if math.isfinite(self.by) else "  from zeros" if self.by > 0 else "  not finite"
            )
        return text

    def __str__(self) -> str:
        return f"{self.fate:<8} {self.path}  {self.sizes}" + (f"  was {self.was}" if self.was else "")


class Difference(Value):
    """Everything that differs between two nets. Printed it is a list, in a notebook a table.

    A difference is a value: `nw.patch` applies it, and `nw.save_difference` writes it into a small file.

    Fields: `places`, the changes of structure, options, codecs and shared names; `changes`, every array with its fate,
    in the order of the second net.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(3, nw.relu, input=4))
        >>> found = nw.diff(net, net.with_arrays({"linear1/bias": [1.0, 2.0, 3.0]}))
        >>> found.of("changed"), found.of("kept"), found.equal
        (('linear1/bias',), ('linear1/weight',), False)
    """

    places: tuple[PlaceChange, ...]
    changes: tuple[Change, ...]

    def of(self, fate: str) -> tuple[str, ...]:
        """The paths of the arrays with this fate."""
        return tuple(change.path for change in self.changes if change.fate == fate)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.places and all(change.fate == "kept" for change in self.changes)

    @cached_property
    def names(self) -> dict[str, str]:
        """The new name of each renamed part, by its path in the first net."""
        return {change.path: change.after for change in self.places if change.kind == "name"}

    def rows(self) -> list[Row]:
        """What differs as texts: what happened, where, from what to what. Arrays that are kept have no row."""
        arrays = [
            (change.fate, change.path, change.sizes + (f"  was {change.was}" if change.was else ""))
            for change in self.changes
            if change.fate != "kept"
        ]
        return [*self._place_rows(), *arrays]

    def _place_rows(self) -> Iterator[Row]:
        moved = _moved(self.places)
        reads = {change.path: change for change in self.places if change.kind == "reads"}
        for change in sorted(self.places, key=lambda one: (ORDER.index(one.kind), one.path, one.name)):
            here = path_after(change.path, self.names)
            if change.kind == "name":
                yield "renamed", change.path, f"-> {here}"
            elif change.kind == "part" and change.path in moved.values():
                continue
            elif change.kind == "part":
                yield self._part_row(change, here, moved, reads.get(change.path))
            elif change.kind == "reads":
                if change.before is not None and change.after is not None:
                    yield "rewired", here, _sides(_read(change.before), _read(change.after, self._called(change.path)))
            elif change.kind == "ports":
                called = self._called(join_path(change.path, "x"))
                for side, old, new in zip(
                    ("inputs", "outputs"), _ports(change.before), _ports(change.after, called), strict=True
                ):
                    if old != new:
                        yield "rewired", here or "the net", f"{side}: {_sides(old, new)}"
            elif change.kind == "option":
                yield "option", f"{here}.{change.name}".lstrip("."), _sides(*map(_text, (change.before, change.after)))
            elif change.kind == "shared":
                yield (
                    "shared",
                    here or "the net",
                    _sides(*(_text(one or None) for one in (change.before, change.after))),
                )
            else:
                yield from _codec_rows(change)

    def _part_row(self, change: PlaceChange, here: str, moved: Mapping[str, str], reads: PlaceChange | None) -> Row:
        after = ""
        if reads is not None and reads.after is not None:
            after = f", reads {_read(reads.after, self._called(change.path))}"
        if change.before is None and change.path in moved:
            return "moved", moved[change.path], f"-> {here}{after}"
        if change.before is None:
            return "added", here, f"{in_brief(change.after)}{after}"
        if change.after is None:
            return "removed", here, in_brief(change.before)
        return "replaced", here or "the net", _sides(in_brief(change.before), in_brief(change.after))

    def _called(self, path: str) -> dict[str, str]:
        """The new names of the parts beside one, by their names in the first net."""
        above = path.rpartition("/")[0]
        return {old.rpartition("/")[2]: new for old, new in self.names.items() if old.rpartition("/")[0] == above}

    def to_json(self) -> dict[str, object]:
        """The rows as texts, and how many arrays are kept."""
        rows = [dict(zip(("what", "where", "how"), row, strict=True)) for row in self.rows()]
        return {"equal": self.equal, "rows": rows, "kept": len(self.of("kept"))}

    def _kept(self) -> str:
        count = len(self.of("kept"))
        return f"{count:,} array{'' if count == 1 else 's'}" if count else ""

    def __str__(self) -> str:
        if self.equal:
            return EQUAL
        lines = [f"{what:<{WIDTH}} {where}{' ' * (2 - how.startswith('->'))}{how}" for what, where, how in self.rows()]
        return "\n".join([*lines, *([f"{'kept':<{WIDTH}} {self._kept()}"] if self._kept() else [])])

    def __repr__(self) -> str:
        return few_lines(str(self))

    def _repr_html_(self) -> str:
        if self.equal:
            return f"<div class='nw-diff'><p>{EQUAL}</p></div>"
        body = "".join(
            f"<tr class='{COLOURED.get(what, 'other')}'><th scope='row'>{what}</th>"
            f"<td>{html.escape(where)}</td><td>{html.escape(how)}</td></tr>"
            for what, where, how in self.rows()
        )
        head = "".join(f"<th scope='col'>{name}</th>" for name in ("what", "where", "how"))
        below = f"<p>kept: {self._kept()}</p>" if self._kept() else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<div class='nw-diff'><style>{STYLE}</style>{table}{below}</div>"


def path_after(path: str, names: Mapping[str, str]) -> str:
    """A path of the first net by the names of the second."""
    pieces = path.split("/") if path else []
    found = [names.get("/".join(pieces[: i + 1]), piece) for i, piece in enumerate(pieces)]
    return join_path(*found)


def side_text(change: PlaceChange, before: bool = False) -> str:
    """What a change makes of its place, or what the place was before, in a few words."""
    value = change.before if before else change.after
    if change.kind in ("reads", "ports") and value is not None:
        return _read(value) if change.kind == "reads" else " to ".join(_ports(value))
    if change.kind in ("part", "reads") and value is None:
        return "nothing" if before else "removed"
    return shortened(_text(value), LONGEST)


def _moved(places: tuple[PlaceChange, ...]) -> dict[str, str]:
    """The parts that only stand elsewhere now: the new path of each with the old one."""
    parts = [change for change in places if change.kind == "part"]
    left: dict[int, list[PlaceChange]] = {}
    for change in parts:
        if change.after is None:
            left.setdefault(hash(change.before), []).append(change)
    found: dict[str, str] = {}
    for change in parts:
        candidates = left.get(hash(change.after), []) if change.before is None else []
        gone = next((one for one in candidates if one.before == change.after), None)
        if gone is not None:
            candidates.remove(gone)
            found[change.path] = gone.path
    return found


def _codec_rows(change: PlaceChange) -> Iterator[Row]:
    """Another codec; of one of the same kind the fields that differ, since its labels may be many."""
    one_kind = change.before is not None and type(change.before) is type(change.after)
    fields = other_options(change.before, change.after) if one_kind else {}
    for name, both in fields.items():
        yield change.kind, f"{change.name}.{name}", _sides(*map(_text, both))
    if not fields:
        yield change.kind, change.name, _sides(_text(change.before), _text(change.after))


def _text(value: Any) -> str:
    if isinstance(value, Node):
        return in_brief(value)
    return repr(value) if isinstance(value, str) else literal(value)


def _sides(before: str, after: str) -> str:
    """Two texts with an arrow; of long ones the part from where they differ."""
    if max(len(before), len(after)) > LONGEST:
        same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        start = max(0, same - LONGEST // 3)
        before, after = (("…" if start else "") + text[start:] for text in (before, after))
    return f"{shortened(before, LONGEST)} -> {shortened(after, LONGEST)}"


def _read(reads: Any, names: Mapping[str, str] = NO_NAMES) -> str:
    place, found = reads
    texts = [_ref(ref, names) if len(found) == 1 else f"{port}: {_ref(ref, names)}" for port, ref in found]
    return (", ".join(texts) or "nothing") + (f" (arrays of {names.get(place, place)})" if place else "")


def _ports(ports: Any, names: Mapping[str, str] = NO_NAMES) -> tuple[str, str]:
    """The inputs of a container, and what its outputs are."""
    inputs, outputs = ports
    said = [(name, _ref(ref, names)) for name, ref in outputs]
    return ", ".join(inputs), ", ".join(ref if len(said) == 1 else f"{name} = {ref}" for name, ref in said)


def _ref(ref: Any, names: Mapping[str, str]) -> str:
    maker, port = cast("tuple[str, str]", ref)
    maker = names.get(maker, maker)
    return maker if maker and port == "output" else port if not maker else f"{maker}.{port}"


def _dtype(state: ArrayState) -> str:
    return str(state.dtype).removeprefix("torch.")

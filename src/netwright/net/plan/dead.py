"""Refuses a net in which outputs of a part are lost by mistake: reading a part reads its first output alone."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from netwright.errors import NetError
from netwright.net.leaf import LeafNode
from netwright.net.names import join_path
from netwright.net.node import Node


def refuse_unread(uses: Sequence[Any], ends: Sequence[tuple[Any, bool]], name_of: Mapping[Any, str]) -> None:
    """Raise an error if only the first of several outputs is read although parts compute the others.

    Args: `uses` of a drawing; `ends` are its results, each with whether all its outputs are results.
    """
    for one in uses:
        if not isinstance(one.part, LeafNode) and len(one.part.output_names) > 1:
            readers = [(user, x) for user in uses for _, x in user.reads if x.origin is one]
            read = {x.names[0] for _, x in readers}
            read |= {port for x, whole in ends if x.origin is one for port in (x.names if whole else x.names[:1])}
            unsaid = next((name_of[user] for user, x in readers if len(x.names) > 1), "")
            if unsaid:
                refuse_dead(name_of[one], one.part, read, unsaid)


def refuse_dead(name: str, part: Node, read: Collection[str], reader: str) -> None:
    """Raise NetError if some parts of a part lead only to outputs that are not read.

    Args: `read` are the outputs that are read; `reader` names the part that reads the first output by default.
    """
    lost = _lost(part, read)
    if lost:
        raise NetError(
            what=f"{reader} reads the first output of {name} alone, and {' and '.join(lost)} would lead nowhere",
            where=f"{name} -> {reader}",
            expected=f"all outputs of {name}: {', '.join(part.output_names)}",
            got=", ".join(sorted(read)),
            mend=(f"nw.Concatenate() before {reader}, which reads them all", f"leave {' and '.join(lost)} out"),
        )


def _lost(part: Node, read: Collection[str], path: str = "") -> list[str]:
    """The paths of the parts within a container that lead to none of these outputs."""
    level: Any = getattr(part, "level", None)
    if level is None or getattr(part, "each", None) is not None:
        return []
    wanted: dict[str, set[str]] = {}
    for port, (maker, made) in level.outputs:
        if port in read:
            wanted.setdefault(maker, set()).add(made)
    found: list[str] = []
    for call in reversed(level.calls):  # what reads a part comes after it
        if call.name not in wanted:
            found.insert(0, join_path(path, call.name))
            continue
        found = _lost(call.part, wanted[call.name], join_path(path, call.name)) + found
        for _, (maker, made) in call.reads:
            wanted.setdefault(maker, set()).add(made)
    return found

"""How a net gets its history: what it was made from, and one entry for each edit."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from netwright.errors import shortened
from netwright.net.history import EDIT, Entry, History
from netwright.net.leaf import LeafNode
from netwright.net.node import Node
from netwright.net.plan.container import ContainerNode

N = TypeVar("N", bound=Node)
LONGEST = 80  # characters of a part in an entry
MOST_NAMED = 3  # names in an entry


def history_of(node: Node) -> History:
    """The history of a net; that of a net that was just made is one entry."""
    return node.held.history if node.held.history else History((_made(node),))


def recorded(made: N, before: Node, text: str, parts: Mapping[str, Node] | None = None) -> N:
    """The net that an edit just made, with the history of the net before, that of parts put into it, and one entry.

    An edit that gave back the net itself changed nothing and adds no entry.
    """
    return made if made is before else entered(made, before, Entry(EDIT, text), parts)


def entered(made: N, before: Node, entry: Entry, parts: Mapping[str, Node] | None = None) -> N:
    """The net that was just made, with the history of the net before, that of parts put into it, and this entry."""
    return holding_history(made, history_of(before).then([*_of_parts(parts or {}), entry]))


def holding_history(made: N, history: History) -> N:
    """The net that was just made with this history; it keeps its caches, since nothing depends on a history."""
    object.__setattr__(made, "held", replace(made.held, history=history))
    return made


def history_of_parts(container: ContainerNode, parts: Mapping[str, Node]) -> History:
    """The history of a container that was just made: those of its parts, and the entry that it was made.

    Empty where no part has one: then the entry follows from the container.
    """
    found = _of_parts(parts)
    return History().then([*found, _made(container)]) if found else History()


def in_brief(node: Node) -> str:
    """A part in a few words: a container with the number of its parts, a leaf as its code."""
    if isinstance(node, ContainerNode):
        count = len(node.level.calls)
        return f"{type(node).__name__} of {count} {'part' if count == 1 else 'parts'}"
    code = node.code() if isinstance(node, LeafNode) else None
    if code is not None:
        return " ".join([type(node).__name__, code[0]]).strip()
    return shortened(re.sub(r" at 0x[0-9a-f]+", "", repr(node.stripped())), LONGEST)


def some_of(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    every = list(names)
    more = len(every) - MOST_NAMED
    return ", ".join(every[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _of_parts(parts: Mapping[str, Node]) -> list[Entry]:
    """The entries of parts, below their names; those of a part that is used twice once."""
    found: dict[int, tuple[Entry, ...]] = {}
    for name, part in parts.items():
        history = part.held.history
        if history and id(history) not in found:
            found[id(history)] = history.below(name)
    return [entry for entries in found.values() for entry in entries]


def _made(node: Node) -> Entry:
    return Entry("made", in_brief(node))

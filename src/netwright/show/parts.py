"""Goes through a net part by part, containers before what they hold: the order in which tables and drawings read."""

from collections.abc import Iterator

from netwright.errors import shortened
from netwright.net.leaf import LeafNode
from netwright.net.names import join_path
from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.plan import Plan, shape_text
from netwright.net.plan.wiring import Slot
from netwright.value import Value

LONGEST = 44  # characters of a part's text in a table: longer ones are cut


class DrawnPlace(Value):
    """One part where it stands: its path, how deep, its name there, and the values it gives."""

    path: str
    depth: int
    name: str
    part: Node
    slots: tuple[tuple[str, Slot], ...]


def drawn_places(net: Net) -> list[DrawnPlace]:
    """Every part at any depth; a net that is a single leaf has one place."""
    if isinstance(net, ContainerNode):
        return list(_below(net, net.plan, "", 0))
    return [DrawnPlace(net.plan.steps[0].path, 0, net.kind_name, net, net.plan.wiring.outputs)]


def _below(container: ContainerNode, plan: Plan, path: str, depth: int) -> Iterator[DrawnPlace]:
    for call in container.level.calls:
        here = join_path(path, call.name)
        yield DrawnPlace(here, depth, call.name, call.part, plan.value(here) or ())
        if isinstance(call.part, ContainerNode):
            yield from _below(call.part, plan, here, depth + 1)


def sizes_text(plan: Plan, slots: tuple[tuple[str, Slot], ...]) -> str:
    """The sizes of values: `(24, 24, 20)`, `(n,) <50>` for indices below 50, `?` for what is not known yet."""
    return ", ".join(_size_text(plan, slot) for _, slot in slots)


def _size_text(plan: Plan, slot: Slot) -> str:
    below = plan.below(slot)
    return shape_text(plan.shape(slot)) + ("" if below is None else f" <{below}>")


def kind_text(part: Node) -> str:
    """The kind of a part, as a user writes it: `Conv`, `relu`, `Chain`."""
    if isinstance(part, LeafNode):
        return repr(part.holding(shared="") if part.held.shared else part).split("(")[0]
    return type(part).__name__


def part_text(part: Node) -> str:
    """A part on one short line: the repr of a leaf; the kind of a container and its number of parts."""
    if isinstance(part, ContainerNode):
        count = len(part.level.calls)
        return f"{type(part).__name__} of {count} part{'' if count == 1 else 's'}"
    return shortened(repr(part), LONGEST)

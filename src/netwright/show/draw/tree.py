"""Writes the parts of a net as a tree of text, for a terminal: name, part and sizes on each line."""

from collections.abc import Iterator

from netwright.net.compare import alike
from netwright.net.names import join_path
from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Call
from netwright.net.plan.plan import Plan
from netwright.show.draw.contents import FEW
from netwright.show.parts import kind_text, part_text, sizes_text

MOST = 40  # lines: of a larger net the tree says how many parts are left out


def tree(net: Net, depth: int) -> str:
    """The parts of a net down to a depth; equal containers in a row are one line.

    Example:
        >>> import netwright as nw
        >>> print(tree(nw.Chain(4, nw.relu, input=3), 1))
        Chain  (3,) -> (4,)
        ├─ linear1  Linear(4)  (4,)
        └─ relu1    relu       (4,)
    """
    plan = net.plan
    inputs = ", ".join(sizes_text(plan, ((name, ("", name)),)) for name in net.input_names)
    outputs = ", ".join(sizes_text(plan, ((name, slot),)) for name, slot in plan.wiring.outputs)
    kind = type(net).__name__ if isinstance(net, ContainerNode) else kind_text(net)
    lines = list(_lines(net, plan, "", "", depth))
    left = len(lines) - MOST
    shown = lines if left <= 1 else lines[: MOST - 1]
    widths = [max((len(line[i]) for line in shown), default=0) for i in (0, 1)]
    rows = [f"{name.ljust(widths[0])}  {text.ljust(widths[1])}  {sizes}".rstrip() for name, text, sizes in shown]
    more = [] if left <= 1 else [f"…  {left + 1} more lines"]
    return "\n".join([f"{kind}  {inputs} -> {outputs}", *rows, *more])


def _lines(node: Node, plan: Plan, path: str, before: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """The lines of the parts of a container: name after the branches of the tree, text, sizes."""
    runs = _runs(node.level.calls) if isinstance(node, ContainerNode) else []
    for number, run in enumerate(runs):
        last = number + 1 == len(runs)
        first, part = run[0].name, run[0].part
        name = first if len(run) == 1 else f"{first} … {run[-1].name}"
        text = part_text(part) if len(run) == 1 else f"{len(run)} × {part_text(part)}"
        here = join_path(path, first)
        sizes = sizes_text(plan, plan.value(join_path(path, run[-1].name)) or ())
        yield f"{before}{'└─' if last else '├─'} {name}", text, sizes
        if depth > 1:
            yield from _lines(part, plan, here, f"{before}{'   ' if last else '│  '}", depth - 1)


def _runs(calls: tuple[Call, ...]) -> list[list[Call]]:
    """The calls, with many equal containers in a row together."""
    found: list[list[Call]] = []
    for call in calls:
        container = isinstance(call.part, ContainerNode)
        if found and container and alike(found[-1][0].part, call.part):
            found[-1].append(call)
        else:
            found.append([call])
    return [part for run in found for part in ([run] if len(run) >= FEW else [[call] for call in run])]

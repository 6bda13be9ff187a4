"""Draws a net over a sequence unrolled in time: every part once for each element, with what goes between elements."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from netwright.causality.causality import sight_of
from netwright.causality.proof import Visibility
from netwright.codecs.array import Array
from netwright.fields import at_least
from netwright.net.apply import apply
from netwright.net.initialize import initialize
from netwright.net.leaf import Span
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.wiring import Slot
from netwright.show.parts import kind_text
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, without_frame
from netwright.show.plot.connectivity import has_state, subscript
from netwright.show.plot.nodes import Place, arrow, node
from netwright.show.plot.style import BLUE, GRAY, INK, ORANGE, WIDTH
from netwright.sizes.size import evaluate
from netwright.sizes.unify import Row
from netwright.value import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 1.35  # inches from one element to the next
TALL = 0.8  # inches from one part to the next
Way: TypeAlias = Literal["none", "forward", "both"]


class UnrolledRow(Value):
    """One part of a net in time.

    Fields:
        name: what stands in its boxes.
        reads: the rows, or the input ports, that it reads.
        positions: whether it has a value for each element.
        state: where its state goes.
        span: how far it sees without a state, in elements.
        read_at: of a part with one value, the elements that it sees.
    """

    name: str
    reads: tuple[str, ...]
    positions: bool
    state: Way
    span: Span
    read_at: tuple[int, ...] = ()


@in_house_style
def unrolled(net: Net, *, along: str = "n", steps: int = 3) -> "Figure":
    """A net over a sequence, unrolled in time: each part once for each element, and the states between elements.

    Time goes to the right and values go up. An orange arrow is a state; a part that reads in both directions has
    arrows in both. What sees other elements directly, as a convolution and attention do, has an arrow from each. A
    part without a value for each element, such as `nw.Last()`, has one box. What a part sees is proved or measured.

    Fields:
        along: the size that counts the elements, as the inputs name it.
        steps: how many elements are drawn.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: NetError for a size that no input has; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.GRU(4), nw.GRU(4), nw.Last(), input=("n", 2))
        >>> nw.plot.unrolled(net, steps=4).savefig("unrolled.svg")
    """
    expect_net(net, "plot.unrolled")
    at_least(1, steps, "the number of steps", "plot.unrolled")
    sight = sight_of(net, along, False)
    rows = _rows(net, sight, steps)
    inputs = [name for name in net.plan.wiring.inputs if any(name in row.reads for row in rows.values())]
    heights = {key: TALL * (i + 1) for i, key in enumerate(rows)} | dict.fromkeys(inputs, 0.0)
    ends = [(name, _row_of(slot, rows)) for name, slot in net.plan.wiring.outputs]
    top = TALL * (len(rows) + 1)
    longest = max(len(row.name) for row in rows.values())
    figure = new_figure(min(WIDTH, (APART + 0.06 * longest) * steps + 1.2), top + 0.6)
    axes = only_axes(figure)
    without_frame(axes)
    axes.set(xlim=(-1.05, APART * (steps - 1) + 0.85), ylim=(-0.35, top + 0.3))
    for key, row in rows.items():
        _row(axes, row, key, rows, heights, steps)
    for number, name in enumerate(inputs):
        for t in range(steps):
            letter = "x" if len(inputs) == 1 else name
            node(axes, (APART * t + 0.4 * number, 0), subscript(letter, t + 1), hollow=True)
    for name, key in ends[:1]:
        for t in range(steps) if key in rows and rows[key].positions else [steps - 1]:
            arrow(axes, (APART * t, heights[key]), (APART * t, top))
            text = subscript("y", t + 1) if key in rows and rows[key].positions else name
            node(axes, (APART * t, top), text, hollow=True)
    return figure


def _rows(net: Net, sight: Visibility, steps: int) -> dict[str, UnrolledRow]:
    """The parts of a net, or the net itself where it has none or is done for each element."""
    if isinstance(net, ContainerNode) and net.each is None:
        calls = net.level.calls
        reads = {call.name: tuple(ref[0] or ref[1] for _, ref in call.reads) for call in calls}
        return {name: _described(net, sight, name, reads[name], steps) for name in reads}
    return {"": _described(net, sight, "", net.required_names, steps)}


def _described(net: Net, sight: Visibility, path: str, reads: Sequence[str], steps: int) -> UnrolledRow:
    leaves = {op.path: op.leaf for op in net.plan.wiring.ops}
    inside = [e for e in sight.edges if not path or e.made[0] == path or e.made[0].startswith(f"{path}/")]
    slots = net.plan.value(path) if path else net.plan.wiring.outputs
    positions = any(sight.axis(slot) is not None for _, slot in slots or ())
    states = any(has_state(leaves[edge.made[0]]) for edge in inside)
    ahead = any(edge.span[1] > 0 for edge in inside if not has_state(leaves[edge.made[0]]))
    state: Way = "none" if not states else "both" if ahead else "forward"
    low, high = min((e.span[0] for e in inside), default=0.0), max((e.span[1] for e in inside), default=0.0)
    name = path or kind_text(net)
    span: Span = (0, 0) if states else (low, high)
    over = [edge.read for edge in inside if sight.axis(edge.read) is not None and edge.read[0].split("/")[0] != path]
    at = _read_at(net, path, over[0], steps) if over and not positions and path else tuple(range(steps))
    return UnrolledRow(name, tuple(dict.fromkeys(reads)), positions, state, span, at)


def _row_of(slot: Slot, rows: dict[str, UnrolledRow]) -> str:
    return "" if "" in rows else slot[0].split("/")[0] or slot[1]


def _row(
    axes: "Axes", row: UnrolledRow, key: str, rows: dict[str, UnrolledRow], heights: dict[str, float], steps: int
) -> None:
    """The boxes of a part, the arrows into them, and those of its state."""
    here = heights[key]
    columns = [*range(steps)] if row.positions else [steps - 1]
    for source in row.reads:
        below = heights[source]
        whole = source in rows and not rows[source].positions
        bend = 0.0 if here - below < 1.5 * TALL else 0.35
        for t in columns:
            seen = [steps - 1] if whole else [s for s in range(steps) if _sees(row, s, t)]
            for s in seen:
                arrow(axes, (APART * s, below), (APART * t, here), GRAY if s != t else INK, bend=bend)
    if row.state != "none":
        for t in range(steps - 1):
            _state(axes, (APART * t, here), (APART * (t + 1), here), row)
    if row.state == "forward":
        node(axes, (-0.75, here), "s₀", ORANGE, hollow=True)
        arrow(axes, (-0.75, here), (0, here), ORANGE, gap=_half(row.name))
    for t in columns:
        node(axes, (APART * t, here), row.name, BLUE)


def _sees(row: UnrolledRow, s: int, t: int) -> bool:
    if not row.positions:
        return s in row.read_at
    low, high = row.span
    return low <= s - t <= high


def _read_at(net: Net, path: str, slot: Slot, steps: int) -> tuple[int, ...]:
    """At which of so many elements of its input a part looks that gives one value: each is changed in turn."""
    sizes = dict.fromkeys(net.plan.varying, steps)
    shape = tuple(evaluate(size, sizes) for size in net.plan.shape(slot) if not isinstance(size, Row))
    below = net.plan.below(slot)
    draws = torch.Generator("cpu").manual_seed(0)
    first = torch.randn((2, steps, *shape[1:]), generator=draws, dtype=torch.float64, device="cpu")
    if not isinstance(below, int | None) or shape[:1] != (steps,):
        return tuple(range(steps))
    text = " ".join(map(str, shape)) + (f" <{below}>" if below else "")
    part = initialize(net[path].bare().with_input(Array(text)), seed=0)
    x = first[0] if below is None else first[0].abs().mul(1e3).long() % below
    other = first[1] if below is None else (x + 1) % below
    several = [x, *(torch.cat([x[:s], other[s : s + 1], x[s + 1 :]]) for s in range(steps))]
    said = [one.flatten() for one in apply(part.to(torch.float64), {}, torch.stack(several))]
    return tuple(s for s in range(steps) if not torch.equal(said[0], said[s + 1]))


def _half(name: str) -> float:
    """Points from the middle of a box to its side."""
    return 9 + 2.7 * len(name)


def _state(axes: "Axes", one: Place, other: Place, row: UnrolledRow) -> None:
    gap = _half(row.name)
    if row.state == "forward":
        arrow(axes, one, other, ORANGE, width=1.5, gap=gap)
        return
    (x0, y), (x1, _) = one, other
    arrow(axes, (x0, y + 0.08), (x1, y + 0.08), ORANGE, width=1.5, gap=gap)
    arrow(axes, (x1, y - 0.08), (x0, y - 0.08), ORANGE, width=1.5, gap=gap)

"""Draws a net over a sequence unrolled in time: every part once for each element, with what goes between elements."""

from collections.abc import Sequence
from math import hypot, inf
from typing import TYPE_CHECKING

import torch

from netwright.causality.causality import sight_of
from netwright.causality.proof import SAME, SeenThrough, Visibility, spans_through
from netwright.codecs.array import Array
from netwright.errors import shortened
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
from netwright.show.plot.connectivity import subscript
from netwright.show.plot.nodes import Place, arrow, node
from netwright.show.plot.ranges import expect_few
from netwright.show.plot.states import States, Turned, Way
from netwright.show.plot.style import BLUE, GRAY, INK, ORANGE, WIDTH
from netwright.sizes.size import evaluate
from netwright.sizes.unify import Row
from netwright.value import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 1.35  # inches from one element to the next
TALL = 0.8  # inches from one part to the next
MOST = 9  # elements whose boxes stand beside each other
LETTERS = 54  # of names in a row


class UnrolledRow(Value):
    """One part of a net in time.

    Fields:
        name: what stands in its boxes.
        reads: the rows, or the input ports, that it reads.
        positions: whether it has a value for each element.
        state: where its state goes.
        span: how far it sees without a state, in elements.
        against: whether it runs from the last element to the first.
        read_at: of a part with one value, the elements that it sees.
    """

    name: str
    reads: tuple[str, ...]
    positions: bool
    state: Way
    span: Span
    against: bool = False
    read_at: tuple[int, ...] = ()


@in_house_style
def unrolled(net: Net, *, along: str = "n", steps: int = 3) -> "Figure":
    """A net over a sequence, unrolled in time: each part once for each element, and the states between elements.

    Time goes to the right and values go up. An orange arrow is a state; a part that reads in both directions has
    arrows in both, and `nw.Bidirectional` by itself shows its two parts. What sees other elements directly, as a
    convolution and attention do, has an arrow from each. A part without a value for each element, such as `nw.Last()`,
    has one box. What a part sees is proved or measured.

    Fields:
        along: the size that counts the elements, as the inputs name it.
        steps: how many elements are drawn.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: NetError for a size that no input has, and for more than 9 steps; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.GRU(4), nw.GRU(4), nw.Last(), input=("n", 2))
        >>> nw.plot.unrolled(net, steps=4).savefig("unrolled.svg")
    """
    expect_net(net, "plot.unrolled")
    at_least(1, steps, "the number of steps", "plot.unrolled")
    expect_few(steps, MOST, "steps", "plot.unrolled")
    sight = sight_of(net, along, False)
    rows = _rows(net, sight, steps)
    inputs = [name for name in net.plan.wiring.inputs if any(name in row.reads for row in rows.values())]
    heights = {key: TALL * (i + 1) for i, key in enumerate(rows)} | dict.fromkeys(inputs, 0.0)
    states = States(sight)
    turned = states.turned(sight.sources)
    left_out = _left_out(states, turned)
    ends = [(name, slot, _shown(_row_of(slot, rows), left_out)) for name, slot in net.plan.wiring.outputs]
    top = TALL * (len(rows) + 1)
    longest = max(len(row.name) for row in rows.values())
    figure = new_figure(min(WIDTH, (APART + 0.06 * longest) * steps + 1.4), top + 0.6)
    axes = only_axes(figure)
    without_frame(axes)
    right = 1.15 if any(row.state == "backward" for row in rows.values()) else 0.85
    axes.set(xlim=(-1.15, APART * (steps - 1) + right), ylim=(-0.35, top + 0.3))
    for key, row in rows.items():
        _row(axes, row, key, rows, heights, steps)
    for number, name in enumerate(inputs):
        for t in range(steps):
            letter = "x" if len(inputs) == 1 else name
            node(axes, (APART * t + 0.4 * number, 0), subscript(letter, t + 1), hollow=True)
    for name, slot, key in ends[:1]:
        for t in range(steps) if key in rows and rows[key].positions else [steps - 1]:
            arrow(axes, (APART * t, heights[key]), (APART * t, top))
            number = steps - t if turned.get(slot) == frozenset([True]) else t + 1
            text = subscript("y", number) if key in rows and rows[key].positions else name
            node(axes, (APART * t, top), text, hollow=True)
    return figure


def _rows(net: Net, sight: Visibility, steps: int) -> dict[str, UnrolledRow]:
    """The parts of a net, or the net itself where it has none or is done for each element."""
    states = States(sight)
    turned = states.turned(sight.sources)
    if not isinstance(net, ContainerNode) or net.each is not None:
        return {"": _described(net, states, turned, "", net.required_names, steps)}
    reads = {call.name: [ref[0] or ref[1] for _, ref in call.reads] for call in net.level.calls}
    left_out = _left_out(states, turned)
    rows = {name: [_shown(one, left_out) for one in given] for name, given in reads.items() if name not in left_out}
    return {name: _described(net, states, turned, name, given, steps) for name, given in rows.items()}


def _left_out(states: States, turned: Turned) -> dict[str, str]:
    """The parts that reverse a sequence, and what each reads: what reads them is drawn against time instead.

    They are drawn, and none is left out, where one value reads a sequence and its reverse.
    """
    if any(len(turned.get(edge.made, ())) == 2 for edge in states.sight.edges if states.sight.axis(edge.made) == 0):
        return {}
    return {edge.made[0]: edge.read[0] or edge.read[1] for edge in states.sight.edges if states.reverses(edge)}


def _shown(name: str, left_out: dict[str, str]) -> str:
    """The first part before one that is not left out."""
    while name in left_out:
        name = left_out[name].split("/")[0]
    return name


def _described(net: Net, states: States, turned: Turned, path: str, reads: Sequence[str], steps: int) -> UnrolledRow:
    sight = states.sight
    inside = [e for e in sight.edges if not path or e.made[0] == path or e.made[0].startswith(f"{path}/")]
    slots = [slot for _, slot in (net.plan.value(path) if path else net.plan.wiring.outputs) or ()]
    positions = any(sight.axis(slot) is not None for slot in slots)
    over = [edge.read for edge in inside if sight.axis(edge.read) is not None and edge.read[0].split("/")[0] != path]
    against = any(turned.get(slot) == frozenset([True]) for slot in (slots if positions else over))
    at = _read_at(net, path, over[0], steps) if over and not positions and path else tuple(range(steps))
    at = tuple(steps - 1 - s for s in at) if against else at
    low, high = _span(inside, slots, states)
    span: Span = (-high, -low) if against else (low, high)
    name = shortened(path or kind_text(net), LETTERS // steps)
    way = states.way(inside, turned) if positions else "none"
    return UnrolledRow(name, tuple(dict.fromkeys(reads)), positions, way, span, against, at)


def _span(inside: Sequence[SeenThrough], slots: Sequence[Slot], states: States) -> Span:
    """How far the values of a part see other than through a state."""
    made = {edge.made for edge in inside}
    direct = [SeenThrough(e.read, e.made, SAME if states.carries(e) or states.reverses(e) else e.span) for e in inside]
    spans = spans_through(direct, {edge.read: SAME for edge in inside if edge.read not in made})
    found = [span for slot in slots if states.sight.axis(slot) is not None for span in spans.get(slot, {}).values()]
    return min((low for low, _ in found), default=0.0), max((high for _, high in found), default=0.0)


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
        bend = 0.0 if here - below < 1.5 * TALL else 0.35 if source in rows else -0.35
        for t in columns:
            seen = [steps - 1] if whole else [s for s in range(steps) if _sees(row, s, t)]
            for s in seen:
                gap = _gap(row.name, APART * (t - s), here - below)
                arrow(axes, (APART * s, below), (APART * t, here), GRAY if s != t else INK, bend=bend, gap=gap)
    if row.state != "none":
        for t in range(steps - 1):
            _state(axes, (APART * t, here), (APART * (t + 1), here), row)
    if row.state in ("forward", "backward"):
        first, start = (0, -0.9) if row.state == "forward" else (steps - 1, 0.9)
        at = APART * first
        node(axes, (at + start, here), "s₀", ORANGE, hollow=True)
        arrow(axes, (at + start, here), (at, here), ORANGE, gap=_half(row.name))
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


def _gap(name: str, across: float, up: float) -> float:
    """Points from the middle of a box to its edge, for an arrow from below."""
    side, top = _half(name), 13.0
    return min(hypot(side, side * up / across) if across else inf, hypot(top, top * across / up))


def _half(name: str) -> float:
    """Points from the middle of a box to its side."""
    return 9 + 2.7 * len(name)


def _state(axes: "Axes", one: Place, other: Place, row: UnrolledRow) -> None:
    gap = _half(row.name)
    if row.state != "both":
        tail, head = (one, other) if row.state == "forward" else (other, one)
        arrow(axes, tail, head, ORANGE, width=1.5, gap=gap)
        return
    (x0, y), (x1, _) = one, other
    arrow(axes, (x0, y + 0.08), (x1, y + 0.08), ORANGE, width=1.5, gap=gap)
    arrow(axes, (x1, y - 0.08), (x0, y - 0.08), ORANGE, width=1.5, gap=gap)

"""Draws a small chain unit by unit: each number of each value is a circle, each weight a line between two of them.

Which weight connects which units is found by running the layer, not by knowing it: all its weights are given different
values, and its Jacobian then has the value of the weight that connects two units, since a layer is linear in its input.
"""

import html
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import torch

from netwright.errors import NetError
from netwright.inside.jacobian import jacobian
from netwright.net.chain import Chain
from netwright.net.part import Net
from netwright.net.plan.plan import Plan, PlanStep, fixed
from netwright.show.draw.picture import NARROW, NetPicture
from netwright.show.draw.style import MARKS, PLAIN
from netwright.show.parts import kind_text, sizes_text
from netwright.value import Value

MOST_UNITS, MOST_LINES = 200, 2000
RADIUS, APART = 10.0, 30.0  # of a unit, and between the middles of two
BETWEEN = 150.0  # between two values, from left to right; 110 from top to bottom
LINE = 14.0  # of a caption
EXAMPLES = 32  # a maximum depends on one unit of its window only: over these examples, on all of them


class UnitLayer(Value):
    """A value of the chain, and what connects it to the one before.

    Fields:
        captions: what is written below it.
        count: of its units.
        family: of the colour of its units.
        lines: (unit before, unit, which weight) for each connection; weight -1 is a connection without a weight.
    """

    captions: tuple[str, ...]
    count: int
    family: str
    lines: tuple[tuple[int, int, int], ...]


def unit_picture(net: Net, width: int) -> NetPicture:
    """The picture of a chain, unit by unit."""
    layers = unit_layers(net)
    down = width < NARROW
    most = max(layer.count for layer in layers)
    longest = max(len(text) for layer in layers for text in layer.captions)
    step = 110.0 if down else max(BETWEEN, longest * PLAIN + 20)
    beside = longest * PLAIN + 20 if down else 0.0
    below = 0.0 if down else LINE * max(len(layer.captions) for layer in layers) + 8
    long, broad = step * (len(layers) - 1) + 2 * RADIUS, APART * (most - 1) + 2 * RADIUS
    ends = max(0.0, longest * PLAIN / 2 - RADIUS)  # the captions of the first and the last value are wider than a unit
    under = LINE * len(layers[-1].captions)  # of the last value, whose captions begin beside it
    wide, high = (broad + beside, long + under - RADIUS) if down else (long + 2 * ends, broad + below)
    pieces: list[str] = []
    places = [
        _places(layer.count, number * step + RADIUS, most, ends, down=down) for number, layer in enumerate(layers)
    ]
    for number, (before, here) in enumerate(itertools.pairwise(places), 1):
        pieces += _lines(layers[number], before, here)
    for layer, here in zip(layers, places, strict=True):
        pieces += [f'<circle class="box {layer.family}" cx="{x:g}" cy="{y:g}" r="{RADIUS:g}"/>' for x, y in here]
        left, above = (broad + 12, here[0][1] - 4) if down else (here[0][0], broad + 18)
        for row, text in enumerate(layer.captions):
            kind = "size" if down else "what"
            pieces.append(f'<text class="{kind}" x="{left:g}" y="{above + LINE * row:g}">{html.escape(text)}</text>')
    return NetPicture.of(pieces, wide, high, width, f"a net of {sum(layer.count for layer in layers)} units")


def unit_layers(net: Net) -> list[UnitLayer]:
    """The values of a chain of layers and their connections. Layers without weights that keep the units are captions.

    Raises: NetError for what is no chain, for sizes that are not known, and for too many units or lines.
    """
    plan = net.plan
    steps = _chain(plan)
    slot = ("", plan.wiring.inputs[0])
    counts = [_count(plan, slot), *(_count(plan, step.writes[0]) for step in steps)]
    _check_few(sum(counts), max(a * b for a, b in itertools.pairwise(counts)))
    layers = [UnitLayer((slot[1], sizes_text(plan, (("", slot),))), counts[0], "port", ())]
    for step, (before, count) in zip(steps, itertools.pairwise(counts), strict=True):
        name = step.path.rpartition("/")[2]
        if not step.arrays and before == count:
            old = layers[-1]
            layers[-1] = UnitLayer((f"{old.captions[0]}, {name}", *old.captions[1:]), count, old.family, old.lines)
            continue
        lines = _connections(plan, step)
        used = len({weight for _, _, weight in lines if weight >= 0})
        learned = sum(math.prod(plan.arrays[path].known or (0,)) for path in step.arrays.values())
        said = [f"{used} weight{'s' if used != 1 else ''}"] if used else []
        said += [f"{learned - used} bias{'es' if learned - used != 1 else ''}"] if learned > used else []
        captions = (name, sizes_text(plan, (("", step.writes[0]),)), *said)
        layers.append(UnitLayer(captions, count, step.leaf.family, tuple(lines)))
    return layers


def _chain(plan: Plan) -> Sequence[PlanStep]:
    """The layers of a net in which each reads the one before."""
    slots = [("", name) for name in plan.wiring.inputs[:1]] + [step.writes[0] for step in plan.steps]
    reads = [[slot for slot in step.reads if slot is not None] for step in plan.steps]
    single = len(plan.wiring.inputs) == len(plan.wiring.outputs) == 1 and all(len(s.writes) == 1 for s in plan.steps)
    if not single or any(read != [slot] for read, slot in zip(reads, slots, strict=False)):
        raise NetError(
            what="only a chain of layers can be drawn unit by unit",
            expected="one input, one output, and each layer reads the one before",
            mend=("nw.draw(net)", "nw.draw(net[path], units=True) for a part that is a chain"),
        )
    return plan.steps


def _count(plan: Plan, slot: tuple[str, str]) -> int:
    """The units of a value."""
    shape = plan.shape(slot)
    if not fixed(shape):
        raise NetError(
            what="units can be counted only where all sizes are numbers",
            where=slot[0] or slot[1],
            got=sizes_text(plan, (("", slot),)),
            mend="net.with_input(…) with numbers",
        )
    return math.prod(size for size in shape if isinstance(size, int))


def _check_few(units: int, lines: int) -> None:
    if units > MOST_UNITS or lines > MOST_LINES:
        raise NetError(
            what="the net has too many units to draw each of them",
            expected=f"at most {MOST_UNITS} units, and {MOST_LINES:,} pairs of units that a layer can connect",
            got=f"{units:,} units, {lines:,} pairs",
            mend=("nw.draw(net)", "units=True for a net of the same form with smaller sizes"),
        )


def _connections(plan: Plan, step: PlanStep) -> list[tuple[int, int, int]]:
    """Which units a layer connects, and by which of its weights; found from its Jacobian."""
    shape = tuple(size for size in plan.shape(step.reads[0] or ("", "")) if isinstance(size, int))
    layer = Chain(step.leaf.holding(shared=""), input=shape)
    numbers, first = dict[str, torch.Tensor](), 1
    for path, spec in layer.plan.arrays.items():
        size = spec.known or ()
        values = torch.arange(first, first + math.prod(size), dtype=torch.float32, device="cpu")
        numbers[path] = values.reshape(size)
        first += math.prod(size)
    filled = layer.with_arrays(numbers) if numbers else layer
    draws = torch.Generator().manual_seed(0)
    examples = torch.rand(EXAMPLES, *shape, generator=draws, dtype=torch.float32, device="cpu")
    tables = jacobian(filled, examples).reshape(EXAMPLES, -1, math.prod(shape))  # (b, units, units before)
    if numbers and not torch.equal(tables, tables[:1].expand_as(tables)):
        raise NetError(
            what="only layers that are linear in their input have one weight between two units",
            where=step.path,
            expected="a linear layer, a convolution, or a layer without weights",
            got=kind_text(step.leaf),
            mend="nw.draw(net)",
        )
    connected = torch.nonzero((tables != 0).any(0)).tolist()
    return [(i, j, round(float(tables[0, j, i])) - 1 if numbers else -1) for j, i in connected]


def _places(count: int, along: float, most: int, ends: float, *, down: bool) -> list[tuple[float, float]]:
    """The middles of the units of a value."""
    first = RADIUS + APART * (most - count) / 2
    across = [first + APART * i for i in range(count)]
    return [(place, along) if down else (along + ends, place) for place in across]


def _lines(layer: UnitLayer, before: Sequence[tuple[float, float]], here: Sequence[tuple[float, float]]) -> list[str]:
    """The lines into a value; those that share a weight have its colour."""
    uses = Counter(weight for _, _, weight in layer.lines if weight >= 0)
    shared: Mapping[int, int] = {w: i for i, w in enumerate(sorted(w for w, n in uses.items() if n > 1))}
    pieces: list[str] = []
    for start, end, weight in layer.lines:
        (x1, y1), (x2, y2) = before[start], here[end]
        colour = f' style="stroke:{MARKS[shared[weight] % len(MARKS)]}"' if weight in shared else ""
        pieces.append(f'<path class="edge"{colour} d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>')
    return pieces

"""Draws a net as a computational graph for one example, with the value and the derivative on each edge."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from netwright.errors import DataError, NetError
from netwright.inside.activations import activations
from netwright.inside.gradients import gradients
from netwright.inside.targets import Of
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.wiring import Op, Slot
from netwright.net.run.given import Given
from netwright.show.plot.blank import in_house_style, new_figure, only_axes, without_frame
from netwright.show.plot.nodes import Place, arrow, node
from netwright.show.plot.style import GRAY, ORANGE, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TALL = 0.8  # inches from row to row
WIDE = 2.5  # inches from a leaf to the end of the text of its first array
BESIDE = 1.1  # inches from a leaf to its arrays
MOST = 24  # uses of leaves in one picture
NUMBERS = 4  # of a value that are written out
Side: TypeAlias = Literal["left", "right", "center"]


@in_house_style
def computational_graph(net: Net, x: Any, *, of: Of = None) -> "Figure":
    """A net as a graph of what is computed for an example: on each edge its value and, after ∂, its derivative.

    Values go from the top to the bottom; boxes with square corners are arrays. The derivative is that of `of` by the
    value on the edge. Of a value with more than four numbers the sizes are written, and of its derivative the length.

    Fields:
        x: an example, as the net takes it; of a net that ends in a loss with its target.
        of: what is derived, as in `nw.gradients`; None, the only output, or the sum of the losses.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: NetError for a net of more than 24 leaves; DataError for several examples; MissingExtraError without
        matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(2, nw.tanh, 2, nw.softmax, input=3, output=nw.Category(["a", "b"])))
        >>> loss = nw.with_loss(net, nw.CrossEntropy())
        >>> figure = nw.plot.computational_graph(loss, {"input": (1.0, 2.0, 3.0), "target": "a"})
        >>> figure.savefig("graph.svg")
    """
    expect_net(net, "plot.computational_graph")
    given = Given.of(net, x)
    _check(given)
    graph = _Computed(net, given, x, of)
    left, right, bottom = graph.extent
    figure = new_figure(right - left, 0.55 - bottom)
    axes = only_axes(figure)
    without_frame(axes)
    axes.set(xlim=(left, right), ylim=(bottom - 0.2, 0.35))
    graph.paint(axes)
    return figure


class _Computed:
    """A net that was computed for one example: its values, their derivatives, and where each of them is drawn."""

    def __init__(self, net: Net, given: Given, x: Any, of: Of) -> None:
        self.plan = given.plan
        self.ops = self.plan.wiring.leaves
        self.names = {
            slot: (path if len(slots) == 1 else f"{path}.{port}")
            for path, slots in self.plan.wiring.values.items()
            for port, slot in slots
            if slot[0] == path
        } | {("", name): name for name in self.plan.wiring.inputs}
        self.arrays = {step.path: [*step.arrays.values()] for step in self.plan.steps}
        self.values: dict[str, Any] = dict(activations(net, x)) | _inputs(given)
        every = [*self.names.values(), *(array for own in self.arrays.values() for array in own)]
        self.slopes = _slopes(net, x, of, every)
        self.places: dict[str, Place] = {}  # of inputs and leaves
        self.array_places: dict[str, Place] = {}
        self._arrange()

    def _arrange(self) -> None:
        """Each leaf a row below all that it reads; an input a row above what reads it first; arrays at its sides."""
        depth: dict[str, int] = {}
        for op in self.ops:
            depth[op.path] = max((depth.get(slot[0], 0) + 1 for _, slot in op.reads), default=1)
        for name in self.plan.wiring.inputs:
            readers = [depth[op.path] for op in self.ops for _, slot in op.reads if slot == ("", name)]
            depth[_key(("", name))] = min(readers, default=1) - 1
        leaves = {op.path for op in self.ops}
        for row in range(max(depth.values()) + 1):
            keys = sorted((key for key, at in depth.items() if at == row), key=lambda key: key not in leaves)
            rooms = [self._room(key) for key in keys]
            alone = sum(key in leaves for key in keys) < 2  # then the first is in the middle of the picture
            across = 0.0 if alone else -sum(left + right for left, right in rooms) / 2 + rooms[0][0]
            for i, key in enumerate(keys):
                if i and alone:  # an input beside a leaf, on the side without texts
                    across -= rooms[i - 1][0] + rooms[i][1]
                elif i:
                    across += rooms[i - 1][1] + rooms[i][0]
                self.places[key] = (across, -row * TALL)
                for side, array in enumerate(self.arrays.get(key, [])[:2]):
                    self.array_places[array] = (across + (BESIDE if side else -BESIDE), -row * TALL)

    def _room(self, key: str) -> tuple[float, float]:
        """Inches that a node needs on its left and on its right, for its arrays and the texts of its edges."""
        arrays = self.arrays.get(key, [])
        return (WIDE if arrays else 0.8), (WIDE + 0.4 if len(arrays) > 1 else 1.0)

    @property
    def extent(self) -> tuple[float, float, float]:
        """From where to where the picture reaches, and how far down."""
        left = min(across - self._room(key)[0] for key, (across, _) in self.places.items())
        right = max(across + self._room(key)[1] for key, (across, _) in self.places.items())
        return left, max(right, 2.0), min(down for _, down in self.places.values()) - TALL

    def paint(self, axes: "Axes") -> None:
        """Edges with their texts, then nodes."""
        for op in self.ops:
            self._paint_leaf(axes, op)
        for name in self.plan.wiring.inputs:
            node(axes, self.places[_key(("", name))], name, hollow=True)
        for output, slot in self.plan.wiring.outputs:
            across, down = self.places[_key(slot)]
            _edge(
                axes,
                (across, down),
                (across, down - TALL),
                _told(self.values.get(self.names.get(slot, "")), None),
                output,
            )

    def _paint_leaf(self, axes: "Axes", op: Op) -> None:
        here = self.places[op.path]
        for _, slot in op.reads:
            name = self.names[slot]
            _edge(axes, self.places[_key(slot)], here, _told(self.values.get(name), self.slopes.get(name)))
        for array in self.arrays[op.path][:2]:
            across, down = self.array_places[array]
            arrow(axes, (across, down), here, GRAY, gap=22)
            node(axes, (across, down), array.rpartition("/")[2], ORANGE, square=True)
            outward = 0.38 if across > here[0] else -0.38
            side: Side = "left" if outward > 0 else "right"
            _write(axes, (across + outward, down), _told(None, self.slopes.get(array)), side)
        node(axes, here, op.path.rpartition("/")[2])


def _check(given: Given) -> None:
    """Refuse what is no single example, or too large for a picture."""
    if not given.single:
        raise DataError(
            what="a picture shows the computation for one example",
            where="plot.computational_graph",
            expected="an example, as the net takes it",
            got="several",
        )
    leaves = given.plan.wiring.leaves
    inner = [op.path for op in leaves if op.within]
    if len(leaves) > MOST or inner:
        raise NetError(
            what="this net is too large for a picture of each of its values",
            where="plot.computational_graph",
            expected=f"at most {MOST} leaves, and none inside of a Map or Fold",
            got=f"{inner[0]}, inside of a Map or Fold" if inner else f"{len(leaves)} leaves",
            mend=("a part of the net, net['…']", "nw.draw(net), which draws nets of any size"),
        )


def _key(slot: Slot) -> str:
    """By what a node is known: the path of a leaf, or an input."""
    return slot[0] or f"input {slot[1]}"


def _inputs(given: Given) -> dict[str, Tensor]:
    """What the net reads, by input port."""
    columns = given.examples.columns
    return {name: column[0] for name, column in columns.items() if isinstance(column, Tensor)}


def _slopes(net: Net, x: Any, of: Of, places: Sequence[str]) -> dict[str, Tensor]:
    """The derivative by each place that the value depends on."""
    found: dict[str, Tensor] = {}
    for place in places:
        with suppress(NetError):  # an index, or what does not matter for the value
            found[place] = gradients(net, x, of=of, wrt=place)
    return found


def _told(value: Any, slope: Any) -> str:
    """A value and its derivative in a line each."""
    lines = [_numbers(value)] if isinstance(value, Tensor) else []
    return "\n".join([*lines, *([f"∂ {_numbers(slope, slope=True)}"] if isinstance(slope, Tensor) else [])])


def _numbers(value: Tensor, slope: bool = False) -> str:
    array = np.asarray(value.detach().to(device="cpu", dtype=torch.float64))
    if array.size > NUMBERS:
        return f"length {np.linalg.norm(array):.2g}" if slope else " × ".join(map(str, array.shape))
    texts = [_number(float(number)) for number in array.reshape(-1)]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _number(number: float) -> str:
    """Two places after the point; of what is very large or small two digits and its power of ten."""
    plain = number == 0 or 0.005 <= abs(number) < 1e5 or not np.isfinite(number)
    text = f"{number:.2g}" if not plain else f"{number:.2f}" if number % 1 else f"{number:.0f}"
    return text.replace("-", "−")


def _edge(axes: "Axes", tail: Place, head: Place, text: str, name: str = "") -> None:
    """An arrow with a text beside its middle; past the row in between it makes a bow."""
    far = tail[1] - head[1] > 1.5 * TALL and tail[0] == head[0]
    arrow(axes, tail, head, bend=0.45 if far else 0.0)
    right = far or head[0] > tail[0]  # then the text is on the left of the arrow
    away = -0.62 if far else -0.1 if right else 0.1
    middle = ((tail[0] + head[0]) / 2 + away, (tail[1] + head[1]) / 2)
    _write(axes, middle, text, "right" if right else "left")
    if name:
        _write(axes, (head[0], head[1] - 0.05), name, "center")


def _write(axes: "Axes", place: Place, text: str, side: Side) -> None:
    axes.text(*place, text, ha=side, va="center", fontsize=SMALL, linespacing=1.15)

"""Draws which positions of a sequence are connected, as graphs: of a whole net, and part by part, unrolled in time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netwright.causality.causality import pairs_of, sight_of
from netwright.errors import NetError
from netwright.fields import at_least
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.show.plot.blank import in_house_style, new_figure, without_frame
from netwright.show.plot.nodes import arrow, node
from netwright.show.plot.ranges import expect_few
from netwright.show.plot.states import States, Way
from netwright.show.plot.style import BLUE, GRAY, ORANGE, WIDTH
from netwright.value import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 0.85  # inches from one position to the next
TALL = 1.9  # inches of a graph
FAINT = 0.9  # points of an arrow that is not in front
Pair = tuple[int, int]
MOST = 16  # positions whose boxes stand beside each other


class Connections(Value):
    """Which positions of an output are connected with which of an input.

    Fields:
        output, input: the ports.
        seen: pairs (position of the output, position of the input), from 0.
        state: where a state goes from each position to the next, if other positions are seen through states alone.
    """

    output: str
    input: str
    seen: tuple[Pair, ...]
    state: Way


@in_house_style
def connectivity(net: Net, *, along: str = "n", length: int = 6, step: bool = False) -> "Figure":
    """Which positions of the input each position of the output sees, as a graph: inputs below, outputs above.

    What is connected is measured on the net, which needs no weights for it: position by position, the input is changed
    with random weights, and each output that changes is connected. A net that sees other positions through states
    alone is drawn with arrows from each position to the next, and back where it reads in both directions. One output
    is in front, with the positions that it sees.

    Fields:
        along: the size that counts the positions, as the inputs name it.
        length: how many positions are drawn.
        step: draw what is computed for one new element; what is kept from the elements before it is square.

    Returns: a figure of matplotlib, a graph for each pair of an output and an input; a notebook shows it.

    Raises: NetError for a size that no input has, for a net whose outputs have no positions, for more than 16
        positions, and with `step` for a net that looks ahead; MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Conv(4, 3, padding="causal"), input=("n", 2))
        >>> nw.plot.connectivity(net, length=5).axes[0].get_title()
        'output from input: 12 connections'
    """
    expect_net(net, "plot.connectivity")
    at_least(2, length, "the number of positions", "plot.connectivity")
    expect_few(length, MOST, "positions", "plot.connectivity")
    found = connections(net, along, length)
    if step:
        _check_causal(found)
    figure = new_figure(min(WIDTH, APART * length + 0.6), TALL * len(found))
    for axes, one in zip(figure.subplots(len(found), 1, squeeze=False)[:, 0], found, strict=True):
        count = len(one.seen) if one.state == "none" else length + (length - 1) * len(_steps(one.state))
        axes.set_title(f"{one.output} from {one.input}: {count} connections" if not step else f"one more {one.output}")
        _graph(axes, one, length, step)
    return figure


def connections(net: Net, along: str, length: int) -> tuple[Connections, ...]:
    """What is connected in a net, for every output that has positions and every input.

    Raises: NetError where no output has positions.
    """
    sight = sight_of(net, along, False)
    states = States(sight)
    found: list[Connections] = []
    for output, slot in net.plan.wiring.outputs:
        for source in sight.of(slot):
            if sight.axis(slot) is None:
                continue
            low, high = sight.of(slot)[source]
            measured = pairs_of(net, sight, source, slot, length)  # not by distance: a net may turn the sequence round
            pairs = [(i, j) for i in range(length) for j in range(length) if low <= j - i <= high]
            seen = [pair for pair in pairs if measured is None or pair in measured]
            found.append(Connections(output, source[1], tuple(seen), states.way_between(source, slot)))
    if not found:
        raise NetError(
            what=f"no output of this net has positions along {along}",
            where="plot.connectivity",
            expected="an output for every element of the input",
        )
    return tuple(found)


def _check_causal(found: Sequence[Connections]) -> None:
    ahead = next((one for one in found if any(j > i for i, j in one.seen)), None)
    if ahead is not None:
        raise NetError(
            what="a net that looks ahead cannot be computed element by element",
            where=f"{ahead.output} from {ahead.input}",
            expected="a net in which no output sees a later input",
            mend="no step=True, which draws all connections",
        )


def _steps(way: Way) -> tuple[int, ...]:
    """To which neighbours a state goes."""
    return {"none": (), "forward": (1,), "backward": (-1,), "both": (1, -1)}[way]


def _graph(axes: "Axes", one: Connections, length: int, step: bool) -> None:
    """One graph: inputs at height 0, outputs at height 1."""
    last = length - 1
    front = last if step or all(j <= i for i, j in one.seen) else length // 2
    drawn = [last] if step else [*range(length)]
    steps = _steps(one.state)
    below = {(i, j) for i, j in one.seen if i in drawn and (not steps or i == j)}
    for i, j in sorted(below, key=lambda pair: pair[0] == front):
        colour, width = (BLUE, 1.6) if i == front or (steps and (front, j) in one.seen) else (GRAY, FAINT)
        arrow(axes, (j, 0), (i, 1), colour, width=width)
    for side in steps:
        height = 1 + 0.06 * side * (len(steps) - 1)
        for i in drawn:
            if 0 <= i - side < length:
                leads = (front - i) * side >= 0
                arrow(axes, (i - side, height), (i, height), BLUE if leads else GRAY, width=1.6 if leads else FAINT)
    kept = {last - 1} if steps else {j for i, j in one.seen if i == last and j != last}
    for j in range(length):
        square = step and not steps and j in kept
        if not step or j == last or square:
            node(axes, (j, 0), subscript("x", j + 1), ORANGE if square else BLUE, square=square, hollow=not square)
        if not step or j == last or (steps and j in kept):
            held = step and j != last
            colour = ORANGE if held else BLUE
            node(axes, (j, 1), subscript("y", j + 1), colour, square=held, hollow=j != front and not held)
    axes.set(xlim=(-0.5, last + 0.5), ylim=(-0.35, 1.35))
    without_frame(axes)


def subscript(letter: str, number: int) -> str:
    """A letter with a number below: `x₁₂`."""
    return letter + "".join(chr(0x2080 + int(digit)) for digit in str(number))

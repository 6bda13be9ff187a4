"""Draws descents of a function of two numbers: its contours, the ways over them, and the cost at every step."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray

from netwright.errors import DataError, TrainingError, shortened
from netwright.show.plot.blank import in_house_style, new_figure, plain_name
from netwright.show.plot.ranges import expect_range
from netwright.show.plot.style import CYCLE, INK
from netwright.training.descend import Cost, Trajectory, cost_at, expect_cost

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = NDArray[np.float64]
Area: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
GRID = 81  # points along each axis
LEVELS = 25
PALE = 0.6  # so that ways over them are seen
NAMED = 10  # ways that have a name in the legend, which would hide the costs if it were longer
ROOM = 0.35  # of the extent of the ways, around them
SIDE = 3.3  # inches of the contours


@in_house_style
def descent_paths(
    cost: Cost, ways: Trajectory | Sequence[Trajectory] | Mapping[str, Trajectory], *, area: Area | None = None
) -> "Figure":
    """Descents over the contours of their cost, blue where it is high and red where it is low.

    A way begins at a large dot and has a small one at each step. If there are several ways, each has a colour, and the
    cost at every step is drawn beside them, up to a little above the highest at a start. Up to ten have their names.

    Fields:
        cost: of two numbers, as `nw.descend` takes it.
        ways: `nw.descend(cost, …)`, a list of these, or several by name.
        area: what is drawn, ((left, right), (bottom, top)); None, the ways and some room around them.

    Returns: a figure of matplotlib; a notebook shows it.

    Raises: TrainingError for what is no descent, for one of another number of weights, and for a cost that is not one
        number; DataError for an area without extent, or in which the cost is nowhere a finite number;
        MissingExtraError without matplotlib.

    Example:
        >>> import netwright as nw
        >>> bowl = lambda w: w[0] ** 2 + 3 * w[1] ** 2
        >>> ways = {f"rate {rate}": nw.descend(bowl, [2.0, 1.0], rate) for rate in (0.05, 0.3)}
        >>> contours, costs = nw.plot.descent_paths(bowl, ways).axes
    """
    by_name = _by_name(ways)
    expect_cost(cost, "plot.descent_paths")
    points = np.concatenate([way.points for way in by_name.values()])
    (left, right), (bottom, top) = _around(points) if area is None else _area(area)
    axis1, axis2 = np.linspace(left, right, GRID), np.linspace(bottom, top, GRID)
    height = _heights(cost, axis1, axis2)
    several = len(by_name) > 1
    figure = new_figure(2 * SIDE if several else SIDE + 0.3, SIDE)
    panels: list[Axes] = [*figure.subplots(1, 2 if several else 1, squeeze=False)[0]]
    contours(panels[0], axis1, axis2, height)
    for (name, way), colour in zip(by_name.items(), _colours(len(by_name)), strict=True):
        _way(panels[0], way.points, colour)
        if several:
            panels[1].plot(way.costs, color=colour, label=plain_name(name))
    panels[0].set(xlabel="w₁", ylabel="w₂", xlim=(left, right), ylim=(bottom, top))
    if several:
        low, high = min(way.costs.min() for way in by_name.values()), max(way.costs[0] for way in by_name.values())
        room = 0.1 * ((high - low) or 1.0)
        panels[1].set(xlabel="step", ylabel="cost", ylim=(low - room, high + 3 * room))
        if len(by_name) <= NAMED:
            panels[1].legend()
    return figure


def contours(axes: "Axes", axis1: Numbers, axis2: Numbers, height: Numbers) -> Any:
    """Lines of equal height, blue where it is high and red where it is low; of the highest tenth none.

    Gives their scale, for `scale_beside` with the alpha of `PALE`.

    Raises: DataError where no height is a finite number.
    """
    finite = height[np.isfinite(height)]
    if not len(finite):
        raise DataError(
            what="there are no contours: the cost is a finite number nowhere in this area",
            where=f"{axis1[0]:.3g} to {axis1[-1]:.3g} and {axis2[0]:.3g} to {axis2[-1]:.3g}",
        )
    low, high = float(finite.min()), float(np.quantile(finite, 0.9))
    levels = np.linspace(low, high if high > low else low + 1.0, LEVELS)
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    axes.contourf(axis1, axis2, height, levels, cmap="RdBu", extend="max", alpha=PALE)
    axes.contour(axis1, axis2, height, levels, colors=INK, linewidths=0.3)
    axes.grid(visible=False)
    return ScalarMappable(Normalize(levels[0], levels[-1]), "RdBu")


def _by_name(ways: Any) -> dict[str, Trajectory]:
    if isinstance(ways, Trajectory):
        found: dict[str, Any] = {"": ways}
    elif isinstance(ways, Mapping):
        found = {str(name): way for name, way in cast(Mapping[Any, Any], ways).items()}
    else:
        several = cast(Sequence[Any], ways) if isinstance(ways, Sequence) else ()
        found = {str(i): way for i, way in enumerate(several, 1)}
    wrong = next((way for way in found.values() if not isinstance(way, Trajectory)), None if found else ways)
    if wrong is not None:
        raise TrainingError(
            what="this is no descent",
            where="plot.descent_paths",
            expected="nw.descend(cost, start, rate), a list of these, or several by name",
            got=shortened(repr(wrong), 60),
        )
    count = next((way.points.shape[1] for way in found.values() if way.points.shape[1] != 2), 2)
    if count != 2:
        raise TrainingError(
            what="contours are drawn of a cost of two weights",
            where="plot.descent_paths",
            got=f"a descent of {count} weights",
        )
    return found


def _area(given: Any) -> Area:
    """Two ranges that a user gave."""
    if not isinstance(given, Sequence) or len(cast(Sequence[Any], given)) != 2:
        raise DataError(
            what="an area is two ranges",
            where="plot.descent_paths",
            expected="((left, right), (bottom, top))",
            got=shortened(repr(given), 60),
        )
    across, down = (expect_range(one, "area") for one in cast(Sequence[Any], given))
    return across, down


def _around(points: Numbers) -> Area:
    low, high = points.min(0), points.max(0)
    room = np.maximum(ROOM * (high - low), 0.25 * max(float((high - low).max()), 1.0))
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return (left, right), (bottom, top)


def _heights(cost: Cost, axis1: Numbers, axis2: Numbers) -> Numbers:
    """The cost at each point of a grid, (rows of axis2, columns of axis1)."""
    with torch.no_grad():
        rows = [
            [float(cost_at(cost, torch.tensor([x, y], dtype=torch.float64, device="cpu"))) for x in axis1]
            for y in axis2
        ]
    return np.array(rows)


def _way(axes: "Axes", points: Numbers, colour: str) -> None:
    axes.plot(*points.T, "o-", color=colour, markersize=3.5, linewidth=1.3)
    axes.plot(*points[0], "o", color=colour, markersize=8)


def _colours(count: int) -> list[str]:
    """Ink for one way, which stands out from the contours; else a colour for each."""
    return [INK] if count == 1 else [CYCLE[(1, 2, 0, 4, 3, 5)[i % 6]] for i in range(count)]

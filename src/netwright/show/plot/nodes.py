"""Paints the nodes and the arrows of graphs: round ones compute, square ones are kept."""

from typing import TYPE_CHECKING, TypeAlias

from netwright.show.plot.style import BLUE, INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Place: TypeAlias = tuple[float, float]
ROUND, SQUARE = "round,pad=0.42", "square,pad=0.42"


def node(
    axes: "Axes", place: Place, text: str, colour: str = BLUE, *, square: bool = False, hollow: bool = False
) -> None:
    """A text in a box; a hollow box has the colour at its edge alone."""
    face, ink = ("none", INK) if hollow else (colour, "white")
    box = {"boxstyle": SQUARE if square else ROUND, "facecolor": face, "edgecolor": colour, "linewidth": 1.2}
    axes.text(*place, text, ha="center", va="center", fontsize=SMALL, color=ink, bbox=box, zorder=3)


def arrow(
    axes: "Axes", tail: Place, head: Place, colour: str = INK, *, width: float = 1.0, bend: float = 0.0, gap: float = 13
) -> None:
    """An arrow from one place to another, which ends `gap` points before their middles."""
    style = {"arrowstyle": "-|>,head_width=0.16,head_length=0.34", "color": colour, "linewidth": width}
    ends = {"shrinkA": gap, "shrinkB": gap, "connectionstyle": f"arc3,rad={bend:g}"}
    axes.annotate("", xytext=tail, xy=head, arrowprops={**style, **ends}, zorder=1 if colour != INK else 2)

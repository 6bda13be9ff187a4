"""What every function that draws begins with: the look of the house around it, an empty figure, axes without a frame.

A function that draws is decorated `@in_house_style`, begins with `new_figure(width, height)` and returns it. No module
of this folder imports matplotlib before that, because it is optional and slow to import.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, cast

from netwright.show.pictures import SIGNED
from netwright.show.plot.style import WIDTH, house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
LONGEST = 40  # characters of a name


def in_house_style(draw: "Callable[P, Figure]") -> "Callable[P, Figure]":
    """Make a function that draws a figure draw it in the look of this module.

    Raises: MissingExtraError, when the function is called, where matplotlib is not installed.
    """

    @wraps(draw)
    def drawn(*args: P.args, **named: P.kwargs) -> "Figure":
        with house_style(f"nw.plot.{draw.__name__}"):
            return draw(*args, **named)

    return drawn


def new_figure(width: float = WIDTH, height: float = 3.0) -> "Figure":
    """An empty figure, in inches, that belongs to no window and is shown by a notebook when it is a cell's value."""
    from netwright.show.plot.house_figure import HouseFigure

    return HouseFigure(figsize=(width, height))


def only_axes(figure: "Figure") -> "Axes":
    """The axes of a picture with one part."""
    return figure.add_subplot()


def plain_name(name: object) -> str:
    """A name that a user gave as matplotlib writes it letter by letter, without its middle if it is long.

    Matplotlib takes what stands between two signs "$" for a formula, and has no place in a legend for a name that
    begins with "_". So that sign is marked, and a thin space stands before the other.

    Example:
        >>> plain_name("in $")
        'in \\\\$'
    """
    text = str(name)
    text = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[1 - LONGEST // 2 :]}"
    text = text.replace("$", r"\$")
    return f"\u2009{text}" if text.startswith("_") else text


def without_frame(axes: "Axes") -> None:
    """Take away ticks, grid and frame: of an image, and of a graph."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def signed_colours() -> Any:
    """Colours for numbers below and above 0, with 0 in the middle; where there is no number, nothing is drawn."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("netwright-signed", [[c / 255 for c in colour] for colour in SIGNED])


def scale_beside(figure: "Figure", axes: Any, image: Any, alpha: float | None = None) -> None:
    """The scale of an image, beside its axes; `alpha` if the image is pale."""
    from matplotlib.ticker import MaxNLocator

    bar = figure.colorbar(image, ax=axes, aspect=14, pad=0.02, shrink=min(1.0, 2 / figure.get_figheight()), alpha=alpha)
    cast(Any, bar.outline).set_visible(False)
    bar.locator = MaxNLocator(4)
    bar.ax.grid(visible=False)
    bar.update_ticks()

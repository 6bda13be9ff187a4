"""The one look of all pictures: colours, sizes and settings of matplotlib, applied for the length of a block."""

from collections.abc import Mapping
from typing import Any

from netwright.errors import missing_extra

INK, LINE, PAPER = "#1f2328", "#d0d7de", "#fefefe"  # the page of the book writes them anew in its dark form
BLUE, ORANGE, GREEN, RED, VIOLET, GRAY = "#3b7dd8", "#d9792b", "#2f9e6e", "#d1495b", "#8a63d2", "#8b949e"
CYCLE = (BLUE, ORANGE, GREEN, RED, VIOLET, GRAY)
WIDTH = 5.8  # inches: the column of a page
SMALL = 9  # points of the smallest text
NORMAL = 10

STYLE: Mapping[str, Any] = {
    "figure.facecolor": PAPER,
    "figure.dpi": 144,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "netwright",
    "font.size": NORMAL,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": NORMAL,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler('color', {CYCLE})",
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "image.interpolation": "nearest",
}
"""The settings of matplotlib that differ from its own defaults."""


def house_style(why: str) -> Any:
    """Matplotlib's settings for the length of a block: its own, with those of `STYLE`.

    Fields: `why` what needs matplotlib, for the error where it is not installed.
    """
    try:
        from matplotlib import style
    except ImportError:
        missing_extra("matplotlib", "plot", why)
    return style.context(["default", dict(STYLE)])

"""The figure that every picture is: it keeps its look when it is drawn, and a notebook shows it by itself.

Matplotlib makes ticks and lays a figure out when it draws, after the function that made the figure has returned. So the
look is applied then, too. Only `blank.new_figure` imports this module, because it imports matplotlib.
"""

import io
import warnings
from typing import Any

from matplotlib.figure import Figure

from netwright.show.plot.style import house_style

WHY = "a picture of nw.plot"


class HouseFigure(Figure):
    """A figure of matplotlib with everything that such a figure can do."""

    def draw(self, renderer: Any) -> None:
        with house_style(WHY):
            super().draw(renderer)

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        with house_style(WHY):
            super().savefig(fname, **kwargs)

    def _repr_svg_(self) -> str:
        text = io.StringIO()
        with warnings.catch_warnings():  # a browser has other fonts than matplotlib, and writes the texts itself
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            self.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()

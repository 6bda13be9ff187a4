"""Draws a net: a box for each part, edges with sizes, containers as frames; as a picture, a page and a tree of text."""

from functools import cached_property
from pathlib import Path

from netwright.errors import NetError
from netwright.fields import plain
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.regular import write_file
from netwright.show.draw.page import document, page
from netwright.show.draw.picture import NARROW, NetPicture, picture
from netwright.show.draw.tree import tree
from netwright.show.draw.units import unit_picture
from netwright.value import Value

PHONE = 360  # pixels: the width of the second picture of a page


class Drawing(Value):
    """A net as a picture. A notebook shows it as a page that answers, a terminal as a tree of the parts.

    Fields:
        net: what is drawn.
        picture: its picture.
        depth: how many levels of containers are opened.
        units: whether every number of a value is drawn.
    """

    net: Net
    picture: NetPicture
    depth: int
    units: bool

    @property
    def svg(self) -> str:
        """The text of the picture, complete in itself."""
        return self.picture.svg

    @property
    def width(self) -> int:
        """In pixels."""
        return self.picture.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.picture.height

    def save(self, path: str | Path) -> None:
        """Write the picture to a file that ends in .svg, or the page to one that ends in .html.

        The page is one file and needs no network. Its containers open, its parts can be searched, and it shows the
        options and arrays of each part. Without its script it is the picture.

        Raises: FileError where it cannot be written; NetError for another ending.
        """
        kind = Path(path).suffix.lower()
        if kind not in (".svg", ".html"):
            raise NetError(
                what="a drawing is saved as a picture or as a page",
                where=str(path),
                expected="a name that ends in .svg or .html",
                got=repr(kind),
            )
        text = self.svg if kind == ".svg" else document(f"{type(self.net).__name__}: a net", self._html)
        write_file(Path(path), text, "the drawing")

    @cached_property
    def _html(self) -> str:
        wide = self.picture
        narrow = wide if wide.width_asked < NARROW or self.units else picture(self.net, self.depth, PHONE)
        return page(self.net, wide, narrow)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return tree(self.net, self.depth)


def draw(net: Net, *, depth: int = 1, width: int = 1120, units: bool = False) -> Drawing:
    """A picture of a net: its parts, their connections, and the sizes of the values between them.

    Boxes with square corners have learned weights, boxes with round corners have none. The colour shows the kind of a
    part. Values flow from left to right in rows that wrap at the width, in a picture narrower than 560 pixels from top
    to bottom. Branches are beside each other, and an edge that passes a part leads round it.

    Sizes are written at the inputs and where they change: a part whose values have no sizes keeps those that it reads.
    Three or more equal containers in a row are drawn once, with their number. Parts that share arrays have the same
    coloured letter. A dashed line leads the state of a `Fold` back to its beginning. Parts in a container that are not
    connected, as in `Parallel`, and the `body` of a `Residual`, `Map` or `Fold` have no frame, and count as no level.

    Fields:
        depth: how many levels of containers are opened; a deeper container is one box.
        width: the width in pixels that the picture may have; 1120 fits a desktop page, 360 a phone.
        units: whether each number of each value is drawn as a unit, with a line for each weight that connects two of
            them; lines of one colour have the same weight. For small chains.

    Raises: NetError for a depth below 1, a width below 200, or what is no whole number; with `units` for nets that are
        no chain of layers, have sizes that are not known, or too many units.

    Example:
        >>> import netwright as nw
        >>> nw.draw(nw.Chain(4, nw.relu, input=3))
        Chain  (3,) -> (4,)
        ├─ linear1  Linear(4)  (4,)
        └─ relu1    relu       (4,)
    """
    expect_net(net, "draw")
    whole_numbers = all(type(plain(size)) is int for size in (depth, width))
    if not whole_numbers or depth < 1 or width < 200:
        raise NetError(
            what="this drawing would show nothing" if whole_numbers else "depth and width are whole numbers",
            expected="depth of at least 1, width of at least 200",
            got=f"depth={depth!r}, width={width!r}",
        )
    return Drawing(net, unit_picture(net, width) if units else picture(net, depth, width), depth, units)

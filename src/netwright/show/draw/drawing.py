"""Draws a net as SVG: a box for each part, edges with sizes, containers as groups; boxes with weights are square."""

from pathlib import Path

from netwright.errors import NetError
from netwright.fields import plain
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.regular import write_file
from netwright.show.draw.scene import Scene, View
from netwright.show.draw.style import STYLE
from netwright.value import Value

MARGIN = 14.0
NARROW = 560  # pixels: in a picture that is less wide, values flow down


class Drawing(Value):
    """A net as a picture; a notebook shows it.

    Fields: `svg` its text, complete in itself; `width` and `height` in pixels.
    """

    svg: str
    width: int
    height: int

    def save(self, path: str | Path) -> None:
        """Write the SVG file.

        Raises: FileError where it cannot be written.
        """
        write_file(Path(path), self.svg, "the drawing")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Drawing({self.width} × {self.height})"


def draw(net: Net, *, depth: int = 1, width: int = 1120) -> Drawing:
    """A picture of a net: its parts, their connections, and the sizes of the values between them.

    Boxes with square corners have learned weights, boxes with round corners have none. The colour shows the kind of a
    part. Values flow from left to right in rows that wrap at the width, in a picture narrower than 560 pixels from top
    to bottom. Branches are beside each other, and an edge that passes a part leads round it.

    Three or more equal containers in a row are drawn once, with their number. Parts that share arrays have the same
    coloured letter. A dashed line leads the state of a `Fold` back to its beginning.

    Fields:
        depth: how many levels of containers are opened; a deeper container is one box.
        width: the width in pixels that the picture may have; 1120 fits a desktop page, 360 a phone.

    Raises: NetError for a depth below 1, a width below 200, or what is no whole number.

    Example:
        >>> import netwright as nw
        >>> nw.draw(nw.Chain(4, nw.relu, input=3))
        Drawing(472 × 75)
    """
    expect_net(net, "draw")
    whole_numbers = all(type(plain(size)) is int for size in (depth, width))
    if not whole_numbers or depth < 1 or width < 200:
        raise NetError(
            what="this drawing would show nothing" if whole_numbers else "depth and width are whole numbers",
            expected="depth of at least 1, width of at least 200",
            got=f"depth={depth!r}, width={width!r}",
        )
    plan = net.plan
    scene = Scene(View(plan, width < NARROW, _marks(plan)), net, "", depth, width - 2 * MARGIN, whole=True)
    wide, high = scene.width + 2 * MARGIN, scene.height + 2 * MARGIN
    text = f"{len(plan.steps)} part{'' if len(plan.steps) == 1 else 's'}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nw-net" viewBox="0 0 {wide:.0f} {high:.0f}" '
        f'width="{wide:.0f}" height="{high:.0f}" role="img" aria-label="a net of {text}"><style>{STYLE}</style>'
        f"{''.join(scene.drawn(MARGIN, MARGIN, {}))}</svg>"
    )
    return Drawing(svg, round(wide), round(high))


def _marks(plan: Plan) -> dict[str, int]:
    """The number of the shared arrays that each leaf uses, where several do."""
    numbers: dict[tuple[str, ...], int] = {}
    found: dict[str, int] = {}
    for spec in plan.arrays.values():
        if len(spec.users) > 1:
            number = numbers.setdefault(spec.users, len(numbers))
            found.update({user: found.get(user, number) for user in spec.users})
    return found

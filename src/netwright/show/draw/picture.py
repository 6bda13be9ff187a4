"""Writes a laid-out net, or one container of it, as an SVG."""

from collections.abc import Sequence

from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.show.draw.scene import Scene, View
from netwright.show.draw.style import STYLE
from netwright.value import Value

MARGIN = 14.0
NARROW = 560  # pixels: in a picture that is less wide, values flow down


class NetPicture(Value):
    """An SVG, complete in itself, and its sizes in pixels; `width_asked` is the width that it was made for."""

    svg: str
    width: int
    height: int
    width_asked: int

    @staticmethod
    def of(pieces: Sequence[str], wide: float, high: float, width_asked: int, words: str) -> "NetPicture":
        """The picture of pieces that reach so far, with a margin and the style; `words` are read aloud."""
        svg = _written(pieces, wide, high, f'role="img" aria-label="{words}"', f"<style>{STYLE}</style>")
        return NetPicture(svg, round(wide + 2 * MARGIN), round(high + 2 * MARGIN), width_asked)


def picture(net: Net, depth: int, width: int) -> NetPicture:
    """The picture of a whole net."""
    scene = Scene(view_of(net.plan, width), net, "", depth, width - 2 * MARGIN, whole=True, framed=False)
    words = f"a net of {len(net.plan.steps)} part{'' if len(net.plan.steps) == 1 else 's'}"
    return NetPicture.of(scene.drawn(0.0, 0.0, {}), scene.width, scene.height, width, words)


def inside_of(view: View, part: Node, path: str, width: int) -> str:
    """The picture of the inside of a container, for a page that has the style; paths begin at the container."""
    scene = Scene(view, part, path, 1, width - 80, whole=False, framed=False)
    svg = _written(scene.drawn(0.0, 0.0, {}), scene.width, scene.height, 'role="img"', "")
    return svg.replace(f'data-path="{path}/', 'data-path="')


def _written(pieces: Sequence[str], wide: float, high: float, words: str, style: str) -> str:
    size = f"{wide + 2 * MARGIN:.0f} {high + 2 * MARGIN:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nw-net" viewBox="{-MARGIN:g} {-MARGIN:g} {size}" '
        f'width="{wide + 2 * MARGIN:.0f}" height="{high + 2 * MARGIN:.0f}" {words}>{style}{"".join(pieces)}</svg>'
    )


def view_of(plan: Plan, width: int) -> View:
    """How a net is looked at in a picture of this width."""
    return View(plan, width < NARROW, _marks(plan))


def _marks(plan: Plan) -> dict[str, int]:
    """The number of the shared arrays that each leaf uses, where several do."""
    numbers: dict[tuple[str, ...], int] = {}
    found: dict[str, int] = {}
    for spec in plan.arrays.values():
        if len(spec.users) > 1:
            number = numbers.setdefault(spec.users, len(numbers))
            found.update({user: found.get(user, number) for user in spec.users})
    return found

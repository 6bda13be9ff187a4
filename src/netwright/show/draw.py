"""Draws a net as SVG: a box for each part, edges with sizes, containers as groups; boxes with weights are square."""

import html
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from netwright.errors import NetError, shortened
from netwright.fields import plain
from netwright.net.leaf import Family, LeafNode
from netwright.net.names import join_path
from netwright.net.node import Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.plan import Plan
from netwright.regular import write_file
from netwright.show.layout import APART, LANE, Edge, Item, Layout, Point, layout
from netwright.show.parts import kind_text, part_text, sizes_text
from netwright.value import Value

MARGIN = 14.0
CHARACTER, SMALL = 7.9, 6.3  # widths of a character of a name, and of a small text, in pixels
BOX = 46.0  # height
LONGEST = 24  # characters in a box
HEAD = 26.0  # of a group's name
INSIDE = 20.0  # from a group's border to what it holds
IN, OUT = "> ", "< "  # before the name of a port, where it is a key beside the names of parts

COLOURS: dict[Family | Literal["port"], tuple[str, str, str, str]] = {
    "conv": ("#dbe8fd", "#2f6bd0", "#17305c", "#6ea2f5"),
    "linear": ("#e6defb", "#6b46c1", "#33265c", "#a98bf0"),
    "sequence": ("#fbdfe9", "#b83268", "#4a1a30", "#ee7fae"),
    "norm": ("#d6f2ee", "#168a7c", "#113f3a", "#4fc4b4"),
    "pool": ("#def3dc", "#3b8f36", "#1d4220", "#78c673"),
    "shape": ("#eceff4", "#76829a", "#2b3240", "#8a96ac"),
    "pointwise": ("#fdebd0", "#c2760c", "#4d3410", "#eeab4c"),
    "loss": ("#fbdcd9", "#c0392b", "#4d1d18", "#f0897e"),
    "code": ("#f3ead2", "#8a6d1f", "#3b3216", "#d8b75a"),
    "other": ("#f6f7f9", "#5d6778", "#1d2330", "#a3aec0"),
    "port": ("#ffffff", "#1d2433", "#131824", "#e8ecf4"),
}
"""The colours of each family of leaves: box and border on a light page, box and border on a dark one."""


def _variables(box: int) -> str:
    """The colours as CSS variables: those of the light page begin at 0, those of the dark one at 2."""
    return ";".join(f"--{name}:{one[box]};--{name}-e:{one[box + 1]}" for name, one in COLOURS.items())


VARIABLES = f"""
.nw-net{{--ink:#1d2433;--soft:#5d6778;--line:#8d97a8;--group:#8d97a822;{_variables(0)};
font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif}}
@media (prefers-color-scheme:dark){{.nw-net{{--ink:#e8ecf4;--soft:#a3aec0;--line:#76829a;--group:#a3aec016;
{_variables(2)}}}}}"""
STYLE = (
    VARIABLES
    + """
.nw-net .edge{fill:none;stroke:var(--line);stroke-width:1.5}.nw-net .tip{fill:var(--line)}
.nw-net .size{font-size:10.5px;fill:var(--soft);text-anchor:middle}
.nw-net .name{font-size:13px;font-weight:600;fill:var(--ink);text-anchor:middle}
.nw-net .what{font-size:10.5px;fill:var(--soft);text-anchor:middle}
.nw-net .head{font-size:12px;font-weight:600;fill:var(--soft)}
.nw-net .group{fill:var(--group);stroke:var(--line);stroke-dasharray:4 4}
.nw-net .box{stroke-width:1.5}
"""
    + "".join(f".nw-net .{name}{{fill:var(--{name});stroke:var(--{name}-e)}}" for name in COLOURS)
)


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
    part. Values flow from left to right, branches are one below the other, and rows wrap at the width.

    Fields:
        depth: how many levels of containers are opened; a deeper container is one box.
        width: the width in pixels at which rows wrap; 1120 fits a desktop page, 360 a phone.

    Raises: NetError for a depth below 1, a width below 200, or what is no whole number.

    Example:
        >>> import netwright as nw
        >>> nw.draw(nw.Chain(4, nw.relu, input=3))
        Drawing(507 × 74)
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
    group = _Group(net, plan, "", depth, width - 2 * MARGIN)
    whole, high = group.layout.width + 2 * MARGIN, group.layout.height + 2 * MARGIN
    text = f"{len(plan.steps)} part{'' if len(plan.steps) == 1 else 's'}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nw-net" viewBox="0 0 {whole:.0f} {high:.0f}" '
        f'width="{whole:.0f}" height="{high:.0f}" role="img" aria-label="a net of {text}"><style>{STYLE}</style>'
        f"{''.join(group.drawn(MARGIN, MARGIN))}</svg>"
    )
    return Drawing(svg, round(whole), round(high))


class _Box(Value):
    """One part, or one port of the net, as a box with two lines of text."""

    name: str
    what: str
    family: str
    round: bool
    outputs: int = 1

    @property
    def height(self) -> float:
        """Room for the lines that leave it."""
        return max(BOX, APART * self.outputs + 10)

    @property
    def width(self) -> float:
        ends = 34 if self.round else 22
        return max(76.0, len(self.name) * CHARACTER + ends, len(self.what) * SMALL + ends)

    def drawn(self, x: float, y: float) -> list[str]:
        """The SVG of the box, its corner at (x, y)."""
        middle, corner, line = x + self.width / 2, BOX / 2 if self.round else 4, y + (self.height - BOX) / 2
        return [
            f'<rect class="box {self.family}" x="{x:.1f}" y="{y:.1f}" width="{self.width:.1f}" '
            f'height="{self.height:g}" rx="{corner:g}"/>',
            f'<text class="name" x="{middle:.1f}" y="{line + 20:.1f}">{html.escape(self.name)}</text>',
            f'<text class="what" x="{middle:.1f}" y="{line + 35:.1f}">{html.escape(self.what)}</text>',
        ]


class _Group:
    """One level of a net, laid out: its boxes, the groups inside it, its edges, and the ports at its border."""

    def __init__(self, node: Node, plan: Plan, path: str, depth: int, width: float) -> None:
        self.children: dict[str, _Box | _Group] = {}
        self.edges: list[Edge] = []
        self.entries = [f"{IN}{name}" for name in node.input_names]
        self.exits = [f"{OUT}{name}" for name in node.output_names]
        if isinstance(node, ContainerNode):
            self._open(node, plan, path, depth, width)
        else:
            self._leaf(node, plan)
        if isinstance(node, Net) and not path:
            self._ports(node)
        self.layout: Layout = layout(self._items(), list(dict.fromkeys(self.edges)), width, SMALL)

    @property
    def width(self) -> float:
        """With its border."""
        return self.layout.width + 2 * INSIDE

    @property
    def height(self) -> float:
        """With its border and its name."""
        return self.layout.height + 2 * HEAD  # as much below: the middle of the border is the middle of the contents

    def drawn(self, x: float, y: float) -> list[str]:
        """The SVG of everything in it, the corner of its contents at (x, y)."""
        pieces: list[str] = []
        for edge, route in self.layout.routes.items():
            pieces += _edge(
                [(x + a, y + b) for a, b in route], tip=edge.end not in self.exits or edge.end in self.children
            )
        for key, child in self.children.items():
            left, above = self.layout.places[key]
            if isinstance(child, _Box):
                pieces += child.drawn(x + left, y + above)
            else:
                ends = {f"{OUT}{value}": y + b for (start, value), b in self.layout.leaves.items() if start == key}
                pieces += child.framed(key, x + left, y + above, ends)
        for text, (a, b) in self.layout.labels:
            pieces.append(f'<text class="size" x="{x + a:.1f}" y="{y + b:.1f}">{html.escape(text)}</text>')
        return pieces

    def framed(self, name: str, x: float, y: float, leaves: Mapping[str, float]) -> list[str]:
        """The SVG of the group with its border, its corner at (x, y), its ports led to the sides.

        Inputs come in the middle of the left; `leaves` is the height at which an output leaves on the right.
        """
        frame = f'x="{x:.1f}" y="{y:.1f}" width="{self.width:.1f}" height="{self.height:.1f}"'
        pieces = [
            f'<rect class="group" {frame} rx="10"/>',
            f'<text class="head" x="{x + 12:.1f}" y="{y + 18:.1f}">{html.escape(name)}</text>',
        ]
        left, above, middle = x + INSIDE, y + HEAD, y + self.height / 2
        for keys, side in ((self.entries, x), (self.exits, x + self.width)):
            for key in keys:
                a, b = self.layout.places[key]
                ends = [(side, leaves.get(key, middle)), (left + a, above + b + LANE / 2)]
                pieces += _edge(ends if side == x else ends[::-1], tip=False)
        return pieces + self.drawn(left, above)

    def _items(self) -> list[Item]:
        """Entries, children, exits: an order in which every edge leads forward."""
        keys = [*self.entries, *(key for key in self.children if key not in (*self.entries, *self.exits)), *self.exits]
        items: list[Item] = []
        for key in keys:
            child = self.children.get(key)
            height = LANE if child is None else child.height
            items.append(Item(key, 0.0 if child is None else child.width, height))
        return items

    def _open(self, node: ContainerNode, plan: Plan, path: str, depth: int, width: float) -> None:
        labels = {("", name): self._entry(plan, path, name) for name in node.input_names}
        for call in node.level.calls:
            here = join_path(path, call.name)
            if isinstance(call.part, ContainerNode) and depth > 1:
                self.children[call.name] = _Group(call.part, plan, here, depth - 1, width - 2 * INSIDE)
            else:
                self.children[call.name] = _box(call.name, call.part, len(plan.value(here) or ()))
            for port, slot in plan.value(here) or ():
                labels[call.name, port] = sizes_text(plan, ((port, slot),))
            for _, ref in call.reads:
                self.edges.append(_from(ref, call.name, labels.get(ref, "")))
        made, inner = dict(plan.wiring.outputs), dict(node.level.outputs)
        each = [] if node.each is None else [*node.each.gives, *node.each.carry]  # these outputs get the axis back
        for name, ref in [(name, inner[output]) for name, output in each] or node.level.outputs:
            label = sizes_text(plan, ((name, made[name]),)) if each and not path else labels.get(ref, "")
            self.edges.append(_from(ref, f"{OUT}{name}", "" if path else label))

    def _leaf(self, node: Node, plan: Plan) -> None:
        name = kind_text(node)
        self.children[name] = _box(name, node, len(plan.wiring.outputs))
        self.edges += [Edge(f"{IN}{port}", name, self._entry(plan, "", port)) for port in node.input_names]
        for port, slot in plan.wiring.outputs:
            self.edges.append(Edge(name, f"{OUT}{port}", sizes_text(plan, ((port, slot),)), port))

    def _entry(self, plan: Plan, path: str, port: str) -> str:
        """The sizes at an input of the net; inside a group they are not repeated."""
        return "" if path else sizes_text(plan, ((port, ("", port)),))

    def _ports(self, net: Net) -> None:
        """The encoders and decoders at the border of the whole net."""
        for mark, codecs, words in ((IN, net.inputs, "as it is"), (OUT, net.outputs, "not decoded")):
            for name, codec in codecs.items():
                text = words if codec is None else shortened(repr(codec), LONGEST)
                self.children[f"{mark}{name}"] = _Box(name, text, "port", round=True)


def _from(ref: tuple[str, str], end: str, label: str) -> Edge:
    """An edge that carries what a reference names: a value of a part, or of an input port."""
    return Edge(ref[0], end, label, ref[1]) if ref[0] else Edge(f"{IN}{ref[1]}", end, label)


def _box(name: str, part: Node, outputs: int) -> _Box:
    learns = any(weight.kind == "learned" for leaf in _leaves(part) for weight in leaf.weights().values())
    family = part.family if isinstance(part, LeafNode) else "other"
    return _Box(name, shortened(part_text(part), LONGEST), family, not learns, outputs)


def _leaves(part: Node) -> list[LeafNode]:
    if isinstance(part, ContainerNode):
        return [leaf for call in part.level.calls for leaf in _leaves(call.part)]
    return [part] if isinstance(part, LeafNode) else []


def _edge(points: Sequence[Point], *, tip: bool) -> list[str]:
    """A line through points: straight along an axis, curved where it changes its height."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        if abs(y1 - y2) < 0.1 or abs(x1 - x2) < 0.1:
            path += f"L{x2:.1f} {y2:.1f}"
        else:
            bend = (x1 + x2) / 2
            path += f"C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    pieces = [f'<path class="edge" d="{path}"/>']
    if tip:
        x, y = points[-1]
        pieces.append(f'<path class="tip" d="M{x:.1f} {y:.1f}l-7 -4v8z"/>')
    return pieces

"""One container of a net as a picture: its boxes, the containers opened inside it, its edges and their sizes."""

import html
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from netwright.errors import shortened
from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.level import Ref
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.show.draw.boxes import Box, part_box, port_box, shortened_name, spread
from netwright.show.draw.contents import Contents, DrawnPart, contents
from netwright.show.draw.items import APART, LANE, LEAST_GAP, Edge, Item, Layout, Point
from netwright.show.draw.layout import layout
from netwright.show.draw.lines import line
from netwright.show.draw.style import PLAIN, TITLE
from netwright.show.parts import sizes_text
from netwright.value import Value

HEAD, FOOT = 28.0, 12.0  # of a frame: its name is in the first
SIDES = {False: 12.0, True: 8.0}  # from a frame's border to what it holds: wide, narrow
LOOP = 10.0  # for each state of a fold that goes back to its beginning
IN, OUT = "> ", "< "  # before the name of a port, where it is a key beside the names of parts
PLAIN_KINDS = ("Chain", "Graph")  # of frames: what they are is seen
TRIES, LEAST_ROOM = 5, 120.0  # how often frames are made narrower, and how narrow, where a level is too wide
LABEL = 24  # characters of the sizes of a value


class View(Value):
    """How a net is looked at.

    Fields:
        plan: of the whole net.
        down: whether values flow down, as in a narrow picture, or to the right.
        marks: the number of the shared arrays that the part at a path uses.
    """

    plan: Plan
    down: bool
    marks: Mapping[str, int]


class Scene:
    """A container laid out."""

    def __init__(
        self, view: View, node: Node, path: str, depth: int, room: float, *, whole: bool, framed: bool
    ) -> None:
        self.view, self.node, self.path, self.room = view, node, path, room
        self.whole, self.framed = whole, framed
        self.each = node.each if isinstance(node, ContainerNode) else None
        self.contents: Contents = contents(node, view.plan, path, whole=whole)
        opened: list[DrawnPart] = []
        self.boxes: dict[str, Box] = {}
        for part in self.contents.parts:
            if isinstance(part.part, ContainerNode) and (depth > 1 or not part.path):
                opened.append(part)
            else:
                self.boxes[part.key] = part_box(part, room, view.marks.get(part.path, -1))
        if whole and isinstance(node, Net):
            self._ports(node)
        inside = room if view.down or whole else room - 2 * LEAST_GAP
        for _ in range(TRIES):
            self.frames: dict[str, Frame] = {part.key: Frame(view, part, depth - 1, inside) for part in opened}
            self._connect()
            length, breadth = (None, room) if view.down else (room, None)
            self.layout: Layout = layout(self._items(), list(self.edges), length=length, breadth=breadth)
            over = self.width - room
            if over <= 0 or not opened:
                break
            widest = max(frame.width for frame in self.frames.values())
            inside = max(LEAST_ROOM, min(inside, widest) - over)

    @property
    def width(self) -> float:
        """In pixels."""
        return self.layout.across if self.view.down else self.layout.along

    @property
    def height(self) -> float:
        """In pixels."""
        return self.layout.along if self.view.down else self.layout.across

    def point(self, place: Point) -> Point:
        """A place in pixels, x and y."""
        return (place[1], place[0]) if self.view.down else place

    def drawn(self, x: float, y: float, reach: Mapping[str, float]) -> list[str]:
        """The SVG of everything in it, its corner at (x, y); `reach` is how far edges at a border go beyond it."""
        pieces: list[str] = []
        for edge, route in self.layout.routes.items():
            points = list(route)
            if edge.start.startswith(IN) and edge.start not in self.boxes:
                points[0] = (points[0][0] - reach.get(edge.start, 0.0), points[0][1])
            if edge.end.startswith(OUT) and edge.end not in self.boxes:
                points[-1] = (points[-1][0] + reach.get(edge.end, 0.0), points[-1][1])
            shown = [(x + a, y + b) for a, b in map(self.point, points)]
            pieces += line(shown, down=self.view.down, tip=edge.end in self.boxes)
        for key, box in self.boxes.items():
            left, above = self.point(self.layout.places[key])
            along, across = self.layout.sizes[key]
            size = (box.width, along) if self.view.down else (along, across)
            pieces += box.drawn(x + left, y + above, *size)
        for key, frame in self.frames.items():
            left, above = self.point(self.layout.places[key])
            inputs = {edge.port for edge in self.edges if edge.end == key}
            outputs = {edge.value for edge in self.edges if edge.start == key}
            pieces += frame.drawn(x + left, y + above, inputs, outputs)
        texts = {edge.source: text for edge, text in self.edges.items()}
        for source, place in self.layout.labels.items():
            left, above = self.point(place)
            left, above = (left + 6, above + 11) if self.view.down else (left + 2, above - 5)
            pieces.append(
                f'<text class="size" x="{x + left:.1f}" y="{y + above:.1f}">{html.escape(texts[source])}</text>'
            )
        return pieces

    def _connect(self) -> None:
        """The edges, each with the sizes of its value where these are written.

        Sizes that are new at the end of a frame are written behind it.
        """
        labels = self._labels()
        wanted: list[tuple[Ref, str, str]] = [
            (ref, part.key, port) for part in self.contents.parts for port, ref in part.reads
        ]
        inner = {ref for ref, _, _ in wanted}
        outputs = self.contents.outputs
        wanted += [(ref, f"{OUT}{name}", "") for name, ref in outputs]
        behind = set(labels) - inner if self.framed and self.each is None else set[Ref]()
        self.behind = {name for name, ref in outputs if ref in behind}
        labels = {ref: text for ref, text in labels.items() if ref not in behind}
        self.edges: dict[Edge, str] = {}  # with their labels
        self.sent: dict[str, dict[str, str]] = {}  # of each item the values that are read of it, with their labels
        for (start, value), end, port in wanted:
            label = labels.get((start, value), "")
            edge = (
                Edge(start, value, end, port, self._room(label))
                if start
                else Edge(f"{IN}{value}", "", end, port, self._room(label))
            )
            self.edges[edge] = label
            self.sent.setdefault(edge.start, {})[edge.value] = label

    def _labels(self) -> dict[Ref, str]:
        """The sizes of the values where they are new: at the beginning, and where a part gives others than it reads."""
        plan, inputs = self.view.plan, dict[str, Slot]()
        if not self.framed:
            inputs = dict(plan.given(self.path) or ((name, ("", name)) for name in self.contents.inputs))
        if self.each is not None and not self.whole:  # each part has one element of these
            apart = (*self.each.over, *(port for port, _ in self.each.carry))
            inputs |= {name: (self.path or self.node.kind_name, name) for name in apart}
        found = {("", name): sizes_text(plan, ((name, slot),)) for name, slot in inputs.items()}
        for part in self.contents.parts:
            for port, slot in part.gives:
                text = sizes_text(plan, ((port, slot),))
                if self._is_new(part, port, text):
                    found[part.key, port] = text
        return {ref: shortened(text, LABEL) for ref, text in found.items()}

    def _is_new(self, part: DrawnPart, port: str, text: str) -> bool:
        """Whether a part gives other sizes than it reads; an opened one, whether its last part does."""
        plan, frame = self.view.plan, self.frames.get(part.key)
        if frame is None or frame.scene.each is not None:
            return {sizes_text(plan, (one,)) for one in part.takes} != {text}
        first = dict(plan.value(part.path) or ())[port]  # of many equal parts the first is shown
        return port in frame.scene.behind or sizes_text(plan, ((port, first),)) != text

    def _room(self, label: str) -> float:
        """How far a label reaches along."""
        if not label:
            return 0.0
        return 18.0 if self.view.down else len(label) * PLAIN + 10

    def _ports(self, net: Net) -> None:
        """The encoders and decoders at the border of the whole net."""
        for sign, codecs, words in ((IN, net.inputs, "as it is"), (OUT, net.outputs, "not decoded")):
            for name, codec in codecs.items():
                self.boxes[f"{sign}{name}"] = port_box(name, words if codec is None else repr(codec), self.room)

    def _items(self) -> list[Item]:
        """Entries, parts, exits: an order in which every edge leads forward."""
        ends = [(f"{IN}{name}", "first") for name in self.contents.inputs]
        parts = self.contents.parts
        inside = [self._frame_item(part.key) if part.key in self.frames else self._box_item(part) for part in parts]
        return [
            *(self._end(key, place) for key, place in ends),
            *inside,
            *(self._end(f"{OUT}{name}", "last") for name, _ in self.contents.outputs),
        ]

    def _end(self, key: str, place: str) -> Item:
        """A port of the whole net as a box, or the end of an edge at the border."""
        label = next(iter(self.sent.get(key, {}).values()), "")
        if key not in self.boxes:
            beside = len(label) * PLAIN if self.view.down else 0.0
            return Item(key, 0.0, LANE + beside, LANE / 2, place=place)
        box = self.boxes[key]
        if self.view.down:
            return Item(key, box.height, max(box.width, box.width / 2 + 10 + len(label) * PLAIN), box.width / 2)
        return Item(key, box.width, box.height, box.height / 2, even=True)

    def _box_item(self, part: DrawnPart) -> Item:
        box, values = self.boxes[part.key], self.sent.get(part.key, {})
        if not self.view.down:
            height = max(box.height, APART * len(values) + 8)
            outs = spread(len(values), height, [APART] * len(values))
            return Item(part.key, box.width, height, height / 2, outs=dict(zip(values, outs, strict=True)), even=True)
        apart = [max(APART, len(text) * PLAIN + 14) for text in values.values()]
        outs = spread(len(values), box.width, apart)
        ends = [out + 10 + len(text) * PLAIN for out, text in zip(outs, values.values(), strict=True)]
        reach = max(box.width, *ends) if ends else box.width
        return Item(part.key, box.height, reach, box.width / 2, outs=dict(zip(values, outs, strict=True)))

    def _frame_item(self, key: str) -> Item:
        frame, values = self.frames[key], self.sent.get(key, {})
        if not self.view.down:
            return Item(key, frame.width, frame.height, frame.height / 2, frame.ins, frame.outs)
        reach = max([frame.width, *(frame.outs[value] + 10 + len(text) * PLAIN for value, text in values.items())])
        return Item(key, frame.height, reach, frame.width / 2, frame.ins, frame.outs)


class Frame:
    """An opened container with its border and its name; states of a fold go round it, back to its beginning."""

    def __init__(self, view: View, drawn: DrawnPart, depth: int, room: float) -> None:
        each = drawn.part.each if isinstance(drawn.part, ContainerNode) else None
        self.view, self.drawn_part = view, drawn
        self.carry = () if each is None else tuple(port for port, _ in each.carry)
        loops, side = LOOP * len(self.carry), SIDES[view.down]
        self.before = ((HEAD if view.down else side) + loops, side if view.down else HEAD)  # along, across
        self.after = ((FOOT if view.down else side) + loops, (side if view.down else FOOT) + loops)
        beside = self.before[view.down] + self.after[view.down]
        self.scene = Scene(view, drawn.part, drawn.path, depth, room - beside, whole=False, framed=True)
        self.title = _title(drawn, of_elements=each is not None)
        least = len(drawn.name) * 2 * TITLE + 40 if view.down else len(self.title) * TITLE + 24
        least = min(least, room)
        short = max(0.0, least - self.scene.width - beside)  # the name needs more than the contents
        if view.down:
            self.before = (self.before[0], self.before[1] + short / 2)
        self.width = self.scene.width + beside + short
        self.height = self.scene.height + self.before[not view.down] + self.after[not view.down]

    @property
    def ins(self) -> dict[str, float]:
        """Where each input meets the border, across."""
        return {name: self._across(f"{IN}{name}") for name in self.scene.contents.inputs}

    @property
    def outs(self) -> dict[str, float]:
        """Where each output meets the border, across."""
        return {name: self._across(f"{OUT}{name}") for name, _ in self.scene.contents.outputs}

    def drawn(self, x: float, y: float, inputs: AbstractSet[str], outputs: AbstractSet[str]) -> list[str]:
        """The SVG of the frame, its corner at (x, y), with the ends of the inputs and outputs that others use."""
        part, down = self.drawn_part, self.view.down
        frame = f'width="{self.width:.1f}" height="{self.height:.1f}" rx="10"'
        where = html.escape(part.path)
        pieces = [f'<g class="opened" data-path="{where}"><title>{where}</title>']
        if len(part.alike) > 1:
            pieces.append(f'<rect class="group" x="{x + 5:.1f}" y="{y - 5:.1f}" {frame}/>')
            pieces.append(f'<rect class="paper" x="{x:.1f}" y="{y:.1f}" {frame}/>')
        pieces += [f'<rect class="group" x="{x:.1f}" y="{y:.1f}" {frame}/>', self._head(x, y, inputs), "</g>"]
        along = self.width - self.before[0] if not down else self.height - self.before[0]
        reach = {f"{IN}{name}": self.before[0] for name in inputs}
        reach |= {f"{OUT}{name}": along - self.scene.layout.places[f"{OUT}{name}"][0] for name in outputs}
        for number, port in enumerate(self.carry):
            loop = [self.scene.point((a + self.before[0], b + self.before[1])) for a, b in self._loop(number, port)]
            pieces += line([(x + a, y + b) for a, b in loop], down=down, tip=True, kind="edge loop")
        left, above = self.scene.point(self.before)
        return [*pieces, *self.scene.drawn(x + left, y + above, reach)]

    def _across(self, key: str) -> float:
        return self.scene.layout.places[key][1] + LANE / 2 + self.before[1]

    def _loop(self, number: int, port: str) -> list[Point]:
        """The way of a state from the end of the fold round its contents to the beginning."""
        places, out = self.scene.layout.places, 7 + LOOP * number
        start, end = places[f"{OUT}{port}"], places[f"{IN}{port}"]
        begins, ends = end[1] + LANE / 2, start[1] + LANE / 2
        beyond, below = self.scene.layout.along + out, self.scene.layout.across + out
        return [(start[0], ends), (beyond, ends), (beyond, below), (-out, below), (-out, begins), (0.0, begins)]

    def _head(self, x: float, y: float, inputs: AbstractSet[str]) -> str:
        """The frame's name; in a narrow picture on the side of the lines that come in where there is more room."""
        begins, ends = 12.0, self.width
        if self.view.down and inputs:
            lines = [self.ins[name] for name in inputs]
            if self.width - max(lines) > min(lines):
                begins = max(lines) + 8
            else:
                ends = min(lines)
        room = int((ends - begins - 6) / TITLE)
        text = self.title if len(self.title) <= room else shortened_name(self.drawn_part.name, room)
        return f'<text class="head" x="{x + begins:.1f}" y="{y + 18:.1f}">{html.escape(text)}</text>'


def _title(drawn: DrawnPart, *, of_elements: bool) -> str:
    """The name of a frame, with what is not plain about it: many equal containers, an own kind, a loop."""
    kind = type(drawn.part).__name__
    said = [] if kind in PLAIN_KINDS or kind == drawn.name else [kind]
    if len(drawn.alike) > 1:
        said.append(f"{len(drawn.alike)} times")
    if of_elements:
        said.append("for each element")
    return " · ".join([drawn.name, *said])

"""One part, or one port of the net, as a box with its texts: how large it is, and how it is written."""

import html
import re
from collections.abc import Sequence

from netwright.errors import shortened
from netwright.net.leaf import LeafNode
from netwright.net.node import Node
from netwright.net.plan.container import ContainerNode
from netwright.show.draw.contents import DrawnPart, has_learned
from netwright.show.draw.style import BOLD, MARKS, PLAIN
from netwright.show.parts import kind_text, part_text
from netwright.value import Value

LOW, LINE = 34.0, 13.0  # the height of a box with one line, and of each line more
LEAST, MOST = 60.0, 170.0  # the width of a box
FULL = 160.0  # a wider box gets another line, if its text can be broken behind a comma
LINES = 3  # of the text below a name


class Box(Value):
    """A box.

    Fields:
        name: in bold; `what` are the lines below.
        family: of its colour.
        round: whether its corners are round: nothing in it is learned.
        path, tip: what a page knows it by, and the whole text that a pointer shows.
        mark: the number of the shared arrays that it uses, from 0; -1 for none.
        many: whether it stands for several equal parts.
    """

    name: str
    what: tuple[str, ...]
    family: str
    round: bool
    path: str = ""
    tip: str = ""
    mark: int = -1
    many: bool = False

    @property
    def height(self) -> float:
        """The height that its lines need."""
        return LOW + LINE * len(self.what)

    @property
    def width(self) -> float:
        """The width that its lines need."""
        ends = 30 if self.round else 20
        return max(LEAST, len(self.name) * BOLD + ends, *(len(line) * PLAIN + ends for line in self.what))

    def drawn(self, x: float, y: float, width: float, height: float) -> list[str]:
        """The SVG of the box, its corner at (x, y)."""
        corner = min(height, self.height) / 2 if self.round else 4
        line = y + (height - self.height) / 2 + 21.5
        frame = f'width="{width:g}" height="{height:g}" rx="{corner:g}"'
        pieces = [f'<g class="part" data-path="{html.escape(self.path)}"><title>{html.escape(self.tip)}</title>']
        if self.many:
            pieces.append(f'<rect class="box {self.family}" x="{x + 4:g}" y="{y - 4:g}" {frame}/>')
        pieces.append(f'<rect class="box {self.family}" x="{x:g}" y="{y:g}" {frame}/>')
        for number, text in enumerate((self.name, *self.what)):
            kind, place = ("what", line + LINE * number + 1.5) if number else ("name", line)
            pieces.append(f'<text class="{kind}" x="{x + width / 2:g}" y="{place:g}">{html.escape(text)}</text>')
        if self.mark >= 0:
            pieces += mark(self.mark, x + width - 3, y + 3)
        return [*pieces, "</g>"]


def mark(number: int, x: float, y: float) -> list[str]:
    """A coloured dot with a letter, the same at all parts that share arrays."""
    colour, letter = MARKS[number % len(MARKS)], "abcdefghijklmnopqrstuvwxyz"[number % 26]
    return [
        f'<circle cx="{x:g}" cy="{y:g}" r="7" fill="{colour}"/>',
        f'<text class="mark" x="{x:g}" y="{y + 3.5:g}">{letter}</text>',
    ]


def part_box(drawn: DrawnPart, most: float, mark: int) -> Box:
    """The box of a part that is not opened, at most so wide."""
    part, count = drawn.part, len(drawn.alike)
    text = part_text(part) if isinstance(part, ContainerNode) else repr(part)
    if isinstance(part, ContainerNode) and part.each is not None and part.each.carry:
        text = f"{text} ↻"
    text = f"{count} × {text}" if count > 1 else text
    lines = () if _says_the_same(drawn.name, part) else wrapped(text, most)
    tip = repr(part) if isinstance(part, LeafNode) else text
    family = part.family if isinstance(part, LeafNode) else "other"
    name = shortened_name(drawn.name, int((min(most, MOST) - 30) / BOLD))
    return Box(name, lines, family, not has_learned(part), drawn.path, tip, mark, count > 1)


def _says_the_same(name: str, part: Node) -> bool:
    """Whether the name of a leaf already says its kind, and it has no options: `relu1` is relu."""
    plain = isinstance(part, LeafNode) and repr(part).removesuffix("()") == kind_text(part)
    return plain and re.sub(r"_?\d+$", "", name).replace("_", "").lower() == kind_text(part).lower()


def wrapped(text: str, most: float) -> tuple[str, ...]:
    """A text on at most three lines, broken behind commas and blanks; what does not fit is cut, and marked by "…"."""
    room, full = (int((min(most, width) - 30) / PLAIN) for width in (MOST, FULL))
    words = re.findall(r"\S+\s*", text)
    lines = [""]
    for word in words:
        most_here = full if lines[-1].endswith(", ") else room
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > most_here and len(lines) < LINES:
            lines.append("")
        lines[-1] += word
    return tuple(shortened(line.rstrip(), max(2, room)) for line in lines)


def shortened_name(name: str, most: int) -> str:
    """A name of at most so many characters: of a longer one the beginning and the end."""
    if len(name) <= most or most < 5:
        return name if len(name) <= max(most, 1) else name[: max(most, 1)]
    return f"{name[: most - most // 2 - 1]}…{name[-(most // 2) :]}"


def port_box(name: str, text: str, most: float) -> Box:
    """The box of an input or output of the whole net, with its codec."""
    shown = shortened_name(name, int((min(most, MOST) - 30) / BOLD))
    return Box(shown, wrapped(text, most), "port", round=True, tip=f"{name}: {text}")


def spread(count: int, reach: float, apart: Sequence[float]) -> list[float]:
    """Places of several values that leave one box of some reach; `apart` is the room after each."""
    needed = sum(apart[:-1])
    first = max(0.0, (reach - needed) / 2)
    return [first + sum(apart[:i]) for i in range(count)]

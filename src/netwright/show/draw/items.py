"""What a layout is about: items with sizes, edges between them, and the places that are found for both.

A layout has two directions: *along*, in which values flow, and *across*. In a wide picture along is to the right, in
a narrow one along is down.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias

from netwright.value import Value

Point: TypeAlias = tuple[float, float]  # along, across
Source: TypeAlias = tuple[str, str]  # an item and which of its values

LANE = 13.0  # how much of a layer an edge takes that passes it
APART = 18.0  # between the values that leave one box
BRANCH_GAP = 14.0  # between two boxes of one layer
LEAST_GAP = 24.0  # between layers; more where a label stands
BEND = 24.0  # of a gap, where edges change their place across: after the label, not through it
TURN = 12.0  # from the end of a row to where an edge turns to the next row
TRACK = 9.0  # between edges that turn side by side beside a row
STEP = 15.0  # between edges that pass between two rows: a label stands there
ROW_GAP = 40.0  # between rows: edges and their labels pass there


class Item(Value):
    """Something with a place in a layer: a box, a frame, or an end of an edge at the border.

    Fields:
        key: its name.
        along, across: its size.
        middle: where edges meet it that are not listed, from its beginning across.
        ins, outs: where the edges of single ports and values meet it.
        place: "first" and "last" for the ends of edges at the border of a frame.
        even: whether it gets the size along of the largest such item of its layer.
    """

    key: str
    along: float
    across: float
    middle: float
    ins: Mapping[str, float] = field(default_factory=dict[str, float])
    outs: Mapping[str, float] = field(default_factory=dict[str, float])
    place: str = ""
    even: bool = False

    def enters(self, port: str) -> float:
        """Where an edge to a port comes in."""
        return self.ins.get(port, self.middle)

    def leaves(self, value: str) -> float:
        """Where a value goes out."""
        return self.outs.get(value, self.middle)


class Edge(Value):
    """From a value of one item to a port of another; `room` is how far along its label reaches."""

    start: str
    value: str
    end: str
    port: str = ""
    room: float = 0.0

    @property
    def source(self) -> Source:
        """Edges with one source are drawn as one line that forks."""
        return self.start, self.value


class Layout(Value):
    """Where everything is.

    Fields:
        places: where each item begins; `sizes` its sizes along and across.
        routes: the points that each edge goes through.
        labels: where the label of each value begins, on its line.
        along, across: the size of the whole.
        rows: for each row how far it reaches along, and how far it could.
        crossings: how often two edges cross.
        turns: how many values go round the ends of rows.
    """

    places: Mapping[str, Point]
    sizes: Mapping[str, Point]
    routes: Mapping[Edge, tuple[Point, ...]]
    labels: Mapping[Source, Point]
    along: float
    across: float
    rows: tuple[tuple[float, float], ...]
    crossings: int
    turns: int

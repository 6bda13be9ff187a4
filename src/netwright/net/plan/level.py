"""The wiring of one container as a value: the calls of its parts, in an order that can be run."""

from typing import TypeAlias

from netwright.net.node import Node
from netwright.value import Value

Ref: TypeAlias = tuple[str, str]  # (name of a call, its output port); ("", input port) for an input of the container


class Call(Value):
    """One use of a part: where its inputs come from, and under which name its arrays are kept."""

    name: str
    part: Node
    reads: tuple[tuple[str, Ref], ...]  # (input port of the part, what it reads)
    place: str  # the name itself, but for a place that is called twice


class Level(Value):
    """The wiring of one container: its inputs, its calls in an order that can be run, its outputs."""

    inputs: tuple[str, ...]
    calls: tuple[Call, ...]
    outputs: tuple[tuple[str, Ref], ...]

    def part(self, name: str) -> Node | None:
        """The part called under this name."""
        return next((call.part for call in self.calls if call.name == name), None)


class PerElement(Value):
    """How a container applies its parts to every element of the first axis of its inputs.

    Fields:
        over: the input ports whose values are taken apart; the body sees the others whole.
        gives: pairs of an output's name and the output of the body whose values it collects.
        carry: pairs of a state port and the output of the body that is the state of the next element.
    """

    over: tuple[str, ...]
    gives: tuple[tuple[str, str], ...]
    carry: tuple[tuple[str, str], ...] = ()

"""The notation of ports: `"... in -> ... out"`, `"query: m d, key: n d -> m e"`, `"<10>"`, read once into values."""

import re
from functools import cache, cached_property
from typing import TypeAlias

from netwright.errors import NetError
from netwright.value import Value

INPUT, OUTPUT = "input", "output"  # the names of ports that have no name of their own
UNKNOWN = "?"
MOST_AXES = 64  # the most axes of one value


class Axis(Value):
    """One axis: `times` a number, a name, or `?`; `within` is the size it varies in, for `m[n]`.

    `28` is 28 times nothing, `16*k` is 16 times `k`, `n` is once `n`.
    """

    times: int = 1
    name: str = ""
    within: str = ""

    def __str__(self) -> str:
        if not self.name:
            return str(self.times)
        inner = f"[{self.within}]" if self.within else ""
        return (f"{self.times}*" if self.times != 1 else "") + self.name + inner


class AxisRun(Value):
    """A run of axes, none or many: `*s`, or `...`, the leading axes that a leaf never mixes."""

    name: str

    def __str__(self) -> str:
        return self.name if self.name == "..." else f"*{self.name}"


Item: TypeAlias = Axis | AxisRun


class Port(Value):
    """One port: its name, its axes, whether it may stay unconnected, and for indices the size they are below."""

    name: str
    axes: tuple[Item, ...]
    below: Axis | None = None
    optional: bool = False

    def __str__(self) -> str:
        axes = [str(axis) for axis in self.axes]
        return " ".join([*axes, f"<{self.below}>"] if self.below else axes) or "()"


class Ports(Value):
    """The input and output ports of a leaf."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """The names of the input ports, in order."""
        return tuple(port.name for port in self.inputs)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """The names of the output ports, in order."""
        return tuple(port.name for port in self.outputs)

    @property
    def states(self) -> tuple[str, ...]:
        """The ports that are inputs and outputs: the states that a leaf carries from one step to the next."""
        outputs = {port.name for port in self.outputs}
        return tuple(port.name for port in self.inputs if port.name in outputs)


@cache
def ports(text: str) -> Ports:
    """Both sides of `"in ports -> out ports"`.

    Example:
        >>> ports("x: n in, hidden?: out -> y: n out, hidden: out").states
        ('hidden',)
    """
    sides = text.split("->")
    if len(sides) != 2:
        raise _bad(text, "one arrow between the input ports and the output ports")
    if not sides[1].strip():
        raise _bad(text, "an output port behind the arrow; one without axes is ()")
    return Ports(_side(text, sides[0], INPUT), _side(text, sides[1], OUTPUT))


@cache
def port(text: str, name: str = INPUT) -> Port:
    """One port without a name: `"28 28 1"`, `"n <50>"`, `"()"`."""
    return _port(text, text, name)


@cache
def axes(text: str) -> tuple[Item, ...]:
    """A list of axes, as weights declare them: `"out in *window"`."""
    return tuple(_item(text, token) for token in text.split())


def _side(text: str, side: str, default: str) -> tuple[Port, ...]:
    found = tuple(_port(text, piece, default) for piece in side.split(",") if side.strip())
    names = [port.name for port in found]
    if len(set(names)) < len(names):
        raise _bad(text, "a different name for every port of a side")
    return found


def _port(text: str, piece: str, default: str) -> Port:
    name, colon, body = piece.rpartition(":")
    name = name.strip() if colon else default
    optional = name.endswith("?")
    name = name.removesuffix("?")
    if not name.isidentifier():
        raise _bad(text, "a port's name is a Python name", name)
    tokens = body.split()
    below = None
    if tokens and tokens[-1].startswith("<"):
        inner = _item(text, tokens.pop().strip("<>"))
        if isinstance(inner, AxisRun):
            raise _bad(text, "one size between < and >", str(inner))
        below = inner
    if tokens == ["()"] or (below is not None and not tokens):
        return Port(name, (), below, optional)
    if not tokens:
        raise _bad(text, "the axes of every port, or () for a single number", piece.strip() or "nothing")
    items = tuple(_item(text, token) for token in tokens)
    if sum(isinstance(item, AxisRun) for item in items) > 1:
        raise _bad(text, "one run of axes at most in a port", piece.strip())
    return Port(name, items, below, optional)


def _item(text: str, token: str) -> Item:
    if token == "...":
        return AxisRun("...")
    if match := re.fullmatch(r"\*([A-Za-z_]\w*)", token):
        return AxisRun(match[1])
    if token == UNKNOWN:
        return Axis(name=UNKNOWN)
    if re.fullmatch(r"\d{1,18}", token):  # more digits are no size, and Python refuses to read more than 4,300
        return Axis(times=int(token))
    if match := re.fullmatch(r"(?:([1-9]\d{0,17})\*)?([A-Za-z_]\w*)(?:\[([A-Za-z_]\w*)\])?", token):
        return Axis(int(match[1] or 1), match[2], match[3] or "")
    raise _bad(text, "a name, a number, 16*k, *s, ..., m[n], <v> or ()", token)


def _bad(text: str, expected: str, got: str = "") -> NetError:
    return NetError(what="this is not the notation of ports", where=repr(text), expected=expected, got=got)

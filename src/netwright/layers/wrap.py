"""Containers that put a part into a wiring of its own: around it, beside others, or many times over."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from netwright.errors import NetError, shortened
from netwright.fields import at_least, suits
from netwright.layers.join import Add, Multiply
from netwright.layers.source import Constant
from netwright.net.chain import chained
from netwright.net.node import Held, Node
from netwright.net.part import Container, shared_repr
from netwright.net.plan.container import ContainerNode, check_leaf_uses, leaf_uses
from netwright.net.plan.level import Level
from netwright.net.plan.symbol import Symbol, as_part, named_parts, parts_repr
from netwright.net.ports import PortsLike, held_codecs, ports_repr


class Residual(Container):
    """A part whose input is added to its output: y = x + body(x), or shortcut(x) + body(x).

    The parts are `body`, `add` and, where there is one, `shortcut`.

    Fields:
        body: the part, or a shorthand for one.
        shortcut: what the input goes through on the way to the sum, where its sizes change; None, nothing.
        input: the encoder, or the sizes of an example.
        output: the decoder, or sizes.

    Raises: SizeError when body and shortcut give different sizes.

    Example:
        >>> import netwright as nw
        >>> nw.Residual([nw.Linear(8), nw.relu, nw.Linear()], input=3).plan.outputs
        {'output': (3,)}

    Source: He et al. 2015, arXiv 1512.03385
    """

    body: Node
    shortcut: Node | None = None

    def __init__(self, body: Any, shortcut: Any = None, *, input: PortsLike = None, output: PortsLike = None) -> None:
        object.__setattr__(self, "body", as_part(body))
        object.__setattr__(self, "shortcut", None if shortcut is None else as_part(shortcut))
        self.settle(held_codecs(self, input, output))

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        straight = x[0] if self.shortcut is None else call("shortcut", self.shortcut, *x)
        return call("add", Add(), straight, call("body", self.body, *x))


class Adapted(Container):
    """A part with a small one beside it, whose output is added: y = base(x) + scale · adapter(x).

    `nw.adapt` makes it, and `nw.merge_adapters` puts the small part into the weights of the other one. The parts are
    `base`, `adapter` and `add`, and, where the scale is not 1, `scale` and `scaled`.

    Fields:
        base: the part, or a shorthand for one.
        adapter: the small part: from the same input to values of the same sizes.
        scale: what the output of the adapter is multiplied with; 1, nothing.
        input: the encoder, or the sizes of an example.
        output: the decoder, or sizes.

    Raises: SizeError when base and adapter give different sizes; NetError for a scale that is not a finite number.

    Example:
        >>> import netwright as nw
        >>> nw.Adapted(nw.Linear(8), [nw.Linear(2), nw.Linear()], 0.5, input=6).paths
        ('base', 'adapter/linear1', 'adapter/linear2', 'adapter', 'scale', 'scaled', 'add')

    Source: Hu et al. 2021, "LoRA", arXiv 2106.09685
    """

    base: Node
    adapter: Node
    scale: float = 1.0

    def __init__(
        self, base: Any, adapter: Any, scale: float = 1.0, *, input: PortsLike = None, output: PortsLike = None
    ) -> None:
        object.__setattr__(self, "base", as_part(base))
        object.__setattr__(self, "adapter", as_part(adapter))
        if not suits(scale, float) or not math.isfinite(scale):
            raise NetError(
                what="the scale of an adapter is a finite number", where="Adapted", got=shortened(repr(scale), 60)
            )
        object.__setattr__(self, "scale", scale)
        self.settle(held_codecs(self, input, output))

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        straight, added = call("base", self.base, *x), call("adapter", self.adapter, *x)
        if self.scale != 1:
            added = call("scaled", Multiply(), added, call("scale", Constant(self.scale)))
        return call("add", Add(), straight, added)


class Parallel(Container):
    """Parts side by side: all read the same value, and the output of each is an output under its name.

    Parts are named by their kind, `conv1`, `linear2`, or by the keyword they are given under. A part that takes any
    number of inputs takes all of them: `nw.Chain(nw.Parallel(3, 5), nw.Concatenate())`.

    Fields:
        input: the encoder, or the sizes of an example.
        output: decoders or sizes by name.

    Raises: NetError for no part at all.

    Example:
        >>> import netwright as nw
        >>> nw.Parallel(mean=nw.Linear(3), spread=[nw.Linear(3), nw.exp], input=5).plan.outputs
        {'mean': (3,), 'spread': (3,)}
    """

    parts: tuple[tuple[str, Node], ...]

    def __init__(self, *parts: Any, input: PortsLike = None, output: PortsLike = None, **named: Any) -> None:
        found = named_parts(parts, named)
        if not found:
            raise NetError(what="a parallel needs at least one part", mend="nw.Parallel(mean=3, spread=3)")
        object.__setattr__(self, "parts", tuple(found.items()))
        self.settle(held_codecs(self, input, output))

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> dict[str, Symbol]:
        return {name: call(name, part, *x) for name, part in self.parts}

    def children(self) -> dict[str, Node]:
        return dict(self.parts)

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        return {"parts": tuple((name, children.get(name, part)) for name, part in self.parts)}

    def __repr__(self) -> str:
        return shared_repr(self, f"Parallel({', '.join(parts_repr(self.parts))}{ports_repr(self)})")


class Repeat(Container):
    """One part many times over, one after the other, each time with weights of its own.

    The parts are `1`, `2`, … . Each reads what the one before gives, as its first input. Further inputs, such as the
    memory of a decoder block, are read by every part. Where all are to have the same weights, repeat
    `nw.Shared("name", part)`.

    Fields:
        count: how often, 1 or more.
        body: the part, or a shorthand for one; what it gives must be what it takes, unless sizes are free.
        input: the encoder, or the sizes of an example.
        output: the decoder, or sizes.

    Raises: NetError for a count below 1, and for copies of more than 100,000 parts together; SizeError when the part
        cannot follow itself.

    Example:
        >>> import netwright as nw
        >>> nw.Repeat(3, [nw.Linear(8), nw.relu], input=8).paths[:3]
        ('1/linear1', '1/relu1', '1')
    """

    repeats: ClassVar[str] = "count"

    count: int
    body: Node

    def __init__(self, count: int, body: Any, *, input: PortsLike = None, output: PortsLike = None) -> None:
        at_least(1, count, "the number of copies", "Repeat")
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "body", as_part(body))
        check_leaf_uses(count * leaf_uses(self.body), "Repeat")
        self.settle(held_codecs(self, input, output))

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.body.required_names

    def flow(self, call: Callable[..., Symbol], *x: Symbol) -> Symbol:
        value = call("1", self.body, *x)
        for i in range(2, self.count + 1):
            value = call(str(i), self.body, value, *x[1:])
        return value

    def children(self) -> dict[str, Node]:
        return {str(i): self.body for i in range(1, self.count + 1)}

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        """The body, where all copies are the same; otherwise a chain has to say it."""
        bodies = [*{**self.children(), **children}.values()]
        return {"body": bodies[0]} if all(body == bodies[0] for body in bodies[1:]) else None

    def of_level(self, level: Level, held: Held) -> ContainerNode:
        return chained(level, held)

"""The symbols with which a container's wiring is drawn, and the level that such a drawing makes."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from keyword import iskeyword
from typing import Any, Never, cast

import torch

from netwright import elsewhere
from netwright.errors import NetError, did_you_mean, shortened
from netwright.net.leaf import LeafNode
from netwright.net.names import Numbers, check_name
from netwright.net.node import Node
from netwright.net.plan.dead import refuse_unread
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.standard import Standard, standard
from netwright.sizes.notation import Port, ports
from netwright.value import Value

RESERVED = ("input", "output", "outputs")
SERIAL = itertools.count()  # the order in which a drawing was made; parts and inputs count together


class DrawnInput(Value, eq=False):
    """An input of a net that is being drawn."""

    name: str
    codec: Any = None
    serial: int = field(default_factory=lambda: next(SERIAL))


class Use(Value, eq=False):
    """One use of a part on symbols. A name that is empty is found when the drawing is closed."""

    part: Node
    reads: tuple[tuple[str, "Symbol"], ...]
    name: str = ""
    place: str = ""
    serial: int = field(default_factory=lambda: next(SERIAL))


def _refused(operator: str) -> Callable[..., Never]:
    """A method for an operator that has no part: it raises an error."""

    def refuse(*_: Any) -> Never:
        raise NetError(
            what=f"{operator} is not an operation on a value of a net that is being drawn",
            expected="+ - * / % ** @, comparisons, x[…], and parts",
            mend=(
                "nw.where(x, a, b) chooses a where x is above 0",
                "nw.square, nw.sqrt, nw.exp and their like are parts",
                "nw.Function(f, ports)(x, y) for torch code of your own",
            ),
        )

    return refuse


def _pairwise(function: str, sign: str, turned: bool = False) -> Any:  # a comparison gives no truth value yet
    """A method for an operator that is a function of two values; turned, with the value itself on the right."""

    def operate(self: Any, other: Any) -> "Symbol":
        left, right = (other, self) if turned else (self, other)
        return _combined("Pairwise", sign, left, right, function)

    return operate


class Symbol(Value, eq=False):
    """A value that does not exist yet, used while a net is drawn. It knows every part that leads to it."""

    origin: DrawnInput | Use
    names: tuple[str, ...]  # the output ports it stands for; the first is the value itself

    def __getitem__(self, key: Any) -> "Symbol":
        """An output port by its name, some elements as of an array, or those that an index value names."""
        return self._port(key) if isinstance(key, str) else sliced(self, key)

    def _port(self, port: str) -> "Symbol":
        if port not in self.names:
            raise NetError(
                what=f"there is no output port {port!r}",
                expected=", ".join(self.names),
                got=repr(port),
                mend=did_you_mean(str(port), self.names),
            )
        return Symbol(self.origin, (port,))

    def __getattr__(self, name: str) -> Never:
        if name.startswith("_"):  # what Python itself looks for
            raise AttributeError(name)
        raise NetError(
            what=f"a value of a net that is being drawn has no {name!r}: it is no tensor yet",
            mend=(
                "parts do the arithmetic: nw.Sum()(x), nw.Mean()(x), nw.Reshape(2, 3)(x)",
                "nw.Function(f, ports)(x) for torch code of your own",
            ),
        )

    def __bool__(self) -> Never:
        raise _not_yet("if or while on a value")

    def __iter__(self) -> Never:
        raise _not_yet("iteration over a value")

    def __rshift__(self, part: Any) -> "Symbol":
        return use(as_part(part), self)

    def __add__(self, other: "Symbol | float") -> "Symbol":
        return _combined("Add", "+", self, other)

    def __sub__(self, other: "Symbol | float") -> "Symbol":
        return _combined("Add", "-", self, -other)

    def __mul__(self, other: "Symbol | float") -> "Symbol":
        return _combined("Multiply", "*", self, other)

    def __radd__(self, other: float) -> "Symbol":
        return self + other

    def __rsub__(self, other: float) -> "Symbol":
        return -self + other

    def __rmul__(self, other: float) -> "Symbol":
        return self * other

    __truediv__, __rtruediv__ = _pairwise("div", "/"), _pairwise("div", "/", turned=True)
    __floordiv__ = __rfloordiv__ = _refused("//")
    __mod__, __rmod__ = _pairwise("remainder", "%"), _pairwise("remainder", "%", turned=True)
    __pow__, __rpow__ = _pairwise("pow", "**"), _pairwise("pow", "**", turned=True)
    __lt__, __le__ = _pairwise("lt", "<"), _pairwise("le", "<=")
    __gt__, __ge__ = _pairwise("gt", ">"), _pairwise("ge", ">=")
    __eq__, __ne__ = _pairwise("eq", "=="), _pairwise("ne", "!=")
    __hash__ = object.__hash__
    __invert__, __len__ = map(_refused, ("~", "len"))

    def __abs__(self) -> "Symbol":
        return use(standard("Elementwise", "abs"), self)

    def __matmul__(self, other: "Symbol") -> "Symbol":
        return _combined("MatMul", "@", self, other)

    def __neg__(self) -> "Symbol":
        return use(standard("Elementwise", "neg"), self)


def use(part: Node, *x: Symbol, name: str = "", place: str = "", **more: Symbol) -> Symbol:
    """Use a part on symbols: positional symbols feed its input ports in order, keyword ones by name."""
    label = name or part.kind_name
    wanted = input_ports(part, len(x))
    names = [port.name for port in wanted]
    if len(x) > len(names):
        raise NetError(
            what=f"{label} is given more values than it has input ports",
            where=label,
            expected=f"{len(names)}: {', '.join(names)}",
            got=str(len(x)),
            mend=f"read {len(names)} of them, or join them first, with nw.Concatenate() or nw.Add()",
        )
    given = dict(zip(names, x, strict=False))
    for port, symbol in more.items():
        if port not in names or port in given:
            raise NetError(
                what=f"{label} has no free input port {port!r}",
                where=label,
                expected=", ".join(names),
                got=port,
                mend=did_you_mean(port, names),
            )
        given[port] = symbol
    missing = [port.name for port in wanted if port.name not in given and not port.optional]
    if missing:
        raise NetError(
            what=f"an input port of {label} is not connected",
            where=f"{label}, port {missing[0]!r}",
            expected=f"{len(names)} values: {', '.join(names)}",
            got=f"{len(given)}",
            mend=f"say what {missing[0]!r} reads: one value for each of {', '.join(names)}",
        )
    return Symbol(Use(part, tuple(given.items()), name, place), output_names(part, len(x)))


def close(result: "Symbol | Mapping[str, Symbol]", sources: Sequence[DrawnInput] | None = None) -> Level:
    """The finished level. Its outputs are the ports of the result, or its named symbols.

    Without `sources` the inputs are all those that the result depends on, in the order they were made.
    """
    ends = [result] if isinstance(result, Symbol) else list(result.values())
    uses, found = _led_to(ends)
    if sources is None:
        sources = found
    elif foreign := [source for source in found if source not in sources]:
        raise NetError(
            what=f"the net reads {foreign[0].name!r}, a value of another net", mend="pass the value in as an input"
        )
    inputs = tuple(source.name for source in sources)
    if len(set(inputs)) < len(inputs):
        raise NetError(what="two inputs have the same name", got=", ".join(inputs), mend="nw.Input('another')")
    name_of = _names(uses)
    for name in name_of.values():
        if name in inputs:
            raise NetError(
                what=f"{name!r} is the name of an input and of a part", where=name, mend="rename one of them"
            )

    def ref(symbol: Symbol) -> Ref:
        origin = symbol.origin
        return ("", origin.name) if isinstance(origin, DrawnInput) else (name_of[origin], symbol.names[0])

    refuse_unread(uses, [(end, end is result) for end in ends], name_of)
    calls = tuple(
        Call(name_of[u], u.part, tuple((port, ref(symbol)) for port, symbol in u.reads), u.place or name_of[u])
        for u in uses
    )
    if not isinstance(result, Symbol):
        return Level(inputs, calls, tuple((port, ref(symbol)) for port, symbol in result.items()))
    if isinstance(result.origin, DrawnInput):
        return Level(inputs, calls, (("output", ref(result)),))
    return Level(inputs, calls, tuple((port, (name_of[result.origin], port)) for port in result.names))


def _led_to(ends: Sequence[Symbol]) -> tuple[list[Use], list[DrawnInput]]:
    """Every use and input that symbols lead back to, in the order they were made."""
    seen: set[Use | DrawnInput] = set()
    stack = [end.origin for end in ends]
    while stack:
        origin = stack.pop()
        if origin in seen:
            continue
        seen.add(origin)
        if isinstance(origin, Use):
            stack += [symbol.origin for _, symbol in origin.reads]
    ordered = sorted(seen, key=lambda origin: origin.serial)
    return [o for o in ordered if isinstance(o, Use)], [o for o in ordered if isinstance(o, DrawnInput)]


def sources_of(ends: Sequence[Symbol]) -> list[DrawnInput]:
    """The inputs that symbols lead back to."""
    return _led_to(ends)[1]


def _names(uses: Sequence[Use]) -> dict[Use, str]:
    """A name for every use: its own, its place's with a number when used again, or its kind with a number."""
    names = {one: one.name for one in uses if one.name}
    numbers = Numbers(names.values())
    for one in uses:
        if one not in names:
            names[one] = numbers.again(one.place) if one.place else numbers.new(one.part.kind_name)
    return names


def as_part(part: Any) -> Node:
    """The part that a shorthand means: an integer, a function, a list, or a part itself."""
    if isinstance(part, Node):
        return part
    if isinstance(part, int) and not isinstance(part, bool):
        return standard("Linear", part)
    if isinstance(part, list | tuple):
        return standard("Chain", *part)
    if isinstance(part, torch.nn.Module) or (isinstance(part, type) and issubclass(part, torch.nn.Module)):
        ours = elsewhere.part(elsewhere.called(part))
        own = "nw.Module(module, ports), for the module as it is, with its weights"
        raise NetError(
            what="a module of torch is not a part yet",
            got=shortened(repr(part), 100),
            mend=[m for m in (ours, own) if m],
        )
    if callable(part):
        return standard("Elementwise", part)
    raise NetError(
        what="this cannot be a part of a net",
        got=repr(part),
        expected="a part, an integer (a Linear that wide), a function of torch, or a list of parts (a Chain)",
    )


def check_part_name(name: str, where: str) -> None:
    """Refuse a name that cannot stand in a path, or that a container takes for something else."""
    check_name(name, where)
    if name in RESERVED:
        raise NetError(
            what=f"a part cannot have the name {name!r}: that is an argument of nw.Chain and nw.Graph",
            where=where,
            mend=f"{name}_1",
        )


def named_repr(name: str, text: str) -> str:
    """A named part as an argument; a name that is no Python name is passed in a mapping."""
    plain = name.isidentifier() and not iskeyword(name)
    return f"{name}={text}" if plain else f"**{{{name!r}: {text}}}"


def parts_repr(parts: Sequence[tuple[str, Node]]) -> list[str]:
    """Parts as arguments: under their names, unless these are the ones they have by themselves."""
    numbers = Numbers()
    plain = all(name == numbers.new(part.kind_name) for name, part in parts)
    return [repr(part) if plain else named_repr(name, repr(part)) for name, part in parts]


def named_parts(parts: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Node]:
    """Parts with their names: given, or the kind with a number."""
    numbers = Numbers(named)
    found = {numbers.new(part.kind_name): part for part in map(as_part, parts)}
    for name, part in named.items():
        check_part_name(name, "a named part")
        found[name] = as_part(part)
    return found


def input_ports(part: Node, count: int) -> tuple[Port, ...]:
    """The input ports of a part that is given `count` values."""
    if isinstance(part, LeafNode):
        return ports(part.signature(count)).inputs
    return tuple(Port(name, (), optional=name in part.optional_names) for name in part.input_names)


def output_names(part: Node, count: int) -> tuple[str, ...]:
    """The names of the output ports of a part that is given `count` values."""
    if isinstance(part, LeafNode):
        return ports(part.signature(count)).output_names
    return part.output_names


def sliced(value: Symbol, key: Any) -> Symbol:
    """Some elements of a value, as numpy takes them of an array; with a value as the index, those that it names."""
    if isinstance(key, Symbol):
        return use(standard("Gather"), value, key)
    items: tuple[Any, ...] = cast(tuple[Any, ...], key) if isinstance(key, tuple) else (key,)
    gaps = [i for i, item in enumerate(items) if item is ...]
    if len(gaps) > 1:
        raise _no_slice(items)
    gap = gaps[0] if gaps else len(items)
    axis = 0
    for item in items[:gap]:
        value, kept = _taken(value, item, axis, items)
        axis += kept
    axis = -1
    for item in reversed(items[gap + 1 :]):
        value, kept = _taken(value, item, axis, items)
        axis -= kept
    return value


def _taken(value: Symbol, item: Any, axis: int, items: tuple[Any, ...]) -> tuple[Symbol, bool]:
    """One element or several along an axis, and whether the axis is kept."""
    if type(item) is int:
        return use(standard("Slice", item, axis=axis), value), False
    if not isinstance(item, slice) or item.step not in (None, 1):
        raise _no_slice(items)
    if not item.start and item.stop is None:
        return value, True
    return use(standard("Slice", (item.start, item.stop), axis=axis), value), True


def _no_slice(items: tuple[Any, ...]) -> NetError:
    return NetError(
        what="a value of a net that is being drawn is indexed by whole numbers, slices, one ..., or one value",
        got=f"x[{', '.join('...' if item is ... else repr(item) for item in items)}]",
        mend=(
            "x[0], x[1:-1], x[..., 0], or x[i] with a value i of indices",
            "nw.Reverse()(x), nw.Transpose(1, 0)(x) or nw.Reshape(2, 3)(x), for another order or other axes",
        ),
    )


def _combined(kind: Standard, sign: str, left: Any, right: Any, *fields: Any) -> Symbol:
    sides = [
        use(standard("Constant", side)) if isinstance(side, int | float) and kind != "MatMul" else side
        for side in (left, right)
    ]
    other = next((side for side in sides if not isinstance(side, Symbol)), None)
    if other is not None:
        raise NetError(
            what=f"{sign} joins two values of the net",
            got=repr(other),
            mend="nw.Constant(…) or nw.Parameter(…) for an array; nw.Function for any other arithmetic",
        )
    return use(standard(kind, *fields), *cast(list[Symbol], sides))


def _not_yet(what: str) -> NetError:
    return NetError(
        what=f"{what} is refused while a net is drawn: the value does not exist yet",
        mend="nw.where(condition, a, b) chooses in the running net; loops and ifs over Python values are fine",
    )

"""Parts and codecs as plain data and back: written from their declared fields, read by the tables of their names."""

import inspect
import math
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, replace
from functools import cache, cached_property
from typing import Any, TypeAlias, cast, get_args

from torch import nn

from netwright.codecs.codec import CODECS, Codec
from netwright.codecs.vary.variation import VARIATIONS
from netwright.errors import FileError, NetwrightError, SizeError, close_names, did_you_mean
from netwright.fields import test_of
from netwright.file.format import malformed, short, too_deep
from netwright.net.faults import explain
from netwright.net.names import is_name
from netwright.net.node import NOTHING, PARTS, Held, Node, field_values
from netwright.net.plan.container import ContainerNode, leaf_uses
from netwright.net.plan.level import Call
from netwright.net.shell import options
from netwright.net.source_of_code import import_name, source_hash
from netwright.sizes.free import FREE
from netwright.value import Value

Plain: TypeAlias = Any  # what JSON has: None, bool, int, float, str, list, dict with texts as names

MARKS = {"FREE": FREE}
RECORDS: ChainMap[str, type] = ChainMap({"Call": Call}, cast(dict[str, type], VARIATIONS))
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
MOST_DEPTH = 200  # levels of nested values: about 60 levels of nested parts
MOST_USES = 10_000  # leaves that a small file may expand to: they take about two seconds
BYTES_A_USE = 100  # bytes of a larger file for each further leaf that it may have
MOST_BITS = 4096  # of a whole number


def described_value(value: object, where: str, depth: int = 0) -> Plain:
    """A part, codec or field as plain data. `where` is its place, for errors."""
    if depth > MOST_DEPTH:
        raise too_deep(where)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, int) and value.bit_length() <= MOST_BITS:
        return value
    if type(value) is tuple:
        items = cast(tuple[object, ...], value)
        return [described_value(item, _named(where, items), depth + 1) for item in items]
    for name, mark in MARKS.items():
        if value is mark:
            return {"mark": name}
    if isinstance(value, Node):
        return {"part": _name_in(PARTS, value, where), **_fields(value, where, depth), **_shared(value)}
    if isinstance(value, Codec):
        return {"codec": _name_in(CODECS, value, where), **_fields(value, where, depth)}
    if type(value) in RECORDS.values():
        return {"record": type(value).__name__, **_fields(value, where, depth)}
    if isinstance(value, nn.Module):
        name = function_name(type(value), where)
        return {"module": name, "hash": source_hash(type(value)), "options": options(value)}
    if callable(value):
        return {"function": function_name(value, where), "hash": source_hash(value)}
    raise FileError(
        what="this value has no place in a file",
        where=where,
        expected="numbers, texts, tuples, codecs, parts, or functions with a name",
        got=short(value),
    )


def _fields(value: object, where: str, depth: int) -> Plain:
    items = field_values(value).items()
    return {"fields": {name: described_value(item, _below(where, name, item), depth + 1) for name, item in items}}


def _shared(node: Node) -> Plain:
    name = node.held.shared
    return {"shared": name} if name else {}


def _below(where: str, name: str, item: object) -> str:
    """The place of a part that a field holds, or of the field."""
    is_part = isinstance(item, Node) or (isinstance(item, dict) and "part" in item)
    return f"{where}/{name}" if is_part else where


def _named(where: str, items: Sequence[object]) -> str:
    """The place of what a pair of a name and a part holds."""
    if len(items) == 2 and isinstance(items[0], str):
        return _below(where, items[0], items[1])
    return where


def _name_in(table: Mapping[str, type], value: object, where: str) -> str:
    name = type(value).__name__
    if table.get(name) is not type(value):
        raise FileError(
            what=f"two kinds have the name {name}: a file could not tell them apart",
            where=where,
            mend="give the class another name",
        )
    return name


def function_name(function: object, where: str) -> str:
    """The name under which a function can be imported; one without it is refused."""
    name = import_name(function)
    if not name:
        raise FileError(
            what="a function that cannot be imported cannot be saved: nothing would find it again",
            where=where,
            expected="a function defined at the top of a module",
            got=short(getattr(function, "__qualname__", function)),
            mend="define it with def at the top of a module, and give it to nw.load(file, functions={…})",
        )
    if not source_hash(function):
        raise FileError(
            what=f"{name} has no source, so a file could not say which function it is",
            where=where,
            mend="wrap it in a function of your own, at the top of a module",
        )
    return name


def planned_uses(plain: Plain) -> int:
    """How many leaves plain data expands to, each counted in every container that holds it; nothing is built for it.

    A container is planned as soon as its parts are there, so this is the work that building costs. A container of
    one's own that uses its parts more often than it says is counted when it is built.
    """
    return _counted(plain, 0)[1]


def _counted(plain: Plain, depth: int) -> tuple[int, int]:
    """The leaves, and the leaves counted in every container."""
    if depth > 2 * MOST_DEPTH:  # a part and its fields are a level each here, and one where they are read
        raise too_deep("net")
    if not isinstance(plain, dict | list):
        return 0, 0
    held = cast("dict[str, Plain] | list[Plain]", plain)
    below = [_counted(item, depth + 1) for item in (held.values() if isinstance(held, dict) else held)]
    uses, planned = sum(found[0] for found in below), sum(found[1] for found in below)
    name = held.get("part") if isinstance(held, dict) else None  # a record has a field of this name: a part
    if not isinstance(held, dict) or not isinstance(name, str):
        return uses, planned
    cls, given = PARTS.get(name), held.get("fields")
    if cls is None or not issubclass(cls, ContainerNode):
        return 1, planned + 1
    times = cast("dict[str, Plain]", given).get(cls.repeats) if isinstance(given, dict) else None
    uses = max(1, uses) * (times if type(times) is int and times > 1 else 1)
    return uses, planned + uses


def check_uses(uses: int, where: str, size: int = 0) -> None:
    """Refuse a net of more leaves than a file of so many bytes can have."""
    most = MOST_USES + size // BYTES_A_USE
    if uses > most:
        raise FileError(
            what="the net expands to too many parts",
            where=where,
            expected=f"at most {most:,}, each counted in every part that holds it, in a file of {size:,} bytes",
            got=f"{uses:,}" if uses < 10**15 else "more than a quadrillion",
        )


class Reader(Value):
    """Turns plain data back into parts and codecs; only classes in the tables are ever made.

    Fields: `functions`, what a caller supplies, by import name: functions, modules, or a list of several modules;
    `size`, the bytes of the file, by which a net may have more parts.
    """

    functions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    size: int = 0

    def part(self, plain: Plain, where: str, held: Held = NOTHING) -> Node:
        """The net that plain data describes, holding these codecs; checked once, with them.

        A net that would be too large is refused before any of it is built.
        """
        check_uses(planned_uses(plain), where, self.size)
        if not isinstance(plain, dict) or not {"part", "fields"} <= plain.keys() <= {"part", "fields", "shared"}:
            malformed(where, "a part", plain)
        return self._part(cast(dict[str, Plain], plain), where, 0, held)

    def codec(self, plain: Plain, where: str) -> Codec:
        """The codec that plain data describes."""
        found = self._value(plain, where, 0)
        return found if isinstance(found, Codec) else malformed(where, "a codec", plain)

    def value(self, plain: Plain, where: str) -> Any:
        """What plain data describes: a number, a text, a tuple, a codec, or a part without arrays.

        Ask `check_uses` first: parts are built at once.
        """
        return self._value(plain, where, 0)

    def _value(self, plain: Plain, where: str, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise too_deep(where)
        if isinstance(plain, list):
            items = cast(list[Plain], plain)
            return tuple([self._value(item, _named(where, items), depth + 1) for item in items])
        if not isinstance(plain, dict):
            return plain
        keys = frozenset(cast(dict[str, Plain], plain))
        read = self._tags.get(keys)
        if read is None:
            malformed(where, "a part, a codec, a record, a function, a mark or a float", sorted(keys)[:5])
        return read(cast(dict[str, Plain], plain), where, depth)

    @cached_property
    def _tags(self) -> dict[frozenset[str], Callable[[dict[str, Plain], str, int], Any]]:
        return {
            frozenset(("part", "fields")): self._part,
            frozenset(("part", "fields", "shared")): self._part,
            frozenset(("codec", "fields")): self._codec,
            frozenset(("record", "fields")): self._record,
            frozenset(("function", "hash")): self._function,
            frozenset(("module", "hash", "options")): self._module,
            frozenset(("mark",)): lambda plain, where, _: _looked_up(MARKS, plain["mark"], "mark", where),
            frozenset(("float",)): lambda plain, where, _: _looked_up(NOT_FINITE, plain["float"], "float", where),
        }

    def _part(self, plain: dict[str, Plain], where: str, depth: int, held: Held = NOTHING) -> Node:
        cls = _looked_up(PARTS, plain["part"], "part", where)
        if "shared" in plain:
            held = replace(held, shared=plain["shared"])
            if not is_name(held.shared):
                malformed(where, "a shared name", held.shared)
        return _built(cls, self._read_fields(cls, plain["fields"], where, depth), where, self.size, held)

    def _codec(self, plain: dict[str, Plain], where: str, depth: int) -> Codec:
        cls = _looked_up(CODECS, plain["codec"], "codec", where)
        return _made(cls, self._read_fields(cls, plain["fields"], where, depth), where)

    def _record(self, plain: dict[str, Plain], where: str, depth: int) -> Any:
        cls = _looked_up(RECORDS, plain["record"], "record", where)
        return _made(cls, self._read_fields(cls, plain["fields"], where, depth), where)

    def _function(self, plain: dict[str, Plain], where: str, depth: int) -> Any:
        function = self._supplied(plain["function"], where)
        _check_source(plain["function"], function, plain["hash"], where)
        return function

    def _module(self, plain: dict[str, Plain], where: str, depth: int) -> Any:
        supplied = self._supplied(plain["module"], where)
        modules: Sequence[Any] = supplied if isinstance(supplied, list | tuple) else [supplied]
        found = next((module for module in modules if options(module) == plain["options"]), None)
        if found is None:
            raise FileError(
                what=f"no module that was supplied as {plain['module']} has the options that were saved",
                where=where,
                expected=short(plain["options"]),
                got=", ".join(map(short, modules)),
            )
        _check_source(plain["module"], type(found), plain["hash"], where)
        return found

    def _supplied(self, name: Plain, where: str) -> Any:
        if not isinstance(name, str):
            malformed(where, "an import name", name)
        if name not in self.functions:
            near = close_names(name, self.functions, most=1)
            raise FileError(
                what=f"the net uses {name}, and a file never holds code",
                where=where,
                expected=f"{name}, from you",
                got=f"functions for {', '.join(self.functions)}" if self.functions else "no functions",
                mend=f'nw.load(file, functions={{"{name}": …}})' + (f", in place of {near[0]!r}" if near else ""),
            )
        return self.functions[name]

    def _read_fields(self, cls: type, plain: Plain, where: str, depth: int) -> dict[str, Any]:
        """Every declared field: from the file, or its default where the file is older than the field."""
        if not isinstance(plain, dict):
            malformed(where, f"the fields of {cls.__name__}", plain)
        given = cast(dict[str, Plain], plain)
        declared = _declared(cls)
        for name in given:
            if name not in declared:
                raise FileError(
                    what=f"{cls.__name__} has no field {short(name)}",
                    where=where,
                    expected=", ".join(declared) or "no fields",
                    mend=did_you_mean(name, declared),
                )
        found: dict[str, Any] = {}
        for name, (one, suits) in declared.items():
            if name in given:
                found[name] = self._value(given[name], _below(where, name, given[name]), depth + 1)
                if not suits(found[name]):
                    malformed(where, f"{name} of {cls.__name__}: {_hint_text(one.type)}", given[name])
            elif one.default is not MISSING:
                found[name] = one.default
            else:
                malformed(where, f"{name} of {cls.__name__}", None)
        return found


def _check_source(name: str, owner: object, expected: Plain, where: str) -> None:
    if source_hash(owner) != expected:
        raise FileError(
            what=f"{name} is not as it was when the net was saved: its source is another",
            where=where,
            expected=f"source {short(expected)}",
            got=f"source {source_hash(owner)!r}",
            mend="take the version of the code that the net was saved with",
        )


def _hint_text(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def _looked_up(table: Mapping[str, Any], name: Plain, noun: str, where: str) -> Any:
    if not isinstance(name, str) or name not in table:
        raise FileError(
            what=f"there is no {noun} of the name {short(name)}",
            where=where,
            mend=(
                did_you_mean(name, table) if isinstance(name, str) else "",
                f"import the module that defines {name} before nw.load" if noun in ("part", "codec") else "",
            ),
        )
    return table[name]


def _built(cls: type[Node], values: dict[str, Any], where: str, size: int, held: Held) -> Node:
    """A part with these fields: by its constructor, or, where that takes other arguments, as the constructor ends."""
    node = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(node, name, value)
    if isinstance(node, ContainerNode):
        _check_size(node, where, size)
    _check_ports(node, held)
    finish: Callable[[], None] | None = getattr(node, "__post_init__", None)
    try:
        if values.keys() <= _arguments(cls):
            node = cast(Callable[..., Node], cls)(**values)
            return node if held is NOTHING else node.rebuilt(held)
        object.__setattr__(node, "held", held)
        if finish is not None:
            finish()
        if held is not NOTHING and not isinstance(node, ContainerNode):
            node.validate()
    except Exception as error:  # a hostile field can make a constructor raise anything
        raise unfit(cls, error, where) from None
    return node


def _check_ports(node: Node, held: Held) -> None:
    """Refuse codecs of ports that a net does not have."""
    for side, codecs in (("input", held.inputs), ("output", held.outputs)):
        ports = (node.input_names if side == "input" else node.output_names) if codecs else ()
        for port in codecs:
            if port not in ports:
                raise FileError(what=f"the net has no {side} {short(port)}", where="net", expected=", ".join(ports))


@cache
def _declared(cls: type) -> dict[str, tuple[Field[Any], Callable[[Any], bool]]]:
    """The fields of a part, codec or record by name, each with the test of its type."""
    return {f.name: (f, test_of(f.type)) for f in fields(cast(Any, cls))}


@cache
def _arguments(cls: type[Node]) -> set[str]:
    """The arguments of a constructor that can be given by name."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {name for name, p in inspect.signature(cls).parameters.items() if p.kind not in several}


def _check_size(node: ContainerNode, where: str, size: int) -> None:
    """Refuse a container that expands to nothing or to too much, before anything expands it.

    A whole number in a container may be how often it uses its parts, so it counts as that before the wiring is
    walked; after that the walk itself tells.
    """
    values = field_values(node).values()
    times = math.prod(value for value in values if type(value) is int and value > 1)
    check_uses(times * max(1, sum(leaf_uses(part) for part in _parts_in(values))), where, size)
    try:
        uses = leaf_uses(node)
    except Exception as error:
        raise unfit(type(node), error, where) from None
    check_uses(uses, where, size)
    if not uses:
        malformed(where, "a part at least", ())


def _parts_in(values: Iterable[Any]) -> list[Node]:
    """The parts that field values hold."""
    found: list[Node] = []
    for value in values:
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, Call):
            found.append(value.part)
        elif isinstance(value, tuple):
            found += _parts_in(cast(tuple[Any, ...], value))
    return found


def _made(cls: type, values: dict[str, Any], where: str) -> Any:
    try:
        return cls(**values)
    except Exception as error:  # a hostile field can make a constructor raise anything
        raise unfit(cls, error, where) from None


def unfit(cls: type, error: Exception, where: str) -> FileError:
    """The error for fields that a constructor does not take."""
    if isinstance(error, FileError):
        return error
    if isinstance(error, RecursionError):
        return too_deep(where)
    if isinstance(error, SizeError) and explain.probing.get():
        return FileError(what=f"{cls.__name__} cannot be what the file says: the sizes do not agree", where=where)
    place = f"{where}, {error.where}" if isinstance(error, NetwrightError) and error.where else where
    return FileError(
        what=f"{cls.__name__} cannot be what the file says: " + (getattr(error, "what", "") or short(error)),
        where=place,
        expected=getattr(error, "expected", ""),
        got=getattr(error, "got", ""),
    )

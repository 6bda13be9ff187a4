"""What every net is made of: plain fields, the arrays it holds, the codecs of its ports; and the table of parts."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.errors import NetError, shortened
from netwright.fields import checked
from netwright.net.history import History
from netwright.once import once
from netwright.value import Value, literal

STRUCTURE = "structure"  # the key under which a net caches it
NO_HISTORY = History()


class Held(Value, eq=False):
    """What a net carries besides its structure: arrays, codecs, a shared name, its history."""

    arrays: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, Codec] = field(default_factory=lambda: MappingProxyType({}))
    outputs: Mapping[str, Codec] = field(default_factory=lambda: MappingProxyType({}))
    shared: str = ""  # the name under which every use has the same arrays
    history: History = NO_HISTORY


NOTHING = Held()
PARTS: dict[str, type["Node"]] = {}  # the table of parts: kind to class, for files, shorthand and normal forms


class Structure:
    """The common cache of nets that differ only in arrays and codecs: results that follow from the structure."""


class Node(Value, eq=False):
    """A frozen value: declared fields say what it is, `held` what it carries.

    A concrete class declares its fields like a dataclass; it is entered in the table of parts under its name and
    cannot be subclassed further: a class is either an interface or finished.
    """

    abstract: ClassVar[bool] = True
    held: ClassVar[Held] = NOTHING  # on an object: its own

    def __init_subclass__(cls, abstract: bool = False) -> None:
        super().__init_subclass__(eq=False)
        finished = next((base for base in cls.__mro__[1:] if issubclass(base, Node) and not base.abstract), None)
        if finished is not None:
            raise NetError(
                what=f"{finished.__name__} is finished and cannot be subclassed",
                where=cls.__name__,
                mend="subclass nw.Leaf or nw.Container and use it as a part",
            )
        cls.abstract = abstract
        if not abstract:
            cls.__init__ = checked(cls.__init__)
            PARTS[cls.__name__] = cls

    @property
    def kind_name(self) -> str:
        """The name under which a part is numbered in a path: `conv`, `maxpool`, `layernorm`."""
        return type(self).__name__.lower()

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the input ports, in order."""
        raise NotImplementedError

    @property
    def optional_names(self) -> tuple[str, ...]:
        """The input ports that may be left out: states, which then start at zero."""
        return ()

    @property
    def required_names(self) -> tuple[str, ...]:
        """The input ports that must be fed."""
        return tuple(name for name in self.input_names if name not in self.optional_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the output ports, in order."""
        raise NotImplementedError

    def validate(self) -> None:
        """Raise an error if this net is wrong."""

    def rebuilt(self, held: Held | None = None, **changes: Any) -> Self:
        """A new value of the same kind with other fields, or holding other things."""
        new = self.unchecked(self.held if held is None else held, **changes)
        new.validate()
        return new

    def unchecked(self, held: Held, **changes: Any) -> Self:
        """The same without checks, for a net that cannot be wrong, such as a part taken out of a checked net."""
        new = object.__new__(type(self))
        for name, value in field_values(self).items():
            object.__setattr__(new, name, changes.get(name, value))
        object.__setattr__(new, "held", held)
        if not changes and held.shared == self.held.shared:
            same = structure(self)
            once(new, STRUCTURE, lambda: same)
        return new

    def holding(self, **changes: Any) -> Self:
        """This net carrying other arrays, codecs or another shared name."""
        return self.rebuilt(replace(self.held, **changes))

    def stripped(self) -> Self:
        """This net as a container keeps it; a shared name stays, it is part of the structure."""
        held = self.held
        if not (held.arrays or held.inputs or held.outputs or held.history):
            return self
        return self.unchecked(Held(shared=held.shared))


def structure(node: Node) -> Structure:
    """The cache that a net shares with all nets of the same structure."""
    return once(node, STRUCTURE, Structure)


def field_values(node: object) -> dict[str, Any]:
    """The declared fields of a part or codec, in order."""
    return {name: getattr(node, name) for name in _field_names(type(node))}


@cache
def _field_names(cls: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cast(Any, cls)))


def arguments(value: object, show: Callable[[Any], str] = literal) -> str:
    """The arguments that give a dataclass value back: positional first, defaults left out."""
    texts: list[str] = []
    positional = True
    for f in fields(cast(Any, value)):
        current, default = getattr(value, f.name), f.default
        if f.default_factory is not MISSING:
            default = f.default_factory()
        if default is not MISSING and type(current) is type(default) and current == default:
            positional = False
            continue
        positional = positional and not f.kw_only
        texts.append(show(current) if positional else f"{f.name}={show(current)}")
    return ", ".join(texts)


def expect_net(value: object, where: str) -> None:
    """Raise an error if this is not a net; `where` names the function that was called."""
    if not isinstance(value, Node):
        part = value.__name__ if isinstance(value, type) and issubclass(value, Node) else ""
        raise NetError(
            what=f"{where} takes a net",
            got=shortened(repr(value), 100),
            mend=f"nw.{part}(…): this is the kind, not a part" if part else "",
        )

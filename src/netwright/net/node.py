"""What every net is made of: plain fields, the arrays it holds, the codecs of its ports; and the table of parts."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, field, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast

from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.errors import NetError
from netwright.fields import checked
from netwright.inits import Init
from netwright.once import once
from netwright.value import Value, literal

STRUCTURE = "structure"  # the question under which a net keeps it
SHARED = "@"  # the first letter of the place of an array that several parts share


class Weight(Value):
    """An array a leaf owns.

    Fields:
        axes: its axes in the names of the leaf's ports, such as `"out in"`.
        init: how a new one is filled; None where none is ever made, since its values come with the leaf.
        kind: `learned` by gradients; `running`, updated by training runs, such as a mean; `fixed`.
    """

    axes: str
    init: Init | None
    kind: Literal["learned", "running", "fixed"] = "learned"


Span: TypeAlias = tuple[float, float]
"""Position i sees positions i + low … i + high."""


class Held(Value, eq=False):
    """What a net carries beside its structure."""

    arrays: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    inputs: Mapping[str, Codec] = field(default_factory=lambda: MappingProxyType({}))
    outputs: Mapping[str, Codec] = field(default_factory=lambda: MappingProxyType({}))
    shared: str = ""  # the name under which every use has the same arrays


NOTHING = Held()
PARTS: dict[str, type["Node"]] = {}  # the table of parts: kind to class, for files, shorthand and normal forms


class Structure:
    """What nets have in common that differ in what they hold alone: all that follows from fields and shared name."""


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
        """Raise what is wrong with this net as it stands."""

    def rebuilt(self, held: Held | None = None, **changes: Any) -> Self:
        """A new value of the same kind with other fields, or holding other things."""
        new = self.unchecked(self.held if held is None else held, **changes)
        new.validate()
        return new

    def unchecked(self, held: Held, **changes: Any) -> Self:
        """Likewise, where nothing can be wrong: what says less than a net that exists, such as a part taken out."""
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

    def bare(self) -> Self:
        """This net without arrays and codecs; a shared name stays, it is part of the structure."""
        held = self.held
        if not (held.arrays or held.inputs or held.outputs):
            return self
        return self.unchecked(Held(shared=held.shared))


class LeafNode(Node, abstract=True):
    """What the solver and the runner need of a leaf; `Leaf` is its public face."""

    ports: ClassVar[str]
    needs_float32: ClassVar[bool] = False  # whether the arithmetic needs float32 when the rest runs in less
    opaque: ClassVar[bool] = False  # whether its code is not ours, so that its results are held against its ports
    ignores_padding: ClassVar[bool] = (
        False  # whether what lies behind an example's end changes nothing before it, untold
    )
    normalizes: ClassVar[bool] = False  # whether its values along the last axis add up to 1, so that one is always 1
    passes_values: ClassVar[bool] = False  # whether its values are its inputs' own, so that indices stay indices

    def signature(self, count: int) -> str:
        """The ports when `count` values are given; only leaves with any number of inputs look at it."""
        return self.ports

    @property
    def variadic(self) -> bool:
        """Whether the leaf takes any number of inputs."""
        return type(self).signature is not LeafNode.signature

    @property
    def takes_lengths(self) -> bool:
        """Whether it asks for the lengths of the axes it names."""
        return "lengths" in declared_keywords(type(self))

    def weights(self) -> dict[str, Weight]:
        """The arrays this leaf owns, by name."""
        return {}

    def init_of(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Init | None:
        """How a new array of this name is filled, where all arrays have these shapes."""
        return self.weights()[name].init

    def sizes(self) -> dict[str, Any]:
        """The fields by which names of the ports may be given as numbers."""
        return field_values(self)

    def relate(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """What follows from the sizes known so far, in either direction; `None` or less where nothing does."""
        return None

    def presume(self, known: Mapping[str, Any]) -> dict[str, Any] | None:
        """What is taken to hold where a number of axes goes round in a circle, as that of a state; as `relate` does."""
        return None

    def products(self, sizes: Mapping[str, Any]) -> Any:
        """Multiply-adds of one input with another, for one example, by the sizes of its ports' names."""
        return 0

    def fewest(self, sizes: Mapping[str, Any]) -> int:
        """How many examples a batch of training has at least, by the sizes of its ports' names."""
        return 1

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        """By input port, which positions output i sees along the axes the leaf names: from i + lo to i + hi.

        Several are those along the axes of a run, one after another; all other axes see their own place.
        `"*"` stands for every port that is not said; without it such a port sees everything. Leading axes (`...`)
        are never mixed.
        """
        return {}

    def span(self, port: str, axis: int, training: bool) -> Span | None:
        """The reach along one axis of a run, -1 for an axis that is named by itself; None for everything."""
        seen = self.reach(training)
        found = seen.get(port, seen.get("*"))
        if found is None or not isinstance(found[0], tuple):
            return cast("Span | None", found)
        spans = cast(tuple[Span, ...], found)
        return spans[axis] if 0 <= axis < len(spans) else (0, 0)

    def memory(self) -> Mapping[str, str] | None:
        """What it remembers from one element to the next, by name, in the axes of its ports; None: it cannot step."""
        return None

    def step(self, w: Mapping[str, Any], memory: Mapping[str, Any] | None, *x: Any) -> tuple[Any, Mapping[str, Any]]:
        """The arithmetic on a chunk of one element or more, from what is remembered; None: nothing yet.

        It may declare the keyword `wanted`, the names of the outputs that somebody reads; others may then be None.
        """
        raise NotImplementedError

    forward: ClassVar[Callable[..., Any]]
    """The arithmetic on batches: `forward(w, *x)`, with the leaf's arrays by name and a value for each input port."""

    def prepared(self, w: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `forward` takes for `w` where arrays stay as they are: them, and what makes it faster to have."""
        return w

    def absorbed_by(self, w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What the leaf before takes for its settled `w` so that it does the work of this one too; None: it cannot."""
        return None

    def over_sequence(self) -> "LeafNode | None":
        """The leaf that does at once what a `Fold` of this one does element by element, where there is one.

        Its ports are called the same; what is no state has the axis, called n, in front; its first output is this
        one's first, element by element, and the last states follow.
        """
        return None

    def merged_with(self, before: "LeafNode") -> "tuple[LeafNode, ...] | None":
        """The leaves that do exactly what `before` and then this leaf do, where that is faster."""
        return None


class Unfit(ValueError):
    """Raised by `relate`: the sizes of this leaf cannot go together. Says the fault, what was expected, what came."""

    def __init__(self, what: str, expected: str = "", got: str = "") -> None:
        super().__init__(what)
        self.what, self.expected, self.got = what, expected, got


def structure(node: Node) -> Structure:
    """What a net has in common with all that differ from it in what they hold alone: kept there, it is found once."""
    return once(node, STRUCTURE, Structure)


def field_values(node: object) -> dict[str, Any]:
    """The declared fields of a part or codec, in order."""
    return {f.name: getattr(node, f.name) for f in fields(cast(Any, node))}


def kind_name(node: Node) -> str:
    """The name under which a part is numbered in a path: `conv`, `maxpool`, `layernorm`."""
    own = getattr(node, "kind_name", None)
    return own if isinstance(own, str) else type(node).__name__.lower()


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


def numbered(names: Iterable[str], stem: str) -> str:
    """The first of `stem1`, `stem2`, … that is not taken.

    Example:
        >>> numbered(["conv1", "relu1"], "conv")
        'conv2'
    """
    return Numbers(names).new(stem)


class Numbers:
    """Gives names with a number, one after another: each search goes on where the last one ended.

    Example:
        >>> numbers = Numbers(["conv2"])
        >>> numbers.new("conv"), numbers.new("conv"), numbers.new("relu")
        ('conv1', 'conv3', 'relu1')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def new(self, stem: str) -> str:
        """The first of `stem1`, `stem2`, … that is not taken; from now on it is."""
        return self._next(stem, self._last.get(stem, 1))

    def kept(self, name: str, stem: str) -> str:
        """A name itself if it is not taken, else a new one."""
        if name in self._taken:
            return self.new(stem)
        self._taken.add(name)
        return name

    def again(self, place: str) -> str:
        """The name of a place itself when it is used first, then `place_2`, `place_3`, …"""
        if place not in self._taken:
            return self.kept(place, place)
        return self._next(f"{place}_", self._last.get(f"{place}_", 2))

    def _next(self, stem: str, number: int) -> str:
        while f"{stem}{number}" in self._taken:
            number += 1
        self._last[stem] = number + 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"


def join_path(*pieces: str) -> str:
    """A path from its pieces; a piece that is a shared place starts the path anew."""
    path = ""
    for piece in pieces:
        path = piece if not path or piece.startswith(SHARED) else f"{path}/{piece}" if piece else path
    return path


def expect_net(value: object, where: str) -> None:
    """Refuse what is no net; `where` is the function that was given it."""
    if not isinstance(value, Node):
        part = value.__name__ if isinstance(value, type) and issubclass(value, Node) else ""
        raise NetError(
            what=f"{where} takes a net",
            got=repr(value)[:100],
            mend=f"nw.{part}(…): this is the kind, not a part" if part else "",
        )


def check_name(name: object, where: str) -> None:
    """Refuse a name that cannot stand in a path."""
    if not (isinstance(name, str) and (name.isidentifier() or name.isdigit())):
        raise NetError(
            what="a part's name is a Python name", where=where, got=repr(name), mend="letters, digits and underscores"
        )


@cache
def declared_keywords(kind: type[LeafNode]) -> frozenset[str]:
    """The keyword-only arguments that the `forward` of a kind of leaf declares.

    Kept by kind: by function, what it closes over would stay for ever.
    """
    return keyword_arguments(kind.forward)


def keyword_arguments(function: Callable[..., Any]) -> frozenset[str]:
    """The keyword-only arguments a function declares."""
    return frozenset(
        name for name, p in inspect.signature(function).parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY
    )

"""What a leaf declares of itself: the solver, the runner, training, the mends and the drawing ask it, and no list."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from math import inf
from typing import Any, ClassVar, Literal, TypeAlias, cast

from netwright.errors import NetwrightError
from netwright.inits import Init
from netwright.net.node import Node, field_values
from netwright.value import Value

Span: TypeAlias = tuple[float, float]
"""Position i sees positions i + low … i + high."""

Values: TypeAlias = Literal["numbers", "class probabilities", "separate probabilities", "log probabilities"]
"""What the values of a leaf are. Class probabilities add up to 1 along the last axis, separate ones need not."""

LeafFault: TypeAlias = Literal["input", "numbers", "shortens", "one class", "several classes"]
"""What other leaves in the place of one may mend: it does not take an input of these sizes, or no numbers; its output
has fewer positions than its input; its values are to decide between yes and no, or between several classes."""

Family: TypeAlias = Literal["conv", "linear", "sequence", "norm", "pool", "shape", "pointwise", "loss", "code", "other"]
"""The kinds of leaves that a drawing tells apart by colour."""


class Weight(Value):
    """An array that a leaf owns.

    Fields:
        axes: its axes in the names of the leaf's ports, such as `"out in"`.
        init: how a new one is filled; None where no new one is made, since its values come with the leaf.
        kind: `learned` by gradients; `running`, updated by training runs, such as a mean; `fixed`.
    """

    axes: str
    init: Init | None
    kind: Literal["learned", "running", "fixed"] = "learned"


class Kept(Value):
    """What a leaf keeps in training until the backward pass has read it.

    Fields:
        inputs, outputs: the ports whose values are kept; `"*"` stands for all of them. A value that several leaves keep
            is in memory once.
        bytes: of all that is kept besides, for one example with numbers as float32.
        in_use: bytes that it makes besides its outputs where no gradient is needed, while it computes.
        factors: whether each input is kept for the gradients of the others only, as in a product: beside a constant a
            value is not kept.
        between: of factors, the bytes of the product of all before the third, before the fourth and so on: each is kept
            for the gradient of the factor that follows.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    bytes: Any = 0
    in_use: Any = 0
    factors: bool = False
    between: tuple[Any, ...] = ()


class Unfit(ValueError):
    """Raised by `relate`: the sizes of this leaf cannot go together. Says the fault, what was expected, what came."""

    def __init__(self, what: str, expected: str = "", got: str = "") -> None:
        super().__init__(what)
        self.what, self.expected, self.got = what, expected, got


class LeafNode(Node, abstract=True):
    """What a leaf says of itself, in five groups: meaning, padding, time, speed, looks. `Leaf` is its public face.

    Only `ports` and `forward` have to be said. Everything else has a default that is right for a leaf that says
    nothing, if not the fastest.
    """

    # ---- meaning: what it computes

    ports: ClassVar[str]
    """Its inputs and outputs in named sizes: `"... in -> ... out"`."""

    forward: ClassVar[Callable[..., Any]]
    """The arithmetic on batches: `forward(w, *x)`, with the leaf's arrays by name and a value for each input port."""

    is_loss: ClassVar[bool] = False
    """Whether its output says how far its first input is from its second: a net that ends in it can be trained."""

    slides: ClassVar[bool] = False
    """Whether a window slides over the positions of its input, whose last axis is the channels."""

    spreads: ClassVar[bool] = False
    """Whether every position of its input is multiplied with its weight, and not every position of its output."""

    only_reshapes: ClassVar[bool] = False
    """Whether it gives the values of its input in their order, with other axes."""

    def signature(self, count: int) -> str:
        """The ports when `count` values are given; only leaves with any number of inputs look at it."""
        return self.ports

    @property
    def variadic(self) -> bool:
        """Whether the leaf takes any number of inputs."""
        return type(self).signature is not LeafNode.signature

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
        """The sizes to assume where a number of axes depends on itself, such as that of a state; as `relate` gives."""
        return None

    def fewest(self, sizes: Mapping[str, Any]) -> int:
        """How many examples a batch of training has at least, by the sizes of its ports' names."""
        return 1

    def gives(self) -> Values:
        """What its values are: the loss, the decoder of the targets and the mends follow from it."""
        return "numbers"

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that its first output can give or come near to, if no optional port is fed.

        The decoder of the targets follows from it.
        """
        return -inf, inf

    def code(self) -> tuple[str, Any] | None:
        """Code that is not the framework's: the name to import it by, and itself; None: there is none.

        Its results are held against the ports. A file names it and does not hold it.
        """
        return None

    @property
    def identity(self) -> str:
        """A text that is equal when two leaves compute the same; empty where kind and fields say it."""
        return ""

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> "Iterator[LeafNode]":
        """Leaves in the place of this one that may mend a fault, the likeliest first: often itself with other options.

        `sizes` are those of its input. Each is tried before it is proposed.
        """
        return iter(())

    # ---- padding: what it does behind the end of an example

    ignores_padding: ClassVar[bool] = False
    """Whether padding never changes real positions, so that the leaf needs no lengths."""

    passes_values: ClassVar[bool] = False
    """Whether its values are its inputs' own, so that indices stay indices."""

    @property
    def takes_lengths(self) -> bool:
        """Whether it asks for the lengths of the axes it names."""
        return "lengths" in declared_keywords(type(self))

    # ---- time: what it sees of other positions, and how it goes on from one element to the next

    def reach(self, training: bool) -> Mapping[str, Span | tuple[Span, ...]]:
        """By input port, which positions output i sees along the axes the leaf names: from i + low to i + high.

        Several are those along the axes of a run, one after another; along all other axes it sees its own position.
        `"*"` stands for every port that is not named; without it such a port sees everything. Leading axes (`...`)
        are never mixed.
        """
        return {}

    def span(self, port: str, axis: int, run: int, training: bool) -> Span | None:
        """The reach along one axis of a run of so many, -1 for an axis named by itself; None for everything."""
        seen = self.reach(training)
        found = seen.get(port, seen.get("*"))
        if found is None or not isinstance(found[0], tuple):
            return cast("Span | None", found)
        spans = cast(tuple[Span, ...], found)
        return spans[axis] if 0 <= axis < len(spans) else (0, 0)

    def hides_future(self, path: str) -> tuple[str, ...]:
        """The changes of this leaf, at a path, by which no output sees later positions; empty where there is none."""
        return ()

    def memory(self) -> Mapping[str, str] | None:
        """What it remembers from one element to the next, by name, in the axes of its ports; None: it cannot step."""
        return None

    def step(self, w: Mapping[str, Any], memory: Mapping[str, Any] | None, *x: Any) -> tuple[Any, Mapping[str, Any]]:
        """The arithmetic on a chunk of one element or more, from what is remembered; None: nothing yet.

        It may declare the keyword `wanted`, the names of the outputs that are read; the others may then be None.
        """
        raise NotImplementedError

    def over_sequence(self) -> "LeafNode | None":
        """The leaf that does at once what a `Fold` of this one does element by element, where there is one.

        It has the same ports. Those that are no state have one more axis in front, called n. Its first output is this
        leaf's first, element by element, and the last states follow.
        """
        return None

    # ---- speed: what it costs, and what makes it faster

    needs_float32: ClassVar[bool] = False
    """Whether the arithmetic needs float32 when the rest runs in less."""

    float32_arrays: ClassVar[bool] = False
    """Whether the arrays alone are float32 when the rest runs in less: the arithmetic takes values as they are."""

    def products(self, sizes: Mapping[str, Any]) -> Any:
        """Multiply-adds of one input with another, for one example, by the sizes of its ports' names."""
        return 0

    def is_view(self, training: bool) -> bool:
        """Whether its outputs lie in the memory of its inputs, the last in the last and so on; without inputs, in that
        of its array."""
        return False

    @property
    def turned(self) -> tuple[int, ...] | None:
        """Of a view whose axes are those of its input in another order, that order; None of all others."""
        return None

    def keeps(self, sizes: Mapping[str, Any], wanted: Collection[str]) -> Kept:
        """What it keeps for the backward pass, by the sizes of its ports' names and the outputs that are read.

        A leaf that says nothing is taken to keep what it reads and gives.
        """
        return Kept(inputs=("*",), outputs=("*",))

    def prepared(self, w: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `forward` takes for `w` while the arrays do not change: the arrays, and what makes it faster."""
        return w

    def absorbed_by(self, before: Mapping[str, Any], w: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The prepared `w` with which the leaf before, whose own is `before`, does the work of this one in use too.

        None: it cannot."""
        return None

    def merged_with(self, before: "LeafNode") -> "tuple[LeafNode, ...] | None":
        """The leaves that do exactly what `before` and then this leaf do, where that is faster."""
        return None

    # ---- looks

    family: ClassVar[Family] = "other"
    """The colour of its box in a drawing."""

    reverses: ClassVar[bool] = False
    """Whether it gives a sequence from its end to its beginning: a state behind it is drawn from right to left."""


def with_options(leaf: LeafNode, **changes: Any) -> Iterator[LeafNode]:
    """A leaf with other options, checked like a new one; nothing where it cannot have them."""
    if not changes.keys() <= field_values(leaf).keys():
        return
    try:
        made = type(leaf)(**{**field_values(leaf), **changes})
    except (NetwrightError, TypeError, ValueError):
        return
    yield made.holding(shared=leaf.held.shared) if leaf.held.shared else made


@cache
def declared_keywords(kind: type[LeafNode]) -> frozenset[str]:
    """The keyword-only arguments that the `forward` of a kind of leaf declares; the ends of a `Map` have no `forward`.

    Kept by kind: if it were kept by function, whatever the function closes over would stay in memory.
    """
    forward = getattr(kind, "forward", None)
    return frozenset() if forward is None else keyword_arguments(forward)


def keyword_arguments(function: Callable[..., Any]) -> frozenset[str]:
    """The keyword-only arguments a function declares."""
    return frozenset(
        name for name, p in inspect.signature(function).parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY
    )

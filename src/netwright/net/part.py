"""The public face of every net: what a leaf and a container are, and the verbs all nets share."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Never, Self, TypeAlias, cast, overload

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.reading import Raw, Reading
from netwright.elsewhere import no_verb
from netwright.errors import NetError, SizeError
from netwright.net import arguments as given
from netwright.net import compare, surgery
from netwright.net.faults import explain
from netwright.net.history import History
from netwright.net.leaf import LeafNode
from netwright.net.lineage import history_of, history_of_parts, in_brief, recorded, some_of
from netwright.net.names import SHARED, check_name
from netwright.net.names import join_path as join_path
from netwright.net.node import Held, Node, arguments, field_values
from netwright.net.plan.container import ContainerNode, check_nesting
from netwright.net.plan.level import Level
from netwright.net.plan.plan import Plan, plan_of
from netwright.net.plan.symbol import Symbol, as_part
from netwright.net.ports import PortsLike, check_reads, codecs_of, outer_codecs, ports_repr, ports_verbs
from netwright.net.run import call
from netwright.net.run.call import Changes
from netwright.net.standard import standard_class
from netwright.once import forget, once
from netwright.sizes.notation import ports

Paths: TypeAlias = list[str] | tuple[str, ...]
OWN = {
    "ports": 'ports = "... in -> ... out", the sizes of its inputs and outputs, in the class',
    "forward": "def forward(self, w, x), its arithmetic on batches",
}
"""What a leaf of one's own has to say."""
MOST = 3600  # characters of a net; what is longer is read in `nw.summary(net)`


class Net(Node, abstract=True):
    """A net is a value: frozen, comparable, printable; every edit gives a new net that shares what it did not touch."""

    # Arrays are `Tensor | Any`: a list where lengths differ, or a mapping of several outputs, which no type foresees.
    @overload
    def __call__(self, *x: Symbol, name: str = "", **ports: Symbol) -> Symbol: ...
    @overload
    def __call__(
        self, x: Any, /, *, at: str, set: Changes | None = None, training: bool = False, seed: int = 0
    ) -> Tensor | Any: ...
    @overload
    def __call__(
        self, x: Any, /, *, at: Paths, set: Changes | None = None, training: bool = False, seed: int = 0
    ) -> dict[str, Tensor | Any]: ...
    @overload
    def __call__(
        self, x: Any, reading: Raw, /, *, set: Changes | None = None, training: bool = False, seed: int = 0
    ) -> Tensor | Any: ...
    @overload
    def __call__(
        self, x: Any, reading: Reading = ..., /, *, set: Changes | None = None, training: bool = False, seed: int = 0
    ) -> Any: ...
    def __call__(  # pyright: ignore[reportInconsistentOverload]  # ports called `at` or `set` are fed by position
        self,
        *x: Any,
        at: str | Sequence[str] | None = None,
        set: Changes | None = None,
        training: bool = False,
        seed: int = 0,
        name: str = "",
        **ports: Symbol,
    ) -> Any:
        """Run the net on one example, on a list, or on a batch; or, given symbols, draw it into another net.

        Fields:
            x: an example, encoded by the net's own encoder; a list of examples; an array with one axis more. Then,
                if wanted, a reading of the decoder: `nw.probabilities`, `nw.Top(3)`, `nw.Sample()`, `nw.entropy`,
                `nw.raw`. A net with several inputs takes one mapping from port to value.
            at: a path, or several: give the arrays there instead of the outputs. Of a part with several outputs one is
                `"path.port"`.
            set: path to a function or an array that takes the place of the value there.
                Tensors that are given in `x` or here and want a gradient keep their graph in tensors that come out.
            training: behave as in training: dropout drops, batch norm uses the batch.
            seed: of the noise in training mode.
            name: of the part in the net that is drawn; its kind with a number if empty.
            ports: symbols for input ports by name, when drawing.

        Returns: what the decoder says; of a list or a batch a list with an answer for each example. `nw.raw` and `at`
            give arrays: of one example its own, of several one tensor whose first axis counts them. Where they differ
            in size, as of texts of different length, it is a list with one tensor for each, so texts of equal length
            give a tensor. Several outputs are a mapping by name.

        Example:
            >>> import netwright as nw
            >>> net = nw.initialize(nw.Chain(nw.Embedding(2), input=nw.Characters("abc")))
            >>> net(["ab", "ca"], nw.raw).shape
            torch.Size([2, 2, 2])
            >>> [tuple(rows.shape) for rows in net(["ab", "c"], nw.raw)]
            [(2, 2), (1, 2)]
        """
        if ports or any(isinstance(value, Symbol) for value in x) or not (x or self.input_names):
            return given.used_on_symbols(self, x, name, ports)
        value, reading = given.reading_of(self, x, at)
        given.check_question(value, at, set)
        return call.call(self, value, reading, call.Question(at, set, training, seed))

    def __getitem__(self, path: str | int | slice) -> "Net":
        """The part at a path or position, or the parts between two, with their arrays."""
        if isinstance(path, slice):
            cut = surgery.cut_out(self, given.piece(path))
            return recorded(cast(Net, cut), self, f"take parts {surgery.slice_text(path)}")
        found = surgery.get(self, given.path_of(path))
        return recorded(cast(Net, found), self, f"take part {path}")

    def __iter__(self) -> Iterator["Net"]:
        """The parts, in the order they run, with their arrays."""
        return iter([self[place] for place in range(len(self))])

    if not TYPE_CHECKING:  # so that a type checker finds wrong names

        def __getattr__(self, name: str) -> Never:
            if hasattr(type(self), name):  # the property itself raised this error
                object.__getattribute__(self, name)
            if name in OWN and isinstance(self, LeafNode):
                raise NetError(what=f"{type(self).__name__} does not say its {name}", mend=OWN[name])
            no_verb(type(self).__name__, name)

    def __len__(self) -> int:
        return len(self.level.calls) if isinstance(self, ContainerNode) else 0

    def __bool__(self) -> bool:
        return True

    def __rshift__(self, other: Any) -> "Net":
        return join(self, other)

    def __rrshift__(self, other: Any) -> "Net":
        return join(other, self)

    def __eq__(self, other: object) -> bool:
        return compare.equal(self, other) if isinstance(other, Node) else NotImplemented

    def __hash__(self) -> int:
        return once(self, "hash", lambda: compare.form_hash(self))

    @property
    def plan(self) -> Plan:
        """The plan: steps, slots, sizes and arrays. Made once."""
        return plan_of(self)

    @property
    def arrays(self) -> dict[str, Tensor]:
        """Copies of the arrays the net holds, by path."""
        return {path: array.clone() for path, array in self.held.arrays.items()}

    @property
    def inputs(self) -> dict[str, Codec | None]:
        """The input ports with their encoders."""
        return {name: self.held.inputs.get(name) for name in self.input_names}

    @property
    def outputs(self) -> dict[str, Codec | None]:
        """The output ports with their decoders."""
        return {name: self.held.outputs.get(name) for name in self.output_names}

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of every part, at any depth, in the order they run."""
        return tuple(self.plan.wiring.values)

    @property
    def history(self) -> History:
        """What the net was made from, every edit and every training, oldest first; equality leaves it out."""
        return history_of(self)

    def replace(self, path: str | int, part: Any) -> "Net":
        """The net with another part at a path; a part without arrays resets them, one with arrays keeps its own."""
        part = as_part(part)
        made = cast(Net, surgery.replace(self, given.path_of(path), part))
        return recorded(made, self, f"replace {path} by {in_brief(part)}", {str(path): part})

    def insert(self, before: str | int, part: Any, name: str = "") -> "Net":
        """The net with a part put before another; it reads what that one read first."""
        part = as_part(part)
        made = cast(Net, surgery.insert(self, given.path_of(before), part, name))
        return recorded(made, self, f"insert {in_brief(part)} before {before}", {name or part.kind_name: part})

    def delete(self, path: str | int) -> "Net":
        """The net without a part; what read it reads what the part read."""
        return recorded(cast(Net, surgery.delete(self, given.path_of(path))), self, f"delete {path}")

    def append(self, part: Any, name: str = "") -> "Net":
        """The net with one part more at its end; its decoder gives way to the part's own."""
        part = as_part(part)
        made = cast(Net, surgery.append(self, part, name))
        return recorded(made, self, f"append {in_brief(part)}", {name or part.kind_name: part})

    def prepend(self, part: Any, name: str = "") -> "Net":
        """The net with one part more at its beginning; its encoder gives way to the part's own."""
        part = as_part(part)
        made = cast(Net, surgery.prepend(self, part, name))
        return recorded(made, self, f"prepend {in_brief(part)}", {name or part.kind_name: part})

    def rename(self, path: str | int, name: str) -> "Net":
        """The net with another name for a part; its arrays move along."""
        return recorded(cast(Net, surgery.rename(self, given.path_of(path), name)), self, f"rename {path} to {name}")

    def with_input(self, port: PortsLike) -> "Net":
        """The net with another encoder, several by port, or none; arrays that no longer fit are reset."""
        codecs = codecs_of(port, self.input_names, self.optional_names)
        return recorded(self._with_codecs(inputs=codecs), self, f"with_input {some_of(map(repr, codecs.values()))}")

    def with_output(self, port: PortsLike) -> "Net":
        """The net with another decoder, several by port, or none; arrays that no longer fit are reset.

        Arrays are judged by their sizes alone: as many labels in another order, or others, keep the last layer as it
        is, although its outputs now mean something else. `nw.diff` then says kept, and `net.replace` a fresh one.
        """
        codecs = codecs_of(port, self.output_names)
        return recorded(self._with_codecs(outputs=codecs), self, f"with_output {some_of(map(repr, codecs.values()))}")

    def with_arrays(self, arrays: Mapping[str, Any]) -> "Net":
        """The net holding copies of these arrays beside its others; keys are paths, or names of a torch state_dict.

        Numbers are brought to the type that the net's other arrays have, float32 if it has none yet; tensors that
        replace all of them keep theirs, where it is one.

        Raises: PathError for an array that no part has, SizeError for one that does not fit, DataError for no array.
            The first two list all that is wrong, and the arrays that are missing.
        """
        found = {**self.held.arrays, **given.arrays_for(arrays, self.held.arrays, self.plan.arrays)}
        try:
            held = self.holding(arrays=found)
            return recorded(held, self, f"with_arrays {some_of(sorted(arrays))}") if arrays else self
        except SizeError as error:
            raise given.with_missing(error, found, self.plan.arrays) from None

    def to(self, device: Any = None, dtype: torch.dtype | None = None) -> Self:
        """The net with its arrays on a device, or of a float type; a type may stand alone, as in torch.

        Raises: NetError for a device that is not there, or a type that is none.
        """
        where, kind = given.target(device, dtype)
        moved = self.holding(arrays={path: given.moved_to(a, where, kind) for path, a in self.held.arrays.items()})
        return recorded(moved, self, " ".join(["to", *(str(one) for one in (where, kind) if one is not None)]))

    def bare(self) -> Self:
        """The net without arrays and codecs; a shared name stays, it is part of the structure."""
        held = self.held
        return recorded(self.stripped(), self, "bare") if held.arrays or held.inputs or held.outputs else self

    def validate(self) -> None:
        """Raise every fault of the net at once, each with the mends that were checked."""
        mismatches = self.plan.solution.mismatches
        if not mismatches:
            return
        if explain.probing.get():
            raise SizeError(what="this edit does not mend it")
        raise explain.explained(self)

    def _with_codecs(self, **sides: Mapping[str, Codec | None]) -> "Net":
        held = {side: dict(getattr(self.held, side)) for side in ("inputs", "outputs")}
        for side, codecs in sides.items():
            held[side] |= {name: codec for name, codec in codecs.items() if codec is not None}
            held[side] = {name: codec for name, codec in held[side].items() if codecs.get(name, codec) is not None}
        bare = self.rebuilt(Held(inputs=held["inputs"], outputs=held["outputs"], shared=self.held.shared))
        return cast(Net, surgery.hold_arrays(bare, self.held.arrays))

    def __copy__(self) -> Self:
        return self  # a frozen value and its copy are the same

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        held = self.held
        return _restored, (
            type(self),
            field_values(self),
            dict(held.arrays),
            dict(held.inputs),
            dict(held.outputs),
            held.shared,
            held.history,
        )


class Leaf(LeafNode, Net, abstract=True):
    """Arithmetic: ports in named sizes, weights in the same names, and a `forward` in torch. Nothing else.

    A subclass declares its fields like a dataclass and says `ports`, such as `"... in -> ... out"`; where it has
    arrays, `weights()`; what unification cannot say, `relate(known)`; and `forward(w, *x)` on batches, the batch axis
    first. `forward` may declare the keyword arguments `training` and `random`, and then gets them.

    Example:
        >>> import netwright as nw
        >>> class Double(nw.Leaf):
        ...     ports = "... -> ..."
        ...     def forward(self, w, x):
        ...         return 2 * x
        >>> Double()(nw.batch([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """

    @property
    def input_names(self) -> tuple[str, ...]:
        return ports(self.signature(1)).input_names

    @property
    def optional_names(self) -> tuple[str, ...]:
        return tuple(port.name for port in ports(self.signature(1)).inputs if port.optional)

    @property
    def output_names(self) -> tuple[str, ...]:
        return ports(self.signature(1)).output_names

    def __repr__(self) -> str:
        return shared_repr(self, f"{_written_name(type(self))}({arguments(self)})")


class Container(ContainerNode, Net, abstract=True):
    """Wiring: parts, and one method that connects them, walked once on symbols.

    A subclass declares its parts as fields and says `flow(call, *x)`, with `value = call(name, part, *values)`. Where
    a field holds a part under another name than `flow` uses, `children` and `fields_with` say so.

    Example:
        >>> import netwright as nw
        >>> class Twice(nw.Container):
        ...     body: nw.Net
        ...     def flow(self, call, x):
        ...         return call("second", self.body, call("first", self.body, x))
        >>> [path for path in Twice(nw.Linear(3)).paths]
        ['first', 'second']
    """

    def __post_init__(self) -> None:
        self.settle(self.held)

    def settle(self, held: Held) -> None:
        """Take over the arrays and codecs of the parts, and check the whole; every constructor ends with this."""
        level, children = self.level, self.children()  # the parts as they were given, with what they hold
        check_nesting(self)
        arrays = {**held.arrays, **surgery.lift(level)}
        stripped = {name: child.stripped() for name, child in children.items()}
        if any(stripped[name] is not child for name, child in children.items()):
            for name, value in (self.fields_with(stripped) or {}).items():
                object.__setattr__(self, name, value)
            forget(self)  # walked again, with the stripped parts
        given = {(made.name, port): codec for made in level.calls for port, codec in made.part.held.outputs.items()}
        for made in level.calls:
            check_reads(made.part, [(port, ref) for port, ref in made.reads if ref[0]], given, made.name)
        inputs, outputs = outer_codecs(level, held.inputs)
        if self.each is not None:
            inputs, outputs = self.lifted(inputs, outputs)
        sides = {"inputs": {**inputs, **held.inputs}, "outputs": {**outputs, **held.outputs}}
        history = held.history or history_of_parts(self, children)
        object.__setattr__(self, "held", Held(MappingProxyType(arrays), **sides, shared=held.shared, history=history))
        self.validate()

    def lifted(
        self, inputs: Mapping[str, Codec], outputs: Mapping[str, Codec]
    ) -> tuple[dict[str, Codec], dict[str, Codec]]:
        """The codecs of the whole, given those of the part that is applied to every element; by default none."""
        return {}, {}

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("input",)

    def children(self) -> dict[str, Node]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in fields.items() if isinstance(value, Node)}

    def fields_with(self, children: Mapping[str, Node]) -> dict[str, Any] | None:
        return dict(children) if children.keys() <= self.children().keys() else None

    def of_level(self, level: Level, held: Held) -> ContainerNode:
        return standard_class("Graph").from_level(level, held.inputs, held.outputs, held.shared)

    def __repr__(self) -> str:
        return shared_repr(self, f"{type(self).__name__}({arguments(self)}{ports_repr(self)})")


def join(left: Any, right: Any) -> Net:
    """Two nets one after the other: the parts of two chains become one chain.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(3, nw.relu, 2)
        >>> nw.join(net[:1], net[1:]) == net
        True
    """
    left, right = as_part(left), as_part(right)
    made = standard_class("Chain").joined(left, right)
    return recorded(made, left, f"join {in_brief(right)}", {"right": right})


def Shared(name: str, part: Any) -> Net:
    """A part whose arrays are the same wherever this name is used: through edits, saving and export.

    Example:
        >>> import netwright as nw
        >>> layer = nw.Shared("layer", nw.Linear(3))
        >>> sorted(nw.initialize(nw.Chain(layer, nw.relu, layer, input=3)).arrays)
        ['@layer/bias', '@layer/weight']
    """
    check_name(name, "a shared name")
    node = as_part(part)
    arrays = {join_path(SHARED + name, path): array for path, array in node.held.arrays.items()}
    held = Held(arrays, node.held.inputs, node.held.outputs, name)
    return recorded(cast(Net, node.rebuilt(held)), node, f"Shared {name}")


def _written_name(kind: type[Node]) -> str:
    """The name of a class in a repr: with its module, if the class is ours but not public."""
    public = vars(sys.modules["netwright"]).get(kind.__name__) is kind
    ours = kind.__module__.startswith("netwright.")
    return f"{kind.__module__}.{kind.__name__}" if ours and not public else kind.__name__


def shared_repr(node: Node, text: str) -> str:
    """The text of a part: a leaf with its codecs, inside `Shared` if it has a shared name; of a large net both ends."""
    if isinstance(node, LeafNode):
        text += ports_verbs(node)
    elif len(text) > MOST:
        text = f"{text[: MOST // 2].rpartition(',')[0]}, … {text[-MOST // 2 :].partition(', ')[2]}"
    return f"Shared({node.held.shared!r}, {text})" if node.held.shared else text


def _restored(
    kind: type[Node],
    fields: Mapping[str, Any],
    arrays: Mapping[str, Tensor],
    inputs: Mapping[str, Codec],
    outputs: Mapping[str, Codec],
    shared: str,
    history: History,
) -> Node:
    """The net that was pickled."""
    node = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(node, name, value)
    object.__setattr__(node, "held", Held(arrays, inputs, outputs, shared, history))
    return node

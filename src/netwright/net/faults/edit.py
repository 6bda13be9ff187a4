"""Edits of a net that are data: tried on its flat wiring first, where nothing is built, then on the net itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, cast

from netwright.codecs.codec import Codec
from netwright.errors import NetError, NetwrightError
from netwright.net.cost import parameters
from netwright.net.leaf import LeafNode
from netwright.net.names import Numbers, join_path
from netwright.net.node import Held, Node, field_values
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.each import EachBoundary, user_path
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.plan import fixed, plan_of, wiring_of
from netwright.net.plan.solution import Mismatch, Solution
from netwright.net.plan.solve import solve
from netwright.net.plan.symbol import input_ports, output_names
from netwright.net.plan.wiring import Op, Slot, Wiring
from netwright.net.standard import Standard, standard
from netwright.net.surgery import hold_arrays
from netwright.sizes.size import Expression
from netwright.sizes.unify import Row
from netwright.value import Value, literal

COLUMN = 36  # where the note that a mend was checked begins


class Edit(Value):
    """A change of a net, and its text in an error.

    Fields:
        text: what to write.
        note: what it means, if the text does not show it.
        inserts: by (path of a leaf, its input port) the leaves to put before it there; `("", port)` is an output.
        leaves: by path another leaf, whose arrays start anew; `None` leaves it out.
        inputs, outputs: other codecs, by port.
        instead: edits with the same word are alternatives; one of them is enough.
    """

    text: str
    note: str = ""
    inserts: Mapping[tuple[str, str], tuple[LeafNode, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[LeafNode, ...]]
    )
    leaves: Mapping[str, LeafNode | None] = field(default_factory=dict[str, LeafNode | None])
    inputs: Mapping[str, Codec] = field(default_factory=dict[str, Codec])
    outputs: Mapping[str, Codec] = field(default_factory=dict[str, Codec])
    instead: str = ""

    def __or__(self, other: "Edit") -> "Edit":
        """Both edits at once."""
        return Edit(
            text=f"{self.text}, {other.text}",
            inserts={**self.inserts, **other.inserts},
            leaves={**self.leaves, **other.leaves},
            inputs={**self.inputs, **other.inputs},
            outputs={**self.outputs, **other.outputs},
        )


def tried(node: Node, edit: Edit, strict: bool) -> Solution:
    """The sizes of the net with this edit, without building it. Unless strict, arrays that become unfit are dropped."""
    wiring = _redrawn(wiring_of(node), edit)
    inputs, outputs = {**node.held.inputs, **edit.inputs}, {**node.held.outputs, **edit.outputs}
    facts = {path: tuple(node.held.arrays[path].shape) for path in _kept(node, edit)}
    solution = solve(wiring, inputs, outputs, facts)
    unfit = {m.about for m in solution.mismatches if m.about in facts}
    while unfit and not strict:
        facts = {path: shape for path, shape in facts.items() if path not in unfit}
        solution = solve(wiring, inputs, outputs, facts)
        unfit = {m.about for m in solution.mismatches if m.about in facts}
    return solution


def edited(node: Node, edit: Edit, strict: bool) -> Node:
    """The net with this edit. Raises: NetwrightError where it does not type-check."""
    inputs, outputs = {**node.held.inputs, **edit.inputs}, {**node.held.outputs, **edit.outputs}
    bare = _rebuilt(node, edit, "", Held(inputs=inputs, outputs=outputs, shared=node.held.shared))
    arrays = {path: node.held.arrays[path] for path in _kept(node, edit)}
    return bare.holding(arrays=arrays) if strict else hold_arrays(bare, arrays)


def key(mismatch: Mismatch) -> tuple[str, str, str]:
    """The key of a mismatch in its net: the leaf, and the output or the array."""
    path = mismatch.op.path if mismatch.op else ""
    return (path, "" if mismatch.op else mismatch.port, mismatch.about.rpartition("/")[0] or mismatch.varies)


def open_arrays(solution: Solution) -> set[str]:
    """The arrays with sizes that are not numbers."""
    return {
        f"{scope.op.path}/{name}"
        for scope in solution.scopes.values()
        for name in scope.weights
        if not fixed(solution.array_shape(scope.op, name))
    }


def checked_line(edit: Edit, net: Node) -> str:
    """The line of a mend that was checked."""
    if edit.note:
        return f"{edit.text}, {edit.note}"
    count = parameters(plan_of(net).arrays.values())
    checked = "(checked)" if count is None else f"(checked: {count:,} parameter{'s' * (count != 1)})"
    return f"{edit.text:<{COLUMN}} {checked}"


def unchecked_line(edit: Edit) -> str:
    """The line of a mend that removes its own fault, while another fault of the net remains."""
    return f"{edit.text}, {edit.note}" if edit.note else f"{edit.text:<{COLUMN}} (checked: this fault goes)"


def _kept(node: Node, edit: Edit) -> list[str]:
    """The arrays that an edit does not reset."""
    gone = [op.place for op in wiring_of(node).ops if op.path in edit.leaves]
    return [path for path in node.held.arrays if not any(_below(path, place) for place in gone)]


def _redrawn(wiring: Wiring, edit: Edit) -> Wiring:
    ops: list[Op] = []
    moved: dict[Slot, Slot] = {}

    def fed(path: str, port: str, slot: Slot, within: tuple[str, ...]) -> Slot:
        slot = moved.get(slot, slot)
        for i, leaf in enumerate(edit.inserts.get((path, port), ())):
            new = f"{path}<{port}<{i}"
            ops.append(Op(new, leaf, ((input_ports(leaf, 1)[0].name, slot),), new, within))
            slot = (new, output_names(leaf, 1)[0])
        return slot

    for op in wiring.ops:
        leaf = edit.leaves.get(op.path, op.leaf)
        if leaf is None:
            if isinstance(op.leaf, EachBoundary):
                raise NetError(what="the ends of a loop over elements are no parts", where=op.path)
            source = moved.get(op.reads[0][1], op.reads[0][1])
            moved |= {(op.path, port): source for port in output_names(op.leaf, op.count)}
            continue
        if leaf is not op.leaf and not {port for port, _ in op.reads} <= {p.name for p in input_ports(leaf, op.count)}:
            raise NetError(what="the part does not read what the one before it did", where=op.path)
        reads = tuple((port, fed(op.path, port, slot, op.within)) for port, slot in op.reads)
        ops.append(replace(op, leaf=leaf, reads=reads, place=_place(op, leaf)))
    outputs = tuple((port, fed("", port, slot, ())) for port, slot in wiring.outputs)
    return Wiring(wiring.inputs, tuple(ops), outputs, {}, {})


def _place(op: Op, leaf: LeafNode) -> str:
    """The place of a leaf's arrays; its own path if it is no longer shared."""
    return op.path if op.leaf.held.shared and not leaf.held.shared else op.place


def _rebuilt(node: Node, edit: Edit, path: str, held: Held) -> Node:
    if isinstance(node, LeafNode):
        leaf = edit.leaves.get(path) or node.stripped()
        return leaf if path else leaf.rebuilt(held)
    paths = {*edit.leaves, *(where for where, _ in edit.inserts)}
    if path and not any(_below(touched, path) for touched in paths):
        return node.stripped()
    assert isinstance(node, ContainerNode)
    level = _rebuilt_level(node.level, edit, path)
    if [call.name for call in level.calls] == [call.name for call in node.level.calls]:
        was = {call.name: call.part for call in node.level.calls}
        changed = {call.name: call.part for call in level.calls if call.part is not was[call.name]}
        fields = node.fields_with(changed) if changed.keys() <= node.children().keys() else None
        if fields is not None:
            return node.rebuilt(held, **fields)
    return node.of_level(level, held)


def _rebuilt_level(level: Level, edit: Edit, path: str) -> Level:
    calls: list[Call] = []
    moved: dict[Ref, Ref] = {}
    names = Numbers(call.name for call in level.calls)

    def fed(where: str, port: str, ref: Ref) -> Ref:
        ref = moved.get(ref, ref)
        for leaf in edit.inserts.get((where, port), ()):
            name = names.new(leaf.kind_name)
            calls.append(Call(name, leaf.stripped(), ((input_ports(leaf, 1)[0].name, ref),), name))
            ref = (name, output_names(leaf, 1)[0])
        return ref

    for call in level.calls:
        below = join_path(path, call.name)
        if below in edit.leaves and edit.leaves[below] is None:
            source = moved.get(call.reads[0][1], call.reads[0][1])
            moved |= {(call.name, port): source for port in output_names(call.part, len(call.reads))}
            continue
        reads = tuple((port, fed(below, port, ref)) for port, ref in call.reads)
        part = _rebuilt(call.part, edit, below, Held(shared=call.part.held.shared))
        calls.append(Call(call.name, part, reads, call.place))
    if not calls:
        raise NetError(what="a net of no parts is no net", where=path)
    outputs = tuple((port, fed("", port, ref) if not path else moved.get(ref, ref)) for port, ref in level.outputs)
    return Level(level.inputs, tuple(calls), outputs)


def _below(path: str, place: str) -> bool:
    return not place or path.startswith(f"{place}/") or path == place


def code(value: object) -> str:
    """A part or codec as a user of `nw` writes it."""
    return re.sub(r"\b(?<![.'\"\w])([A-Z]\w*\(|relu\b|softmax\b|tanh\b|sigmoid\b|gelu\b)", r"nw.\1", repr(value))


def without(op: Op) -> Edit:
    """The net without a leaf: what read it reads what it read."""
    return Edit(f"leave {op.path} out", leaves={op.path: None})


def instead(op: Op, leaf: LeafNode) -> Edit:
    """Another leaf in the place of one: where only options change, one edit of these options is enough."""
    options, kind = {}, f"nw.{type(leaf).__name__}"
    if type(leaf) is type(op.leaf):
        old = field_values(op.leaf)
        options = {name: value for name, value in field_values(leaf).items() if old[name] != value}
    way = f"{', '.join(options)} of {op.path}" if options else ""
    text = f"{code(leaf)} in place of {op.path}"
    if leaf.code() is not None:  # its text does not say what it is
        text = f"{', '.join(f'{name}={literal(value)}' for name, value in options.items())} in the {kind} of {op.path}"
    return Edit(text, leaves={op.path: leaf}, instead=way)


def inserted(leaf: LeafNode | None, target: tuple[str, str], place: str = "") -> Iterator[Edit]:
    """An edit that adds a leaf before another or at an output; nothing without a leaf."""
    if leaf is not None:
        within = user_path(target[0])
        inside = f" at the end of {within}" if within != target[0] else f" before {within}"
        where = place or (inside if within else " at the end")
        yield Edit(f"{code(leaf)}{where}", inserts={target: (leaf,)})


def new_leaf(kind: Standard, *arguments: Any) -> LeafNode | None:
    """A new leaf; `None` where an argument is not a plain value, or the leaf refuses it."""
    if any(isinstance(one, Row | Expression) or one is None for one in arguments):
        return None
    return cast("LeafNode | None", if_valid(lambda: standard(kind, *arguments)))


def if_valid(make: Callable[[], Any]) -> Any:
    """The result of `make`, or `None` if it raises an error for its options."""
    try:
        return make()
    except (NetwrightError, TypeError, ValueError):
        return None

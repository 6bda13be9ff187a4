"""Whether two nets are equal, alike or different, and where; decided by their wiring, however it was written."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.net.leaf import LeafNode
from netwright.net.node import Node, arguments, expect_net
from netwright.net.plan.plan import plan_of, wiring_of
from netwright.net.plan.wiring import Op, Slot, Wiring
from netwright.value import Value


class Change(Value):
    """The change of one array between two nets.

    Fields: `path` in the second net, in the first if it is removed; `before` and `after` its sizes; `was` the path
    that a renamed one had.
    """

    path: str
    fate: Literal["kept", "renamed", "changed", "reshaped", "reset", "removed", "added"]
    before: tuple[int, ...] | None
    after: tuple[int, ...] | None
    was: str = ""

    def __str__(self) -> str:
        before, after = ("-" if shape is None else str(shape) for shape in (self.before, self.after))
        sizes = before if before == after else f"{before} -> {after}"
        return f"{self.fate:<8} {self.path}  {sizes}" + (f"  was {self.was}" if self.was else "")


class Difference(Value):
    """Every array of two nets with its fate. Fields: `changes`, in the order of the second net."""

    changes: tuple[Change, ...]

    def of(self, fate: str) -> tuple[str, ...]:
        """The paths of the arrays with this fate."""
        return tuple(change.path for change in self.changes if change.fate == fate)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) or "no arrays"

    __repr__ = __str__


def diff(before: Node, after: Node) -> Difference:
    """What an edit did to the arrays: which were kept, renamed, changed, reshaped, reset, removed, added.

    Kept means the same values, renamed the same values under another path, reset that the array no longer fitted and
    was dropped, to be filled by training.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), input=4, output=nw.Category(["a", "b"])))
        >>> print(nw.diff(net, net.with_output(nw.Category(["a", "b", "c"]))))
        kept     linear1/weight  (3, 4)
        kept     linear1/bias  (3,)
        reset    linear2/weight  (2, 3) -> (3, 3)
        reset    linear2/bias  (2,) -> (3,)
        >>> print(nw.diff(net[:1], net[:1].rename("linear1", "dense")))
        renamed  dense/weight  (3, 4)  was linear1/weight
        renamed  dense/bias  (3,)  was linear1/bias
    """
    expect_net(before, "diff")
    expect_net(after, "diff")
    old, new = before.held.arrays, after.held.arrays
    wanted = {path: spec.known for path, spec in plan_of(after).arrays.items()}
    removed = {path: array for path, array in old.items() if path not in wanted}
    moved = _moved(removed, {path: new[path] for path in wanted if path in new and path not in old})
    changes: list[Change] = []
    for path, shape in wanted.items():
        was, now = old.get(path), new.get(path)
        sizes = (None if was is None else tuple(was.shape), shape if now is None else tuple(now.shape))
        if now is None:
            if was is not None:
                changes.append(Change(path, "reset", *sizes))
        elif path in moved:
            changes.append(Change(path, "renamed", sizes[1], sizes[1], moved[path]))
        elif was is None:
            changes.append(Change(path, "added", *sizes))
        elif was.shape != now.shape:
            changes.append(Change(path, "reshaped", *sizes))
        else:
            changes.append(Change(path, "kept" if same_array(was, now) else "changed", *sizes))
    gone = removed.keys() - set(moved.values())
    changes += [Change(path, "removed", tuple(array.shape), None) for path, array in removed.items() if path in gone]
    return Difference(tuple(changes))


def _moved(removed: Mapping[str, Tensor], added: Mapping[str, Tensor]) -> dict[str, str]:
    """The arrays that only have another path now, each new path with the old one.

    An array with equal values is the same array. Arrays of one repeated number, such as new biases, are often equal
    by chance, so they follow the part whose other arrays moved.
    """
    left = dict(removed)
    found: dict[str, str] = {}

    def find(path: str, candidates: Iterable[str]) -> None:
        old = next((old for old in candidates if same_array(left[old], added[path])), None)
        if old is not None:
            found[path] = old
            del left[old]

    for path, array in added.items():
        memory = [old for old, was in left.items() if was.data_ptr() == array.data_ptr()]
        find(path, memory if _uniform(array) else [*memory, *left])
    parts = {(_part(old), _part(path)) for path, old in found.items()}
    for path in [path for path in added if path not in found]:
        find(path, [old for old in left if (_part(old), _part(path)) in parts])
    return found


def _uniform(array: Tensor) -> bool:
    """Whether all numbers of the array are equal, or it has none."""
    return array.numel() == 0 or bool((array == array.flatten()[0]).all())


def _part(path: str) -> str:
    return path.rpartition("/")[0]


def equal(left: Node, right: Node) -> bool:
    """Same ports, coders, paths, leaves, wiring and arrays, however they were written."""
    if left is right:
        return True
    if _form(left) != _form(right):
        return False
    if dict(left.held.inputs) != dict(right.held.inputs) or dict(left.held.outputs) != dict(right.held.outputs):
        return False
    mine, other = left.held.arrays, right.held.arrays
    return mine.keys() == other.keys() and all(same_array(mine[path], other[path]) for path in mine)


def alike(left: Node, right: Node) -> bool:
    """Equal but for names and arrays: the same architecture with the same ports. What is shared still counts.

    Example:
        >>> import netwright as nw
        >>> nw.alike(nw.Chain(3, nw.relu), nw.Chain(dense=3, act=nw.relu))
        True
    """
    expect_net(left, "alike")
    expect_net(right, "alike")
    return _form(left, names=False) == _form(right, names=False) and _codecs(left) == _codecs(right)


def _codecs(node: Node) -> list[Codec | None]:
    """The codecs of the ports in their order, whatever the ports are called."""
    held = node.held
    return [*map(held.inputs.get, node.input_names), *map(held.outputs.get, node.output_names)]


def digest(node: Node, arrays: bool = True) -> str:
    """A name for the net's content that is the same in every process: 64 hexadecimal digits.

    Example:
        >>> import netwright as nw
        >>> nw.digest(nw.Chain(3, nw.relu)) == nw.digest(nw.Chain(nw.Linear(3), nw.relu))
        True
    """
    expect_net(node, "digest")
    state = hashlib.sha256(json.dumps(_form(node), default=str).encode())
    for side in (node.held.inputs, node.held.outputs):
        state.update(json.dumps({name: codec.code() for name, codec in sorted(side.items())}).encode())
    if arrays:
        for path in sorted(node.held.arrays):
            array = node.held.arrays[path]
            state.update(f"{path} {array.dtype} {tuple(array.shape)}".encode())
            state.update(array_bytes(array))
    return state.hexdigest()


def form_hash(node: Node) -> int:
    """A hash from the wiring alone."""
    return hash(digest(node, arrays=False)[:16])


def same_array(left: Tensor, right: Tensor) -> bool:
    """Equal values, type and size; the same memory is seen at once."""
    if left is right:
        return True
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    same_memory = left.data_ptr() == right.data_ptr() and left.stride() == right.stride()
    return same_memory or torch.equal(_bits(left), _bits(right))  # by bits: NaN is itself, as the digest sees it


def array_bytes(array: Tensor) -> bytes:
    """The values of an array in row order, little-endian."""
    return _bits(array).numpy().tobytes()


def _bits(array: Tensor) -> Tensor:
    return array.detach().cpu().contiguous().reshape(-1).view(torch.uint8)


def leaf_form(leaf: LeafNode) -> str:
    """A leaf as a text: its kind and its fields."""
    return leaf.identity or f"{type(leaf).__name__}({arguments(leaf)})"


def _form(node: Node, names: bool = True) -> list[Any]:
    """The wiring as plain lists: what the outputs depend on, in an order that no way of writing changes."""
    wiring = wiring_of(node)
    ops = {op.path: op for op in wiring.ops}
    order = _reached(wiring, ops)
    label = {path: path if names else str(i) for i, path in enumerate(order)}
    places: dict[str, str] = {}

    outer = {("", name): f"<{name if names else i}>" for i, name in enumerate(wiring.inputs)}

    def slot(where: Slot) -> list[str]:
        return [outer[where], ""] if where in outer else [label[where[0]], where[1]]

    rows: list[Any] = []
    for path in sorted(order) if names else order:
        op = ops[path]
        place = op.place if names else places.setdefault(op.place, str(len(places)))
        weights = op.leaf.weights()
        reads = [[port, *slot(where)] for port, where in sorted(op.reads)]
        rows.append([label[path], leaf_form(op.leaf), reads, place if weights else ""])
    inputs = list(wiring.inputs) if names else len(wiring.inputs)
    ends = [[name if names else str(i), *slot(where)] for i, (name, where) in enumerate(wiring.outputs)]
    return [inputs, rows, ends]


def _reached(wiring: Wiring, ops: Mapping[str, Op]) -> list[str]:
    """The leaves that the outputs depend on, each after what it reads."""
    order: dict[str, None] = {}
    stack: list[tuple[str, bool]] = [(slot[0], False) for _, slot in reversed(wiring.outputs) if slot[0] in ops]
    while stack:
        path, done = stack.pop()
        if done:
            order[path] = None
        elif path not in order:
            stack.append((path, True))
            sources: Iterable[Slot] = (slot for _, slot in reversed(ops[path].reads))
            stack += [(slot[0], False) for slot in sources if slot[0] in ops and slot[0] not in order]
    return list(order)

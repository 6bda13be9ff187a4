"""Whether two nets are equal, alike or different, and where; decided by their wiring, however it was written."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.net.leaf import LeafNode
from netwright.net.node import Node, arguments, expect_net
from netwright.net.plan.plan import wiring_of
from netwright.net.plan.wiring import Op, Slot, Wiring


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

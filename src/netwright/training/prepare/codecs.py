"""Brings a net and its data together: codecs that the net lacks, and what codecs learn from the training part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec, at_place
from netwright.codecs.number import Number, Vector
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError
from netwright.layers.pointwise import Softmax
from netwright.net.node import Held, Node
from netwright.net.part import Net
from netwright.net.plan.plan import fixed, plan_of, ranked
from netwright.sizes.size import Expression, Name, Size, names
from netwright.sizes.unify import Row


def fitted(net: Net, source: Source, targets: Mapping[str, str]) -> Net:
    """The net with a codec at every port, fitted to the training examples.

    `targets` maps the ports of the data that hold what is right to the outputs of the net.
    """
    inputs = {name: _fitted(net.held.inputs.get(name), net, source, name, "") for name in net.input_names}
    outputs = dict(net.held.outputs)
    for port, name in targets.items():
        outputs[name] = _fitted(net.held.outputs.get(name), net, source, port, name)
    if inputs == dict(net.held.inputs) and outputs == dict(net.held.outputs):
        return net
    return net.rebuilt(Held(net.held.arrays, inputs, outputs, net.held.shared))


def _fitted(codec: Codec | None, net: Net, source: Source, port: str, output: str) -> Codec:
    codec = codec or _inferred(net, port, source.row(0)[port], output)
    if codec.fitted:
        return codec
    try:
        with source.errors():
            return codec.fit(source.columns[port])
    except DataError as error:
        raise at_place(error, f"port {port!r}") from None


def _inferred(net: Net, port: str, first: Any, output: str) -> Codec:
    """A codec for raw values like this one, of which the net says nothing."""
    if isinstance(first, bool):
        return Boolean()
    if isinstance(first, str) or (isinstance(first, int) and output and _is_classifier(net)):
        return Category()
    if isinstance(first, int | float):
        return Number()
    if isinstance(first, list | tuple | np.ndarray | Tensor):
        shape = np.asarray(first).shape
        plan = plan_of(net)
        known = plan.outputs.get(output, ()) if output else plan.inputs.get(port, ())
        if (
            len(known) == len(shape)
            and ranked(known)
            and any(names(size) for size in known if not isinstance(size, Row))
        ):
            return Array(" ".join(_kept(size, found) for size, found in zip(known, shape, strict=True)))
        if known and not output and ranked(known) and fixed(known):
            return Array(tuple(size for size in known if isinstance(size, int)))
        return Vector() if len(shape) == 1 else Array(tuple(shape))
    mend = "input=nw.Image(height, width)" if isinstance(first, Path) or hasattr(first, "getpixel") else "a codec"
    raise TrainingError(
        what="the net does not say how to encode this",
        where=f"port {port!r}",
        got=f"a {type(first).__name__}",
        mend=f"net.with_{'output' if output else 'input'}(…), with {mend}",
    )


def _kept(size: Size | Row, found: int) -> str:
    """A size that the net calls by a name keeps it; any other is what the data have."""
    named = isinstance(size, Expression) and isinstance(size.single, Name)
    return str(size) if named else str(found)


def _is_classifier(net: Node) -> bool:
    plan = plan_of(net)
    ends = {slot[0] for _, slot in plan.wiring.outputs}
    return any(isinstance(op.leaf, Softmax) for op in plan.wiring.ops if op.path in ends)

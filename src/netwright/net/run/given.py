"""Reads what a net is called with: raw things become encoded examples of a plan, and these become batches."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec, prepared_on
from netwright.codecs.numeric import arrayed, keeping_graphs, number_table
from netwright.codecs.ragged import Ragged
from netwright.codecs.table.rows import TableRows
from netwright.errors import DataError, SizeError, did_you_mean, with_article
from netwright.net.node import Node
from netwright.net.plan.plan import Plan, fixed, plan_of, plan_with, ranked, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.context import Intervention, RunContext
from netwright.net.run.examples import Examples, Own, own_lengths, ragged_together
from netwright.net.run.execute import Placement
from netwright.net.run.lengths import sizes_of
from netwright.net.run.noise import Noise
from netwright.sizes.unify import Row
from netwright.value import Value

T = TypeVar("T")
NO_CHANGES: Mapping[Slot, Intervention] = {}


class Many(Value, Generic[T]):
    """Marks an array as a batch, where it could also be read as one example."""

    examples: T


def batch(examples: T) -> Many[T]:
    """Say that this is a batch: `net(nw.batch(array))`, where the net's own sizes leave it open.

    Example:
        >>> import netwright as nw, numpy as np
        >>> nw.tanh(nw.batch(np.zeros((2, 3), "float32"))).shape
        torch.Size([2, 3])
    """
    return Many(examples)


class Given(Value, eq=False):
    """What a net was called with, encoded.

    Fields:
        plan: the net's, for these sizes.
        examples: encoded, by input port.
        codecs: those that encoded them, by input port.
        single: whether one example was given, and not several.
    """

    plan: Plan
    examples: Examples
    codecs: Mapping[str, Codec]
    single: bool

    @classmethod
    def of(cls, node: Node, x: Any) -> "Given":
        """Encode what was given; a tensor that wants a gradient keeps its graph.

        Raises: DataError for what is not an example of the net, SizeError for sizes that the net cannot take.
        """
        with keeping_graphs():
            encoded, codecs, single = _encode(node, x)
        plan = _plan_for(node, encoded)
        return cls(plan, Examples(plan, encoded), codecs, single)

    @property
    def learns(self) -> bool:
        """Whether something that was given wants a gradient."""
        columns = self.examples.columns.values()
        return any((x.values if isinstance(x, Ragged) else x).requires_grad for x in columns)

    def batches(
        self,
        placement: Placement,
        size: int,
        changes: Mapping[Slot, Intervention] = NO_CHANGES,
        training: bool = False,
        seed: int = 0,
    ) -> Iterator[tuple[dict[str, Tensor], RunContext]]:
        """The examples in batches of at most so many: the inputs as the net reads them, and the context of the run."""
        for ids in self.examples.order.split(size):
            batch = self.examples.batch(ids)
            inputs = {
                name: placement.moved(prepared_on(placement.device, self.codecs[name], rows))
                for name, rows in batch.inputs.items()
            }
            lengths = {n: x.to(placement.device) if isinstance(x, Tensor) else x for n, x in batch.lengths.items()}
            noise = Noise(seed, 0, ids.to(placement.device))
            yield inputs, RunContext(training, noise, len(ids), lengths=lengths, set=changes)

    def own(self, slot: Slot, value: Tensor, context: RunContext) -> Tensor | Sequence[Own]:
        """A value of a batch by example, without padding."""
        return own_lengths(self.plan, slot, value, context) if context.lengths else value

    def together(self, pieces: Sequence[Tensor | Sequence[Own]]) -> Own:
        """The values of all batches in the order of the examples: one tensor, or a list where they differ in size."""
        order = self.examples.order
        plain = all(isinstance(piece, Tensor) for piece in pieces)
        if plain and len({tuple(piece[0].shape) for piece in pieces if isinstance(piece, Tensor)}) == 1:
            whole = torch.cat([piece for piece in pieces if isinstance(piece, Tensor)])
            return whole if bool((order[1:] > order[:-1]).all()) else whole[order.argsort()]
        rows = [row for piece in pieces for row in piece]
        return ragged_together([rows[i] for i in order.argsort().tolist()])


def _encode(node: Node, x: Any) -> tuple[dict[str, Tensor | Ragged], dict[str, Codec], bool]:
    """Every input port's examples, the codec that made them, and whether one example was given."""
    given = by_port(node, x)
    plan = plan_of(node)
    tensors: dict[str, Tensor | Ragged] = {}
    codecs: dict[str, Codec] = {}
    single: dict[str, bool] = {}
    for name, raw in given.items():
        codec = node.held.inputs.get(name)
        collected = arrayed if codec is None else codec.collected
        raw = Many(collected(raw.examples)) if isinstance(raw, Many) else collected(raw)
        codec = codec or _undeclared(plan, name, raw)
        codecs[name] = codec
        single[name] = _is_single(codec, plan, name, raw)
        rows = raw.examples if isinstance(raw, Many) else raw
        tensors[name] = _one(codec, rows) if single[name] else codec.encode_all(rows)
    counts = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(counts.values())) > 1 or len(set(single.values())) > 1:
        raise DataError(
            what="the inputs do not hold equally many examples",
            got=", ".join(f"{name}: {'one' if single[name] else count}" for name, count in counts.items()),
        )
    return tensors, codecs, all(single.values())


def _one(codec: Codec, raw: Any) -> Tensor | Ragged:
    """One example as a batch of one."""
    try:
        return codec.encode(raw).unsqueeze(0)
    except DataError:
        try:
            return codec.encode_all([raw])  # the parts of the example differ in length, so one tensor cannot hold them
        except DataError:
            pass
        raise


def by_port(node: Node, x: Any) -> dict[str, Any]:
    """What was given for each input of a net."""
    free = node.optional_names
    names = node.required_names
    if len(names) == 1 and not (isinstance(x, Mapping) and set(names) <= set(x) <= {*names, *free}):
        return {names[0]: x}
    named = number_table(x)
    x = x if named is None else {str(name): column for name, column in named.items()}
    if isinstance(x, list) and x and all(isinstance(row, Mapping) for row in x):
        x = {name: [row[name] for row in x if name in row] for name in x[0]}
    if not isinstance(x, Mapping) or not set(names) <= set(x) <= {*names, *free}:
        wrong = sorted(set(x) - {*names, *free}) if isinstance(x, Mapping) else []
        raise DataError(
            what=f"this net has {len(names)} inputs, and each needs a value",
            expected="{" + ", ".join(f"{name!r}: …" for name in names) + "}",
            got=with_article(type(x).__name__) + (f" with {', '.join(map(repr, x))}" if isinstance(x, Mapping) else ""),
            mend=did_you_mean(wrong[0], names) if wrong else "",
        )
    return {name: x[name] for name in node.input_names if name in x}


def _undeclared(plan: Plan, name: str, raw: Any) -> Codec:
    """The codec of an input that has none: it takes arrays unchanged, of the rank of the port or of the array."""
    shape = plan.inputs[name]
    below = plan.below(("", name))
    mark = f" <{below if isinstance(below, int) else '?'}>" if below is not None else ""
    if ranked(shape):
        axes = " ".join("?" if not isinstance(size, int) else str(size) for size in shape) or "()"
        return Array(axes + mark)
    rank = _rank(raw.examples[0] if isinstance(raw, Many) else raw[0] if isinstance(raw, list) and raw else raw)
    return Array((" ".join("?" * rank) or "()") + mark)


def _rank(raw: Any) -> int:
    if isinstance(raw, list | tuple):
        return 1 + (_rank(raw[0]) if raw else 0)
    return int(getattr(raw, "ndim", 0))


def _is_single(codec: Codec, plan: Plan, name: str, raw: Any) -> bool:
    """Whether one example was given. A list is many; an array is what its rank says; both ways is an error."""
    if isinstance(raw, Many | list | TableRows):
        return False
    if not isinstance(raw, np.ndarray | Tensor):
        return True
    shape = plan.inputs[name]
    least = sum(not isinstance(size, Row) for size in shape)
    if fixed(shape) and shape in (tuple(raw.shape), tuple(raw.shape[1:])):
        return shape == tuple(raw.shape)
    if not ranked(shape):
        one, several = raw.ndim >= least, raw.ndim - 1 >= least
        if not several and raw.ndim > 0 and len(raw) and codec.takes(raw[0]) and not codec.takes(raw):
            return False  # the encoder makes axes itself, such as one of numbers or of texts
    else:
        one = codec.takes(raw)
        several = raw.ndim > 0 and len(raw) > 0 and codec.takes(raw[0])
    if one and several:
        whole, rows = shape_text(tuple(raw.shape)), shape_text(tuple(raw.shape[1:]))
        raise DataError(
            what="this array could be one example or a batch",
            where=f"input {name!r}",
            expected=f"one example of {whole}, or a batch of {len(raw)} of {rows}",
            got=f"an array {shape_text(tuple(raw.shape))}",
            mend=("nw.batch(array) for the batch", "[array] for a list of one example"),
        )
    return not several


def _plan_for(node: Node, encoded: Mapping[str, Tensor | Ragged]) -> Plan:
    """The net's own plan, or the one for these sizes where the net leaves them open."""
    plan = plan_of(node)
    open_ports = [name for name in encoded if name not in node.held.inputs and not fixed(plan.inputs[name])]
    if not open_ports:
        return plan
    facts: dict[str, Codec] = {}
    for name in open_ports:
        below = plan.below(("", name))
        mark = f" <{below if isinstance(below, int) else '?'}>" if below is not None else ""
        facts[name] = Array((" ".join(sizes_of(encoded[name])) or "()") + mark)
    plan = plan_with(node, facts)
    if plan.solution.mismatches:
        mismatch = plan.solution.mismatches[0]
        raise SizeError(
            what="the net cannot take an input of this size",
            where=mismatch.op.path if mismatch.op else f"output {mismatch.port}",
            expected=shape_text(plan.solution.solver.shape(mismatch.expected)),
            got=shape_text(plan.solution.solver.shape(mismatch.got)),
        )
    return plan

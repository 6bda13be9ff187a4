"""Calls a net on raw examples: encodes them, runs the plan, and decodes the outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec, prepared_on
from netwright.codecs.numeric import arrayed, number_table
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Raw, Reading
from netwright.errors import DataError, MissingArraysError, PathError, SizeError, did_you_mean, shortened
from netwright.machine import without_autocast
from netwright.net.node import Node
from netwright.net.plan.plan import Plan, fixed, plan_of, plan_with, ranked, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.examples import Examples, Own, own_lengths, ragged_together
from netwright.net.run.execute import Bound
from netwright.net.run.lengths import sizes_of
from netwright.net.run.noise import Noise
from netwright.once import once
from netwright.sizes.unify import Row
from netwright.value import Value

CHUNK = 256  # examples run at once: larger chunks leave the processor's caches and gain nothing


SETTLED = 1 << 25  # a net with at most this many numbers has room to keep prepared copies of its arrays

T = TypeVar("T")
Changes: TypeAlias = Mapping[str, Any]


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


class Question(Value):
    """What a run is asked for: the paths of the wanted values, the values to replace, and the mode."""

    at: str | Sequence[str] | None = None
    set: Changes | None = None
    training: bool = False
    seed: int = 0


@without_autocast()
def call(node: Node, x: Any, reading: Reading, question: Question) -> Any:
    """One example, many, or a batch through a net; decoded, or the arrays at the paths that were asked for."""
    encoded, codecs, single = _encode(node, x)
    plan = _plan_for(node, encoded)
    paths, slots = _wanted(plan, question.at)
    changes = _interventions(plan, question.set or {})
    bound = bound_program(node, plan, slots, tuple(changes))
    columns = _run(Examples(plan, encoded), bound, slots, codecs, question, changes)
    if question.at is None:
        return decoded(node, dict(zip(dict(plan.wiring.outputs), columns, strict=True)), reading, single)
    values = [column[0] if single else column for column in columns]
    return values[0] if isinstance(question.at, str) else dict(zip(paths, values, strict=True))


def bound_program(node: Node, plan: Plan, wanted: Sequence[Slot], keep: Sequence[Slot] = ()) -> Bound:
    """The program that computes these values, bound to the net's own arrays; made once for each question."""

    def made() -> tuple[Bound, Plan]:
        check_arrays(node, plan)
        arrays = node.held.arrays
        small = sum(array.numel() for array in arrays.values()) <= SETTLED
        settled = once(node, "settled", dict[Any, Any]) if small and not keep else None
        return program_of(plan, wanted, keep).bind(arrays, settled), plan  # the plan too: its id must stay its own

    return once(node, "bound", made, (id(plan), tuple(wanted), tuple(keep)))[0]


def check_arrays(node: Node, plan: Plan) -> None:
    """Refuse to run a net some of whose arrays do not exist."""
    missing = [path for path in plan.arrays if path not in node.held.arrays]
    if missing:
        shown = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
        raise MissingArraysError(
            what=f"{len(missing)} of the {len(plan.arrays)} arrays of this net do not exist yet",
            where=shown,
            mend=("nw.train(net, data).net, which fills and trains them", "nw.initialize(net) for random ones"),
        )


def _encode(node: Node, x: Any) -> tuple[dict[str, Tensor | Ragged], dict[str, Codec], bool]:
    """Every input port's examples, the codec that made them, and whether one example was given."""
    given = _by_port(node, x)
    plan = plan_of(node)
    tensors: dict[str, Tensor | Ragged] = {}
    codecs: dict[str, Codec] = {}
    single: dict[str, bool] = {}
    for name, raw in given.items():
        raw = Many(arrayed(raw.examples)) if isinstance(raw, Many) else arrayed(raw)
        codec = node.held.inputs.get(name) or _undeclared(plan, name, raw)
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


def _by_port(node: Node, x: Any) -> dict[str, Any]:
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
            got=f"a {type(x).__name__}" + (f" with {', '.join(map(repr, x))}" if isinstance(x, Mapping) else ""),
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
    if isinstance(raw, Many | list):
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


def slots_at(plan: Plan, path: str) -> tuple[tuple[str, Slot], ...]:
    """The outputs of the part at a path; `"path.port"` is one of them; an unknown path is an error with close names."""
    path, _, port = path.partition(".")
    found = plan.value(path)
    if found is None:
        raise PathError(
            what=f"no part of this net has the path {path!r}",
            expected=f"one of {len(plan.wiring.values)} paths",
            mend=did_you_mean(path, plan.wiring.values),
        )
    if port and port not in dict(found):
        raise PathError(
            what=f"{path} has no output port {port!r}",
            where=path,
            expected=", ".join(dict(found)),
            mend=did_you_mean(port, dict(found)),
        )
    return tuple(pair for pair in found if not port or pair[0] == port)


def _wanted(plan: Plan, at: str | Sequence[str] | None) -> tuple[tuple[str, ...], list[Slot]]:
    if at is None:
        return (), [slot for _, slot in plan.wiring.outputs]
    paths = (at,) if isinstance(at, str) else tuple(at)
    return paths, [_slot_at(plan, path) for path in paths]


def _slot_at(plan: Plan, path: str) -> Slot:
    """The one value at a path; for a part with several outputs the path must name the port."""
    (port, slot), *others = slots_at(plan, path)
    if others:
        ports = [port, *(other for other, _ in others)]
        raise PathError(
            what=f"{path} has {len(ports)} outputs, and a value is one of them",
            where=path,
            expected=" or ".join(repr(f"{path}.{port}") for port in ports),
            got=repr(path),
        )
    return slot


def _interventions(plan: Plan, changes: Changes) -> dict[Slot, Callable[[Tensor], Tensor]]:
    """The function that replaces a value: the user's function, or one that gives the user's array for every example."""
    return {
        _slot_at(plan, path): _function(path, change) if callable(change) else _constant(path, change)
        for path, change in changes.items()
    }


def _function(path: str, change: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    def put(x: Tensor) -> Tensor:
        given = change(x.clone())  # a copy: the function may write in place, and x may be the caller's
        try:
            new = torch.as_tensor(given, device=x.device)
        except (TypeError, ValueError, RuntimeError):
            raise DataError(
                what=f"the function put at {path} gives no array",
                where=path,
                expected=f"an array of {shape_text(tuple(x.shape))}",
                got=shortened(repr(given), 100),
            ) from None
        if new.shape != x.shape:
            raise SizeError(
                what=f"the function put at {path} gives another size than the value there",
                where=path,
                expected=shape_text(tuple(x.shape)),
                got=shape_text(tuple(new.shape)),
            )
        return new.to(x)

    return put


def _constant(path: str, value: Any) -> Callable[[Tensor], Tensor]:
    array = value if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value), device="cpu")

    def put(x: Tensor) -> Tensor:
        try:
            return array.to(x).expand(x.shape)
        except RuntimeError:
            raise SizeError(
                what=f"the array put at {path} has another size than the value there",
                where=path,
                expected=shape_text(tuple(x.shape[1:])),
                got=shape_text(tuple(array.shape)),
            ) from None

    return put


def _run(
    examples: Examples,
    bound: Bound,
    slots: Sequence[Slot],
    codecs: Mapping[str, Codec],
    question: Question,
    changes: Mapping[Slot, Callable[[Tensor], Tensor]],
) -> list[Own]:
    """The values of all examples: one tensor if all have the same sizes, else a list with one for each example."""
    placement = bound.placement
    order, count = examples.order, len(examples)
    size = count if question.training else CHUNK  # statistics of a batch in training are over all that was given
    pieces: list[list[Tensor | Sequence[Own]]] = [[] for _ in slots]
    with torch.no_grad():
        for ids in order.split(size):
            batch = examples.batch(ids)
            inputs = {
                name: placement.moved(prepared_on(placement.device, codecs[name], rows))
                for name, rows in batch.inputs.items()
            }
            lengths = {n: x.to(placement.device) if isinstance(x, Tensor) else x for n, x in batch.lengths.items()}
            noise = Noise(question.seed, 0, ids.to(placement.device))
            context = RunContext(question.training, noise, len(ids), lengths=lengths, set=changes)
            for kept, slot, value in zip(pieces, slots, bound(inputs, context), strict=True):
                kept.append(own_lengths(examples.plan, slot, value, context) if lengths else value)
    return [_together(kept, order) for kept in pieces]


def _together(pieces: Sequence[Tensor | Sequence[Own]], order: Tensor) -> Own:
    """The values of all batches in the order of the examples."""
    plain = all(isinstance(piece, Tensor) for piece in pieces)
    if plain and len({tuple(piece[0].shape) for piece in pieces if isinstance(piece, Tensor)}) == 1:
        whole = torch.cat([piece for piece in pieces if isinstance(piece, Tensor)])
        return whole if bool((order[1:] > order[:-1]).all()) else whole[order.argsort()]
    rows = [row for piece in pieces for row in piece]
    return ragged_together([rows[i] for i in order.argsort().tolist()])


def decoded(node: Node, columns: Mapping[str, Any], reading: Reading, single: bool) -> Any:
    """The outputs of a net by port, each decoded for every example; one output by itself, one example by itself."""
    results = {name: _decoded(node.held.outputs.get(name), column, reading, single) for name, column in columns.items()}
    return next(iter(results.values())) if len(results) == 1 else results


def _decoded(codec: Codec | None, column: Any, reading: Reading, single: bool) -> Any:
    if codec is None or isinstance(reading, Raw) or isinstance(codec, Array):
        return column[0] if single else column
    if single:
        return codec.decode(column[0], reading)
    return [codec.decode(row, reading.at(i)) for i, row in enumerate(column)]

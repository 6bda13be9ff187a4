"""Calls a net on raw examples: encodes them, runs the plan, and decodes the outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.codec import Codec
from netwright.codecs.reading import Raw, Reading
from netwright.errors import DataError, MissingArraysError, PathError, SizeError, did_you_mean, shortened
from netwright.fields import expect_seed
from netwright.machine import without_autocast
from netwright.net.node import Node
from netwright.net.plan.plan import Plan, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import Intervention
from netwright.net.run.examples import Own
from netwright.net.run.execute import Bound
from netwright.net.run.given import Given, Many, by_port
from netwright.once import once
from netwright.value import Value

CHUNK = 256  # examples run at once: larger chunks leave the processor's caches and gain nothing
SETTLED = 1 << 25  # a net with at most this many numbers has room to keep prepared copies of its arrays

Changes: TypeAlias = Mapping[str, Any]


class Question(Value):
    """What a run is asked for: the paths of the wanted values, the values to replace, and the mode."""

    at: str | Sequence[str] | None = None
    set: Changes | None = None
    training: bool = False
    seed: int = 0


@without_autocast()
def call(node: Node, x: Any, reading: Reading, question: Question) -> Any:
    """One example, many, or a batch through a net; decoded, or the arrays at the paths that were asked for."""
    expect_seed(question.seed, "seed")
    given = Given.of(node, x)
    paths, slots = _wanted(given.plan, question.at)
    changes = interventions(given.plan, question.set or {})
    columns = run_given(node, given, slots, question, changes)
    if question.at is None:
        outputs = dict(zip(dict(given.plan.wiring.outputs), columns, strict=True))
        return decoded(node, outputs, reading, given.single, places_of_raws(node, x, given.single))
    values = [column[0] if given.single else column for column in columns]
    return values[0] if isinstance(question.at, str) else dict(zip(paths, values, strict=True))


def bound_program(
    node: Node, plan: Plan, wanted: Sequence[Slot], keep: Sequence[Slot] = (), settle: bool = True
) -> Bound:
    """The program that computes these values, bound to the net's own arrays; made once for each question.

    `settle` lets leaves prepare their arrays, which is faster, but has no derivatives and is for use alone.
    """

    def made() -> tuple[Bound, Plan]:
        check_arrays(node, plan)
        arrays = node.held.arrays
        small = sum(array.numel() for array in arrays.values()) <= SETTLED
        settled = once(node, "settled", dict[Any, Any]) if small and settle and not keep else None
        return program_of(plan, wanted, keep).bind(arrays, settled), plan  # the plan too: its id must stay its own

    return once(node, "bound", made, (id(plan), tuple(wanted), tuple(keep), settle))[0]


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


def interventions(plan: Plan, changes: Changes) -> dict[Slot, Intervention]:
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


def run_given(
    node: Node,
    given: Given,
    slots: Sequence[Slot],
    question: Question,
    changes: Mapping[Slot, Intervention],
) -> list[Own]:
    """The values of all examples: one tensor if all have the same sizes, else a list with one for each example."""
    wanted = question.set or {}
    learns = torch.is_grad_enabled() and (given.learns or any(map(_may_learn, wanted.values())))
    bound = bound_program(node, given.plan, slots, tuple(changes), settle=not (learns or question.training))
    # statistics of a batch in training are over all that was given
    size = len(given.examples) if question.training else CHUNK
    pieces: list[list[Tensor | Sequence[Own]]] = [[] for _ in slots]
    with torch.set_grad_enabled(learns):
        for inputs, context in given.batches(bound.placement, size, changes, question.training, question.seed):
            for kept, slot, value in zip(pieces, slots, bound(inputs, context), strict=True):
                kept.append(given.own(slot, value, context))
        return [given.together(kept) for kept in pieces]


def _may_learn(change: Any) -> bool:
    """Whether what takes the place of a value may want a gradient; of a function nobody knows before."""
    return callable(change) or (isinstance(change, Tensor) and change.requires_grad)


def places_of_raws(node: Node, x: Any, single: bool) -> Sequence[Any]:
    """Where each raw example lies in what the encoder made of it; empty where no decoder asks for it.

    The places are those of the first input whose encoder moves anything.
    """
    if not any(codec.about_places for codec in node.held.outputs.values()):
        return ()
    raws = by_port(node, x)
    for name, codec in node.held.inputs.items():
        if name in raws and codec.has_places:
            raw = raws[name].examples if isinstance(raws[name], Many) else raws[name]
            return [codec.place_of(one) for one in ([raw] if single else raw)]
    return ()


def decoded(node: Node, columns: Mapping[str, Any], reading: Reading, single: bool, places: Sequence[Any] = ()) -> Any:
    """The outputs of a net by port, each decoded for every example; one output by itself, one example by itself.

    `places` are those of the raw examples in their encoded form, for decoders of places in them.
    """
    results = {
        name: _decoded(node.held.outputs.get(name), column, reading, single, places) for name, column in columns.items()
    }
    return next(iter(results.values())) if len(results) == 1 else results


def _decoded(codec: Codec | None, column: Any, reading: Reading, single: bool, places: Sequence[Any]) -> Any:
    if codec is None or isinstance(reading, Raw) or isinstance(codec, Array):
        return column[0] if single else column
    if single:
        return answer_on_input(codec, codec.decode(column[0], reading), places, 0)
    return [answer_on_input(codec, codec.decode(row, reading.at(i)), places, i) for i, row in enumerate(column)]


def answer_on_input(codec: Codec, answer: Any, places: Sequence[Any], number: int) -> Any:
    """An answer as one about the raw input of this example, where it has a place."""
    return answer if not places or places[number] is None else codec.on_input(answer, places[number])

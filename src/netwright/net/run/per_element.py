"""Runs a `Map` or `Fold`: all elements at once as rows, and one after another only the steps that carry a state."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.errors import SizeError
from netwright.net.plan.each import exit_path, open_state
from netwright.net.plan.plan import fixed, shape_text
from netwright.net.plan.wiring import Slot
from netwright.net.run.context import Length, RunContext
from netwright.net.run.padding import ended, inside
from netwright.sizes.size import Size
from netwright.sizes.unify import Shape
from netwright.value import Value

Run: TypeAlias = Callable[[Mapping[Any, Tensor], RunContext], Sequence[Tensor]]


class InnerProgram(Value):
    """An inner program, with the values it takes and gives as slots of the whole plan."""

    program: Any  # not yet bound to arrays
    takes: tuple[Slot, ...]
    gives: tuple[Slot, ...]


class State(Value):
    """A carried value: its slot inside, the register of its first value, the slot of its next value, its sizes."""

    slot: Slot
    first: int  # -1 if none is given: it starts at zeros
    next: Slot
    shape: Shape


class ElementLoop(Value):
    """An axis taken apart, and put together again.

    What sees no state is done for all elements at once, as rows (`before`); what the next state needs, one element
    after another (`loop`); the rest as rows again (`after`). What sees no element at all was done outside.

    Fields: `over` and `whole` pair slots inside with registers outside; `gives` values inside, with the axis, with
    registers outside; `finals` states with registers; `slots` are what it writes, `writes` the registers of these.
    """

    path: str
    axis: Size
    over: tuple[tuple[Slot, int], ...]
    whole: tuple[tuple[Slot, int], ...]
    states: tuple[State, ...]
    before: InnerProgram
    loop: InnerProgram
    after: InnerProgram
    gives: tuple[tuple[Slot, int], ...]
    finals: tuple[tuple[Slot, int], ...]
    slots: tuple[Slot, ...]
    writes: tuple[int, ...]
    dead: tuple[int, ...]

    @property
    def end(self) -> str:
        """The path of its outputs, in contrast to that of values inside."""
        return exit_path(self.path)

    def run(self, bound: Sequence[Run], registers: list[Any], context: RunContext) -> None:
        """Take registers, fill registers."""
        given = {slot: registers[register] for slot, register in self.over}
        axis = ElementAxis(next(iter(given.values())), context.length(self.axis), context)
        whole = {slot: registers[register] for slot, register in self.whole}
        values = ElementValues(axis, whole, given)
        before, loop, after = bound
        self._at_once(self.before, before, values)
        finals: Mapping[Slot, Tensor] = {}
        if self.states:
            finals = self._one_by_one(loop, values, registers)
        self._at_once(self.after, after, values)
        for slot, register in self.gives:
            registers[register] = values.padded(slot)
        for slot, register in self.finals:
            registers[register] = finals[slot]

    def _at_once(self, piece: InnerProgram, run: Run, values: "ElementValues") -> None:
        if piece.gives:
            made = run({slot: values.rows(slot) for slot in piece.takes}, values.axis.context_of_rows)
            values.add_rows(dict(zip(piece.gives, made, strict=True)))

    def _one_by_one(self, run: Run, values: "ElementValues", registers: Sequence[Any]) -> dict[Slot, Tensor]:
        axis, piece = values.axis, self.loop
        carried = {state.slot: self._first(state, registers, values) for state in self.states}
        needed = {*piece.takes, *(state.next for state in self.states)}  # a next state may be what was there before
        apart = {slot: values.padded(slot).unbind(1) for slot in needed if slot not in carried and values.has(slot)}
        held = {slot: x for slot, x in values.whole.items() if slot in needed}
        kept: dict[Slot, list[Tensor]] = {slot: [] for slot in piece.gives}
        last = carried
        for t in range(axis.size):
            there = {**held, **{slot: pieces[t] for slot, pieces in apart.items()}, **carried}
            made = dict(zip(piece.gives, run(there, axis.context_at(t)), strict=True))
            last = {state.slot: made[state.next] if state.next in made else there[state.next] for state in self.states}
            carried = axis.carried(t, carried, last)
            for slot, pieces in kept.items():
                pieces.append(made[slot])
        inner = {slot for slot, _ in self.gives} | {*self.after.takes}
        values.add_padded({slot: torch.stack(pieces, 1) for slot, pieces in kept.items() if slot in inner})
        return last

    def _first(self, state: State, registers: Sequence[Any], values: "ElementValues") -> Tensor:
        if state.first >= 0 and registers[state.first] is not None:
            return registers[state.first]
        if not fixed(state.shape):
            raise SizeError.of([open_state(self.path, state.slot[1], shape_text(state.shape))])
        like = values.like
        return like.new_zeros(len(like), *[size for size in state.shape if isinstance(size, int)])


class ElementAxis:
    """An axis of a batch, and the way from (b, n, …) to rows of real elements and back."""

    def __init__(self, x: Tensor, length: Length, context: RunContext) -> None:
        self.batch, self.size = x.shape[:2]
        self.length, self.context, self.device = length, context, x.device

    @cached_property
    def _back(self) -> Tensor:
        """For every position the row that stands there, (b · n,); in the padding the example's last row."""
        assert self.length is not None
        starts = self.length.cumsum(0) - self.length  # (b,)
        places = torch.arange(self.size, device=self.device)
        within = torch.minimum(places, self.length.unsqueeze(1) - 1)  # (b, n)
        return (starts.unsqueeze(1) + within).flatten()

    @cached_property
    def owner(self) -> Tensor:
        """The example that every row belongs to, (rows,)."""
        examples = torch.arange(self.batch, device=self.device)
        return examples.repeat_interleave(self.size if self.length is None else self.length)

    @cached_property
    def _position(self) -> Tensor:
        """The place that every row stands at, (rows,)."""
        places = torch.arange(self.size, device=self.device)
        if self.length is None:
            return places.repeat(self.batch)
        return places.expand(self.batch, -1)[inside(self.length, self.size)]

    @cached_property
    def _taken(self) -> Tensor:
        """Where every row stands in the flattened batch, (rows,)."""
        return self.owner * self.size + self._position

    def rows(self, x: Tensor) -> Tensor:
        """The real elements of (b, n, …), one under another."""
        flat = x.flatten(0, 1)  # (b, n, …) -> (b · n, …)
        return flat if self.length is None else flat.index_select(0, self._taken)

    def padded(self, rows: Tensor) -> Tensor:
        """(b, n, …) from rows; the padding repeats the example's last row."""
        flat = rows if self.length is None else rows.index_select(0, self._back)
        return flat.unflatten(0, (self.batch, self.size))

    def spread(self, x: Tensor) -> Tensor:
        """A value of the whole example, repeated for every row."""
        return x.index_select(0, self.owner)

    def carried(self, t: int, old: Mapping[Slot, Tensor], new: Mapping[Slot, Tensor]) -> Mapping[Slot, Tensor]:
        """The states for element t + 1; past its end an example repeats its last element from the same state."""
        if self.length is None:
            return new
        on = self.length > t + 1  # (b,)
        return {slot: torch.where(on.view(-1, *[1] * (x.ndim - 1)), x, old[slot]) for slot, x in new.items()}

    @cached_property
    def context_of_rows(self) -> RunContext:
        """The context of a run on rows. Which example each row belongs to is found only where something asks for it."""
        context = self.context
        lengths = {name: self._row_lengths(length) for name, length in context.lengths.items()}
        count = self.batch * self.size if self.length is None else len(self.owner)
        rows = context.rows
        if context.watch is not None:
            rows = self.owner if rows is None else rows[self.owner]
        draws = context.training and context.noise is not None
        return self._context(self.owner if draws else None, self._position if draws else 0, count, lengths, rows)

    def context_at(self, t: int) -> RunContext:
        """The context of a run on element t of every example."""
        lengths = {
            name: length[:, t].contiguous() if isinstance(length, Tensor) and length.ndim > 1 else length
            for name, length in self.context.lengths.items()
        }
        return self._context(None, t, self.batch, lengths, self.context.rows)

    def _row_lengths(self, length: Tensor | int) -> Tensor | int:
        if isinstance(length, int):
            return length
        return self.rows(length) if length.ndim > 1 else self.spread(length)

    def _context(
        self,
        owner: Tensor | None,
        position: Tensor | int,
        count: int,
        lengths: Mapping[str, Tensor | int],
        rows: Tensor | None,
    ) -> RunContext:
        context = self.context
        return RunContext(
            training=context.training,
            steady=context.steady,
            noise=context.noise.inside(owner, position) if context.training and context.noise is not None else None,
            batch=count,
            precision=context.precision,
            lengths=lengths,
            set=context.set,
            updates=context.updates,
            watch=context.watch,
            rows=rows,
            like=context.like,
        )


class ElementValues:
    """The inner values in the form in which they were made; the other form is made when it is first read.

    `given` are the values that were taken apart, with their padding.
    """

    def __init__(self, axis: ElementAxis, whole: Mapping[Slot, Tensor], given: Mapping[Slot, Tensor]) -> None:
        self.axis, self.whole, self.given = axis, whole, given
        self.like = next(iter(given.values()))
        self._rows: dict[Slot, Tensor] = {}
        self._padded: dict[Slot, Tensor] = {}

    def has(self, slot: Slot) -> bool:
        """Whether this value differs from element to element."""
        return slot in self.given or slot in self._rows or slot in self._padded

    def add_rows(self, values: Mapping[Slot, Tensor]) -> None:
        """Values that were made as rows."""
        self._rows |= values

    def add_padded(self, values: Mapping[Slot, Tensor]) -> None:
        """Values that were made one element after another."""
        self._padded |= values

    def rows(self, slot: Slot) -> Tensor:
        """A value as rows."""
        if slot not in self._rows:
            if slot in self.whole:
                self._rows[slot] = self.axis.spread(self.whole[slot])
            else:
                self._rows[slot] = self.axis.rows(self.given[slot] if slot in self.given else self._padded[slot])
        return self._rows[slot]

    def padded(self, slot: Slot) -> Tensor:
        """A value with its axis; the padding repeats the example's last element."""
        if slot not in self._padded:
            if slot in self.given:
                self._padded[slot] = ended(self.given[slot], self.axis.length)
            else:
                self._padded[slot] = self.axis.padded(self.rows(slot))
        return self._padded[slot]

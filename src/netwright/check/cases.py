"""Draws examples of different sizes for a net, and makes batches of them with any padding."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from netwright.codecs.ragged import Ragged
from netwright.errors import NetError
from netwright.net.draws import are_known, drawn_input, index_limit, input_shapes, varying_sizes
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.run.context import RunContext
from netwright.net.run.examples import Examples, real_positions
from netwright.net.run.lengths import axes_of
from netwright.seeds import generator_of
from netwright.sizes.size import Expression, Name, Size, evaluate, names
from netwright.sizes.unify import Row, Shape
from netwright.value import Value

Fill: TypeAlias = Literal["its last element", "other examples", "10,000", "-10,000"]
FILLS: tuple[Fill, ...] = ("its last element", "other examples", "10,000", "-10,000")
SPREADS = ((0, 4, 1, 7), (0, 1, 0, 2), (0, 0, 0, 0))  # beyond the shortest that fits: the first with which a net runs
SHORTEST = (*range(1, 41), 80, 160, 320)
MORE = 2  # positions of padding behind the longest example
TAKEN = 6  # of the user's examples
Length: TypeAlias = int | tuple[int, ...]  # a tuple for a size that differs between elements


class CaseBatch(Value):
    """Examples side by side: inputs by port, and how long each is along every size with a name."""

    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor]
    ids: Tensor

    def __len__(self) -> int:
        return len(self.ids)


class Cases:
    """Examples of a net by input port, in float64, and their batches."""

    def __init__(self, net: Net, columns: Mapping[str, Tensor | Ragged], raw: bool = False) -> None:
        self.net, self.plan, self.columns, self.raw = net, net.plan, columns, raw

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def varying(self) -> bool:
        """Whether any two of the examples differ in length."""
        return any(isinstance(column, Ragged) for column in self.columns.values())

    @property
    def said(self) -> str:
        """What the examples are, in words."""
        return f"{len(self)} {'of your' if self.raw else 'random'} examples{self._lengths_said()}"

    def _lengths_said(self) -> str:
        whole = self.batch(torch.arange(len(self), device="cpu")).lengths
        found = {name: sorted({*length.flatten().tolist()}) for name, length in sorted(whole.items())}
        texts = [f"{name} = {', '.join(map(str, lengths))}" for name, lengths in found.items()]
        return f" with {' and '.join(texts)}" if texts else ""

    def alone(self, number: int) -> CaseBatch:
        """One example by itself."""
        return self.batch(torch.tensor([number], dtype=torch.int64, device="cpu"))

    def together(self, fill: Fill, more: int = 0) -> CaseBatch:
        """All examples, padded with given values, and so many positions more than the longest needs."""
        batch = self.batch(torch.arange(len(self), device="cpu"))
        if more:
            batch = _stretched(self.plan, batch, more)
        inputs = {port: self._filled(port, x, batch, fill) for port, x in batch.inputs.items()}
        return CaseBatch(inputs, batch.lengths, batch.ids)

    def batch(self, ids: Tensor) -> CaseBatch:
        """These examples, padded; lengths of all names, also where nothing is padded."""
        padded = Examples(self.plan, self.columns).batch(ids)
        codecs = self.net.held.inputs
        inputs = {port: codecs[port].prepare(x) if self.raw else x for port, x in padded.inputs.items()}
        inputs = {port: x.double() if x.is_floating_point() else x for port, x in inputs.items()}
        lengths: dict[str, Tensor] = {}
        for name, place in axes_of(self.plan).places.items():
            found = padded.lengths.get(name, place.length(inputs[place.port].shape[place.axis + 1]))
            lengths[name] = (
                found if isinstance(found, Tensor) else torch.full((len(ids),), found, dtype=torch.int64, device="cpu")
            )
        return CaseBatch(inputs, lengths, ids)

    def _filled(self, port: str, x: Tensor, batch: CaseBatch, fill: Fill) -> Tensor:
        behind = ~real(self.plan, self.plan.inputs[port], x, batch)
        if fill == "its last element":
            return x
        if fill == "other examples":
            return torch.where(behind, x.roll(1, 0).flip(1) if x.ndim > 1 else x.roll(1, 0), x)
        below = self.plan.below(("", port))
        if below is None:
            return x.masked_fill(behind, float(fill.replace(",", "")))
        most = evaluate(below, {name: int(length.min()) for name, length in batch.lengths.items()}) - 1
        return x.masked_fill(behind, 0 if fill.startswith("-") else most)


def real(plan: Plan, shape: Shape, x: Tensor, batch: CaseBatch) -> Tensor:
    """What belongs to examples in a value of these sizes, as bool of its shape."""
    mask = real_positions(plan, shape, x, RunContext(lengths=batch.lengths))
    return torch.ones_like(x, dtype=torch.bool) if mask is None else mask.expand(x.shape)


def _stretched(plan: Plan, batch: CaseBatch, more: int) -> CaseBatch:
    """The batch with more positions along every axis that is a length by itself."""
    inputs = dict(batch.inputs)
    lengths = dict(batch.lengths)
    for name, port, axis in [*_axes(plan, inputs)]:
        x = inputs[port]
        inputs[port] = x.index_select(
            axis, torch.arange(x.shape[axis] + more, device="cpu").clamp_max(x.shape[axis] - 1)
        )
        for inner, outer in plan.solution.within.items():
            if outer == name and lengths[inner].ndim > 1 and lengths[inner].shape[1] < inputs[port].shape[axis]:
                extra = lengths[inner][:, -1:].expand(-1, more)
                lengths[inner] = torch.cat([lengths[inner], extra], 1)
    return CaseBatch(inputs, lengths, batch.ids)


def _axes(plan: Plan, inputs: Mapping[str, Tensor]) -> Iterator[tuple[str, str, int]]:
    """Which axes of a batch are lengths by themselves: the name, the port, the axis."""
    for port in inputs:
        for axis, size in enumerate(plan.inputs[port], 1):
            atom = size.single if isinstance(size, Expression) else None
            if isinstance(atom, Name):
                yield atom.text, port, axis


def given(net: Net, data: Any) -> Cases:
    """The user's examples: a list, or a mapping from port to list."""
    names_ = net.required_names
    columns = dict(data) if isinstance(data, Mapping) else {names_[0]: data}
    missing = [name for name in names_ if net.held.inputs.get(name) is None or name not in columns]
    if missing:
        raise NetError(
            what="examples are encoded by the net's own encoders",
            where=f"check, input {missing[0]!r}",
            expected="an encoder and a list of examples for each input: " + ", ".join(names_),
            got=", ".join(columns),
        )
    raws = {name: list(columns[name])[:TAKEN] for name in names_}
    return Cases(net, {name: net.held.inputs[name].encode_all(rows) for name, rows in raws.items()}, raw=True)


def drawn(net: Net, seed: int) -> Iterator[Cases]:
    """Random examples of several lengths that fit the net, the wider spread ones first; none where sizes are open."""
    plan = net.plan
    if not are_known(input_shapes(plan)):
        return
    sizes = varying_sizes(plan)
    known = sorted({name for size in sizes for name in names(size)})
    least = next((n for n in SHORTEST if _fit(sizes, dict.fromkeys(known, n))), None)
    if least is None:
        return
    for spread, positive in itertools.product(SPREADS if known else SPREADS[-1:], (False, True)):
        lengths = [_lengths(plan, known, least, spread, i) for i in range(len(spread))]
        if all(_fit(sizes, {name: _least(value) for name, value in one.items()}) for one in lengths):
            yield Cases(net, {port: _column(net, port, lengths, seed, positive) for port in net.required_names})


def _lengths(plan: Plan, known: Sequence[str], least: int, spread: Sequence[int], i: int) -> dict[str, Length]:
    """How long one example is along every size, each size another way."""
    found: dict[str, Length] = {}
    for turn, name in enumerate(sorted(known, key=lambda name: name in plan.solution.within)):
        outer = plan.solution.within.get(name)
        around = found.get(outer) if outer is not None else None
        if isinstance(around, int):
            found[name] = tuple(least + spread[(i + turn + k) % len(spread)] // 2 for k in range(around))
        else:
            found[name] = least + spread[(i + turn) % len(spread)]
    return found


def _least(length: Length) -> int:
    return length if isinstance(length, int) else min(length)


def _column(net: Net, port: str, lengths: Sequence[Mapping[str, Length]], seed: int, positive: bool) -> Tensor | Ragged:
    """Random values of an input port for all examples."""
    shape = [size for size in net.plan.inputs[port] if not isinstance(size, Row)]
    depth = max((i + 1 for i, size in enumerate(shape) if isinstance(size, Expression)), default=0)
    generator = generator_of(seed, port, positive)
    rows = [_example(net.plan, port, shape, one, generator, positive) for one in lengths]
    return Ragged.of(rows, depth).compact() if depth else torch.stack(rows)


def _example(
    plan: Plan,
    port: str,
    shape: Sequence[Size],
    lengths: Mapping[str, Length],
    generator: torch.Generator,
    positive: bool,
) -> Any:
    """One example; a list of its elements where these differ in length."""
    uneven = {name for size in shape for name in names(size) if isinstance(lengths[name], tuple)}
    if uneven:
        count = evaluate(shape[0], {name: _least(value) for name, value in lengths.items()})
        parts = [
            {name: value if isinstance(value, int) else value[k] for name, value in lengths.items()}
            for k in range(count)
        ]
        return [_example(plan, port, shape[1:], one, generator, positive) for one in parts]
    numbers = {name: value for name, value in lengths.items() if isinstance(value, int)}
    sizes = [evaluate(size, numbers) for size in shape]
    return drawn_input(sizes, index_limit(plan, port, numbers), generator, positive=positive)


def _fit(sizes: Sequence[Size], lengths: Mapping[str, int]) -> bool:
    """Whether no axis of these sizes is empty."""
    return all(evaluate(size, lengths) >= 1 for size in sizes)


def case_lengths(plan: Plan, batch: CaseBatch) -> dict[str, Tensor | int]:
    """The lengths for the context of a run: one for every example if any is padded, else a number."""
    context = RunContext(lengths=batch.lengths)
    padded = set[str]()
    for port, x in batch.inputs.items():
        for axis, size in enumerate(plan.inputs[port], 1):
            end = None if isinstance(size, Row) else context.length(size)
            if not isinstance(size, Row) and end is not None and bool((end < x.shape[axis]).any()):
                padded |= names(size)
    if not padded:
        return {}
    return {name: length if name in padded else int(length.max()) for name, length in batch.lengths.items()}

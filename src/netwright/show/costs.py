"""Tells what a net costs: parameters, bytes, multiply-adds and memory, part by part, as formulas in its sizes."""

import html
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from netwright.errors import NetError, did_you_mean
from netwright.fields import at_least
from netwright.machine import best_device, free_memory
from netwright.net.cost import FLOAT32_BYTES, bytes_of_arrays, parameters, step_multiply_adds
from netwright.net.memory import memory_of
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.show.parts import drawn_places, kind_text
from netwright.show.table import cell_text, html_table, text_table
from netwright.sizes.formula import Formula, Largest, largest, names_in, value_of
from netwright.sizes.size import Size, substitute
from netwright.training.optimizers import Adam, optimizer_of
from netwright.training.room import examples_that_fit, held_bytes
from netwright.value import Value, few_lines

COLUMNS = ("path", "part", "parameters", "bytes", "multiply-adds", "bytes kept")


class PartCost(Value):
    """What one part costs. A container costs nothing: its numbers stand at its parts.

    Fields:
        path: its path; `depth` how many containers it stands in.
        kind: `Conv`, `relu`, `Chain`.
        parameters: learned numbers; None while a size is not known, 0 where another place shares them.
        bytes: of all its arrays, running and fixed ones too; float32 where they do not exist yet.
        multiply_adds: multiplications of one example, each with its addition.
        kept: bytes of one example that it is the first to keep for the backward pass.
        container: whether it only holds other parts.
    """

    path: str
    depth: int
    kind: str
    parameters: int | None
    bytes: int | None
    multiply_adds: Size | None
    kept: Size | None
    container: bool = False


class Cost(Value):
    """What a net costs; prints as a table, and as an HTML table in a notebook.

    What depends on a length is a formula in its name: `n²` scores. `cost.at(n=128)` puts a number in its
    place. None stands for what is not known while a size is not, as in a net without an encoder.

    Fields:
        parts: each part, a container before what it holds.
        training: bytes of one example in a step of training, at the moment when most of them live: what is kept for
            the backward pass, the gradients that it hands on, and the inputs. Where it is more, each value and its
            gradient, since runs of many nets hold these in memory of their own.
        use: bytes of one example in use, at the moment when most of them live: the inputs, each value that is still
            read, and what a part needs while it computes.
    """

    parts: tuple[PartCost, ...]
    training: Formula | None
    use: Formula | None

    @property
    def parameters(self) -> int | None:
        """Learned numbers in all."""
        return _whole(_total(part.parameters for part in self.parts))

    @property
    def bytes(self) -> int | None:
        """Bytes of all arrays."""
        return _whole(_total(part.bytes for part in self.parts))

    @property
    def multiply_adds(self) -> Size | None:
        """Multiplications of one example, each with its addition."""
        return _total(part.multiply_adds for part in self.parts)

    @property
    def kept(self) -> Size | None:
        """Bytes of one example that training keeps for the backward pass: what autograd saves, without the arrays."""
        return _total(part.kept for part in self.parts)

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names of the lengths on which something depends."""
        found = [size for part in self.parts for size in (part.multiply_adds, part.kept)] + [self.training, self.use]
        return tuple(sorted(frozenset[str]().union(*(names_in(size) for size in found if size is not None))))

    def __getitem__(self, path: str) -> PartCost:
        """The cost of the part at a path."""
        found = {part.path: part for part in self.parts}
        if path not in found:
            raise NetError(
                what="there is no such part",
                where="nw.cost",
                expected="the path of a part",
                got=repr(path),
                mend=did_you_mean(str(path), found),
            )
        return found[path]

    def at(self, **lengths: int) -> "Cost":
        """The cost where these sizes have these lengths; the others stay names.

        Raises: NetError for a size that nothing depends on, or a length that is no whole number of at least 1.
        """
        self._check(lengths)

        def fixed(formula: Any) -> Any:
            if isinstance(formula, Largest):
                return largest(map(fixed, formula.sizes))
            return formula if formula is None else substitute(formula, lambda atom: lengths.get(str(atom)))

        parts = tuple(
            replace(part, multiply_adds=fixed(part.multiply_adds), kept=fixed(part.kept)) for part in self.parts
        )
        return Cost(parts, fixed(self.training), fixed(self.use))

    def largest_batch(self, memory: int | None = None, optimizer: Any = None, **lengths: int) -> int:
        """How many examples of these lengths a step of training can have so that all fits in memory; 0: not even one.

        Beside the examples the weights, their gradients and what the optimizer keeps are in memory, in float32.
        `nw.train` chooses by the same numbers whether a batch comes in pieces.

        Fields:
            memory: bytes; None, those that are free now: of the GPU where there is one, else of this machine.
            optimizer: as in `nw.train`; None, Adam.

        Raises: NetError where sizes are not known or not given, and for a memory that is no number of bytes.
        """
        self._check(lengths)
        if memory is not None:
            at_least(0, memory, "memory, in bytes,", "largest_batch")
        trained, example = self.parameters, self.training
        if trained is None or example is None:
            raise NetError(
                what="how much memory an example takes is not known while a size is not",
                where="largest_batch",
                mend="nw.cost(net) of a net whose input says its sizes, such as input=(28, 28, 1)",
            )
        missing = [name for name in self.sizes if name not in lengths]
        if missing:
            raise NetError(
                what="how much memory an example takes depends on its lengths, and one is not given",
                where="largest_batch",
                expected=", ".join(self.sizes),
                got=", ".join(lengths) or "none",
                mend=f"cost.largest_batch({', '.join(f'{name}=…' for name in self.sizes)})",
            )
        free = free_memory(best_device()) if memory is None else memory
        chosen = Adam() if optimizer is None else optimizer_of(optimizer)
        return examples_that_fit(free, held_bytes(trained, chosen, FLOAT32_BYTES), value_of(example, lengths))

    def to_json(self) -> dict[str, object]:
        """A plain dict of numbers, texts and lists; a formula is a text, and what is not known is None."""
        numbers = ("parameters", "bytes", "multiply_adds", "kept")
        whole = {name: _plain(getattr(self, name)) for name in (*numbers, "training", "use")}
        parts = [
            {"path": part.path, "kind": part.kind, **{name: _plain(getattr(part, name)) for name in numbers}}
            for part in self.parts
        ]
        return {"parts": parts, **whole}

    def cells(self) -> list[tuple[str, ...]]:
        """The table as texts: the parts, then the totals."""
        lines = [
            (part.path, part.kind, *(["", "", "", ""] if part.container else map(cell_text, _numbers_of(part))))
            for part in self.parts
        ]
        return [*lines, ("total", "", *map(cell_text, (self.parameters, self.bytes, self.multiply_adds, self.kept)))]

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        return "\n".join([*text_table(COLUMNS, self._depths, self.cells(), left=2), self._at_once])

    def _repr_html_(self) -> str:
        return f"{html_table('nw-cost', COLUMNS, self._depths, self.cells())}<p>{html.escape(self._at_once)}</p>"

    @property
    def _depths(self) -> list[int]:
        return [*[part.depth for part in self.parts], 0]

    @property
    def _at_once(self) -> str:
        return f"bytes of one example at once: {cell_text(self.training)} in training, {cell_text(self.use)} in use"

    def _check(self, lengths: Mapping[str, int]) -> None:
        for name, length in lengths.items():
            if name not in self.sizes:
                raise NetError(
                    what=f"nothing that this net costs depends on a size {name!r}",
                    where="nw.cost",
                    expected=", ".join(self.sizes) or "no size: every number is fixed",
                    got=name,
                    mend=did_you_mean(name, self.sizes),
                )
            at_least(1, length, f"the length {name!r}", "nw.cost")


def cost(net: Net) -> Cost:
    """What a net costs before it runs: parameters, bytes, multiply-adds, memory, as formulas in its varying sizes.

    - `multiply_adds`: a part with an array `weight` of two or more axes (Linear, Conv, GRU) needs one multiplication
      and addition for each element of it at each position of its output; Attention and MatMul multiply their inputs.
      Everything else counts 0: looking up an embedding, activations, norms, pools, additions.
    - `kept`: what the backward pass reads again, each value in memory once, without the arrays of the net; it stands at
      the first part that keeps it. It is what torch keeps on a processor in float32. Of code that is not the
      framework's (`nw.Function`, `nw.Module`) it is taken that it keeps what it reads and gives.
    - `training` and `use`: the most bytes of one example that live at once in a step of training, and in use.

    The numbers are those of a net as it stands; its loss in training keeps a little more. Where examples differ in
    length, the formulas hold for each by itself, and a batch takes as much as if all were as long as its longest.

    Example:
        >>> import netwright as nw
        >>> found = nw.cost(nw.Chain(nw.Linear(8), nw.tanh, nw.Linear(2), input=("n", 4)))
        >>> print(found)
        path     part    parameters  bytes  multiply-adds  bytes kept
        -------------------------------------------------------------
        linear1  Linear          40    160           32·n        16·n
        tanh1    tanh             0      0              0        32·n
        linear2  Linear          18     72           16·n           0
        -------------------------------------------------------------
        total                    58    232           48·n        48·n
        bytes of one example at once: 160·n in training, 80·n in use
        >>> found.at(n=10).multiply_adds, found.largest_batch(memory=1_000_000, n=10)
        (480, 624)
    """
    expect_net(net, "cost")
    plan, memory = net.plan, memory_of(net.plan)
    steps = {step.path: step for step in plan.steps}
    counted: set[str] = set()
    parts: list[PartCost] = []
    for place in drawn_places(net):
        common = (place.path or place.name, place.depth, kind_text(place.part))
        if isinstance(place.part, ContainerNode):
            parts.append(PartCost(*common, 0, 0, 0, 0, container=True))
            continue
        step = steps[place.path]
        own = [plan.arrays[path] for path in step.arrays.values() if path not in counted]
        kept = None if memory.kept is None else memory.kept_by.get(place.path, 0)
        numbers = (parameters(own), bytes_of_arrays(own, net.held.arrays), step_multiply_adds(plan, step), kept)
        parts.append(PartCost(*common, *numbers))
        counted.update(step.arrays.values())
    return Cost(tuple(parts), memory.training, memory.use)


def _numbers_of(part: PartCost) -> tuple[Size | None, ...]:
    return part.parameters, part.bytes, part.multiply_adds, part.kept


def _total(values: Iterable[Size | None]) -> Size | None:
    total: Size = 0
    for value in values:
        if value is None:
            return None
        total = total + value
    return total


def _whole(value: Size | None) -> int | None:
    return value if isinstance(value, int) else None


def _plain(value: Formula | None) -> int | str | None:
    return value if isinstance(value, int) or value is None else str(value)

"""The engine for a net that does not fit on a device: each process holds a share, and blocks are gathered in turn."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard

from netwright.machine import free_memory
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Program
from netwright.net.run.noise import Noise
from netwright.training import culprit
from netwright.training.batch import Batch
from netwright.training.culprit import Computes, Culprit, naming_rows
from netwright.training.engines.cut import SHARED, Block, block_numbers, cut_into_blocks
from netwright.training.engines.engine import (
    Engine,
    arrays_in_float32,
    joined_places,
    lowered,
    refuse_no_gradient,
    steady_parts,
    total,
)
from netwright.training.engines.flat import Flat, weight_type
from netwright.training.engines.shards import BlockSpans, Shards, SharedUpdate, in_order
from netwright.training.optimizers import FlatGroup, Optimizer
from netwright.training.processes.group import OverProcesses
from netwright.training.processes.launched import Processes
from netwright.training.updates import Update

CPU = torch.device("cpu")
COPIES = 2  # of the weights, to find what made a gradient not finite: they and their gradient


class _Part(nn.Module):
    """A module that FSDP gathers: each piece is one parameter, whole inside `forward` alone."""

    def __init__(self, pieces: Mapping[str, BlockSpans], dtype: torch.dtype, exact: Collection[str]) -> None:
        super().__init__()
        self.pieces, self.exact = pieces, exact
        for name, piece in pieces.items():  # without memory: the shares are put in later
            self.register_parameter(name, nn.Parameter(torch.empty(piece.size, dtype=dtype, device="meta")))

    def arrays(self, precision: torch.dtype | None) -> dict[str, Tensor]:
        """The arrays of the pieces by path, while they are gathered, in the precision of the run."""
        found: dict[str, Tensor] = {}
        for name, piece in self.pieces.items():
            views = piece.views(self.get_parameter(name))
            found |= {path: view if path in self.exact else lowered(view, precision) for path, view in views.items()}
        return found


class _Block(_Part):
    """One block of a net."""

    def forward(
        self, program: Program, inputs: Mapping[Slot, Tensor], others: Mapping[str, Tensor], context: RunContext
    ) -> tuple[Tensor, ...]:
        bound = program.bind({**others, **self.arrays(context.precision)})
        return tuple(_apart(value) for value in bound(inputs, context))


class _Root(_Part):
    """The whole net: it runs its blocks in turn, and has the arrays that several of them use."""

    def __init__(
        self, pieces: Mapping[str, BlockSpans], blocks: Sequence[_Block], dtype: torch.dtype, exact: Collection[str]
    ) -> None:
        super().__init__(pieces, dtype, exact)
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self,
        cut: Sequence[Block],
        wanted: Sequence[Slot],
        inputs: Mapping[str, Tensor],
        fixed: Mapping[str, Tensor],
        context: RunContext,
    ) -> tuple[Tensor, ...]:
        values: dict[Slot, Tensor] = {("", name): value for name, value in inputs.items()}
        others = {**fixed, **self.arrays(context.precision)}
        for number, (block, module) in enumerate(zip(cut, self.blocks, strict=True)):
            given = {slot: values[slot] for slot in block.takes if slot in values}
            values.update(zip(block.gives, module(block.program, given, others, context), strict=True))
            read = {slot for later in cut[number + 1 :] for slot in later.takes} | {*wanted}
            values = {slot: value for slot, value in values.items() if slot in read}
        return tuple(_apart(values[slot]) for slot in wanted)


def _apart(value: Tensor) -> Tensor:
    """A copy of a view: an operation in place on it would undo what FSDP adds to the output of a module."""
    return value.clone() if value._is_view() else value  # pyright: ignore[reportPrivateUsage]


class Sharded(Engine):
    """A plan that ends in losses, cut into blocks, of which each process holds a share.

    `torch.distributed.fsdp.fully_shard` gathers the weights of a block before it is run, forward and backward, gives
    them up after it, and adds up the gradient so that each process gets its share. `flat` has the shares of all
    blocks side by side: the modules read their shares there, and an update changes them there.
    """

    shared = True

    def __init__(
        self,
        plan: Plan,
        arrays: Mapping[str, Tensor],
        rates: Mapping[str, float],
        rest: Mapping[str, Tensor],
        precision: torch.dtype | None,
        seed: int,
        frozen: Collection[str],
        group: Processes,
        device: torch.device,
        owners: Mapping[str, int],
    ) -> None:
        """Args: `arrays` are those that are trained; `rest` are the others, on the device; `owners` as `owners_of`."""
        self.plan, self.group, self.precision, self.seed, self.owners = plan, group, precision, seed, owners
        shapes = {path: tuple(array.shape) for path, array in arrays.items()}
        self.rates = in_order(rates, arrays)
        self.shards = {
            rate: Shards.of(owners, {path: shapes[path] for path in paths}, group) for rate, paths in self.rates.items()
        }
        dtype = weight_type(precision)
        sizes = {f"rate{i}": (shards.size,) for i, shards in enumerate(self.shards.values())}
        empty = {name: torch.zeros(size, dtype=dtype, device=device) for name, size in sizes.items()}
        self.flat = Flat.of(empty, dtype, device)
        self.flat.master.copy_(self.buffer(arrays))
        self.exact = arrays_in_float32(plan)
        kinds = {path: spec.weight.kind for path, spec in plan.arrays.items()}
        self.running = {path: array for path, array in rest.items() if kinds[path] == "running" and path not in frozen}
        self.fixed, self.steady = rest, steady_parts(plan, frozen)
        self.learned: list[tuple[nn.Parameter, Tensor]] = []  # with the place of its gradient
        self.root = self._root(dtype, DeviceMesh.from_group(group.group, device.type))
        self.wanted = [slot for _, slot in plan.wiring.outputs]
        self.losses = self.computing(self.wanted)

    @property
    def paths(self) -> Sequence[str]:
        return [path for paths in self.rates.values() for path in paths]

    def arrays(self, buffer: Tensor) -> dict[str, Tensor]:
        views = self.flat.views(buffer).values()
        found = [shards.arrays(own) for own, shards in zip(views, self.shards.values(), strict=True)]
        return {path: array for arrays in found for path, array in arrays.items()}

    def buffer(self, arrays: Mapping[str, Tensor]) -> Tensor:
        made = torch.zeros_like(self.flat.master)
        for own, shards in zip(self.flat.views(made).values(), self.shards.values(), strict=True):
            shards.fill(own, arrays)
        return made

    def places(self, paths: Collection[str]) -> list[slice]:
        return joined_places(
            [
                slice(begin + place.start, begin + place.stop)
                for (begin, _), shards in zip(self.flat.spans.values(), self.shards.values(), strict=True)
                for place in shards.places(paths)
            ]
        )

    def length(self) -> Tensor:
        square = self.flat.gradient.norm().square()
        self.group.add(square)
        return square.sqrt()

    def updates(self, optimizer: Optimizer) -> list[tuple[Update, float]]:
        """One update for each learning rate, of the share of this process."""
        found: list[tuple[Update, float]] = []
        for (rate, shards), name in zip(self.shards.items(), self.flat.spans, strict=True):
            weights, gradient = self.flat.view(self.flat.master, name), self.flat.view(self.flat.gradient, name)
            found.append((SharedUpdate(optimizer.bind(FlatGroup(weights, gradient, [])), shards), rate))
        return found

    def computing(self, wanted: Sequence[Slot]) -> Computes:
        """A function that computes these values, and that all processes call together."""
        cut = cut_into_blocks(self.plan, wanted, self.owners)
        return partial(self._computed, cut, wanted)

    def gradient(self, batch: Batch, step: int) -> float:
        part = self.group.part(batch)
        context = self._context(part.batch, step, part.over_processes)
        with torch.enable_grad():
            with naming_rows(part.batch.examples):
                losses = self.losses(part.batch.inputs, context)
            loss = total(losses, part.batch.weights) * part.share
            refuse_no_gradient(loss)
            loss.backward()
        with torch.no_grad():
            for parameter, own in self.learned:
                grad = parameter.grad
                own.zero_() if grad is None else own.copy_(cast(DTensor, grad).to_local())
                parameter.grad = None
            sick = not culprit.finite([self.flat.gradient])
            figures = torch.tensor([loss.item(), float(sick)], dtype=torch.float64, device="cpu")
            self.group.add(figures)
            found, sick = figures.tolist()
            if not math.isfinite(found) or sick:  # a step that is not made leaves running arrays as they are
                return math.nan if sick else found
            for path, value in context.updates.items():
                if path in self.running:
                    self.running[path].copy_(value)
        return found

    def broken(self) -> str | None:
        sound = culprit.finite([self.flat.master]) and culprit.finite(self.running.values())
        if not self.group.highest(not sound):
            return None
        return culprit.first_broken({**self.arrays(self.flat.master), **self.running})

    def culprit(self, batch: Batch, step: int) -> Culprit | None:
        broken = self.broken()
        if broken is not None:
            return Culprit("weights", broken)
        batch = self.group.part(batch).batch
        found = culprit.of_values(self.losses, batch.inputs, self._context(batch, step), batch.examples)
        return found if self.group.highest(found is not None) else self._of_gradient(batch, step)

    def _of_gradient(self, batch: Batch, step: int) -> Culprit | None:
        """The part whose gradient is not finite, if the processor has room for the whole net and its gradient.

        FSDP gives the gradient of the weights alone, so the net is run without it.
        """
        needed = COPIES * sum(math.prod(cast(Sequence[int], self.plan.arrays[path].shape)) for path in self.owners)
        lacks = needed * self.flat.master.element_size() > free_memory(CPU) // self.group.on_machine
        if self.group.highest(lacks):
            return None
        arrays = {
            path: (array if path in self.exact else lowered(array, self.precision)).requires_grad_()
            for path, array in self.arrays(self.flat.master).items()
        }
        fixed = {path: array.to(CPU) for path, array in self._fixed(self.precision).items()}
        bound = program_of(self.plan, self.wanted).bind({**fixed, **arrays})
        batch = batch.on(CPU)
        return culprit.of_step(
            bound,
            batch.inputs,
            self._context(batch, step),
            batch.examples,
            [*arrays.values()],
            lambda losses: total(losses, batch.weights),
        )

    def _fixed(self, precision: torch.dtype | None) -> dict[str, Tensor]:
        """The arrays that are not trained, in the precision of a run."""
        exact = self.exact | self.running.keys()
        return {path: array if path in exact else lowered(array, precision) for path, array in self.fixed.items()}

    def _context(self, batch: Batch, step: int, summed: OverProcesses | None = None) -> RunContext:
        return RunContext(
            training=True,
            steady=self.steady,
            noise=Noise(self.seed, step, batch.examples),
            batch=batch.size,
            precision=self.precision,
            lengths=batch.lengths,
            over_processes=summed,
        )

    def _computed(
        self, cut: Sequence[Block], wanted: Sequence[Slot], inputs: Mapping[Any, Tensor], context: RunContext
    ) -> tuple[Tensor, ...]:
        return self.root(cut, wanted, inputs, self._fixed(context.precision), context)

    def _root(self, dtype: torch.dtype, mesh: DeviceMesh) -> _Root:
        """The modules, sharded, whose parameters lie in `flat`."""
        shares: dict[tuple[int, str], tuple[Tensor, Tensor]] = {}
        pieces: dict[int, dict[str, BlockSpans]] = {}
        for (name, weights), gradient, shards in zip(
            self.flat.views(self.flat.master).items(),
            self.flat.views(self.flat.gradient).values(),
            self.shards.values(),
            strict=True,
        ):
            for piece, *own in zip(shards.pieces, shards.own(weights), shards.own(gradient), strict=True):
                pieces.setdefault(piece.block, {})[name] = piece
                shares[piece.block, name] = (own[0], own[1])
        numbers = block_numbers(self.owners)
        blocks = {number: _Block(pieces.get(number, {}), dtype, self.exact) for number in numbers}
        root = _Root(pieces.get(SHARED, {}), [*blocks.values()], dtype, self.exact)
        for number, module in {**blocks, SHARED: root}.items():  # the root last, as FSDP asks
            made = fully_shard(module, mesh=mesh, reshard_after_forward=True)
            made.set_gradient_divide_factor(1.0)  # the sum, since the loss of a part counts by its share
            made.set_force_sum_reduction_for_comms(True)
            own = {name: DTensor.from_local(shares[number, name][0], mesh, [Shard(0)]) for name in module.pieces}
            module.load_state_dict(own, strict=False, assign=True)
            self.learned += [(module.get_parameter(name), shares[number, name][1]) for name in own]
        return root

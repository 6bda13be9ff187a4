"""Joins the processes that torchrun started, or that the program has joined already, for the time of one run."""

import itertools
import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from netwright.around import around
from netwright.errors import TrainingError
from netwright.file.save import netwright_version
from netwright.training.batch import Batch
from netwright.training.processes.group import Group, Part
from netwright.training.processes.refusals import refuse_unequal

T = TypeVar("T")
ENVIRONMENT = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun sets, and other launchers with it
WAIT = timedelta(minutes=10)  # for another process, which may be reading data or writing a checkpoint
RUNS = itertools.count()  # each run of a program meets under a name of its own


class Processes(Group):
    """Several processes, which speak through collectives of torch.distributed: gloo for processors, nccl for CUDA.

    A batch is shared by position: each process has examples that stand side by side in it. A batch with fewer examples
    than there are processes is computed whole by each, and the gradient of the first counts.
    """

    def __init__(self, group: ProcessGroup, on_machine: int) -> None:
        self.group, self.on_machine = group, on_machine
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)

    def placed(self, device: torch.device) -> torch.device:
        if device != torch.device("cuda"):
            return device
        number = int(os.environ.get("LOCAL_RANK", "0"))
        if number >= torch.cuda.device_count():
            raise TrainingError(
                what="there are more processes on this machine than accelerators",
                where=f"process {self.rank} of {self.size}, counted from 0",
                expected=f"at most {torch.cuda.device_count()} processes",
                got=str(self.on_machine),
                mend=f"torchrun --nproc-per-node {torch.cuda.device_count()} …",
            )
        torch.cuda.set_device(number)
        return torch.device("cuda", number)

    def part(self, batch: Batch) -> Part:
        if batch.size < self.size:
            return Part(batch, float(self.leads))
        begin, end = (batch.size * rank // self.size for rank in (self.rank, self.rank + 1))
        return Part(batch.rows(slice(begin, end)), (end - begin) / batch.size, self._total)

    def add(self, *arrays: Tensor) -> None:
        for array in arrays:
            self._done(dist.all_reduce, array, dist.ReduceOp.SUM, self.group)

    def whole(self, share: Tensor) -> Tensor:
        found = share.new_empty(self.size, *share.shape)
        self._done(dist.all_gather, list(found.unbind()), share.contiguous(), self.group)
        return found.flatten(0, 1)  # (n, s, …) -> (n·s, …)

    def spread(self, arrays: Iterable[Tensor]) -> None:
        first = dist.get_global_rank(self.group, 0)
        for array in arrays:
            whole = array.contiguous()
            self._done(dist.broadcast, whole, first, self.group)
            if whole is not array:
                array.copy_(whole)

    def agreed(self, value: T) -> T:
        text = _bytes(value) if self.leads else _empty(0)
        size = torch.tensor([len(text)], dtype=torch.int64, device="cpu")
        self.spread([size])
        text = text if self.leads else _empty(int(size))
        self.spread([text])
        return _value(text)

    def highest(self, number: int) -> int:
        found = torch.tensor(number, dtype=torch.int64, device="cpu")
        self._done(dist.all_reduce, found, dist.ReduceOp.MAX, self.group)
        return int(found)

    def gathered(self, value: T) -> Sequence[T]:
        own = _bytes(value)
        sizes = torch.zeros(self.size, dtype=torch.int64, device="cpu")
        sizes[self.rank] = len(own)
        self.add(sizes)
        texts = torch.zeros(self.size, int(sizes.max()), dtype=torch.uint8, device="cpu")
        texts[self.rank, : len(own)] = own
        self.add(texts)
        return [_value(text[:size]) for text, size in zip(texts, sizes.tolist(), strict=True)]

    def _total(self, x: Tensor) -> Tensor:
        return _Total.apply(self, x)

    def _done(self, collective: Callable[..., object], *arguments: object) -> None:
        try:
            collective(*arguments)
        except RuntimeError as error:  # torch's own kinds of it, such as DistBackendError
            raise _left_alone(self, error) from error


class _Total(torch.autograd.Function):
    """The sum over processes; its derivative is the sum of the derivatives, since each process reads the sum."""

    @staticmethod
    def forward(ctx: Any, group: Processes, x: Tensor) -> Tensor:
        ctx.group = group
        total = x.clone(memory_format=torch.contiguous_format)
        group.add(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        ctx.group.add(total)
        return None, total


@around
def joined() -> Generator[Group]:
    """The processes of this run: those that a launcher started or the program has joined, or this one alone.

    A group of its own is joined and left again, so that torch.distributed is afterwards as it was before. If this
    process fails, the others fail too, since it has left.

    Raises: TrainingError in all other processes when one of them ends or does not answer for ten minutes.
    """
    if not dist.is_available() or _count() < 2:
        yield Group()
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    ours, hook = not dist.is_initialized(), sys.excepthook  # which torch sets, to say the rank
    if ours:
        try:
            store, rank, size = _meeting_place()
            tries = os.environ.get(
                "TORCHELASTIC_RESTART_COUNT", "0"
            )  # the store may hold addresses of killed processes
            place = PrefixStore(f"netwright {tries} {next(RUNS)}", store)
            dist.init_process_group(backend, store=place, rank=rank, world_size=size, timeout=WAIT)
        except (RuntimeError, ValueError) as error:
            raise _not_joined(error) from error
        group = dist.group.WORLD
    else:
        group = dist.new_group(backend=backend, timeout=WAIT)
    assert isinstance(group, ProcessGroup)  # each of the processes belongs to it
    try:
        made = Processes(group, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        refuse_unequal(made, {"netwright": netwright_version(), "torch": torch.__version__})
        yield made
    finally:
        sys.excepthook = hook
        dist.destroy_process_group(group)


def _left_alone(group: Processes, error: RuntimeError) -> TrainingError:
    return TrainingError(
        what="another process of this run has ended or does not answer",
        where=f"process {group.rank} of {group.size}, counted from 0",
        got=str(error).splitlines()[0][:200],
        mend=(
            "read the error of the other process",
            "folder=… in nw.train and torchrun --max-restarts=3, which go on after a process was killed",
        ),
    )


def _not_joined(error: Exception) -> TrainingError:
    return TrainingError(
        what="the processes of this run cannot be joined",
        where=", ".join(f"{name}={os.environ.get(name, '')}" for name in ENVIRONMENT),
        expected="nw.train called in every process that torchrun starts",
        got=str(error).splitlines()[0][:200],
        mend="torchrun --nproc-per-node 2 script.py",
    )


@cache
def _meeting_place() -> tuple[Store, int, int]:
    """The store where processes find each other, the rank and the number of processes.

    It is kept as long as the program runs: where the first process holds it, others may begin the next run there before
    the first one has left this run.
    """
    return next(iter(rendezvous("env://", timeout=WAIT)))


def _count() -> int:
    """How many processes there are."""
    if dist.is_initialized():
        return dist.get_world_size()
    try:
        return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in ENVIRONMENT) else 1
    except ValueError:
        return 1


def _bytes(value: object) -> Tensor:
    return torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)


def _empty(size: int) -> Tensor:
    return torch.empty(size, dtype=torch.uint8, device="cpu")


def _value(text: Tensor) -> Any:
    return json.loads(bytes(text.tolist()))

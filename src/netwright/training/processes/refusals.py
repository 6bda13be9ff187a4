"""Refuses runs on several processes that would not give what one process gives."""

from collections.abc import Mapping

from netwright.errors import TrainingError
from netwright.net.leaf import declared_keywords
from netwright.net.plan.plan import Plan
from netwright.training.processes.group import Group


def refuse_unequal(group: Group, facts: Mapping[str, str]) -> None:
    """Refuse processes that do not agree on a fact, by its name; all of them raise the same error.

    Raises: TrainingError.
    """
    first, *others = group.gathered(dict(facts))
    for rank, found in enumerate(others, 1):
        names = [name for name in {**first, **found} if first.get(name) != found.get(name)]
        if names:
            raise TrainingError(
                what=f"the processes of this run differ in: {', '.join(name.replace('_', ' ') for name in names)}",
                where=f"process {rank} of {group.size}, counted from 0",
                expected="; ".join(f"{name}: {first.get(name, 'none')}" for name in names) + ", as in process 0",
                got="; ".join(f"{name}: {found.get(name, 'none')}" for name in names),
                mend="the same in every process; each of them must see all data",
            )


def refuse_small_batch(group: Group, size: int) -> None:
    """Refuse a batch with fewer examples than there are processes.

    Raises: TrainingError.
    """
    if size < group.size:
        raise TrainingError(
            what="a batch has fewer examples than there are processes",
            where="batch_size",
            expected=f"at least {group.size}, one for each process",
            got=str(size),
            mend=(f"batch_size={group.size}, or more", f"torchrun --nproc-per-node {size} …"),
        )


def refuse_own_statistics(group: Group, plan: Plan, prefix: str) -> None:
    """Refuse parts that keep statistics of a batch and cannot add them up over processes.

    Raises: TrainingError.
    """
    for step in plan.steps if group.size > 1 else ():
        keeps = any(weight.kind == "running" for weight in step.leaf.weights().values())
        if keeps and "over_processes" not in declared_keywords(type(step.leaf)):
            raise TrainingError(
                what="this part keeps statistics of each batch, and cannot compute them over several processes",
                where=step.path.removeprefix(prefix),
                got=repr(step.leaf),
                mend=("nw.BatchNorm() in its place", "one process, without torchrun"),
            )

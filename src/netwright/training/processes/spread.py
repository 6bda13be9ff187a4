"""Gives the snapshot that the first process read to all processes of a run."""

import torch

from netwright.training.processes.group import Group
from netwright.training.snapshot import Snapshot


def spread_snapshot(group: Group, snapshot: Snapshot | None) -> Snapshot | None:
    """The snapshot of the first process, or None where that has none; those of other processes are not looked at."""
    own = snapshot or Snapshot({}, {})
    types = {name: str(array.dtype).removeprefix("torch.") for name, array in own.arrays.items()}
    shapes = {name: list(array.shape) for name, array in own.arrays.items()}
    there = group.agreed(snapshot is not None)
    plain, types, shapes = group.agreed(dict(own.plain)), group.agreed(types), group.agreed(shapes)
    if not there:
        return None
    arrays = dict(own.arrays)
    if not group.leads:
        arrays = {
            name: torch.empty(shapes[name], dtype=getattr(torch, kind), device="cpu") for name, kind in types.items()
        }
    group.spread(arrays.values())
    return Snapshot(arrays, plain)

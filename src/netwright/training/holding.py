"""Gives a net the arrays that a run has reached."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from netwright.net.part import Net
from netwright.net.surgery import hold_arrays


def net_holding(net: Net, arrays: Mapping[str, Tensor], prefix: str, kind: torch.dtype) -> Net:
    """A net with the arrays of a run, whose paths begin with a prefix, in the number type of the net."""
    on_cpu = {path.removeprefix(prefix): array.cpu() for path, array in arrays.items()}
    return cast(Net, hold_arrays(net, {p: a.to(kind) if a.is_floating_point() else a for p, a in on_cpu.items()}))

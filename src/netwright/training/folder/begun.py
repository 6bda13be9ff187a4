"""Prepares a run and says what it begins with; a run whose front is frozen trains on the values of the front."""

from typing import Any

from netwright.net.part import Net
from netwright.training.folder.made_from import start_of
from netwright.training.prepare.front import behind_front, frozen_front
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.processes.group import Group
from netwright.training.start import Start


def begun(net: Net, data: Any, options: Options, group: Group | None = None) -> tuple[Prepared, Start]:
    """A run before its first step, and what it begins with."""
    whole = prepare(net, data, options, group)
    start = start_of(net, options, whole)
    front = frozen_front(whole, options)
    behind = None if front is None else behind_front(whole, front, options)
    return behind or whole, start

"""The values inside a net by path, computed when they are asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from netwright.errors import PathError, did_you_mean
from netwright.inside.locations import Names, few_of, find_locations, leaf_locations, part_locations
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.wiring import Slot
from netwright.net.run.call import Question, run_given
from netwright.net.run.given import Given


class Activations(Mapping[str, Any]):
    """The values inside a net for one input, by path; a mapping that can only be read."""

    def __init__(self, net: Net, given: Given, slots: Mapping[str, Slot]) -> None:
        self._net, self._given, self._slots = net, given, slots
        self._found: dict[str, Tensor | Any] = {}
        self._all = False  # whether somebody goes through all of them

    def __getitem__(self, path: str) -> Tensor | Any:
        if path not in self._slots:
            raise PathError(
                what=f"there is no value of {path!r} here",
                where="activations",
                expected=f"one of {len(self._slots)} paths",
                mend=did_you_mean(str(path), self._slots),
            )
        if path not in self._found:
            missing = [name for name in self._slots if name not in self._found] if self._all else [path]
            with without_autocast():
                columns = run_given(self._net, self._given, [self._slots[name] for name in missing], Question(), {})
            values = [column[0] if self._given.single else column for column in columns]
            self._found |= dict(zip(missing, values, strict=True))
        return self._found[path]

    def __iter__(self) -> Iterator[str]:
        self._all = True
        return iter(self._slots)

    def __contains__(self, path: object) -> bool:
        return path in self._slots

    def __len__(self) -> int:
        return len(self._slots)

    def __repr__(self) -> str:
        return f"Activations({len(self)} values: {few_of(self._slots)})"


def activations(net: Net, x: Any, at: Names | None = None) -> Activations:
    """The values inside a net for an input, by path. Nothing is computed before it is asked for.

    A value that is asked for by its path is computed by itself, with what it needs. Who goes through the mapping, as
    `dict(…)`, `.items()` and a loop do, gets all values in one run. Each value is computed once and kept.

    Fields:
        x: an example, a list of examples or a batch, as the net takes it.
        at: a path, a pattern such as `"conv*"`, or a list of these; None, all parts at any depth. Of a part with
            several outputs each has the name `"path.port"`. A net that is a single layer has one, under the name of its
            kind, such as `"linear"`.

    Returns: a mapping from paths to arrays, which are as those of `net(x, at=path)`.

    Raises: PathError for what names no part.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Linear(4), nw.relu, nw.Linear(2), input=3))
        >>> values = nw.activations(net, torch.ones(3))
        >>> list(values), values["relu1"].shape
        (['linear1', 'relu1', 'linear2'], torch.Size([4]))

    Torch: torch.nn.Module.register_forward_hook on every module
    """
    expect_net(net, "activations")
    given = Given.of(net, x)
    known = part_locations(given.plan) or leaf_locations(given.plan)
    locations = known if at is None else find_locations(at, known, "activations").found
    return Activations(
        net, given, {location.name: slot for location in locations if (slot := location.slot) is not None}
    )

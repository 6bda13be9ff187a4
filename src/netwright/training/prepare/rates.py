"""Which arrays are trained and how fast: learning rates by path, one update for each rate, frozen arrays kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from netwright.errors import PathError, TrainingError, did_you_mean
from netwright.net.names import matches
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.training.engines.engine import Engine, Turn
from netwright.training.engines.flat import Flat, weight_type
from netwright.training.engines.turns import InTurn
from netwright.training.optimizers import FlatGroup, Optimizer
from netwright.training.range_test import RangeTest
from netwright.training.updates import Update

Rates: TypeAlias = float | Mapping[str, float] | RangeTest | None


def rates_of(plan: Plan, base: float, given: Rates, prefix: str) -> dict[str, float]:
    """The peak learning rate of every array that changes; arrays with rate 0 are left out and do not change.

    A running array, such as the mean of a batch norm, does not use its rate: it is listed unless it is frozen.
    """
    rates = {path: base for path, spec in plan.arrays.items() if spec.weight.kind != "fixed"}
    for pattern, rate in given.items() if isinstance(given, Mapping) else ():
        rates |= dict.fromkeys(paths_like(pattern, rates, prefix, "learning_rate"), rate)
    changing = {path: rate for path, rate in rates.items() if rate}
    if not any(plan.arrays[path].weight.kind == "learned" for path in changing):
        raise TrainingError(
            what="nothing is left to train: every array is frozen or none is learned", where="learning_rate"
        )
    return changing


def paths_like(pattern: str, paths: Iterable[str], prefix: str, where: str) -> list[str]:
    """The arrays that a pattern names, in the paths of the user's net.

    Raises: PathError where it names none.
    """
    known = [*paths]
    found = [path for path in known if matches(path.removeprefix(prefix), pattern)]
    if not found:
        names = [path.removeprefix(prefix) for path in known]
        raise PathError(
            what=f"no array of this net has a path like {pattern!r}",
            where=where,
            expected=f"a pattern of one of {len(names)} paths" + (f", such as {names[0]!r}" if names else ""),
            mend=did_you_mean(pattern, _parts(names)),
        )
    return found


def rates_by_path(
    net: Net,
    plan: Plan,
    rates: Mapping[str, float],
    dtype: torch.dtype | None,
    device: torch.device,
    turns: Sequence[Turn] = (),
) -> tuple[Flat, dict[str, Tensor]]:
    """The trained arrays side by side, those of one part and one learning rate together; and copies of all others."""
    trained = [path for path in rates if plan.arrays[path].weight.kind == "learned"]
    part_of = {path: number for number, turn in enumerate(turns) for path in turn.paths}
    in_order = sorted(trained, key=lambda path: (part_of.get(path, 0), rates[path]))
    flat = Flat.of({path: net.held.arrays[path] for path in in_order}, dtype, device)
    rest = {path: copied(array, dtype) for path, array in net.held.arrays.items() if path not in flat.spans}
    return flat, rest


def in_kind(net: Net, trained: Collection[str], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """The arrays of a net in the number types in which a run begins."""
    wide = weight_type(dtype)
    return {
        path: array.to(wide if path in trained else kind_beside(array, dtype))
        for path, array in net.held.arrays.items()
    }


def copied(array: Tensor, dtype: torch.dtype | None) -> Tensor:
    """A copy, as wide as the weights of the run: it is used together with them."""
    return array.to(kind_beside(array, dtype), copy=True)


def kind_beside(array: Tensor, dtype: torch.dtype | None) -> torch.dtype:
    """The number type of an array that a run does not train: that of the weights it trains."""
    return weight_type(dtype) if array.is_floating_point() else array.dtype


def updates_in_turn(engine: Engine, rates: Mapping[str, float], optimizer: Optimizer) -> list[tuple[Update, float]]:
    """One update for each part and learning rate, with that rate; each part has a turn, if there are several."""
    if not engine.turns:
        return updates_of(engine.flat, engine.paths, rates, optimizer)
    return [
        (InTurn(update, engine, number), rate)
        for number, turn in enumerate(engine.turns)
        for update, rate in updates_of(engine.flat, turn.paths, rates, optimizer)
    ]


def updates_of(
    flat: Flat, trained: Collection[str], rates: Mapping[str, float], optimizer: Optimizer
) -> list[tuple[Update, float]]:
    """One update for each learning rate, with that rate."""
    groups: dict[float, list[str]] = {}
    for path in flat.spans:
        if path in trained:
            groups.setdefault(rates[path], []).append(path)
    updates: list[tuple[Update, float]] = []
    for rate, paths in groups.items():
        piece = flat.range(paths)
        arrays = [(flat.view(flat.master, path), flat.view(flat.gradient, path)) for path in paths]
        updates.append((optimizer.bind(FlatGroup(flat.master[piece], flat.gradient[piece], arrays)), rate))
    return updates


def _parts(names: Sequence[str]) -> list[str]:
    """Every path that a pattern can match: arrays, and the parts that contain them at any depth."""
    pieces = [name.split("/") for name in names]
    return list(dict.fromkeys("/".join(piece[:n]) for piece in pieces for n in range(1, len(piece) + 1)))

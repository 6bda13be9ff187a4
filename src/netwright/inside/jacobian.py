"""The Jacobian of a value of a net: the derivative of each of its numbers by each number at a place."""

from collections.abc import Sequence
from typing import Any, overload

import torch
from torch import Tensor

from netwright.codecs.numeric import described
from netwright.errors import DataError, NetError
from netwright.inside.derivative import Derivative, Recorded, by_what, check_depends, check_reached
from netwright.inside.locations import Locations, Names, few_of
from netwright.inside.targets import Of, Target, targets_of
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.call import CHUNK
from netwright.net.run.given import Given


@overload
def jacobian(net: Net, x: Any, *, of: Of = None, wrt: str | None = None) -> Tensor | Any: ...
@overload
def jacobian(net: Net, x: Any, *, of: Of = None, wrt: list[str] | tuple[str, ...]) -> dict[str, Tensor | Any]: ...
@torch.inference_mode(False)
@torch.enable_grad()
@without_autocast()
def jacobian(net: Net, x: Any, *, of: Of = None, wrt: Names | None = None) -> Any:
    """The Jacobian J[i, j] = ∂valueᵢ / ∂placeⱼ of a value of a net, for each example.

    There is one pass back for each number of the value, so a small value by a large place is cheap.

    Fields:
        x: an example, a list of examples or a batch, as the net takes it.
        of: what is derived, as in `nw.gradients`, but not summed; a function may give any tensor. None: the only
            output.
        wrt: by what, as in `nw.gradients`. None: the only input.

    Returns: for one name an array whose axes are those of the value and then those of the place, (*value, *place); of
        several examples (b, *value, *place), or a list where the sizes differ; by arrays too, since each example has
        its own. For several names a mapping from names to these.

    Raises: as `nw.gradients`; NetError for several values, or several inputs if `wrt` does not say which.

    Example:
        >>> import netwright as nw, torch
        >>> weight = [[1.0, 2.0], [3.0, 4.0]]
        >>> net = nw.Chain(nw.Linear(2, bias=False), input=2).with_arrays({"linear1/weight": weight})
        >>> nw.jacobian(net, torch.zeros(2)).tolist() == weight
        True

    Torch: torch.func.jacrev
    """
    expect_net(net, "jacobian")
    given = Given.of(net, x)
    target = _one_target(net, given, of)
    locations = by_what(given.plan, _only_input(net) if wrt is None else wrt, "jacobian")
    locations = check_depends(given.plan, [target], locations, wrt, "jacobian")
    derivative = Derivative(net, given, [target], locations.found)
    alone = bool(derivative.arrays) or not all(isinstance(x, Tensor) for x in given.examples.columns.values())
    pieces: dict[str, list[Tensor]] = {}
    for recorded in derivative.batches(1 if alone else CHUNK):  # one by one where examples differ or share arrays
        for name, rows in _rows(derivative, recorded, target, locations).items():
            pieces.setdefault(name, []).append(rows)
    check_reached(pieces, [target], locations, "jacobian")
    found = {name: given.together(several) for name, several in pieces.items()}
    own = {name: whole[0] if given.single else whole for name, whole in found.items()}
    return next(iter(own.values())) if locations.alone else own


def _rows(derivative: Derivative, recorded: Recorded, target: Target, locations: Locations) -> dict[str, Tensor]:
    """The Jacobians of a batch, (b, *value, *place)."""
    values = torch.stack([_value(target, value) for value in recorded.values[0]])  # (b, *value)
    flat = values.flatten(1) if values.ndim > 1 else values.unsqueeze(1)  # (b, m)
    found: dict[str, list[Tensor | None]] = {location.name: [] for location in locations.found}
    for row in flat.sum(0).unbind():  # examples do not depend on each other: (m,)
        slopes = derivative.gradient(recorded, row, again=True)
        for name, rows in found.items():
            rows.append(_whole(slopes[name], name in derivative.arrays) if name in slopes else None)
    made: dict[str, Tensor] = {}
    for name, rows in found.items():
        some = next((slope for slope in rows if slope is not None), None)
        if some is not None:
            filled = [torch.zeros_like(some) if slope is None else slope for slope in rows]
            stacked = torch.stack(filled, 1)  # m of (b, *place) -> (b, m, *place)
            made[name] = stacked.reshape(len(stacked), *values.shape[1:], *some.shape[1:])
    return made


def _value(target: Target, value: Any) -> Tensor:
    """The value of one example that is derived, as one tensor."""
    made = value if target.score is None else target.score(value)
    if not isinstance(made, Tensor):
        raise DataError(
            what="a Jacobian is that of one tensor for each example",
            where=target.location.name,
            expected="a tensor",
            got="rows of different lengths" if isinstance(made, list) else described(made),
            mend="a function that makes one tensor of them: of={" + repr(target.location.name) + ": function}",
        )
    return made


def _whole(slope: Tensor | Sequence[Any], shared: bool) -> Tensor:
    """A gradient by example as one tensor, (b, *place); by an array, which one example has for itself, (1, *array)."""
    if isinstance(slope, Tensor):
        return slope.unsqueeze(0) if shared else slope
    return torch.stack([*slope])


def _one_target(net: Net, given: Given, of: Of) -> Target:
    """The value that is derived, whole."""
    if isinstance(of, str):
        of = {of: _itself}
    targets = targets_of(net, given.plan, _itself if of is None else of, "jacobian")
    if len(targets) > 1:
        raise NetError(
            what="a Jacobian is that of one value",
            where="jacobian",
            got=few_of(target.location.name for target in targets),
            mend=f"of={targets[0].location.name!r}",
        )
    return targets[0]


def _itself(value: Any) -> Any:
    return value


def _only_input(net: Net) -> str:
    names = net.required_names
    if len(names) == 1:
        return names[0]
    raise NetError(
        what=f"this net has {len(names)} inputs, and wrt= does not say which of them is meant",
        where="jacobian",
        expected=" or ".join(map(repr, names)),
        mend=f"wrt={names[0]!r}" if names else "wrt='linear1/weight', or another array",
    )

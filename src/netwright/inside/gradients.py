"""The gradient of a value of a net, by its arrays, its inputs and any value inside."""

from collections.abc import Sequence
from typing import Any, overload

import torch
from torch import Tensor

from netwright.inside.derivative import Derivative, by_what, check_depends, check_reached
from netwright.inside.locations import Locations, Names, array_locations
from netwright.inside.targets import Of, targets_of
from netwright.machine import without_autocast
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.examples import Own
from netwright.net.run.given import Given


@overload
def gradients(net: Net, x: Any, *, of: Of = None, wrt: None = None) -> dict[str, Tensor]: ...
@overload
def gradients(net: Net, x: Any, *, of: Of = None, wrt: str) -> Tensor | Any: ...
@overload
def gradients(net: Net, x: Any, *, of: Of = None, wrt: list[str] | tuple[str, ...]) -> dict[str, Tensor | Any]: ...
@torch.inference_mode(False)
@torch.enable_grad()
@without_autocast()
def gradients(net: Net, x: Any, *, of: Of = None, wrt: Names | None = None) -> Any:
    """The gradient of a value of a net, ∂value / ∂place, by its arrays, its inputs or any values inside.

    A value that is not one number is summed. The numbers of several examples are added, so that the gradient by an
    input or a value inside is, for each example, that of the example alone. A loss is the mean over the examples, as
    in training.

    Fields:
        x: an example, a list of examples or a batch, as the net takes it.
        of: what is derived. None: the only output; of a net that ends in losses, their sum. A text: an output, or the
            value at a path. A function makes one number of the output of one example: `lambda y: y[7]` is the score of
            class 7. A mapping from paths to functions does this for values inside: `{"linear2": lambda y: y[7]}`, the
            score before a softmax; several are added.
        wrt: by what it is derived: the path of an array or of a part, an input port, a pattern such as `"*/weight"`,
            or a list of these. None: all learned arrays.

    Returns: for one name its gradient, in the shape of the array, or of the value as `net(x, at=path)` gives it; else a
        mapping from names to gradients. An input's gradient is that by the values that its encoder makes of it. Of
        patterns, of all arrays, and of several outputs of a part, those that do not matter for the value are left out.

    Raises: NetError where the value does not depend on a place that is named, and for indices, such as tokens, which
        have no gradient; PathError for what names nothing.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.Chain(nw.Linear(2), nw.tanh, input=2).with_arrays(
        ...     {"linear1/weight": [[1.0, 2.0], [3.0, 4.0]], "linear1/bias": [0.0, 0.0]}
        ... )
        >>> nw.gradients(net, torch.zeros(2), of=lambda y: y[1], wrt="input")
        tensor([3., 4.])

    Torch: torch.autograd.grad
    """
    expect_net(net, "gradients")
    given = Given.of(net, x)
    plan = given.plan
    targets = targets_of(net, plan, of, "gradients")
    learned = Locations(tuple(array_locations(plan, ("learned",))), frozenset(), False)
    locations = learned if wrt is None else by_what(plan, wrt, "gradients")
    locations = check_depends(plan, targets, locations, wrt or "any learned array", "gradients")
    derivative = Derivative(net, given, targets, locations.found)
    arrays: dict[str, Tensor] = {}
    values: dict[str, list[Tensor | Sequence[Own]]] = {}
    for recorded in derivative.batches(derivative.size):
        pairs = zip(targets, recorded.values, strict=True)
        totals = [target.total(value, len(given.examples)) for target, value in pairs]
        for name, slope in derivative.gradient(recorded, torch.stack(totals).sum()).items():
            if name in derivative.arrays and isinstance(slope, Tensor):
                arrays[name] = arrays[name] + slope if name in arrays else slope
            else:
                values.setdefault(name, []).append(slope)
    found: dict[str, Any] = dict(arrays)
    for name, pieces in values.items():
        whole = given.together(pieces)
        found[name] = whole[0] if given.single else whole
    check_reached(found, targets, locations, "gradients")
    in_order = {location.name: found[location.name] for location in locations.found if location.name in found}
    return next(iter(in_order.values())) if locations.alone else in_order

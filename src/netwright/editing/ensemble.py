"""Joins trained nets into one net that gives the mean of their answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from netwright.editing.rewrite import Edit, spots, with_edits
from netwright.errors import NetError, shortened
from netwright.layers.join import Add
from netwright.net.graph import Graph, Input
from netwright.net.lineage import recorded
from netwright.net.names import SHARED
from netwright.net.node import Held, expect_net
from netwright.net.part import Net, Shared

STEM = "member"


def ensemble(nets: Sequence[Net]) -> Net:
    """One net whose outputs are the mean of those of several: y = (1 / k) Σ yᵢ.

    Of nets that end in a softmax these are the mean probabilities, which the common decoder reads; of regressions the
    mean predictions. It is a net as any other: one file, one call, and `ensemble["member2"]` is its second member, with
    its arrays. Arrays that members share under one name are each member's own.

    Args:
        nets: at least two, with equal inputs, encoders, outputs and decoders.

    Raises: NetError for fewer than two nets, and for nets that do not read or give the same.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Linear(), nw.softmax, input=3, output=nw.Category(["a", "b"]))
        >>> both = nw.ensemble([nw.initialize(net, seed=1), nw.initialize(net, seed=2)])
        >>> both((0.1, 0.2, 0.3), nw.probabilities).keys()
        dict_keys(['a', 'b'])

    Source: Lakshminarayanan, Pritzel and Blundell 2017, "Simple and scalable predictive uncertainty estimation using
        deep ensembles", arXiv 1612.01474
    """
    members: list[Net] = [*nets] if isinstance(cast(Any, nets), list | tuple) else []
    for net in members:
        expect_net(net, "ensemble")
    if len(members) < 2:
        raise NetError(what="an ensemble has at least two nets", where="ensemble", got=shortened(repr(nets), 100))
    first = members[0]
    for number, net in enumerate(members[1:], 2):
        _check_alike(first, net, number)
    own = [_with_own_names(net, f"{STEM}{number}") for number, net in enumerate(members, 1)]
    inputs = [Input(name, first.held.inputs.get(name)) for name in first.required_names]
    given = [net(*inputs, name=f"{STEM}{number}") for number, net in enumerate(own, 1)]
    share = 1 / len(members)
    outputs = {name: Add()(*(value[name] for value in given)) * share for name in _outputs(first)}
    alone = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    made = Graph(alone, output=dict(first.held.outputs))
    text = f"ensemble of {len(members)} nets"
    return recorded(cast(Net, made), first, text, {f"{STEM}{n}": net for n, net in enumerate(members[1:], 2)})


def _check_alike(first: Net, net: Net, number: int) -> None:
    """Raise NetError unless two members read and give the same."""
    sides = (
        ("inputs", first.required_names, net.required_names),
        ("encoders", dict(first.held.inputs), dict(net.held.inputs)),
        ("outputs", _outputs(first), _outputs(net)),
        ("decoders", dict(first.held.outputs), dict(net.held.outputs)),
    )
    for side, wanted, found in sides:
        if wanted != found:
            raise NetError(
                what=f"the nets of an ensemble have equal {side}",
                where=f"ensemble, net {number}",
                expected=shortened(repr(wanted), 100),
                got=shortened(repr(found), 100),
            )


def _outputs(net: Net) -> tuple[str, ...]:
    """The outputs that are averaged: all but the states."""
    return tuple(name for name in net.output_names if name not in net.input_names)


def _with_own_names(net: Net, member: str) -> Net:
    """The net with its shared names made its own, since another member may have other arrays under them."""
    if net.held.shared:
        net = net.unchecked(replace(net.held, arrays=_without_name(net, net.held.shared), shared=""))
    known = [spot for spot in spots(net).values() if spot.part.held.shared]

    def edit(name: str) -> Edit:
        return lambda part: Shared(f"{member}_{name}", part.unchecked(Held(_without_name(part, name))))

    return with_edits(net, {spot.key: edit(spot.part.held.shared) for spot in known})[0] if known else net


def _without_name(part: Net, name: str) -> dict[str, Tensor]:
    """The arrays of a part that is shared under a name no more."""
    return {path.removeprefix(f"{SHARED}{name}/"): array for path, array in part.held.arrays.items()}

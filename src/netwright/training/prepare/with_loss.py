"""Makes the loss part of a net: a graph of the net, its targets and its losses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from netwright import elsewhere
from netwright.errors import NetError, did_you_mean, shortened
from netwright.file.structure import RECORDS
from netwright.layers.function import Function
from netwright.layers.losses import WeightedLoss
from netwright.net.graph import Graph, Input
from netwright.net.node import Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.symbol import Symbol, use
from netwright.net.ports import target_name
from netwright.value import Value


def with_loss(net: Net, loss: Any, weights: Mapping[str, float] | None = None) -> Graph:
    """The net that takes targets too and gives its losses: `net` and `loss` are its parts.

    A target port is encoded by the net's own decoder, so it takes values in the form of the net's answers. The port of
    a net with one output is `target`; of one with several, or with an input called `target`, it is `NAME_target` for
    each output that has a loss. One loss is the part `loss`; of several each is the part `NAME_loss`, and an output of
    the new net.

    Fields:
        loss: a part that takes the net's output and the target; or a function of the output and the target of one
            example, in torch, that gives one number; or a mapping from outputs to these.
        weights: factors of the losses, by output; a loss without one counts as it is.

    Raises: NetError for a loss of torch, which has a part of ours, or when outputs, losses and weights do not match;
        SizeError when a loss does not fit an output.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(3, nw.softmax, input=2, output=nw.Category(["a", "b", "c"]))
        >>> graph = nw.with_loss(net, nw.CrossEntropy())
        >>> graph.input_names, graph.paths[-1], graph.plan.outputs
        (('input', 'target'), 'loss', {'loss': ()})
    """
    expect_net(net, "with_loss")
    names = net.output_names
    losses = dict(loss) if isinstance(loss, Mapping) else {names[0]: loss}
    if len(names) > 1 and not isinstance(loss, Mapping):
        raise NetError(
            what=f"this net has {len(names)} outputs: each that counts needs a loss",
            expected="{" + ", ".join(f"{name!r}: …" for name in names) + "}",
            got=repr(loss),
        )
    unknown = [name for name in losses if name not in names]
    if unknown or not losses:
        raise NetError(
            what=f"this net has no output {unknown[0]!r}" if unknown else "a net with a loss has at least one loss",
            expected=", ".join(names),
            mend=did_you_mean(unknown[0], names) if unknown else "",
        )
    _check_weights(weights, list(losses))
    ports = {name: Input(name, codec) for name, codec in net.inputs.items()}
    values = use(net, *ports.values(), name="net")
    ends: dict[str, Symbol] = {}
    for name, part in losses.items():
        mark = f"{name}_" if len(losses) > 1 else ""
        target = Input(target_name(net, name), net.outputs[name])
        end = use(_loss(part), values[name], target, name=f"{mark}loss")
        ends[f"{mark}loss"] = _weighted(end, (weights or {}).get(name))
    return Graph(ends)  # by name, so that the output of a loss that a user wrote is called `loss`


def with_weights(net: Net, weights: Mapping[str, float]) -> Graph:
    """A net that ends in losses, as the part `net` of one whose outputs are the same losses times their weights."""
    _check_weights(weights, net.output_names)
    values = use(net, *(Input(name, codec) for name, codec in net.inputs.items()), name="net")
    return Graph({name: _weighted(values[name], weights.get(name)) for name in net.output_names})


def _check_weights(weights: Mapping[str, float] | None, names: Sequence[str]) -> None:
    """Refuse weights of losses that are not there, and of the only one."""
    if weights is not None and len(names) == 1:
        raise NetError(
            what="weights weigh several losses against each other, and this net has one",
            where="weights of the losses",
            got=repr(dict(weights)),
            mend="leave them out; learning_rate=… says how large the steps of a run are",
        )
    unknown = [name for name in weights or () if name not in names]
    if unknown:
        raise NetError(
            what=f"no loss belongs to an output {unknown[0]!r}",
            where="weights of the losses",
            expected=f"some of {', '.join(map(repr, names))}",
            mend=did_you_mean(str(unknown[0]), names),
        )


def _weighted(loss: Symbol, weight: float | None) -> Symbol:
    return loss if weight is None else use(WeightedLoss(weight), loss)


def _loss(value: Any) -> Node:
    """A loss as a part."""
    if isinstance(value, Node):
        return value
    if ours := elsewhere.loss(value):
        raise NetError(what="a loss of torch is not a part", where="loss", got=shortened(repr(value), 100), mend=ours)
    if callable(value) and not isinstance(value, type | torch.nn.Module):
        return Function(EachExample(value), "input: *s, target: *t -> loss: ()")
    raise NetError(
        what="this is not a loss",
        where="loss",
        expected="a part such as nw.MSE(), or a function of the output and the target of one example",
        got=shortened(repr(value), 100),
    )


class EachExample(Value):
    """A function of single examples, applied to every example of a batch."""

    function: Callable[..., Any]

    def __call__(self, *x: Tensor) -> Tensor:
        try:
            found = torch.vmap(self.function)(*x)  # (b, *s), (b, *t) -> (b,)
        except (RuntimeError, IndexError) as error:
            raise NetError(
                what="the loss cannot be computed of one example",
                where=_name(self.function),
                expected=" and ".join(str(tuple(value.shape[1:])) for value in x)
                + ", the output and the target of one",
                got=str(error).splitlines()[0],
                mend='nw.Function(f, "input: *s, target: *t -> loss: ()"), for a function of whole batches',
            ) from error
        if found.ndim != 1:
            raise NetError(
                what="a loss gives one number for each example",
                where=_name(self.function),
                expected="()",
                got=str(tuple(found.shape[1:])),
                mend="its mean: (…).mean()",
            )
        return found


RECORDS["EachExample"] = EachExample  # so that a file can say what a net with such a loss is


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "") or repr(function)

"""Makes a trained net larger without changing what it computes: wider layers, more layers, residual branches."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from netwright.editing.rewrite import Spot, codecs_held, is_whole, root_of, spot_at, with_edits
from netwright.editing.set_fields import set_at
from netwright.editing.trial_run import check_same_outputs
from netwright.errors import NetError
from netwright.fields import at_least
from netwright.layers.conv import Conv
from netwright.layers.join import Multiply
from netwright.layers.linear import Linear
from netwright.layers.pointwise import Elementwise
from netwright.layers.source import Parameter
from netwright.layers.wrap import Residual
from netwright.net import surgery
from netwright.net.graph import Graph
from netwright.net.initialize import initialize, made_in_memory
from netwright.net.lineage import in_brief, recorded
from netwright.net.names import Numbers, join_path
from netwright.net.node import Node, expect_net, field_values
from netwright.net.part import Net
from netwright.net.plan.level import Call, Level, Ref
from netwright.net.plan.plan import ArraySpec, Plan
from netwright.net.plan.symbol import as_part, input_ports, output_names
from netwright.seeds import generator_of
from netwright.sizes.notation import Axis

IDEMPOTENT = ("relu", "relu6", "abs")  # functions with f(f(x)) = f(x): one more changes nothing
MIX = (0.25, 0.75)  # between which the share of a copy is drawn


def widen(net: Net, path: str, by: int) -> Net:
    """The net with more units in one layer, and the same function.

    New units are copies of the first ones. What reads a unit and its copies reads each with a share of the weight,
    wⱼ = sⱼ w with Σ sⱼ = 1; the shares are random, so that training moves the copies apart. That the net stays the
    same function is tried on random examples.

    Args:
        net: is not changed; without arrays, only its sizes grow.
        path: of a layer with a width `out`, such as `nw.Linear`, `nw.Conv`, `nw.Embedding` or `nw.LSTM`.
        by: how many units more.

    Raises: PathError for a path that is not there; NetError for a part without a width, and for a net that would not
        stay the same, such as one with a norm over the units; SizeError for sizes that do not fit, as in a residual.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
        >>> nw.widen(net, "linear1", by=2).plan.shape(("relu1", "output"))
        (6,)

    Source: Chen, Goodfellow and Shlens 2016, "Net2Net", arXiv 1511.05641
    """
    expect_net(net, "widen")
    at_least(1, by, "the number of new units", "widen")
    spot = spot_at(net, path)
    old = _width(net, spot)
    bare = net.bare()
    wide = set_at(bare, {spot.key: {"out": old + by}})
    made = wide.rebuilt(codecs_held(net))
    if net.held.arrays:
        with made_in_memory(spot.path, (old + by,)):
            made = made.holding(arrays=_widened(net, made.plan, spot, old, old + by))
    if is_whole(net):
        check_same_outputs(net, made, path)
    return recorded(made, net, f"widen {path} by {by}")


def deepen(net: Net, path: str) -> Net:
    """The net with one more layer behind a `nw.Linear` or `nw.Conv`, and the same function.

    The new layer gives what it is given: y = I x + 0, of the same kind and width. Where the layer, or a norm behind it,
    is followed by an activation with f(f(x)) = f(x), such as `nw.relu`, the new layer stands behind that and has the
    activation too; otherwise directly behind the layer.

    Args:
        net: is not changed.
        path: of the layer.

    Raises: PathError for a path that is not there, NetError for a part of another kind.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
        >>> nw.deepen(net, "linear1").paths
        ('linear1', 'relu1', 'linear3', 'relu2', 'linear2')

    Source: Chen, Goodfellow and Shlens 2016, "Net2Net", arXiv 1511.05641
    """
    expect_net(net, "deepen")
    spot = spot_at(net, path)
    if not isinstance(spot.part, Linear | Conv):
        raise NetError(
            what=f"a layer that changes nothing is known for Linear and Conv, not for {type(spot.part).__name__}",
            where=path,
            mend=f"nw.add_residual(net, {path!r}, part), for a branch with any part in it",
        )
    new = _identity(net, spot)
    behind, activation = _activation(net, path)
    made = put_behind(net, behind, [new] if activation is None else [new, activation])
    if is_whole(net):
        check_same_outputs(net, made, path)
    return recorded(made, net, f"deepen {path}")


def add_residual(net: Net, path: str, body: Any, name: str = "") -> Net:
    """The net with a residual branch behind a part, and the same function: y = x + g · body(x) with g = 0.

    The gate g is one number, which is learned: training opens the branch as far as it helps. The parts are `body`,
    `gate` and `gated` within the `body` of a `nw.Residual`.

    Args:
        net: is not changed.
        path: of the part whose first output the branch is added to.
        body: a part, or a shorthand for one, that gives what it takes, unless its sizes are free.
        name: of the branch; its kind with a number if empty.

    Raises: PathError for a path that is not there, SizeError for a body that gives other sizes.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
        >>> nw.add_residual(net, "relu1", [8, nw.relu, nw.Linear()])["residual1/body"].paths
        ('body/linear1', 'body/relu1', 'body/linear2', 'body', 'gate', 'gated')

    Source: Bachlechner et al. 2020, "ReZero is all you need", arXiv 2003.04887
    """
    expect_net(net, "add_residual")
    spot_at(net, path)
    gate: tuple[Any, ...] = (Parameter(1), {})
    branch = Residual(Graph(body=(as_part(body), "input"), gate=gate, gated=(Multiply(), "body", "gate")))
    made = put_behind(net, path, [branch], name)
    if is_whole(net):
        made = initialize(made)
        check_same_outputs(net, made, path)
    return recorded(made, net, f"add_residual behind {path}: {in_brief(as_part(body))}")


def put_behind(net: Net, path: str, parts: Sequence[Node], name: str = "") -> Net:
    """The net with parts in a row behind another: what read the first output of that one reads the last of them."""
    parent, _, before = path.rpartition("/")
    key, around = (spot_at(net, parent).key, spot_at(net, parent).place) if parent else ("", root_of(net))
    arrays: dict[str, Tensor] = {}

    def edit(level: Level) -> Level:
        places = (call.place for call in level.calls)
        taken = [*dict.fromkeys([*(call.name for call in level.calls), *places, *level.inputs])]
        if name in taken:
            raise NetError(what=f"the name {name!r} is taken", where=name, expected=f"none of {', '.join(taken)}")
        numbers = Numbers(taken)
        at = next(call for call in level.calls if call.name == before)
        first = last = (before, output_names(at.part, len(at.reads))[0])
        new: list[Call] = []
        for part in parts:
            own = name or numbers.new(part.kind_name)
            new.append(Call(own, part.stripped(), ((input_ports(part, 1)[0].name, last),), own))
            last = (own, output_names(part, 1)[0])
            arrays.update({join_path(around, own, there): array for there, array in part.held.arrays.items()})

        def read(ref: Ref) -> Ref:
            return last if ref == first else ref

        calls: list[Call] = []
        for call in level.calls:
            reads = tuple((port, read(ref)) for port, ref in call.reads)
            calls += [Call(call.name, call.part, reads, call.place), *(new if call is at else [])]
        return Level(level.inputs, tuple(calls), tuple((port, read(ref)) for port, ref in level.outputs))

    return with_edits(net, {}, {key: edit}, more=arrays)[0]


def _widened(net: Net, plan: Plan, spot: Spot, old: int, new: int) -> dict[str, Tensor]:
    """The arrays of the wider net: units are copied, and what reads them shares its weights among the copies."""
    source = torch.arange(new, device="cpu")
    source = torch.where(source < old, source, (source - old) % old)
    generator = generator_of(0, "widen", spot.path)
    share = torch.rand(new, generator=generator, dtype=torch.float64, device="cpu") * (MIX[1] - MIX[0]) + MIX[0]
    share = share / torch.zeros(old, dtype=torch.float64, device="cpu").index_add_(0, source, share)[source]
    arrays: dict[str, Tensor] = {}
    for path, array in net.held.arrays.items():
        shape = plan.arrays[path].known
        odd = [axis for axis, size in enumerate(array.shape) if shape is not None and size != shape[axis]]
        for place, axis in enumerate(odd):
            times, rest = divmod(array.shape[axis], old)
            if rest or cast(Any, shape)[axis] != times * new:
                raise _not_the_same(spot.path, path, f"{tuple(array.shape)} would become {shape}")
            copied = place == 0 and _is_given(plan, plan.arrays[path], axis)
            array = _spread(array, axis, times, source, None if copied else share)
        arrays[path] = array
    return arrays


def _spread(array: Tensor, axis: int, times: int, source: Tensor, share: Tensor | None) -> Tensor:
    """An array with copies along one axis, in which the units stand several times in a row.

    With shares, a copy has its share of the weight and the unit what is left, so that their sum stays exact.
    """
    whole = array.unflatten(axis, (times, array.shape[axis] // times)).movedim(axis + 1, 0)  # (units, …)
    old = whole.shape[0]
    spread = whole[source.to(array.device)]
    if share is not None:
        parts = share[old:].to(array).view(-1, *[1] * (whole.ndim - 1)) * spread[old:]
        spread = torch.cat([whole.index_add(0, source[old:].to(array.device), parts, alpha=-1), parts])
    return spread.movedim(0, axis + 1).flatten(axis, axis + 1).contiguous()


def _is_given(plan: Plan, spec: ArraySpec, axis: int) -> bool:
    """Whether an axis of an array is one of what its leaf gives, and not only of what it reads."""
    token = spec.weight.axes.split()[axis].rpartition("*")[2]
    ports = plan.solution.scopes[spec.users[0]].ports
    return any(isinstance(item, Axis) and token == item.name for port in ports.outputs for item in port.axes)


def _identity(net: Net, spot: Spot) -> Node:
    """A layer of the same kind that gives what it is given."""
    width = _width(net, spot)
    options: Mapping[str, Any] = {"out": width}
    if isinstance(spot.part, Conv):
        options = {"out": width, "stride": 1, "padding": "same", "dilation": 1, "groups": 1}
    layer = type(spot.part)(**{**field_values(spot.part), **options})
    if not is_whole(net):
        return layer
    step = next(step for step in net.plan.steps if step.path == spot.path)
    like = net.held.arrays[step.arrays["weight"]]
    eye = torch.eye(width, dtype=like.dtype, device=like.device)
    window = like.shape[2:]
    weight = eye.new_zeros(width, width, *window)
    weight[(slice(None), slice(None), *((size - 1) // 2 for size in window))] = eye
    bias = {"bias": like.new_zeros(width)} if cast(Any, layer).bias else {}
    return layer.holding(arrays={"weight": weight, **bias})


def _activation(net: Net, path: str) -> tuple[str, Node | None]:
    """Where the new layer stands: behind an activation that may be repeated, which it then has too, or the layer."""
    parent, _, name = path.rpartition("/")
    level = (surgery.get(net, parent) if parent else net).level  # pyright: ignore
    at = name
    while True:
        readers = [call for call in level.calls if any(ref[0] == at for _, ref in call.reads)]
        ends = any(ref[0] == at for _, ref in level.outputs)
        if len(readers) != 1 or ends:
            return path, None
        call = readers[0]
        if isinstance(call.part, Elementwise) and call.part.function in IDEMPOTENT:
            return join_path(parent, call.name), call.part
        if getattr(call.part, "family", "") != "norm":
            return path, None
        at = call.name


def _width(net: Net, spot: Spot) -> int:
    """How many units a layer has.

    Raises: NetError for a part without a width.
    """
    sizes = next((step.sizes for step in net.plan.steps if step.path == spot.path), {})
    if "out" not in field_values(spot.part) or not isinstance(sizes.get("out"), int):
        raise NetError(
            what=f"{type(spot.part).__name__} has no width of its own",
            where=spot.path,
            expected="a layer with a width, such as nw.Linear, nw.Conv or nw.LSTM",
        )
    return cast(int, sizes["out"])


def _not_the_same(where: str, path: str, got: str) -> NetError:
    return NetError(what="the net would not stay the same function", where=f"{where} -> {path}", got=got)

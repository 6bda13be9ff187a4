"""Adapts a trained net with few numbers (LoRA): two thin matrices beside a layer, which can be merged into it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from netwright.editing.rewrite import Edit, Spot, spot_at, spots, with_edits
from netwright.editing.select import Selection, What, lies_in, select
from netwright.errors import MissingArraysError, NetError, shortened
from netwright.fields import at_least, expect_seed, suits
from netwright.layers.conv import Conv
from netwright.layers.dropout import Dropout
from netwright.layers.embedding import Embedding
from netwright.layers.linear import Linear
from netwright.layers.wrap import Adapted
from netwright.net import surgery
from netwright.net.chain import Chain
from netwright.net.initialize import made_in_memory
from netwright.net.lineage import recorded, some_of
from netwright.net.node import Node, expect_net, field_values
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.each import passed
from netwright.seeds import generator_of

KNOWN = (Linear, Conv, Embedding)  # the layers that are one product with a matrix, and so can have an adapter
USUAL = (Linear, Conv)  # of these, the ones that are adapted unless others are asked for
LAST = [kind.__name__ for kind in USUAL]
OWN_ARRAYS = "nw.train(…, learning_rate=…) trains their own arrays"


def adapt(net: Net, selection: Selection | What = None, rank: int = 8, *, alpha: float = 8.0, seed: int = 0) -> Net:
    """The net with a low-rank adapter beside each selected layer, and the same function: LoRA as an edit.

    A layer y = base(x) becomes y = base(x) + alpha / rank · up(down(x)), where `down` gives only `rank` numbers. One of
    the two starts at zero, so the net computes what it computed. To train the adapters alone, freeze the rest with
    `learning_rate=nw.select(net, "*adapter").others.frozen`. Then `nw.diff(before, trained)`, saved with
    `nw.save_difference`, is a small file that only this net takes, and `nw.merge_adapters` puts the adapters into the
    weights.

    The adapter of a `nw.Linear` is two without bias; that of a `nw.Conv` is one with the same window, and one with a
    window of 1; that of an `nw.Embedding` is an embedding and a `nw.Linear`.

    Args:
        net: a net with arrays; it is not changed.
        selection: what `nw.select` gives or takes. Parts without a matrix are left as they are, and of a container all
            layers are adapted. None, each `nw.Linear` and `nw.Conv` but those that give the outputs: a head that is new
            is trained as a whole, and an old one is often tied to the embedding.
        rank: how many numbers an adapter has between its two layers; 8, as in PEFT. A rank r adds r (in + out) numbers
            to a `nw.Linear` of in · out.
        alpha: alpha / rank is the factor of the adapter. 8, as in PEFT: a factor of 1 at the default rank. A constant
            alpha keeps the steps of training about as large at every rank, so the learning rate can stay.
        seed: another seed draws other numbers for the layer that does not start at zero: uniform in ±1/√fan-in for
            `down`; for an embedding normal, for `up`.

    Raises: PathError for parts that are not there. NetError for layers with a matrix of another kind, such as
        `nw.LSTM`; for what has an adapter already; for a selection without a layer; for a convolution whose groups do
        not divide the rank. MissingArraysError for layers without arrays.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(64, nw.relu, 64, nw.relu, 10, nw.softmax, input=32))
        >>> adapted = nw.adapt(net, rank=2)
        >>> nw.select(adapted, "*adapter")
        2 of 20 parts
          linear1/adapter  Chain of 2 parts  192 numbers
          linear2/adapter  Chain of 2 parts  256 numbers
        >>> bool((adapted(torch.ones(32)) == net(torch.ones(32))).all())
        True

    Source: Hu et al. 2021, "LoRA: low-rank adaptation of large language models", arXiv 2106.09685
    """
    expect_net(net, "adapt")
    at_least(1, rank, "the rank", "adapt")
    seed = expect_seed(seed, "adapt")
    if not suits(alpha, float) or not 0 < alpha < math.inf:
        raise NetError(what="alpha is a number above 0", where="adapt", got=shortened(repr(alpha), 60))
    chosen = _chosen(net, selection)
    _check(net, chosen, rank)

    def edit(spot: Spot) -> Edit:
        return lambda part: _with_adapter(part, rank, alpha, generator_of(seed, "adapt", spot.path), spot.path)

    made, put = with_edits(net, {spot.key: edit(spot) for spot in chosen})
    return recorded(made, net, f"adapt {some_of(spot.path for spot in chosen)} with rank {rank}", put)


def merge_adapters(net: Net) -> Net:
    """The net in which every adapter is part of the weights of its layer, and the same function.

    W becomes W + scale · up · down, with the structure and the paths that the net had before `nw.adapt`. It is computed
    in float64 and rounded to the type of W once. Nothing undoes it: keep the net before, or the adapter in a file.

    Raises: NetError for a net without adapters; for an adapter that is not two layers any more, apart from dropout; for
        a layer whose weights another part has too, since they would change there as well. MissingArraysError for
        adapters without arrays.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(4, nw.relu, 3, nw.softmax, input=5))
        >>> merged = nw.merge_adapters(nw.adapt(net))
        >>> merged == net
        True
    """
    expect_net(net, "merge_adapters")
    known = spots(net)
    found = [spot for spot in known.values() if isinstance(spot.part, Adapted)]
    if not found:
        raise NetError(what="this net has no adapters", where="merge_adapters", mend="nw.adapt(net) adds them")
    for spot in found:
        name = cast(Adapted, spot.part).base.held.shared
        users = [other.path for other in known.values() if name and other.place == f"@{name}"]
        others = [path for path in users if path != f"{spot.path}/base"]
        if others:
            raise NetError(
                what=f"the weights of this layer are also those of {some_of(others)}, which would change too",
                where=spot.path,
                mend=f"net.replace('{spot.path}/base', layer), with a layer that has its own arrays",
            )

    def edit(spot: Spot) -> Edit:
        return lambda part: _merged(cast(Adapted, part), spot.path)

    made, put = with_edits(net, {spot.key: edit(spot) for spot in found})
    return recorded(made, net, f"merge the adapters of {some_of(spot.path for spot in found)}", put)


def _chosen(net: Net, selection: Selection | What) -> list[Spot]:
    """The layers with a matrix that are selected, or that lie in what is."""
    known = [spot for spot in spots(net).values() if not isinstance(spot.part, ContainerNode)]
    if selection is None:
        heads, places = _heads(net), Counter(spot.place for spot in known)
        usual = [spot for spot in known if isinstance(spot.part, USUAL) and places[spot.place] == 1]
        return [spot for spot in usual if not heads & {*spot.paths}]
    paths = (selection if isinstance(selection, Selection) else select(net, selection)).paths
    mine = {use for path in paths for use in spot_at(net, path).paths}
    matrices = _with_matrices(net)
    return [spot for spot in known if matrices & {*spot.paths} and any(lies_in(use, mine) for use in spot.paths)]


def _with_matrices(net: Net) -> set[str]:
    """The leaves that learn an array of two axes or more."""
    steps, arrays = net.plan.steps, net.plan.arrays
    learned = {path for path, spec in arrays.items() if spec.weight.kind == "learned" and len(spec.shape) > 1}
    return {step.path for step in steps if learned & {*step.arrays.values()}}


def _heads(net: Net) -> set[str]:
    """The layers that give an output of the net, through leaves without arrays that read one value."""
    wiring = net.plan.wiring
    ops = {op.path: op for op in wiring.ops}
    found: set[str] = set()
    for _, slot in wiring.outputs:
        while slot is not None and (op := ops.get(slot[0])) is not None:
            if op.leaf.weights():
                found.add(op.path)
                break
            reads = dict(op.reads)
            through = passed(op.leaf, slot[1])  # at the ends of a Map or Fold
            slot = reads.get(through) if through else next(iter(reads.values())) if len(reads) == 1 else None
    return found


def _possible(net: Net, rank: int) -> list[str]:
    """The kinds of layers of which all that a net has can have an adapter."""
    known = spots(net).values()
    inside = tuple(f"{use}/" for spot in known if isinstance(spot.part, Adapted) for use in spot.paths)
    return [
        kind.__name__
        for kind in KNOWN
        if (own := [spot for spot in known if isinstance(spot.part, kind)])
        and not any(spot.path.startswith(inside) for spot in own)
        and all(rank % spot.part.groups == 0 for spot in own if isinstance(spot.part, Conv))
    ]


def _check(net: Net, chosen: Sequence[Spot], rank: int) -> None:
    """Refuse layers that cannot have an adapter, all at once."""
    possible = _possible(net, rank)
    if not chosen:
        raise NetError(
            what="there is no layer with a matrix to adapt",
            where="adapt",
            expected=f"{', '.join(kind.__name__ for kind in KNOWN)} in the selection",
            mend=[
                f"nw.adapt(net, nw.{kind})" + (", for the last layers too" if kind in LAST else "") for kind in possible
            ]
            or OWN_ARRAYS,
        )
    known = spots(net).values()
    around = {f"{use}/": use for spot in known if isinstance(spot.part, Adapted) for use in spot.paths}
    again = [own for spot in chosen for inner, own in around.items() if spot.path.startswith(inner)]
    if again:
        raise NetError(
            what="this layer has an adapter already",
            where=", ".join(dict.fromkeys(again)),
            mend=("nw.merge_adapters(net) first", "a selection of other layers"),
        )
    odd = [spot for spot in chosen if not isinstance(spot.part, KNOWN)]
    if odd:
        kinds = ", ".join(dict.fromkeys(type(spot.part).__name__ for spot in odd))
        raise NetError(
            what=f"an adapter is known for {', '.join(kind.__name__ for kind in KNOWN)}, not for {kinds}",
            where=some_of(spot.path for spot in odd),
            mend=(
                *(f"nw.adapt(net, nw.{kind}), or another selection without these layers" for kind in possible[:1]),
                OWN_ARRAYS,
            ),
        )
    for spot in chosen:
        groups = spot.part.groups if isinstance(spot.part, Conv) else 1
        if rank % groups:
            raise NetError(
                what="the groups of this convolution do not divide the rank",
                where=spot.path,
                expected=f"a multiple of {groups}",
                got=f"rank {rank}",
                mend="a selection without this layer",
            )
    missing = [spot.path for spot in chosen if f"{spot.place}/weight" not in net.held.arrays]
    if missing:
        raise MissingArraysError(
            what="an adapter is added to arrays, and these layers have none",
            where=some_of(missing),
            mend="nw.adapt(nw.initialize(net))",
        )


def _with_adapter(part: Net, rank: int, alpha: float, generator: torch.Generator, path: str) -> Adapted:
    """The layer with its adapter, of which one half is zero."""
    weight = cast(Tensor, _weight(part))
    out, window = weight.shape[0], weight.shape[2:]
    down, up = _layers(part, rank)
    groups = part.groups if isinstance(part, Conv) else 1
    looked_up = isinstance(part, Embedding)
    down_shape = (out, rank) if looked_up else (rank, *weight.shape[1:])
    up_shape = (weight.shape[1], rank) if looked_up else (out, rank // groups, *[1] * len(window))
    with made_in_memory(f"{path}/adapter/down/weight", down_shape):
        if looked_up:
            down_weight = torch.zeros(down_shape, dtype=torch.float32, device="cpu")
            up_weight = torch.randn(up_shape, generator=generator, dtype=torch.float32, device="cpu")
        else:
            bound = 1 / math.sqrt(math.prod(down_shape[1:]))  # Kaiming's for a = √5, torch's own for a Linear
            down_weight = (
                2 * torch.rand(down_shape, generator=generator, dtype=torch.float32, device="cpu") - 1
            ) * bound
            up_weight = torch.zeros(up_shape, dtype=torch.float32, device="cpu")
    arrays = {"weight": down_weight}, {"weight": up_weight}
    down, up = (
        layer.holding(arrays={name: array.to(weight) for name, array in own.items()})
        for layer, own in zip((down, up), arrays, strict=True)
    )
    return Adapted(part, Chain(down=down, up=up), alpha / rank)


def _layers(part: Node, rank: int) -> tuple[Node, Node]:
    """The two layers of an adapter; the second one takes its width from the sum that it goes into."""
    if isinstance(part, Conv):
        options: dict[str, Any] = {**field_values(part), "out": rank, "bias": False}
        return Conv(**options), Conv(kernel=1, groups=part.groups, bias=False)
    return (Embedding(rank) if isinstance(part, Embedding) else Linear(rank, bias=False)), Linear(bias=False)


def _merged(part: Adapted, path: str) -> Node:
    """The layer with the adapter in its weights."""
    base, adapter = (cast(Net, surgery.get(part, name)) for name in ("base", "adapter"))
    layers = [
        cast(Net, surgery.get(adapter, call.name))
        for call in (adapter.level.calls if isinstance(adapter, Chain) else ())
        if not isinstance(call.part, Dropout)  # which does nothing in inference
    ]
    if not isinstance(base, KNOWN) or _bare(layers) != _bare(_layers(base, _rank(layers))):
        raise NetError(
            what="this adapter is not two layers of the kind that nw.adapt adds, so it cannot be merged",
            where=path,
            expected="down and up, without bias and with nothing but dropout beside them",
            got=shortened(repr(adapter.bare()), 100),
        )
    weights = [_weight(layer) for layer in (base, *layers)]
    if any(weight is None for weight in weights):
        raise MissingArraysError(
            what="an adapter without arrays cannot be merged", where=path, mend="nw.initialize(net)"
        )
    weight, down, up = (cast(Tensor, weight) for weight in weights)
    groups = base.groups if isinstance(base, Conv) else 1
    down, up = down.double(), up.double()
    if isinstance(base, Embedding):
        change = down @ up.T  # (count, rank), (out, rank) -> (count, out)
    else:  # (g, out / g, rank / g) @ (g, rank / g, in / g · window) -> the weight's own axes
        change = (up.reshape(groups, -1, up.shape[1]) @ down.reshape(groups, up.shape[1], -1)).reshape(weight.shape)
    merged = (weight.double() + part.scale * change).to(weight.dtype)
    return base.holding(arrays={name: merged if array is weight else array for name, array in base.held.arrays.items()})


def _bare(layers: Iterable[Node]) -> list[Node]:
    return [layer.stripped() for layer in layers]


def _rank(layers: Sequence[Node]) -> int:
    """The rank of an adapter; 1 where it has no layers."""
    rank = getattr(layers[0], "out", None) if layers else None
    return rank if isinstance(rank, int) else 1


def _weight(layer: Node) -> Tensor | None:
    """The array of a layer that its bias is not."""
    return next((array for path, array in layer.held.arrays.items() if path.rpartition("/")[2] == "weight"), None)

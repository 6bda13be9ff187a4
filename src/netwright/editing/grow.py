"""Makes a net answer to more: new classes or new elements of its vocabulary, behind those that it knows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.label_table import Label, LabelCodec, label_tuple
from netwright.codecs.text.characters import Characters
from netwright.codecs.text.vocabulary import Listed
from netwright.editing.rewrite import is_whole, spots
from netwright.editing.set_fields import set_at
from netwright.editing.trial_run import computed_at, differs, random_inputs
from netwright.errors import NetError, PathError, did_you_mean, shortened
from netwright.net import surgery
from netwright.net.lineage import recorded, some_of
from netwright.net.node import Held, expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.sizes.free import FREE
from netwright.value import Value

More: TypeAlias = Iterable[Label] | Mapping[str, Iterable[Label]] | None


def grow(net: Net, *, classes: More = None, vocabulary: More = None) -> Net:
    """The net with new classes, or a larger vocabulary: what it knows keeps its answers.

    Codecs, embeddings, the last layer and its bias grow together, also where they share one array. A new row is the
    mean of the known ones, which is what is known of a class that was never seen: it is not likelier than others, and
    one training step tells two new ones apart. Before the softmax, the values for what is known are those of before,
    which is tried on random examples; behind it, the new ones take their share.

    Args:
        net: is not changed.
        classes: the new labels of its `nw.Category` or `nw.Labels`, behind the known ones. Where ports have different
            labels, a mapping from a port to its new ones.
        vocabulary: the new elements of its `nw.Characters`, `nw.Words` or `nw.Tokens`, likewise. The unknown element
            and the edge stay behind them.

    Raises: NetError for a net without such a codec, for names that are known already, and for a net whose answers would
        change, such as one with a norm over its classes; PathError for a port that is not there.

    Example:
        >>> import netwright as nw
        >>> net = nw.initialize(nw.Chain(nw.Linear(), nw.softmax, input=3, output=nw.Category(["a", "b"])))
        >>> print(nw.diff(net, nw.grow(net, classes=["c"])))
        decoder   output.labels  ('a', 'b') -> ('a', 'b', 'c')
        reshaped  linear1/weight  (2, 3) -> (3, 3)
        reshaped  linear1/bias  (2,) -> (3,)

    Source: rows at the mean of the others: Hewitt 2021, "Initializing new word embeddings for pretrained language
        models"
    """
    expect_net(net, "grow")
    if (classes is None) == (vocabulary is None):
        raise NetError(
            what="grow takes new classes or new elements of a vocabulary",
            where="grow",
            expected="classes=[…] or vocabulary=[…]",
            got="both" if classes is not None else "",
        )
    kind, given = ("classes", classes) if classes is not None else ("vocabulary", vocabulary)
    work, added = net, _by_port(net, kind, given)
    for port, more in added.items():
        work = _grown(work, port, more, kind)
    return recorded(work, net, f"grow {kind} by {some_of(repr(name) for more in added.values() for name in more)}")


class Growth(Value):
    """How the sizes of a net grow: `more` indices behind the first `known` ones, wherever a size is one of `sizes`."""

    known: int
    more: int
    sizes: tuple[int, ...]

    def of(self, size: int) -> int:
        """What a size becomes."""
        return size + self.more if size in self.sizes else size

    def places(self, size: int) -> Tensor:
        """The new index of each old one, of so many."""
        at = torch.arange(size, device="cpu")
        return torch.where(at < self.known, at, at + self.more)

    def array(self, old: Tensor, axis: int) -> Tensor:
        """An array with rows for the new indices: the mean of those of the known ones."""
        known, rest = old.split([self.known, old.shape[axis] - self.known], axis)
        row = known.mean(axis, keepdim=True) if old.is_floating_point() else known.narrow(axis, 0, 1)
        sizes = [self.more if i == axis else -1 for i in range(old.ndim)]
        return torch.cat([known, row.expand(sizes), rest], axis)


def _by_port(net: Net, kind: str, given: Any) -> dict[str, list[Label]]:
    """For one port of each group of equal names, the new names."""
    known = {name: codec for name, codec in _codecs(net).items() if _names(codec, kind) is not None}
    groups: dict[tuple[Label, ...], str] = {}
    for name, codec in known.items():
        groups.setdefault(cast(Any, _names(codec, kind)), name)
    if isinstance(given, Mapping):
        for name in cast(Mapping[Any, Any], given):
            if name not in known:
                raise PathError(
                    what=f"no port {name!r} of this net has {_said(kind)}",
                    where=f"grow, {kind}",
                    expected=", ".join(known) or "a net with such a codec",
                    mend=did_you_mean(str(name), known),
                )
        return {str(name): _listed(more, known[name]) for name, more in cast(Mapping[Any, Any], given).items()}
    if not groups:
        raise NetError(
            what=f"no port of this net has {_said(kind)} that can grow",
            where=f"grow, {kind}",
            got=", ".join(f"{name}: {shortened(repr(codec), 60)}" for name, codec in _codecs(net).items()),
        )
    if len(groups) > 1:
        raise NetError(
            what=f"the {'classes' if kind == 'classes' else 'vocabularies'} of this net's ports differ",
            where=f"grow, {kind}",
            expected="a mapping from a port to its new ones",
            got=", ".join(groups.values()),
            mend=f"nw.grow(net, {kind}={{{next(iter(groups.values()))!r}: …}})",
        )
    first = next(iter(groups.values()))
    return {first: _listed(given, known[first])}


def _grown(net: Net, port: str, more: Sequence[Label], kind: str) -> Net:
    """The net in which all codecs with the names of one port have more."""
    names = cast(tuple[Label, ...], _names(_codecs(net)[port], kind))

    def larger(codecs: Mapping[str, Codec]) -> dict[str, Codec]:
        return {
            name: _with_more(codec, more) if _names(codec, kind) == names else codec for name, codec in codecs.items()
        }

    held = Held(inputs=larger(net.held.inputs), outputs=larger(net.held.outputs), shared=net.held.shared)
    sizes = {_size(codec) for codec in _codecs(net).values() if _names(codec, kind) == names}
    growth = Growth(len(names), len(more), tuple(sorted(sizes)))
    made = _resized(net, growth, held)
    arrays: dict[str, Tensor] = {}
    for path, old in net.held.arrays.items():
        shape = made.plan.arrays[path].known
        odd = [axis for axis, size in enumerate(old.shape) if shape is not None and size != shape[axis]]
        if len(odd) > 1 or any(growth.of(old.shape[axis]) != cast(Any, shape)[axis] for axis in odd):
            raise _changed(path, f"{tuple(old.shape)} would become {shape}")
        arrays[path] = growth.array(old, odd[0]) if odd else old
    grown = cast(Net, surgery.hold_arrays(made, arrays))
    if is_whole(net):
        _check_answers(net, grown, growth)
    return grown


def _resized(net: Net, growth: Growth, held: Held) -> Net:
    """The net without arrays, with its new codecs, where numbers that the old ones determined give way."""
    bare = net.bare()
    found: dict[str, dict[str, int]] = {}
    for spot in spots(bare).values():
        for field in fields(cast(Any, spot.part)):
            if field.default is not MISSING and field.default is FREE:
                value = getattr(spot.part, field.name)
                if isinstance(value, int) and value in growth.sizes:
                    found.setdefault(spot.key, {})[field.name] = value
    if found:
        free = set_at(bare, {key: dict.fromkeys(own, FREE) for key, own in found.items()})
        solved = _solved(free.rebuilt(held).plan)
        known = spots(bare)
        wider: dict[str, dict[str, int]] = {}
        for key, own in found.items():
            for name, value in own.items():
                if any(solved.get((path, name)) == growth.of(value) for path in known[key].paths):
                    wider.setdefault(key, {})[name] = growth.of(value)
        bare = set_at(bare, wider) if wider else bare
    return bare.rebuilt(held)


def _solved(plan: Plan) -> dict[tuple[str, str], Any]:
    """The sizes of the ports of every leaf, by its path and their names."""
    return {(step.path, name): size for step in plan.steps for name, size in step.sizes.items()}


def _check_answers(before: Net, after: Net, growth: Growth) -> None:
    """Raise NetError unless the values for what is known are those of before, in front of the last softmax."""
    inputs = random_inputs(before, "grow")
    grown = [name for name in inputs if _limit(after.plan, name) != _limit(before.plan, name)]
    wide = {**inputs, **{name: growth.places(_limit(before.plan, name))[inputs[name]] for name in grown}}
    ends = {name: _scores(before.plan, slot) for name, slot in before.plan.wiring.outputs}
    was = computed_at(before, inputs, [*ends.values()])
    now = computed_at(after, wide, [*ends.values()])
    for name, old, new in zip(ends, was, now, strict=True):
        kept = new if new.shape == old.shape else new[..., growth.places(old.shape[-1])]
        if differs(old, kept):
            raise _changed(ends[name][0], "other values in front of the softmax")


def _limit(plan: Plan, name: str) -> int:
    below = plan.below(("", name))
    return below if isinstance(below, int) else -1


def _scores(plan: Plan, slot: Slot) -> Slot:
    """The values from which probabilities are made; the slot itself, where they are not made of one value."""
    reads = {step.path: step for step in plan.steps}
    step = reads.get(slot[0])
    while step is not None and step.leaf.gives() != "numbers" and len(step.reads) == 1 and step.reads[0] is not None:
        slot = step.reads[0]
        step = reads.get(slot[0])
    return slot


def _changed(path: str, got: str) -> NetError:
    return NetError(
        what="the net would answer otherwise to what it knows",
        where=path,
        expected="rows beside those that are known",
        got=got,
        mend="net.with_output(…), which resets what does not fit, to be trained anew",
    )


def _with_more(codec: Codec, more: Sequence[Label]) -> Codec:
    if isinstance(codec, Each):
        return replace(codec, codec=_with_more(codec.codec, more))
    if isinstance(codec, LabelCodec):
        return replace(codec, labels=(*codec.names, *more))
    assert isinstance(codec, Listed)
    return replace(codec, vocabulary=(*cast(Iterable[Label], codec.vocabulary), *more))


def _names(codec: Codec, kind: str) -> tuple[Label, ...] | None:
    """The names that can get more; None for another codec, or one that has not learned its own yet."""
    inner = codec.codec if isinstance(codec, Each) else codec
    if not inner.fitted:
        return None
    if kind == "classes":
        return tuple(inner.names) if isinstance(inner, LabelCodec) else None
    return tuple(cast(Iterable[Label], inner.vocabulary)) if isinstance(inner, Listed) else None


def _size(codec: Codec) -> int:
    """How many indices a codec has."""
    inner = codec.codec if isinstance(codec, Each) else codec
    return inner.size if isinstance(inner, Listed) else len(inner.names)


def _codecs(net: Net) -> dict[str, Codec]:
    """The codecs of all ports; of an output that is called as an input, behind it."""
    return {**net.held.outputs, **net.held.inputs}


def _listed(more: Any, codec: Codec) -> list[Label]:
    """The new names; a text is the list of its characters where these are the elements.

    Raises: NetError for what is no list of names, or none.
    """
    inner = codec.codec if isinstance(codec, Each) else codec
    if not isinstance(more, Iterable):
        raise NetError(
            what="grow takes the names of what is new",
            where="grow",
            expected='a list, such as ["bird", "fish"]',
            got=shortened(repr(more), 60),
        )
    return [*label_tuple([*more] if isinstance(inner, Characters) else cast(Iterable[Any], more), 1)]


def _said(kind: str) -> str:
    return "classes" if kind == "classes" else "a vocabulary"

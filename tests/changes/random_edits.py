"""Random edits of random nets, for the laws of differences."""

import contextlib
from collections.abc import Callable
from typing import TypeAlias

from hypothesis import strategies as st

import netwright as nw
from netwright.errors import NetwrightError
from random_nets import WIDTH, nets

PARTS = [nw.Linear(WIDTH), nw.Linear(WIDTH, bias=False), nw.tanh, nw.Dropout(0.2), nw.Residual(nw.Linear(WIDTH))]


def _filled(part: nw.Net) -> nw.Net:
    return nw.initialize(part.with_input(WIDTH), seed=3).with_input(None)


def _other_numbers(net: nw.Net, path: str) -> nw.Net:
    return net.with_arrays({name: 2 * a + 1 for name, a in net.arrays.items() if name.startswith(path)})


Verb: TypeAlias = Callable[[nw.Net, str, nw.Net], nw.Net]

VERBS: list[Verb] = [
    lambda net, path, part: net.replace(path, part),
    lambda net, path, part: net.replace(path, _filled(part)),
    lambda net, path, part: net.replace(path, nw.Residual(net[path])),
    lambda net, path, part: net.replace(path, nw.Shared("other", net[path])),
    lambda net, path, part: net.insert(path, part),
    lambda net, path, part: net.insert(path, _filled(part), "new"),
    lambda net, path, part: net.delete(path),
    lambda net, path, part: net.rename(path, "renamed"),
    lambda net, path, part: net.rename(path, "again"),
    lambda net, path, part: net.append(part),
    lambda net, path, part: net.prepend(_filled(part)),
    lambda net, path, part: nw.select(net, path).replace(lambda old: nw.Chain(old, part)),
    lambda net, path, part: nw.select(net, path).remove(),
    lambda net, path, part: nw.select(net, nw.Linear).set(bias=False),
    lambda net, path, part: nw.set(net, {f"{path}.out": WIDTH}),
    lambda net, path, part: nw.flatten(net, path),
    lambda net, path, part: nw.nest(net, path, path, "nested"),
    lambda net, path, part: nw.wrap(net, path, nw.Residual),
    lambda net, path, part: nw.deepen(net, path),
    lambda net, path, part: nw.add_residual(net, path, part),
    lambda net, path, part: nw.adapt(net, path, rank=2),
    lambda net, path, part: nw.merge_adapters(net),
    lambda net, path, part: nw.widen(net, path, 2),
    lambda net, path, part: net.with_output(nw.Category(list("abcd"))),
    lambda net, path, part: net.with_input(nw.Vector(WIDTH)),
    lambda net, path, part: _other_numbers(net, path.split("/")[0]),
    lambda net, path, part: nw.initialize(net.bare().with_input(WIDTH), seed=9),
    lambda net, path, part: net[: len(net) // 2 or 1],
    lambda net, path, part: net >> part,
    lambda net, path, part: net.bare(),
    lambda net, path, part: nw.grow(net.with_output(nw.Category(list("abcd"))), classes=["e"]),
]


LOCAL = VERBS[:22]
"""The verbs that keep the sizes of inputs and outputs, and their codecs."""


KEEPING: list[Verb] = [
    lambda net, path, part: net.rename(path, "renamed"),
    lambda net, path, part: nw.flatten(net, path),
    lambda net, path, part: nw.nest(net, path, path, "nested"),
    lambda net, path, part: nw.wrap(net, path, nw.Chain),
    lambda net, path, part: nw.select(net, path).replace(lambda old: old),
    lambda net, path, part: net.replace(path, net[path]),
    lambda net, path, part: net.insert(path, nw.Dropout(0.2)),
    lambda net, path, part: nw.widen(net, path, 2),
    lambda net, path, part: nw.deepen(net, path),
    lambda net, path, part: nw.add_residual(net, path, part),
    lambda net, path, part: nw.adapt(net, path, rank=2),
    lambda net, path, part: nw.merge_adapters(net),
]
"""The verbs that keep what the net computes."""


@st.composite
def edits(draw: st.DrawFn, net: nw.Net, most: int = 3, verbs: list[Verb] = VERBS) -> nw.Net:
    """The net after one to three edits; an edit that cannot be is left out."""
    for _ in range(draw(st.integers(1, most))):
        verb, part = draw(st.sampled_from(verbs)), draw(st.sampled_from(PARTS))
        with contextlib.suppress(NetwrightError):
            net = verb(net, draw(st.sampled_from(net.paths or ("",))), part)
    return net


@st.composite
def edited(draw: st.DrawFn) -> tuple[nw.Net, nw.Net]:
    """A net, and the net after random edits."""
    net = draw(nets())
    return net, draw(edits(net))

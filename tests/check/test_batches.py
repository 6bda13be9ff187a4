"""Law 3 for every container and recurrent leaf: alone = padded = batched, with gradients, in use and in training.

Leaves that are no recurrent ones stand in tests/layers/test_padded.py.
"""

import random
import sys
from collections.abc import Callable

import pytest
import torch

import netwright as nw
from netwright.check.batches import FILLS, BatchDifference, BatchTrial, shown_path
from netwright.check.cases import Cases, drawn
from netwright.net.node import PARTS
from netwright.net.plan.container import ContainerNode
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise
from netwright.stepping.step import Step

torch.set_num_threads(1)
D = 3
SEQUENCE, DOCUMENT = nw.Array(f"n {D}"), nw.Array(f"n m[n] {D}")


def core(out: int = 2) -> nw.Net:
    return nw.Graph(
        join=(nw.Concatenate(), "input", "state"), linear=(nw.Linear(out), "join"), tanh=(nw.tanh, "linear"),
        input={"input": None, "state": None},
    )  # fmt: skip


def attending() -> nw.Net:
    """For every element the sum of all of a memory, weighed by how like the element it is."""
    return nw.Graph(
        like=(nw.MatMul(), "memory", "input"), weights=(nw.softmax, "like"), turned=(nw.Transpose(1, 0), "memory"),
        sum=(nw.MatMul(), "turned", "weights"), input={"input": None, "memory": None},
    )  # fmt: skip


def reading() -> nw.Net:
    """A core that reads a memory whole at every element."""
    return nw.Graph(
        pooled=(nw.Mean(0), "memory"), join=(nw.Concatenate(), "input", "pooled", "state"),
        linear=(nw.Linear(2), "join"), next=(nw.tanh, "linear"),
        input={"input": None, "memory": None, "state": None},
    )  # fmt: skip


GATE, BODY = nw.Linear(D), nw.GRU(D)


@nw.program
def gated(x, gate=GATE, body=BODY):
    return nw.sigmoid(gate(x)) * body(x)["output"] + x


class Twice(nw.Container):
    """A container of a user's own: a part, and the same kind of part once more."""

    body: nw.Net

    def flow(self, call, x):
        return call("second", self.body, call("first", self.body, x))


NETS: dict[str, Callable[[], nw.Net]] = {
    "RNN": lambda: nw.Chain(nw.RNN(4), nw.Mean(0), input=SEQUENCE),
    "GRU": lambda: nw.Chain(nw.GRU(4), nw.Last(), input=SEQUENCE),
    "LSTM": lambda: nw.Chain(nw.LSTM(4), nw.Max(0), input=SEQUENCE),
    "state at the end": lambda: nw.Graph(
        turn=(nw.LSTM(4), "x"), out=(nw.Linear(2), "turn.hidden"), input={"x": SEQUENCE}
    ),
    "states handed on": lambda: nw.Graph(
        one=(nw.GRU(4), "x"), two=(nw.GRU(4), "y", "one.hidden"), out=(nw.Mean(0), "two.output"),
        input={"x": SEQUENCE, "y": nw.Array(f"m {D}")},
    ),
    "Step": lambda: nw.Chain(Step(nw.Conv(4, 3, padding="causal")), nw.Mean(0), input=SEQUENCE),
    "Bidirectional": lambda: nw.Chain(nw.Bidirectional(nw.GRU(4)), nw.Linear(2), input=SEQUENCE),
    "Bidirectional, last": lambda: nw.Chain(nw.Bidirectional(nw.GRU(4), last=True), nw.Linear(2), input=SEQUENCE),
    "Adapted": lambda: nw.Chain(nw.Adapted(nw.GRU(4), [nw.Linear(2), nw.Linear()], 0.5), nw.Last(), input=SEQUENCE),
    "Bidirectional twice": lambda: nw.Chain(nw.Repeat(2, nw.Bidirectional(nw.RNN(2))), input=nw.Array("n 4")),
    "Map": lambda: nw.Chain(nw.Map([nw.Linear(4), nw.tanh]), nw.Sum(0), input=SEQUENCE),
    "Map, log": lambda: nw.Map([nw.Linear(4), nw.square, nw.log, nw.Max(0)], input=DOCUMENT),
    "Map, norm": lambda: nw.Map([nw.Linear(4), nw.BatchNorm(), nw.Linear(2)], input=SEQUENCE),
    "Map, whole": lambda: nw.Map(attending(), whole="memory", input={"input": SEQUENCE, "memory": nw.Array(f"m {D}")}),
    "Map in Map": lambda: nw.Map(nw.Map([nw.Linear(4), nw.Dropout(0.3)]), input=DOCUMENT),
    "sentences": lambda: nw.Chain(nw.Map([nw.GRU(4), nw.Last()]), nw.GRU(3), nw.Mean(0), input=DOCUMENT),
    "Bidirectional in Map": lambda: nw.Map(nw.Chain(nw.Bidirectional(nw.GRU(2)), nw.Mean(0)), input=DOCUMENT),
    "Fold": lambda: nw.Fold(core(), input={"input": SEQUENCE}),
    "Fold of a cell": lambda: nw.Chain(nw.Fold(nw.LSTMCell(4)), nw.Last(), input=SEQUENCE),
    "Fold, whole": lambda: nw.Fold(
        reading(), carry={"output": "state"}, whole="memory", input={"input": SEQUENCE, "memory": nw.Array(f"m {D}")}
    ),
    "Fold in Map": lambda: nw.Map(nw.Chain(nw.Fold(core()), nw.Mean(0)), input=DOCUMENT),
    "Fold over Map": lambda: nw.Chain(
        nw.Map([nw.Linear(4), nw.tanh, nw.Mean(0)]), nw.Fold(core()), nw.Last(), input=DOCUMENT
    ),
    "Fold, dropout": lambda: nw.Chain(
        nw.Fold(nw.Chain(core(), nw.Dropout(0.4)), carry={"output": "state"}), nw.Max(0), input=SEQUENCE
    ),
    "Repeat": lambda: nw.Chain(
        nw.Repeat(3, [nw.Conv(D, 3, padding="same"), nw.tanh, nw.Dropout(0.2)]), nw.Mean(0), input=SEQUENCE
    ),
    "Repeat, shared": lambda: nw.Chain(
        nw.Repeat(3, nw.Shared("turn", nw.Bidirectional(nw.Linear(D)))), nw.Delay(-1), nw.Linear(D),
        input=nw.Array("n 6"),
    ),
    "Residual": lambda: nw.Chain(
        nw.Residual([nw.Conv(4, 3, padding="same"), nw.gelu], nw.Linear(4)), nw.GlobalAvgPool(), input=SEQUENCE
    ),
    "ScoredAttention": lambda: nw.Graph(
        both=(nw.ScoredAttention(nw.Graph(nw.Slice(0)(nw.Linear(1)(nw.tanh(nw.Input("query") + nw.Input("key")))))),
              "x", "y", "y"),
        out=(nw.Mean(0), "both.output"), outputs=["out"],
        input={"x": SEQUENCE, "y": nw.Array(f"m {D}")},
    ),
    "transformer": lambda: nw.Chain(nw.Linear(8), nw.encoder_block(8, 2), nw.Mean(0), input=SEQUENCE),
    "decoder with memory": lambda: nw.Graph(
        x8=(nw.Linear(8), "x"), block=(nw.decoder_block(8, 2, memory=True), "x8", "y"),
        input={"x": SEQUENCE, "y": nw.Array(f"m {D}")},
    ),
    "Llama": lambda: nw.Chain(nw.Linear(8), nw.llama_block(8, 4, groups=2, inner=6), nw.Mean(0), input=SEQUENCE),
    "Parallel": lambda: nw.Parallel(mean=nw.Mean(0), last=nw.Last(), all=nw.Reverse(), input=SEQUENCE),
    "Parallel, joined": lambda: nw.Chain(
        nw.Parallel(nw.GRU(2), nw.Conv(3, 3, padding="same")), nw.Concatenate(), nw.Max(0), input=SEQUENCE
    ),
    "Graph": lambda: nw.Graph(
        pooled=(nw.MaxPool(2), "x"), mean=(nw.Mean(0), "pooled"), sum=(nw.Add(), "x", "mean"),
        out=(nw.Reverse(), "sum"), input={"x": SEQUENCE},
    ),
    "program": lambda: nw.Chain(gated, nw.Sum(0), input=SEQUENCE),
    "own container": lambda: nw.Chain(nw.Linear(4), Twice(nw.Bidirectional(nw.GRU(2))), input=SEQUENCE),
    "convolutions": lambda: nw.Chain(
        nw.Conv(4, 3), nw.relu, nw.MaxPool(2), nw.Conv(4, 3, padding=1, stride=2), nw.Dropout(0.3), nw.GlobalMaxPool(),
        input=nw.Array(f"n m {D}"),
    ),
    "texts": lambda: nw.Chain(
        nw.Embedding(4), nw.SinePositions(), nw.Bidirectional(nw.GRU(3)), nw.Dropout(0.3), nw.Mean(0), nw.Linear(),
        nw.softmax, input=nw.Characters("abcdefg"), output=nw.Category(["x", "y"]),
    ),
    "norms": lambda: nw.Chain(
        nw.Conv(4, 3, padding="same"), nw.BatchNorm(), nw.relu, nw.BatchNorm(), nw.GlobalAvgPool(), input=SEQUENCE
    ),
}  # fmt: skip


def cases(net: nw.Net) -> Cases:
    """Random examples of a net, in the first form that runs."""
    found = list(drawn(nw.initialize(net, seed=3), seed=0))
    for one in found[::2]:  # numbers of both signs
        trial = BatchTrial(one, training=False)
        values = [value for i in range(len(one)) for value in trial.run(one.alone(i), trial.slots).values]
        if all(bool(value.isfinite().all()) for value in values):
            return one
    raise AssertionError("no examples")


@pytest.mark.parametrize("training", [False, True], ids=["use", "training"])
@pytest.mark.parametrize("name", NETS)
def test_alone_is_padded_is_batched(name, training):
    tried = cases(NETS[name]())
    assert tried.varying
    assert str(BatchTrial(tried, training).difference() or "") == ""


SWAPPED: dict[str, Callable[[], nw.Net]] = {  # pairs of leaves that a plan runs in the other order
    "ReLU, MaxPool": lambda: nw.Chain(nw.relu, nw.MaxPool(3, stride=2, padding=1), input=SEQUENCE),
    "ReLU, Max": lambda: nw.Chain(nw.relu, nw.Max(0), input=SEQUENCE),
    "ReLU, MaxPool, GlobalMaxPool": lambda: nw.Chain(
        nw.Conv(4, (3, 3)), nw.relu, nw.MaxPool(2), nw.GlobalMaxPool(), input=nw.Array(f"n m {D}")
    ),
}


@pytest.mark.parametrize("name", SWAPPED)
def test_leaves_in_the_other_order_keep_their_lengths(name):
    tried = cases(SWAPPED[name]())
    assert [str(BatchTrial(tried, training).difference() or "") for training in (False, True)] == ["", ""]


def test_logarithms_of_probabilities_keep_their_lengths():
    net = nw.Chain(nw.Linear(3), nw.softmax, input=SEQUENCE, output=nw.Each(nw.Category(["a", "b", "c"])))
    tried = cases(nw.with_loss(net, nw.CrossEntropy()))
    assert [str(BatchTrial(tried, training).difference() or "") for training in (False, True)] == ["", ""]


PIECES: list[Callable[[random.Random], nw.Net]] = [
    lambda r: nw.GRU(r.randint(1, 3)),
    lambda r: nw.Bidirectional(nw.RNN(r.randint(1, 3))),
    lambda r: nw.Fold(core(r.randint(1, 3))),
    lambda r: nw.Map([nw.Linear(r.randint(1, 3)), nw.tanh, nw.Dropout(0.2)]),
    lambda r: nw.Residual(nw.Conv(padding="same", kernel=(r.randint(1, 4),))),
    lambda r: nw.Chain(nw.Parallel(nw.Reverse(), nw.Linear(2)), nw.Concatenate()),
    lambda r: nw.Chain(nw.Linear(3), nw.Repeat(2, [nw.LSTM(3), nw.LayerNorm()])),
    lambda r: nw.MaxPool(3, stride=1, padding=1),
    lambda r: nw.Delay(r.choice((-2, -1, 1))),
]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_stands_in_a_chain(seed):
    r = random.Random(seed)
    end = r.choice((nw.Mean(0), nw.Last(), nw.Reverse(), nw.GlobalMaxPool()))
    net = nw.Chain(nw.Linear(3), *(r.choice(PIECES)(r) for _ in range(3)), end, input=SEQUENCE)
    tried = cases(net)
    for training in (False, True):
        assert str(BatchTrial(tried, training).difference() or "") == ""


def test_every_container_stands_here():
    used: set[type] = set()

    def visit(node: object) -> None:
        used.add(type(node))
        for child in node.children().values() if isinstance(node, ContainerNode) else ():
            visit(child)

    for make in NETS.values():
        visit(make())
    there = {cls for cls in PARTS.values() if getattr(sys.modules[cls.__module__], cls.__name__, None) is cls}
    ours = {cls for cls in there if cls.__module__.startswith("netwright.") and issubclass(cls, ContainerNode)}
    assert ours - used == set()
    recurrent = {cls for cls in PARTS.values() if cls.__module__.startswith("netwright.layers.recurrent")}
    assert {cls.__name__ for cls in recurrent - used} == {"RNNCell", "GRUCell"}  # each one step, as LSTMCell


class Deaf(BatchTrial):
    """A trial whose runs never get how long examples are."""

    def context(self, batch):
        noise = Noise(0, 0, batch.ids) if self.training else None
        return RunContext(self.training, noise, len(batch), lengths={})


def wrong_without_lengths(make: Callable[[], nw.Net]) -> bool:
    try:
        return any(Deaf(cases(make()), training).difference() for training in (False, True))
    except (RuntimeError, ValueError):  # sizes that no longer fit
        return True


def test_without_lengths_nearly_all_would_be_wrong():
    right = {name for name, make in NETS.items() if not wrong_without_lengths(make)}
    assert right == {"Map in Map"}
    assert len(NETS) - len(right) == 37


class Wrong(nw.Leaf):
    """Takes padding for real, beyond a threshold alone."""

    ports = "n d -> n d"
    ignores_padding = True

    def forward(self, w, x):
        return torch.where((x.amax((1, 2), keepdim=True) > 9000), x + 1, x)


def test_each_way_to_fill_is_tried():
    found = BatchTrial(cases(nw.Chain(Wrong(), input=SEQUENCE)), training=False).difference()
    assert found == BatchDifference(
        "the outputs differ", 1.0, "wrong1", "in use, an example alone and padded with 10,000"
    )
    assert FILLS == ("its last element", "other examples", "10,000", "-10,000")


def test_gradients_behind_the_ends():
    class Spilling(nw.Leaf):
        ports = "n d -> n d"
        ignores_padding = True

        def forward(self, w, x):
            return x + (x.flip(1) - x.flip(1).detach()).sum((1, 2), keepdim=True)

    found = BatchTrial(cases(nw.Chain(Spilling(), input=SEQUENCE)), training=False).difference()
    assert found is not None and found.place == "spilling1"
    assert found.what == "the gradient behind the ends of input 'input' is not zero"


def test_paths_as_users_know_them():
    assert [shown_path(path) for path in ("conv1", "map1/", "")] == ["conv1", "map1", "the net"]

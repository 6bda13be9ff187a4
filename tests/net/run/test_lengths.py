"""Lengths have the names of the plan, what does not fit is refused, and padding changes no gradient."""

import pytest
import torch

import netwright as nw
from netwright.codecs.ragged import Ragged
from netwright.codecs.text.characters import Characters
from netwright.data.sources import source
from netwright.errors import DataError
from netwright.layers.fold import Map
from netwright.layers.recurrent.gru import GRU
from netwright.layers.sequence import Last
from netwright.net.plan.plan import plan_of
from netwright.net.run.lengths import Axes, extents, sizes_along
from netwright.training.engines.autograd import Autograd
from netwright.training.engines.flat import Flat
from netwright.training.feeds.feed import feed

CPU = torch.device("cpu")


def points(*lengths):
    return [torch.randn(n, 2, generator=torch.Generator().manual_seed(n)) for n in lengths]


def tagger():
    body = nw.Chain(nw.Conv(4, 3), nw.relu, nw.Linear(), nw.softmax, input=("n", 2))
    return nw.with_loss(body.with_output(nw.Each(nw.Category(["a", "b"]))), nw.CrossEntropy())


def tags(*lengths):
    return [["a"] * n for n in lengths]


def refused(net, data, prefix=""):
    with pytest.raises(DataError) as caught:
        feed(source(data), net, CPU, prefix)
    return str(caught.value)


def test_lengths_have_the_names_of_the_plan() -> None:
    fed = feed(source((points(5, 8, 5), tags(3, 6, 3))), tagger(), CPU)
    assert {port: str(shape) for port, shape in fed.axes.shapes.items()} == {"input": "(n, 2)", "target": "(n - 2,)"}
    batch = fed.batch(torch.tensor([0, 1]))
    assert {name: n.tolist() for name, n in batch.lengths.items()} == {"n": [5, 8]}
    assert fed.batch(torch.tensor([2, 0])).lengths == {}
    assert fed.typical == {"n": 6}


def test_a_name_is_read_from_a_multiple_where_it_stands_nowhere_alone() -> None:
    axes = Axes(plan_of(nw.Chain(nw.Linear(2), input=("2*k", 2))))
    column = Ragged.of(points(4, 6), depth=1)
    axes.check({"input": column})
    assert axes.of_batch({"input": column.padded()})["k"].tolist() == [2, 3]
    with pytest.raises(DataError) as caught:
        axes.check({"input": Ragged.of(points(4, 7), depth=1)})
    assert str(caught.value) == (
        "an example is not as long at port 'input' as the net needs\n"
        "  where:    row 1\n"
        "  expected: 6, which is 2*k, with k = 3 at port 'input'\n"
        "  got:      7 at port 'input'"
    )


def test_ports_that_share_a_length_agree_in_every_example() -> None:
    assert refused(tagger(), (points(5, 8), tags(3, 5))) == (
        "an example is not as long at port 'target' as the net needs\n"
        "  where:    row 1\n"
        "  expected: 6, which is n - 2, with n = 8 at port 'input'\n"
        "  got:      5 at port 'target'"
    )


def test_a_size_that_is_a_number_is_that_for_every_example() -> None:
    net = nw.Chain(nw.Linear(), nw.softmax, input=(3, 2), output=nw.Each(nw.Category(["a", "b"])))
    assert refused(nw.with_loss(net, nw.CrossEntropy()), (points(3, 3), tags(3, 2))) == (
        "an example is not as long at port 'target' as the net needs\n"
        "  where:    row 1\n"
        "  expected: 3, the net's size\n"
        "  got:      2 at port 'target'"
    )


def test_an_example_that_leaves_no_position_inside_is_too_short() -> None:
    net = nw.Chain(nw.Conv(4, 3), nw.Conv(2, 3), nw.GlobalMaxPool(), nw.softmax, input=("n", 2))
    whole = nw.with_loss(net.with_output(nw.Category(["a", "b"])), nw.CrossEntropy())
    assert refused(whole, (points(5, 7, 4), ["a", "b", "a"]), "net/") == (
        "an example is too short for this net\n"
        "  where:    row 2, conv2\n"
        "  expected: at least 1 position in (n - 4, 2)\n"
        "  got:      n = 4"
    )


def test_lengths_that_no_name_stands_for() -> None:
    net = nw.Chain(nw.Linear(2), nw.softmax, input=nw.Each(nw.Number(0.0, 1.0)))
    whole = nw.with_loss(net.with_output(nw.Each(nw.Category(["a", "b"]))), nw.CrossEntropy())
    assert refused(whole, ([[1.0, 2.0], [1.0]], tags(2, 1))) == (
        "the examples differ in length, and the net does not say along which size\n"
        "  where:    port 'input'\n"
        '  expected: a size with a name, as in input=("n", 3)\n'
        "  got:      examples of 1 to 2"
    )


def test_beyond_memory_the_batch_is_checked(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    fed = feed(source((points(5, 6, 8), tags(3, 4, 5))), tagger(), CPU)
    assert fed.batch(torch.tensor([1, 0])).lengths["n"].tolist() == [6, 5]
    with pytest.raises(DataError) as caught:
        fed.batch(torch.tensor([0, 2]))
    assert caught.value.where == "row 2"


def lists(*lengths):
    return Ragged.of([[torch.zeros(n, 1) for n in row] for row in lengths], depth=2)


def nested(*lengths):
    axes = Axes(plan_of(nw.Chain(nw.relu, input=("n", "m[n]", 1))))
    axes.check({"input": lists(*lengths)})
    return axes


def test_lengths_within_lengths() -> None:
    column = lists((2, 3), (4,))
    axes = nested((2, 3), (4,))
    assert sizes_along(column, 0).tolist() == [2, 1]
    assert sizes_along(column, 1).tolist() == [2, 3, 4]
    assert (sizes_along(column, 2), extents(column).tolist()) == (1, [[2, 3], [1, 4]])
    found = axes.of_batch({"input": column.padded()})
    assert {name: n.tolist() for name, n in found.items()} == {"n": [2, 1], "m": [[2, 3], [4, 4]]}
    even = lists((2, 2), (2,))
    found = axes.of_batch({"input": even.padded()})
    assert (found["n"].tolist(), found["m"]) == ([2, 1], 2)


TEXTS = ["abba", "b", "abcabc", "cc", "acb", "babacab", "a", "cab"]
LETTERS = [[["abc".index(letter) for letter in part] for part in text.split("b") if part] or [[1]] for text in TEXTS]
EDGES = {"input": Characters("abc", mark_start=True)}
EACH = {**EDGES, "output": Characters("abc", mark_end=True)}
ONE = {**EDGES, "output": nw.Category(["a", "b", "c"])}
ENDS = (nw.Linear(), nw.softmax)
NETS = {
    "gru": nw.Chain(nw.Embedding(3), GRU(4), *ENDS, **EACH),
    "causal window": nw.Chain(nw.Embedding(3), nw.Conv(4, 3, padding="causal"), nw.tanh, *ENDS, **EACH),
    "dropout": nw.Chain(nw.Embedding(3), nw.Dropout(0.3), GRU(4), *ENDS, **EACH),
    "window and maximum": nw.Chain(nw.Embedding(3), nw.Conv(4, 2), nw.tanh, nw.GlobalMaxPool(), *ENDS, **ONE),
    "window and mean": nw.Chain(nw.Embedding(3), nw.Conv(4, 2), nw.tanh, nw.GlobalAvgPool(), *ENDS, **ONE),
    "lists of lists": nw.Chain(
        nw.Embedding(3), Map(nw.Chain(GRU(4), Last())), GRU(4), Last(), *ENDS,
        input=nw.Array("n m[n] <3>"), output=ONE["output"],
    ),
}  # fmt: skip


def in_doubles(flat, arrays):
    """Buffers of float64, in which a proof needs no tolerance for rounding."""
    master = flat.master.double()
    for path, array in arrays.items():
        flat.view(master, path).copy_(array)
    return Flat(flat.spans, master, torch.zeros_like(master), master)


def engine_of(net):
    whole = nw.initialize(nw.with_loss(net, nw.CrossEntropy()), seed=1).to(dtype=torch.float64)
    flat = in_doubles(Flat.of(dict(whole.held.arrays), None, CPU), whole.held.arrays)
    inputs = TEXTS if net.inputs["input"] == EDGES["input"] else LETTERS
    targets = TEXTS if net.outputs["output"] == EACH["output"] else [text[0] for text in TEXTS]
    data = feed(source((inputs, targets)), whole, CPU)
    return data, flat, Autograd.of(whole.plan, flat, {}, None, seed=3)


@pytest.fixture
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("kind", NETS)
def test_alone_padded_and_bucketed_are_one(kind) -> None:
    """The gradient of a batch is the mean of the gradients of its examples alone, however they are put together."""
    data, flat, engine = engine_of(NETS[kind])

    def gradient(indices):
        loss = engine.gradient(data.batch(torch.as_tensor(indices)), 0)
        return loss, flat.gradient.clone()

    alone = [gradient([i]) for i in range(len(TEXTS))]
    losses, gradients = [loss for loss, _ in alone], torch.stack([grad for _, grad in alone])
    for order in (torch.arange(8), data.order(8, seed=0, epoch=1), data.by_length()):
        loss, whole = gradient(order)
        assert loss == pytest.approx(sum(losses) / 8, rel=1e-12)
        torch.testing.assert_close(whole, gradients.mean(0), rtol=0, atol=1e-10)
    pieces = [gradient(piece)[1] for piece in data.order(4, seed=0, epoch=2).split(4)]
    torch.testing.assert_close(torch.stack(pieces).mean(0), gradients.mean(0), rtol=0, atol=1e-10)
    assert gradients.abs().max() > 1e-3


@pytest.mark.usefixtures("_float64")
def test_without_lengths_padding_would_change_the_gradient() -> None:
    """What the test above proves would not hold by itself."""
    data, flat, engine = engine_of(NETS["gru"])
    batch = data.batch(torch.arange(8))
    engine.gradient(batch, 0)
    right = flat.gradient.clone()
    batch.lengths = {}
    engine.gradient(batch, 0)
    assert (flat.gradient - right).abs().max() > 1e-3

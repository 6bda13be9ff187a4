"""Growth: new classes and elements behind those that are known, whose answers stay; ties are kept."""

from typing import Any

import pytest
import torch

import netwright as nw
from messages import message
from netwright.net.part import Net


def rows(before: Net, after: Net, path: str, kept: list[int], axis: int = 0) -> None:
    """The rows of what is known are the same, bit for bit."""
    index = torch.tensor(kept)
    assert torch.equal(after.arrays[path].index_select(axis, index), before.arrays[path])


@pytest.mark.parametrize("last", [nw.Linear(), nw.Linear(4)])
def test_new_classes_stand_behind_the_known_ones_whose_scores_stay(last: Net) -> None:
    # as wide as the classes, and not touched
    net = nw.Chain(nw.Linear(4), nw.relu, last, nw.softmax, input=3, output=nw.Category(list("abcd")))
    net = nw.initialize(net, seed=1)
    made = nw.grow(net, classes=["e", "f"])
    assert made.outputs["output"] == nw.Category(list("abcdef"))
    assert nw.diff(net, made).of("kept") == ("linear1/weight", "linear1/bias")
    rows(net, made, "linear2/weight", [0, 1, 2, 3])
    rows(net, made, "linear2/bias", [0, 1, 2, 3])
    torch.testing.assert_close(made.arrays["linear2/weight"][4], net.arrays["linear2/weight"].mean(0))
    xs = nw.batch(torch.randn(20, 3, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(made(xs, at="linear2")[:, :4], net(xs, at="linear2"))
    assert made.history[-1].text == "grow classes by 'e', 'f'"
    assert made.held.arrays["linear1/weight"].data_ptr() == net.held.arrays["linear1/weight"].data_ptr()


def test_a_vocabulary_grows_with_embedding_tied_head_and_both_codecs() -> None:
    net = nw.initialize(
        nw.Chain(
            words=nw.Shared("words", nw.Embedding(4)),
            middle=nw.GRU(4),
            head=nw.Shared("words", nw.Linear(bias=False)),
            softmax=nw.softmax,
            input=nw.Characters("abc", mark_start=True, unknown=True),
            output=nw.Characters("abc", mark_end=True, unknown=True),
        )
    )
    made = nw.grow(net, vocabulary="xy")
    assert made.inputs["input"] == nw.Characters("abcxy", mark_start=True, unknown=True)
    assert made.outputs["output"] == nw.Characters("abcxy", mark_end=True, unknown=True)
    assert made.arrays["@words/weight"].shape == (7, 4)
    rows(net, made, "@words/weight", [0, 1, 2, 5, 6])  # the unknown element and the edge stay behind
    torch.testing.assert_close(made("abc?", at="head")[:, [0, 1, 2, 5, 6]], net("abc?", at="head"))
    assert made("axy", nw.raw).shape == (4, 7)


def test_words_tokens_labels_and_a_class_for_every_pixel() -> None:
    words = nw.initialize(nw.Chain(nw.Embedding(3), nw.Mean(0), nw.Linear(2), input=nw.Words(["a", "b"], unknown=True)))
    made = nw.grow(words, vocabulary=["c"])
    rows(words, made, "embedding1/weight", [0, 1, 3])
    torch.testing.assert_close(made("a b d", nw.raw), words("a b d", nw.raw))
    tags = nw.initialize(nw.Chain(nw.Linear(), nw.sigmoid, input=3, output=nw.Labels(["x", "y"])))
    more = nw.grow(tags, classes=["z"])
    torch.testing.assert_close(more((1, 2, 3), nw.raw)[:2], tags((1, 2, 3), nw.raw))
    pixels = nw.Chain(nw.Conv(kernel=1), nw.softmax, input=(4, 4, 3), output=nw.Each(nw.Category(["sea", "land"])))
    pixels = nw.initialize(pixels)
    found = nw.grow(pixels, classes=["sky"])
    rows(pixels, found, "conv1/weight", [0, 1])
    assert found.plan.outputs == {"output": (4, 4, 3)}


def test_classes_that_are_read_too_and_units_of_their_own() -> None:
    labels = nw.Category(["a", "b", "c"])
    net = nw.initialize(nw.Chain(nw.OneHot(), nw.Linear(5), nw.Linear(), nw.softmax, input=labels, output=labels))
    made = nw.grow(net, classes=["d"])
    rows(net, made, "linear1/weight", [0, 1, 2], axis=1)
    torch.testing.assert_close(made("b", at="linear2")[:3], net("b", at="linear2"))
    assert made("d") in ["a", "b", "c", "d"]


def test_ports_with_different_names_are_named() -> None:
    net = nw.Graph(
        kind=(nw.Chain(nw.Linear(), nw.softmax), "input"),
        shade=(nw.Chain(nw.Linear(), nw.softmax), "input"),
        input=3,
        output={"kind": nw.Category(["a", "b"]), "shade": nw.Category(["x", "y", "z"])},
    )
    net = nw.initialize(net)
    assert message(nw.grow, net, classes=["c"]) == (
        "the classes of this net's ports differ\n  where:    grow, classes\n"
        "  expected: a mapping from a port to its new ones\n  got:      kind, shade\n"
        "  mend:     nw.grow(net, classes={'kind': …})"
    )
    made = nw.grow(net, classes={"kind": ["c"]})
    assert made.plan.outputs == {"kind": (3,), "shade": (3,)}
    assert {change.path for change in nw.diff(net, made).changes if change.fate == "reshaped"} == {
        "kind/linear1/weight", "kind/linear1/bias",
    }  # fmt: skip


def test_one_of_two_vocabularies_of_equal_size_grows() -> None:
    source = nw.Input("source", nw.Words(["a", "b", "c"], length="m"))
    target = nw.Input("target", nw.Words(["x", "y"], mark_start=True))
    read, said = nw.GRU(4)(nw.Embedding(4)(source)), nw.GRU(4)(nw.Embedding(4)(target))
    scores = nw.Linear()(nw.Attention()(said, read, read)["output"])
    net = nw.initialize(nw.Graph(nw.softmax(scores), output=nw.Words(["x", "y"], mark_end=True)))
    made = nw.grow(net, vocabulary={"source": ["d"]})
    assert nw.diff(net, made).of("reshaped") == ("embedding1/weight",)
    both = nw.grow(net, vocabulary={"target": ["z"], "source": ["d"]})
    assert nw.diff(net, both).of("reshaped") == (
        "embedding1/weight", "embedding2/weight", "linear1/weight", "linear1/bias",
    )  # fmt: skip
    rows(net, both, "linear1/weight", [0, 1, 3])
    example = {"source": "a c", "target": "x y"}
    torch.testing.assert_close(both(example, at="linear1")[:, [0, 1, 3]], net(example, at="linear1"))


def test_a_net_without_arrays_grows_in_its_sizes() -> None:
    net = nw.Chain(nw.Linear(2), nw.softmax, input=3, output=nw.Category(["a", "b"]))
    assert nw.grow(net, classes=["c"]) == nw.Chain(
        nw.Linear(3), nw.softmax, input=3, output=nw.Category(["a", "b", "c"])
    )


NET = nw.initialize(nw.Chain(nw.Linear(), nw.softmax, input=3, output=nw.Category(["a", "b"])))
NORM = nw.initialize(nw.Chain(nw.Linear(), nw.LayerNorm(), nw.softmax, input=3, output=nw.Category(["a", "b"])))
WRONG: list[tuple[Any, str]] = [
    (
        lambda: nw.grow(NORM, classes=["c"]),
        "the net would answer otherwise to what it knows\n  where:    layernorm1\n"
        "  expected: rows beside those that are known\n  got:      other values in front of the softmax\n"
        "  mend:     net.with_output(…), which resets what does not fit, to be trained anew",
    ),
    (lambda: nw.grow(NET, classes=["a"]), "a label stands twice\n  got:      'a'"),
    (lambda: nw.grow(NET, classes=[]), "too few labels\n  expected: at least 1\n  got:      0: ()"),
    (
        lambda: nw.grow(NET, classes="cd"),
        "labels are a list, not one text\n  got:      'cd'\n  mend:     ['cd'] for one label\n"
        "  or:       list('cd') for its characters",
    ),
    (
        lambda: nw.grow(NET, classes=3),  # pyright: ignore
        "grow takes the names of what is new\n  where:    grow\n"
        '  expected: a list, such as ["bird", "fish"]\n  got:      3',
    ),
    (
        lambda: nw.grow(NET, vocabulary=["c"]),
        "no port of this net has a vocabulary that can grow\n  where:    grow, vocabulary\n"
        "  got:      output: Category(['a', 'b']), input: Array('3')",
    ),
    (
        lambda: nw.grow(NET),
        "grow takes new classes or new elements of a vocabulary\n  where:    grow\n"
        "  expected: classes=[…] or vocabulary=[…]",
    ),
    (
        lambda: nw.grow(NET, classes={"outpt": ["c"]}),
        "no port 'outpt' of this net has classes\n  where:    grow, classes\n  expected: output\n"
        "  mend:     did you mean 'output'?",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_cannot_grow_is_refused(make: Any, text: str) -> None:
    assert message(make) == text

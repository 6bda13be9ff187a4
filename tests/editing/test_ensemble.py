"""Ensembles: one net whose outputs are the mean of those of its members, saved, measured and generated from as any."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message

LABELS = nw.Category(["a", "b", "c"])
NET = nw.Chain(
    nw.Shared("layer", nw.Linear(3)), nw.relu, nw.Shared("layer", nw.Linear(3)), nw.Linear(), nw.softmax, input=3,
    output=LABELS,
)  # fmt: skip
NETS = [nw.initialize(NET, seed=seed) for seed in range(3)]


def test_probabilities_are_the_mean_of_those_of_the_members() -> None:
    both = nw.ensemble(NETS)
    xs = nw.batch(torch.randn(5, 3, generator=torch.Generator().manual_seed(1)))
    mean = torch.stack([net(xs, nw.raw) for net in NETS]).mean(0)
    torch.testing.assert_close(both(xs, nw.raw), mean)
    assert both(xs) == [LABELS.decode(row) for row in mean]
    assert list(both((0.1, 0.2, 0.3), nw.probabilities)) == ["a", "b", "c"]


def test_members_keep_their_arrays_also_under_one_shared_name() -> None:
    both = nw.ensemble(NETS)
    own = {array.data_ptr() for net in NETS for array in net.held.arrays.values()}
    assert {array.data_ptr() for array in both.held.arrays.values()} == own
    assert len(both.arrays) == 12
    for number, net in enumerate(NETS, 1):
        member = both[f"member{number}"]
        assert torch.equal(member((0.1, 0.2, 0.3), nw.raw), net((0.1, 0.2, 0.3), nw.raw))


def test_members_that_are_shared_as_a_whole_are_their_own_too() -> None:
    two = [nw.initialize(nw.Shared("all", nw.Chain(nw.Linear(2), nw.relu, input=3)), seed=seed) for seed in (1, 2)]
    both = nw.ensemble(two)
    x = (0.1, 0.2, 0.3)
    torch.testing.assert_close(both(x, nw.raw), (two[0](x, nw.raw) + two[1](x, nw.raw)) / 2)


def test_it_is_a_net_as_any_other(tmp_path: Path) -> None:
    both = nw.ensemble(NETS)
    nw.save(both, tmp_path / "both.net")
    assert nw.load(tmp_path / "both.net") == both
    xs = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    report = nw.measure(both, (xs, ["a", "b", "c"] * 10))
    assert report.n == 30
    assert 0 <= report.accuracy.value <= 1
    again = nw.ensemble([both, both])
    torch.testing.assert_close(again((0.1, 0.2, 0.3), nw.raw), both((0.1, 0.2, 0.3), nw.raw))


def test_language_models_with_a_tied_head_and_regressions_too() -> None:
    model = nw.Chain(
        words=nw.Shared("words", nw.Embedding(4)),
        middle=nw.GRU(4),
        head=nw.Shared("words", nw.Linear(bias=False)),
        softmax=nw.softmax,
        input=nw.Characters("abc", mark_start=True),
        output=nw.Characters("abc", mark_end=True),
    )
    two = [nw.initialize(model, seed=seed) for seed in (1, 2)]
    both = nw.ensemble(two)
    torch.testing.assert_close(both("abca", nw.raw), (two[0]("abca", nw.raw) + two[1]("abca", nw.raw)) / 2)
    assert {path for path in both.arrays if "@" in path} == {"@member1_words/weight", "@member2_words/weight"}
    ends = nw.Graph(a=(nw.Linear(2), "input"), b=(nw.Linear(1), "input"), input=3)
    made = nw.ensemble([nw.initialize(ends, seed=seed) for seed in (1, 2)])
    assert made.plan.outputs == {"a": (2,), "b": (1,)}
    assert both.history[-1].text == "ensemble of 2 nets"


WRONG: list[tuple[Any, str]] = [
    (list, "an ensemble has at least two nets\n  where:    ensemble\n  got:      []"),
    (lambda: nw.relu, "an ensemble has at least two nets\n  where:    ensemble\n  got:      relu"),
    (lambda: [nw.relu], "an ensemble has at least two nets\n  where:    ensemble\n  got:      [relu]"),
    (lambda: [NETS[0], 5], "ensemble takes a net\n  got:      5"),
    (
        lambda: [NETS[0], NETS[1].with_input(None)],
        "the nets of an ensemble have equal encoders\n  where:    ensemble, net 2\n"
        "  expected: {'input': Array('3')}\n  got:      {}",
    ),
    (
        lambda: [NETS[0], NETS[1].with_output(nw.Category(["a", "b", "d"]))],
        "the nets of an ensemble have equal decoders\n  where:    ensemble, net 2\n"
        "  expected: {'output': Category(['a', 'b', 'c'])}\n  got:      {'output': Category(['a', 'b', 'd'])}",
    ),
]


@pytest.mark.parametrize(("nets", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_nets_that_cannot_be_averaged_are_refused(nets: Any, text: str) -> None:
    assert message(nw.ensemble, nets()) == text

"""Activation patching: equal to hooks written by hand, at every place and position."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import netwright as nw
from inside.nets import classifier, folded, language, rows
from messages import message

CLEAN, CORRUPTED = "abc def", "abd def"


def by_hand(net: nw.Net, path: str, position: int | None, score: Callable[[Tensor], Tensor]) -> float:
    """The score with one value put in by `set=`, one run for each place."""
    good = net(CLEAN, at=path)

    def put(x: Tensor) -> Tensor:
        if position is None:
            x[0] = good
        else:
            x[0, position] = good[position]
        return x

    return score(net(CORRUPTED, nw.raw, set={path: put})).item()


def last(y: Tensor) -> Tensor:
    return y[-1, 3]


def test_it_is_what_one_run_for_each_place_gives() -> None:
    net = language()
    paths = ["blocks/1", "blocks/2", "blocks/3", "embedding1", "blocks/2/residual1", "head"]
    found = nw.trace_effect(net, CLEAN, CORRUPTED, at=["blocks/*", *paths[3:]], of=last)
    assert list(found.scores) == paths
    for path, scores in found.scores.items():
        assert scores.shape == (7,)
        for position, score in enumerate(scores.tolist()):
            assert score == pytest.approx(by_hand(net, path, position, last), abs=1e-6)
    assert found.clean == pytest.approx(last(net(CLEAN, nw.raw)).item())
    assert found.corrupted == pytest.approx(last(net(CORRUPTED, nw.raw)).item())


def test_it_is_what_hooks_of_torch_give() -> None:
    net = classifier()
    clean, corrupted = rows(3, seed=1), rows(3, seed=2)
    module = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4), torch.nn.Softmax(-1))
    arrays = net.arrays
    state = {"0.weight": "linear1/weight", "0.bias": "linear1/bias", "2.weight": "linear2/weight"}
    module.load_state_dict({**{k: arrays[v] for k, v in state.items()}, "2.bias": arrays["linear2/bias"]})
    found = nw.trace_effect(net, clean, corrupted, at="*", of=lambda y: y[1])
    for number, path in enumerate(["linear1", "tanh1", "linear2"]):
        good = module[: number + 1](clean)
        hook = module[number].register_forward_hook(lambda _, __, y, good=good: good)
        assert found.scores[path].item() == pytest.approx(module(corrupted)[1].item())
        hook.remove()
    assert found.effects["linear1"].item() == pytest.approx(1)


def test_the_score_is_the_probability_of_the_clean_answer_if_nothing_is_said() -> None:
    net = language()
    best = net(CLEAN, nw.raw)[-1].argmax()
    found = nw.trace_effect(net, CLEAN, CORRUPTED, at="blocks/3")
    asked = nw.trace_effect(net, CLEAN, CORRUPTED, at="blocks/3", of=lambda y: y[-1, best])
    torch.testing.assert_close(found.scores["blocks/3"], asked.scores["blocks/3"], atol=1e-6, rtol=1e-5)
    assert found.effects["blocks/3"][-1].item() == pytest.approx(1)  # behind it, positions do not see each other
    assert found.effects["blocks/3"][:-1].abs().max() < 1e-6


def test_an_input_is_a_place_and_few_places_at_once_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    net = language()
    whole = nw.trace_effect(net, CLEAN, CORRUPTED, at=["input", "blocks/*"])
    assert whole.effects["input"].round(decimals=5).tolist() == [0, 0, 1, 0, 0, 0, 0]
    monkeypatch.setattr("netwright.inside.trace_effect.ROOM", 300)
    pieces = nw.trace_effect(net, CLEAN, CORRUPTED, at=["input", "blocks/*"])
    for path, scores in pieces.scores.items():
        torch.testing.assert_close(scores, whole.scores[path], atol=1e-5, rtol=1e-4)


def test_a_recurrent_net_and_a_value_inside_as_the_score() -> None:
    net = nw.initialize(nw.Chain(nw.GRU(4), nw.Linear(3), nw.Last(), nw.Linear(2), input=("n", 2)), seed=1)
    clean, corrupted = rows(5, 2, seed=1), rows(5, 2, seed=2)
    found = nw.trace_effect(net, clean, corrupted, at="gru1.output", of="last1")
    good = net(clean, at="gru1.output")
    for position in range(5):
        changed = net(corrupted, at="gru1.output").clone()
        changed[position] = good[position]
        wanted = net(corrupted, at="last1", set={"gru1.output": changed}).sum()
        assert found.scores["gru1.output"][position].item() == pytest.approx(wanted.item(), abs=1e-6)


def test_the_report_names_the_strongest_places() -> None:
    net = nw.Chain(nw.Linear(1, bias=False), nw.Sum(0), input=("n", 1)).with_arrays({"linear1/weight": [[2.0]]})
    found = nw.trace_effect(net, ((1.0,), (2.0,)), ((1.0,), (0.0,)), at=["linear1", "sum1"])
    assert found.strongest == [("linear1", 1, 1.0), ("sum1", None, 1.0), ("linear1", 0, 0.0)]
    assert str(found) == (
        "score 6 clean, 2 corrupted; 3 places, of which come back\n"
        "   100.0%  linear1, position 1\n"
        "   100.0%  sum1\n"
        "     0.0%  linear1, position 0"
    )


def of_fold() -> Any:
    return nw.trace_effect(folded(), rows(3, 4), rows(3, 4, seed=1), at="map1/body/linear1", of="fold1.hidden")


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "several": (
        lambda: nw.trace_effect(classifier(), rows(2, 3), rows(3), at="linear1"),
        "an effect is traced between one clean and one corrupted example\n"
        "  where:    trace_effect\n"
        "  expected: two examples\n"
        "  got:      2 and 1\n"
        "  mend:     [nw.trace_effect(net, a, b, at=…) for a, b in pairs]",
    ),
    "other lengths": (
        lambda: nw.trace_effect(language(), "abc", "abcd", at="blocks/1"),
        "the two inputs give values of different sizes, so their positions do not belong together\n"
        "  where:    blocks/1\n"
        "  expected: (4, 16)\n"
        "  got:      (3, 16)\n"
        "  mend:     inputs of the same length",
    ),
    "the same": (
        lambda: nw.trace_effect(language(), "abc", "abc", at="blocks/1", of=lambda y: y[-1, 0] * 0 + 2),
        "both runs have the same score, so no value can bring it back\n"
        "  where:    trace_effect\n"
        "  got:      2\n"
        "  mend:     of=…, a score in which they differ",
    ),
    "inside a map": (
        of_fold,
        "map1/body/linear1 is inside a Map or Fold, whose elements run together, so nothing can be put there\n"
        "  where:    trace_effect\n"
        "  mend:     at='map1'",
    ),
    "behind the score": (
        lambda: nw.trace_effect(classifier(), rows(3), rows(3, seed=1), at="linear2", of="linear1"),
        "linear1 does not depend on linear2\n"
        "  where:    trace_effect\n"
        "  expected: one of input, linear1, linear1/weight, linear1/bias",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_traced_is_said(case: str) -> None:
    make, text = REFUSED[case]
    assert message(make) == text


def test_the_mends_work() -> None:
    clean, corrupted = rows(3, 4), rows(3, 4, seed=1)
    found = nw.trace_effect(folded(), clean, corrupted, at="map1", of="fold1.hidden")
    good, bad = (folded()(x, at="map1") for x in (clean, corrupted))
    for position, score in enumerate(found.scores["map1"]):
        mixed = bad.clone()
        mixed[position] = good[position]
        wanted = folded()(corrupted, at="fold1.hidden", set={"map1": mixed}).sum()
        assert score.item() == pytest.approx(wanted.item(), abs=1e-6)

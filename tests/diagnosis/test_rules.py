"""The rules: each finding with its text, and how often the first one is right for runs that no rule was fixed on."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from tests.diagnosis import fresh, judged, last
from tests.diagnosis.test_curves import epochs

import netwright as nw
from netwright.diagnosis.inspection import Gradients, Inspection
from netwright.diagnosis.rules import findings

NET = nw.Chain(2, input=2)
RATE = nw.Choice("learning rate", "0.01", "given", (0.01, {}))
FINE = Inspection(Gradients(1.0, 1.0, {"a": 1.0, "b": 0.5}), Gradients(0.1, 0.1, {}), {"relu1": 0.1}, {}, 0.4)
LEARNS = [1.0] * 10 + [0.2] * 90


def run_of(losses: list[float], ended: str = "all epochs done", **more: Any) -> nw.Run:
    given = {"epochs": (), "choices": (RATE,), "best": 0, "seconds": 1.0, **more}
    return nw.Run(net=NET, last=NET, losses=tuple(losses), ended=ended, **given)


def seen(**changes: Any) -> Inspection:
    return replace(FINE, **changes)


def test_of_a_run_that_learns_nothing_is_said() -> None:
    assert findings(run_of(LEARNS), 1.0, FINE) == []
    assert findings(run_of(LEARNS), None, None) == []


LEAK = nw.Choice("validation", "1,012 of 2,000 examples are also in the training data", "row 1 = row 2; more")
STEEP = Gradients(1.0, 512.0, {"a": 1.0, "b": 5.0})
CASES: list[tuple[nw.Run, float | None, Inspection | None, str]] = [
    (
        run_of(LEARNS),
        1.0,
        seen(first=STEEP),
        "gradient explodes (b): the first gradient has the length 512; that of runs that learn is below 200\n"
        "     remedy: net.bare(), for new weights of the usual size, or nw.LayerNorm() after each layer",
    ),
    (
        run_of([1.0, 50.0], "the loss is not finite"),
        None,
        None,
        "rate too high: the loss is not finite after step 2, at a rate of 0.01\n     remedy: learning_rate=0.001",
    ),
    (
        run_of([1.0] * 10 + [5.0] * 90),
        1.0,
        FINE,
        "rate too high: the training loss rose to 5 times the first one\n     remedy: learning_rate=0.001",
    ),
    (
        run_of([1.0] * 100),
        9.0,
        FINE,
        "rate too high: a matrix moved 9 times its length, and 100% of the training loss is left\n"
        "     remedy: learning_rate=0.001",
    ),
    (
        run_of(LEARNS),
        1.0,
        seen(dead={"relu1": 0.2, "relu2": 0.9, "relu3": 1.0}),
        "dead units (relu2): 90% of its units give 0 for all examples that were looked at, so they learn nothing\n"
        "     remedy: nw.leaky_relu in place of relu2, from new weights",
    ),
    (
        run_of([1.0] * 100),
        1.0,
        seen(first=Gradients(1.0, 1.0, {"a": 1e-6, "b": 1.0})),
        "gradient vanishes (a): its first gradient, by its length, is 1e-06 of the strongest one\n"
        "     remedy: nw.relu or nw.gelu in place of functions that flatten out, or nw.LayerNorm() before them",
    ),
    (
        run_of([1.0] * 100),
        0.01,
        FINE,
        "rate too low: no matrix moved more than 0.01 of its length, and 100% of the training loss is left\n"
        "     remedy: learning_rate=0.1",
    ),
    (
        run_of(LEARNS, choices=(LEAK,)),
        1.0,
        FINE,
        "validation examples in training: 1,012 of 2,000 examples are also in the training data: row 1 = row 2\n"
        "     remedy: nw.split(data, by=…)",
    ),
    (
        run_of(LEARNS),
        1.0,
        seen(naive=1.02),
        "no better than the naive answer: the loss of the best epoch is 102% of that of an answer that does not look "
        "at the input\n     remedy: look at some examples: do inputs and targets belong together, and do the inputs "
        "tell the targets?",
    ),
    (
        run_of(LEARNS),
        1.0,
        seen(unpredicted={"rare": 7, "few": 2, "other": 6}),
        "class never predicted (rare): 7 examples that were looked at have it, and the best net gives it for none, as "
        "for 1 more class\n     remedy: class_weights={'rare': …}, above 1",
    ),
    (
        run_of(LEARNS, epochs=tuple(epochs([1.0, 0.8, 0.5, 0.3, 0.2], [1.0, 0.8, 1.0, 1.2, 1.2]))),
        1.0,
        FINE,
        "overfitting (epoch 2): since then the validation loss rose by 50%, while the training loss fell\n"
        "     remedy: more examples, or nw.Dropout() before the last layer",
    ),
]


@pytest.mark.parametrize(("run", "moved", "found", "text"), CASES, ids=[text.partition(":")[0] for *_, text in CASES])
def test_each_finding_has_its_number_and_a_remedy(
    run: nw.Run, moved: float | None, found: Inspection | None, text: str
) -> None:
    (one,) = findings(run, moved, found)
    assert str(one) == text
    assert one.number > 0


def test_causes_come_before_their_effects() -> None:
    run = run_of([1.0] * 100, epochs=tuple(epochs([1.0, 0.8, 0.5, 0.3, 0.2], [1.0, 0.8, 1.0, 1.2, 1.2])))
    all_of_it = seen(first=STEEP, dead={"relu1": 1.0}, naive=1.5, unpredicted={"rare": 7})
    assert [one.kind for one in findings(run, 9.0, all_of_it)] == [
        "gradient explodes",
        "rate too high",
        "dead units",
        "no better than the naive answer",
        "class never predicted",
        "overfitting",
    ]


def test_a_rate_is_not_too_high_and_too_low_at_once() -> None:
    found = findings(run_of([1.0] * 10 + [5.0] * 90), 0.04, FINE)
    assert [one.kind for one in found] == ["rate too high"]


def test_weights_that_did_not_move_at_all_say_nothing_of_the_rate() -> None:
    assert findings(run_of([1.0] * 100), 0.0, FINE) == []


def test_a_run_without_a_step_has_no_findings() -> None:
    assert findings(run_of([]), None, None) == []


@pytest.mark.slow
@pytest.mark.parametrize(("cases", "least"), [(judged, 12), (fresh, 10), (last, 12)], ids=["first", "second", "last"])
def test_the_first_finding_is_right_and_healthy_runs_have_none(cases: ModuleType, least: int) -> None:
    """Runs of other data than the rules were fixed on.

    How often the first finding was right at the first try, and how many healthy runs were silent: 12 of 15 and 5 of 6
    in the first set (one raised an error), 10 of 14 and 4 of 5 in the second, 12 of 14 and 5 of 5 in the last. After
    each of the first two, rules were mended and fixed on MNIST again, so the last set alone judges those that are here.
    Of the three sick runs of the second set that are still not found, one learned well behind its sigmoids.
    """
    firsts: list[tuple[str, str]] = []
    for kind, makers in cases.SICK.items():
        for make in makers:
            run, data, validation = make()
            found = nw.diagnose(run, data, validation=validation).findings
            firsts.append((kind, found[0].kind if found else "nothing"))
    wrong = [pair for pair in firsts if pair[0] != pair[1]]
    assert len(firsts) >= 12
    assert len(firsts) - len(wrong) >= least, wrong
    for make in cases.HEALTHY:
        run, data, validation = make()
        assert nw.diagnose(run, data, validation=validation).findings == ()

"""TrialFigures of a trial: those of the run's validation, with intervals over its examples."""

import pytest
import torch
from tests.sweep.tools import DATA, NET

import netwright as nw
from netwright.measure.estimate import wilson
from netwright.sweep.figures import counts, figures_of
from netwright.training.loop import Loop
from netwright.training.prepare.options import options_of
from netwright.training.prepare.prepare import prepare


def test_they_are_those_of_the_validation_with_intervals() -> None:
    prepared = prepare(NET, DATA, options_of({"validation": 30, "epochs": 3, "threads": 1}))
    loop = Loop(prepared)
    loop.run()
    kept, _ = loop.reached()
    figures, best = figures_of(prepared, kept), loop.status.done[loop.status.best - 1]
    assert figures.error is not None
    assert figures.error.value == pytest.approx(best.validation["error"])
    assert figures.loss.value == pytest.approx(best.validation["loss"], rel=1e-5)
    assert (figures.error.low, figures.error.high) == pytest.approx(wilson(round(figures.error.value * 30), 30))
    assert figures.loss.low < figures.loss.value < figures.loss.high
    assert (figures.error.n, figures.loss.n) == (30, 30)


def test_numbers_have_a_loss_alone() -> None:
    net = nw.Chain(4, nw.tanh, nw.Linear(), input=3, output=nw.Number())
    prepared = prepare(net, (DATA[0], [sum(x) for x in DATA[0]]), options_of({"validation": 30, "threads": 1}))
    figures = figures_of(prepared, Loop(prepared).kept)
    assert figures.error is None
    assert str(figures) == str(figures.loss)


def test_of_sequences_real_positions_count() -> None:
    texts = ["ab" * n for n in range(1, 21)]
    net = nw.Chain(nw.Embedding(4), nw.Linear(), nw.softmax)
    options = options_of({"validation": 6, "epochs": 2, "threads": 1, "objective": nw.NextElement()})
    prepared = prepare(net, texts, options)
    loop = Loop(prepared)
    loop.run()
    figures, best = figures_of(prepared, loop.reached()[0]), loop.status.done[loop.status.best - 1]
    assert figures.error is not None and figures.error.n == 6
    assert figures.error.value == pytest.approx(best.validation["error"])
    assert figures.loss.value == pytest.approx(best.validation["loss"], rel=1e-5)


def test_the_decisions_of_an_example_without_padding() -> None:
    wrong = torch.tensor([[True, False, True], [False, False, True]])
    found, decided = counts(wrong, (3,), nw.net.run.context.RunContext(batch=2))
    assert (found.tolist(), decided.tolist()) == ([[2], [1]], [[3], [3]])

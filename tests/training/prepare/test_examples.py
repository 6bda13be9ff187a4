"""The examples of a run: what is held out is trained on nowhere else, and codecs learn from the rest alone."""

from tests.training.prepare.tools import options

import netwright as nw
from netwright.training.prepare.examples import examples_of, predicted_input
from netwright.training.prepare.next_element import NextElement

NET = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())


def test_codecs_learn_from_what_is_trained_on() -> None:
    numbers = [float(i) for i in range(20)]
    examples = examples_of(NET, (numbers, numbers), options(validation=5), None)
    assert examples.held_out is not None
    held = set(examples.held_out.columns["input"])
    seen = [x for x in numbers if x not in held]
    assert (len(examples.training), len(held)) == (15, 5)
    assert sorted(examples.training.columns["input"]) == seen
    mean = examples.net.held.inputs["input"].mean
    assert abs(mean - sum(seen) / 15) < 1e-6


def test_an_objective_makes_its_own_targets() -> None:
    net = nw.Chain(nw.Embedding(4), nw.GRU(3), nw.Linear(), nw.softmax)
    examples = examples_of(net, ["ab", "ba"], options(), NextElement())
    assert sorted(examples.training.columns) == ["input", "target"]
    assert examples.held_out is None
    assert predicted_input(examples.net, examples.training, NextElement()) == ("input", 1)


def test_a_net_that_compares_numbers_predicts_no_input() -> None:
    examples = examples_of(NET, ([1.0, 2.0], [2.0, 5.0]), options(), None)
    assert predicted_input(examples.net, examples.training, None) is None

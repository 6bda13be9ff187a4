"""Taking from sequences and moving them: sizes both ways, and what is refused. Values and padding are in the tables."""

import pytest
import torch

import netwright as nw
from layers.tools import unfit
from messages import message
from netwright.layers.sequence import Delay, DropFirst, DropLast, First, Last, Reverse


@pytest.mark.parametrize("leaf", [DropLast(), DropFirst()])
def test_one_element_less(leaf):
    assert str(nw.Chain(leaf, input=("n", 3)).plan.outputs["output"]) == "(n - 1, 3)"
    assert nw.Chain(leaf, output=(4, 3)).plan.inputs == {"input": (5, 3)}
    assert unfit(leaf, (1, 3)) == ("it leaves nothing of its input", "at least 2 elements", "1 element")


@pytest.mark.parametrize("leaf", [First(), Last(), DropLast(), DropFirst(), Reverse(), Delay()])
def test_indices_stay_indices(leaf):
    net = nw.initialize(nw.Chain(leaf, nw.Embedding(2), input="n <5>"))
    assert net.plan.arrays["embedding1/weight"].known == (5, 2)
    assert leaf.forward({}, torch.tensor([[1, 2, 3]])).dtype == torch.int64


@pytest.mark.parametrize("leaf", [First(), Last(), Reverse(), Delay()])
def test_a_single_number_is_no_sequence(leaf):
    assert type(leaf).__name__.lower() in message(lambda: nw.Chain(leaf, input=())).lower()


def test_lengths_are_the_examples_own():
    x, length = torch.tensor([[1, 2, 3, 9], [4, 9, 9, 9]]), torch.tensor([3, 1])
    assert Last().forward({}, x, lengths={"n": length}).tolist() == [3, 4]
    assert Reverse().forward({}, x, lengths={"n": length})[:, :3].tolist() == [[3, 2, 1], [4, 9, 9]]
    assert Delay(-1).forward({}, x, lengths={"n": length}).tolist() == [[2, 3, 0, 0], [0, 0, 0, 0]]
    assert Delay(2, fill=7).forward({}, x, lengths={"n": length}).tolist() == [[7, 7, 1, 2], [7, 7, 4, 9]]


def test_shift_refuses():
    assert message(lambda: Delay(0)) == (
        "a delay is by a whole number of positions, not 0\n  where:    Delay\n  got:      0\n  mend:     1"
    )
    assert message(lambda: Delay(fill=0.5).forward({}, torch.tensor([[1, 2]]))) == (
        "indices cannot be filled with what is no whole number\n"
        "  where:    Delay\n"
        "  got:      0.5\n"
        "  mend:     nw.Delay(fill=0), or another index"
    )

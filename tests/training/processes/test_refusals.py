"""What would give other results on several processes is refused, with the place and a mend."""

import pytest
import torch

import netwright as nw
from netwright.errors import TrainingError
from netwright.net.plan.plan import plan_of
from netwright.training.processes.group import Group
from netwright.training.processes.refusals import refuse_own_statistics, refuse_small_batch, refuse_unequal


class Two(Group):
    """Two processes; the second says something of its own."""

    size = 2

    def __init__(self, second: object = None) -> None:
        self.second = second

    def gathered(self, value):
        return [value, self.second]


def test_processes_that_differ_are_refused() -> None:
    refuse_unequal(Two({"data": "4 examples, ab", "seed": "0"}), {"data": "4 examples, ab", "seed": "0"})
    with pytest.raises(TrainingError) as caught:
        refuse_unequal(Two({"data": "5 examples, cd", "batch_size": "4"}), {"data": "4 examples, ab", "seed": "0"})
    assert str(caught.value) == (
        "the processes of this run differ in: data, seed, batch size\n"
        "  where:    process 1 of 2, counted from 0\n"
        "  expected: data: 4 examples, ab; seed: 0; batch_size: none, as in process 0\n"
        "  got:      data: 5 examples, cd; seed: none; batch_size: 4\n"
        "  mend:     the same in every process; each of them must see all data"
    )


def test_a_small_batch_is_refused() -> None:
    refuse_small_batch(Two(), 2)
    with pytest.raises(TrainingError, match="a batch has fewer examples than there are processes"):
        refuse_small_batch(Two(), 1)


def test_statistics_of_foreign_code_are_refused_on_several_processes() -> None:
    net = nw.Chain(nw.BatchNorm(), nw.Module(torch.nn.BatchNorm1d(6), "6 -> 6"), input=6)
    refuse_own_statistics(Group(), plan_of(net), "")
    with pytest.raises(TrainingError) as caught:
        refuse_own_statistics(Two(), plan_of(net), "")
    assert str(caught.value).splitlines() == [
        "this part keeps statistics of each batch, and cannot compute them over several processes",
        "  where:    module1",
        f"  got:      {net['module1']!r}",
        "  mend:     nw.BatchNorm() in its place",
        "  or:       one process, without torchrun",
    ]

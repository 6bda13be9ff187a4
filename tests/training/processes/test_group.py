"""One process alone: it has the whole of every batch, and every value is its own."""

import torch

from netwright.training.batch import Batch
from netwright.training.processes.group import Group


def test_a_process_alone_has_everything() -> None:
    group, batch = Group(), Batch({"input": torch.ones(3, 2)}, torch.arange(3), None)
    part, array = group.part(batch), torch.ones(2)
    group.add(array)
    group.spread([array])
    assert part.batch is batch
    assert (part.share, part.over_processes) == (1.0, None)
    assert (group.agreed("a"), group.gathered("a"), group.highest(3), group.leads) == ("a", ["a"], 3, True)
    assert array.tolist() == [1, 1]
    assert group.placed(torch.device("cuda")) == torch.device("cuda")

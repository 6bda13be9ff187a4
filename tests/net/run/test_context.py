"""Where examples end, by the names of sizes: computed once, for every size that follows from them."""

import torch

from netwright.net.run.context import RunContext
from netwright.sizes.size import named


def test_lengths_of_sizes_that_follow() -> None:
    context = RunContext(lengths={"n": torch.tensor([6, 9])})
    n = named("n")
    found = context.length((n - 4) // 2 + 1)
    assert found is not None
    assert found.tolist() == [2, 3]
    assert context.length((n - 4) // 2 + 1) is found
    assert context.length(7) is None
    assert context.length(named("m")) is None


def test_a_size_of_two_names_needs_both() -> None:
    n, m = named("n"), named("m")
    assert RunContext(lengths={"n": torch.tensor([6, 9])}).length(n + m) is None
    context = RunContext(lengths={"n": torch.tensor([6, 9]), "m": 4})
    found = context.length(n + m)
    assert found is not None
    assert found.tolist() == [10, 13]
    assert context.length(m) is None  # a number: nothing is padded along it


def test_by_the_names_of_a_leaf() -> None:
    context = RunContext(lengths={"n": torch.tensor([6, 9])})
    found = context.lengths_of({"n": named("n"), "s": (named("n"), 3), "d": 5})
    assert found["d"] is None
    assert isinstance(found["s"], tuple)
    assert found["s"][0] is found["n"]
    assert found["s"][1] is None

"""Trial runs: which sizes come out, which axis is the batch axis, and how sizes follow from lengths that vary."""

import pytest
import torch
from torch import Tensor, nn

from netwright.layers.trial import lengths_in, sizes_from_lengths, trial
from netwright.net.leaf import Unfit
from netwright.net.shell import shell, tensors
from netwright.sizes.size import named


def run(module: nn.Module, x: list[Tensor]) -> list[Tensor]:
    return tensors(module(*x), ())


def test_the_batch_axis_of_an_output_is_found() -> None:
    found = trial(shell(nn.LSTM(3, 4, 2, batch_first=True)), run, [((5, 3), False)])
    assert found.shapes == ((5, 4), (2, 4), (2, 4))
    assert found.batch == (0, 1, 1)


def test_indices_and_other_float_types_go_in() -> None:
    assert trial(shell(nn.Embedding(5, 2)), run, [((7,), True)]).shapes == ((7, 2),)
    mixed = nn.Sequential(nn.Linear(2, 2, dtype=torch.float64), nn.Linear(2, 2, dtype=torch.float64))
    assert trial(shell(mixed), run, [((2,), False)]).shapes == ((2,),)


def test_code_that_looks_at_values_runs_on_zeros() -> None:
    found = trial(shell(nn.GaussianNLLLoss(reduction="none")), run, [((3,), False)] * 3)
    assert found.shapes == ((3,),)


def test_what_a_module_raises_is_a_size_that_does_not_fit() -> None:
    with pytest.raises(Unfit) as caught:
        trial(shell(nn.Linear(3, 4)), run, [((2,), False)])
    assert (str(caught.value), caught.value.got) == ("Linear raises RuntimeError for an input of this size", "(2,)")
    with pytest.raises(Unfit) as caught:
        trial(shell(nn.MSELoss()), run, [((2,), False)] * 2)
    assert str(caught.value) == "MSELoss gives nothing for each example: no axis of its output is as long as the batch"
    assert caught.value.got == "() for 2 examples, () for 3"


def test_a_module_that_mixes_examples_is_refused() -> None:
    class Alike(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ x.T

    with pytest.raises(Unfit) as caught:
        trial(Alike(), run, [((3,), False)])
    assert str(caught.value) == (
        "Alike mixes examples: more than one axis of its output follows from how many there are"
    )
    assert caught.value.got == "(2, 2) for 2 examples, (3, 3) for 3"


def test_lazily_sized_arrays_have_shapes_afterwards() -> None:
    lazy = shell(nn.LazyLinear(4))
    found = trial(lazy, run, [((3,), False)])
    assert found.module.weight.shape == (4, 3)
    assert lazy.has_uninitialized_params()


def test_sizes_follow_from_lengths() -> None:
    n, m = named("n"), named("m")
    assert sizes_from_lengths(lambda at: ((5, 2),), ()) == [(5, 2)]
    assert sizes_from_lengths(lambda at: ((2 * at["n"] - 3, 7),), ["n"]) == [(2 * n - 3, 7)]
    assert sizes_from_lengths(lambda at: (((at["n"] - 3) // 2 + 1,),), ["n"]) == [((n - 1) // 2,)]
    assert sizes_from_lengths(lambda at: (((3 * at["n"]) // 4, at["m"]), ()), {"n", "m"}) == [(3 * n // 4, m), ()]
    assert lengths_in((n, 2, m + n)) == {"n", "m"}


def test_a_module_may_ask_for_a_greatest_length() -> None:
    def measure(at: dict[str, int]) -> tuple[tuple[int, ...], ...]:
        if at["n"] > 8:
            raise Unfit("too long")
        return ((at["n"] + 1,),)

    assert sizes_from_lengths(measure, ["n"]) == [(named("n") + 1,)]


def test_sizes_that_do_not_follow_are_refused() -> None:
    with pytest.raises(Unfit) as caught:
        sizes_from_lengths(lambda at: ((at["n"] ** 2,),), ["n"])
    assert str(caught.value) == "the sizes it gives do not follow from n"
    assert caught.value.got == "(576,), (625,), (676,) from n = 24 on"
    with pytest.raises(Unfit) as caught:
        sizes_from_lengths(lambda at: ((at["n"] * at["m"],),), ["n", "m"])
    assert str(caught.value) == "the sizes it gives do not follow from m and n"

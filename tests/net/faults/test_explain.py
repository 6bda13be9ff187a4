"""One root cause is one fault, several are told at once, and the error carries the mended net."""

import pickle
from collections.abc import Callable

import pytest
import torch

import netwright as nw
from netwright.errors import SizeError
from netwright.net.faults.explain import probing


def error_of(make: Callable[[], nw.Net]) -> SizeError:
    with pytest.raises(SizeError) as caught:
        make()
    return caught.value


def test_the_example_of_the_design_to_the_letter() -> None:
    error = error_of(
        lambda: nw.Chain(
            nw.Conv(20, 5),
            nw.relu,
            nw.MaxPool(2),
            500,
            nw.relu,
            nw.Linear(),
            nw.softmax,
            input=nw.Image(28, 28, "gray"),
            output=nw.Category(range(10)),
        )
    )
    lines = str(error).split("\n")
    assert lines[:5] == [
        "the decoder expects one vector, but the net gives a grid of vectors",
        "  where:    softmax1 -> output",
        "  expected: (10,)          Category(range(10))",
        "  got:      (12, 12, 10)   the grid (12, 12) comes from maxpool1; no part removes it",
        "  mend:     nw.Flatten() before linear1          (checked: 1,446,030 parameters)",
    ]
    assert lines[-1] == "  or:       output=nw.Each(nw.Category(range(10))), a class for every position"


def test_the_mended_net_is_there_to_take() -> None:
    error = error_of(lambda: nw.Chain(8, nw.relu, 12, input=4, output=10))
    assert error.mended == nw.Chain(8, nw.relu, nw.Linear(), input=4, output=10)


def test_what_nothing_mends_has_no_mended_net() -> None:
    class Five(nw.Leaf):
        ports = "5 -> 5"

        def forward(self, w: object, x: torch.Tensor) -> torch.Tensor:
            return x

    error = error_of(lambda: nw.Chain(Five(), nw.Flatten(), nw.MaxPool(2), Five(), input=3))
    assert error.where == "input -> five1"
    assert error.mended is None or not error.mended.plan.solution.mismatches


def test_one_input_that_two_leaves_cannot_take_is_one_fault() -> None:
    error = error_of(
        lambda: nw.Graph(
            a=(nw.Conv(4, (3, 3)), "input"), b=(nw.Conv(4, (3, 3)), "input"), sum=(nw.Add(), "a", "b"), input=(9, 9)
        )
    )
    assert len(error.faults) == 1
    assert error.where == "input -> a"
    assert error.mend[0].startswith("input=(9, 9, 1)")


def test_independent_faults_come_together_and_their_mends_fit_together() -> None:
    error = error_of(
        lambda: nw.Chain(
            nw.Conv(8, 9), nw.relu, nw.Flatten(), 12, nw.Residual([16, nw.relu, 5]), input=(6, 6, 1), output=12
        )
    )
    assert [fault.where for fault in error.faults] == ["input -> conv1", "residual1/body/linear2 -> residual1/add"]
    assert all(fault.mend for fault in error.faults)
    assert not error.mended.plan.solution.mismatches


def test_a_fault_that_hides_behind_another_is_not_promised_away() -> None:
    error = error_of(  # once the convolution fits, what the residual part is given does not
        lambda: nw.Chain(
            nw.Conv(8, 9), nw.relu, nw.Flatten(), nw.Residual([16, nw.relu, 5]), 12, input=(6, 6, 1), output=10
        )
    )
    assert error.mended is None
    assert error.faults[1].mend[0] == "nw.Linear() in place of linear1      (checked: this fault goes)"


def test_a_weight_and_a_bias_that_do_not_fit_are_one_fault() -> None:
    part = nw.Linear().with_arrays({"weight": torch.zeros(7, 4), "bias": torch.zeros(7)})
    error = error_of(lambda: nw.Chain(part, input=4, output=9))
    assert len(error.faults) == 1
    assert error.expected == "(7,)   Linear(out) of the kept array linear1/weight (7, 4)"


def test_probing_explains_nothing_and_is_over_afterwards() -> None:
    token = probing.set(True)
    try:
        error = error_of(lambda: nw.Chain(3, input=2, output=4))
    finally:
        probing.reset(token)
    assert str(error) == "this edit does not mend it"
    assert error_of(lambda: nw.Chain(3, input=2, output=4)).mend


def test_the_error_survives_pickling() -> None:
    error = error_of(lambda: nw.Chain(3, input=2, output=4))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def folded(width: int) -> nw.Net:
    """A fold whose state has two numbers, and whose next state has `width`."""
    x, state = nw.Input("input", 3), nw.Input("state", 2)
    return nw.Fold(nw.Graph({"output": nw.Concatenate()(x, state), "state": nw.Linear(width)(x)}))


def two_inputs() -> nw.Net:
    left, right = nw.Input("left", (5, 3)), nw.Input("right", (4, 3))
    return nw.Graph(nw.Map(nw.Graph(nw.Add()(nw.Input("x", 3), nw.Input("y", 3))))(left, right))


@pytest.mark.parametrize(
    ("make", "lines"),
    [
        (
            lambda: nw.Chain(nw.Map(nw.Linear(3)), input=()),
            ["map1 expects (n, ..., in), but the input gives ()", "  where:    input -> map1",
             "  expected: (n, ..., in)   Map(…), which takes n *input"],
        ),
        (
            lambda: folded(4),
            ["the inputs of fold disagree in size", "  where:    fold -> fold",
             "  expected: (4,)   body/linear1 -> fold"],
        ),
        (
            lambda: nw.Chain(nw.Map([nw.Linear(3), nw.Mean(0)]), nw.GRU(4), input=("n", 3)),
            ["gru1 expects a row of vectors, but map1 gives one vector", "  where:    map1 -> gru1"],
        ),
        (two_inputs, ["the inputs of map1 disagree in size", "  where:    right -> map1"]),
        (
            lambda: nw.Chain(nw.Map(nw.softmax), input=("n", 3), output=nw.Category(["a", "b", "c"])),
            ["the decoder expects one vector, but the net gives a row of vectors", "  where:    map1 -> output"],
        ),
    ],
)  # fmt: skip
def test_a_map_and_a_fold_are_called_as_they_were_written(make: Callable[[], nw.Net], lines: list[str]) -> None:
    with pytest.raises(SizeError) as caught:
        make()
    assert str(caught.value).splitlines()[: len(lines)] == lines
    assert "/ " not in str(caught.value) and "Each" not in str(caught.value).partition("mend:")[0]

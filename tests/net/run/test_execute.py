"""Running a plan: dead values dropped, only what is asked computed, precisions and updates told."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise


@pytest.fixture
def net() -> nw.Net:
    return nw.initialize(nw.Chain(4, nw.relu, nw.Linear(3), nw.softmax, input=2))


def test_only_what_is_asked_is_computed(net: nw.Net) -> None:
    plan = plan_of(net)
    built = program_of(plan, [("relu1", "output")])
    assert [instruction.path for instruction in built.instructions] == ["linear1", "relu1"]
    x = torch.randn(3, 2)
    assert torch.equal(built.bind(net.held.arrays)({"input": x})[0], nw.apply(net[:2], {}, x))


def test_every_value_is_dropped_as_soon_as_it_is_dead(net: nw.Net) -> None:
    built = whole_program(net)
    assert [len(instruction.dead) for instruction in built.instructions] == [1, 1, 1, 1]
    kept = program_of(plan_of(net), [("linear1", "output"), ("softmax1", "output")])
    dead = {register for instruction in kept.instructions for register in instruction.dead}
    assert dead.isdisjoint(kept.outputs)


def test_watching_and_not_watching_give_the_same(net: nw.Net) -> None:
    bound, x = whole_program(net).bind(net.held.arrays), torch.randn(3, 2)
    seen: list[str] = []
    context = RunContext(watch=lambda path, values, rows: seen.append(f"{path} {tuple(values[0].shape)}"))
    assert torch.equal(bound({"input": x}, context)[0], bound({"input": x})[0])
    assert seen == ["linear1 (3, 4)", "relu1 (3, 4)", "linear2 (3, 3)", "softmax1 (3, 3)"]


def test_precision_is_lower_but_where_a_leaf_needs_more(net: nw.Net) -> None:
    low = {path: array.bfloat16() for path, array in net.held.arrays.items()}
    kinds: dict[str, torch.dtype] = {}

    def watch(path: str, values: object, rows: object) -> None:
        kinds[path] = values[0].dtype  # type: ignore[index]

    context = RunContext(precision=torch.bfloat16, watch=watch)
    whole_program(net).bind(low)({"input": torch.randn(3, 2)}, context)
    assert kinds == {
        "linear1": torch.bfloat16,
        "relu1": torch.bfloat16,
        "linear2": torch.bfloat16,
        "softmax1": torch.float32,
    }


def test_new_running_arrays_are_told_and_never_written() -> None:
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=2))
    context = RunContext(training=True, noise=Noise(0, 0, torch.arange(8)))
    whole_program(net).bind(net.held.arrays)({"input": torch.randn(8, 2)}, context)
    assert {"batchnorm1/mean", "batchnorm1/variance"} <= context.updates.keys()
    assert not context.updates["batchnorm1/mean"].equal(net.held.arrays["batchnorm1/mean"])
    quiet = RunContext()
    whole_program(net).bind(net.held.arrays)({"input": torch.randn(8, 2)}, quiet)
    assert quiet.updates == {}


def test_a_value_read_twice_lives_until_its_last_reader() -> None:
    class Ends(nw.Leaf):
        ports = "... n -> first: ... 1, last: ... 1"

        def forward(self, w: Mapping[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
            return x[..., :1], x[..., -1:]

    net = nw.Graph(
        ends=(Ends(), "input"),
        sum=(nw.Add(), "ends.first", "ends.last"),
        again=(nw.Multiply(), "sum", "ends.first"),
        input=3,
    )
    assert net((2.0, 0.0, 3.0)).tolist() == [10]
    assert net((2.0, 0.0, 3.0), at="ends.last").tolist() == [3]


def test_a_plain_run_takes_several_outputs_and_ports_that_nothing_feeds() -> None:
    class Ends(nw.Leaf):
        ports = "x: n, gate?: n -> first: n, second: n"

        def forward(self, w: Mapping[str, Tensor], x: Tensor, gate: Tensor | None) -> tuple[Tensor, Tensor]:
            return x + 1, x * 0 if gate is None else gate

    x = torch.randn(3, 2)
    first, second = whole_program(nw.Graph(ends=(Ends(), "input"), input=2)).bind({})({"input": x})
    assert torch.equal(first, x + 1)
    assert not second.any()


def test_a_value_inside_a_map_that_is_changed_and_asked_for_is_changed_once() -> None:
    net = nw.Chain(nw.Map([nw.relu]), input=("n", 2))
    path = "map1/body/relu1" if "map1/body/relu1" in net.paths else "map1/body"
    x = np.ones((3, 2), np.float32)
    changed = {path: lambda h: h + 1}  # pyright: ignore[reportUnknownLambdaType]
    assert net(x, at=path, set=changed).tolist() == net(x, set=changed).tolist() == [[2, 2]] * 3


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_arrays_of_several_types_that_do_not_go_together_are_named(net: nw.Net, kind: torch.dtype) -> None:
    mixed = net.replace("linear2", net.to(dtype=kind)["linear2"])
    name = str(kind).removeprefix("torch.")
    asked = (
        lambda: mixed(torch.ones(2)),
        lambda: nw.gradients(mixed, torch.ones(2), of="linear2", wrt="input"),
        lambda: nw.activations(mixed, torch.ones(2))["softmax1"],
    )
    for ask in asked:
        with pytest.raises(nw.NetError) as error:
            ask()
        assert str(error.value) == (
            "the arrays of this net are of several types of numbers, which a part cannot compute with at once\n"
            "  expected: one type\n"
            f"  got:      float32 in linear1, {name} in linear2\n"
            "  mend:     net.to(dtype=torch.float32)"
        )
    assert mixed.to(dtype=torch.float32)(torch.ones(2)).shape == (3,)

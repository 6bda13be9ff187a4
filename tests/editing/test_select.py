"""Selections: how parts are chosen, looked at and edited; what freezes them; dry runs; laws on random nets."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from messages import message
from netwright.net.part import Net
from random_nets import WIDTH, nets

FEW = settings(max_examples=15, deadline=None)
NET = nw.Chain(
    nw.Linear(4),
    nw.relu,
    nw.Residual([nw.Linear(4), nw.relu, nw.Dropout(0.3)]),
    nw.Dropout(0.5),
    nw.Linear(),
    nw.softmax,
    input=4,
    output=nw.Category(["a", "b", "c"]),
)


def same_memory(before: Net, after: Net) -> None:
    for path, array in after.held.arrays.items():
        if path in before.held.arrays:
            assert array.data_ptr() == before.held.arrays[path].data_ptr(), path


@FEW
@given(nets())
def test_all_parts_replaced_by_themselves_are_the_same_net(net: Net) -> None:
    made = nw.select(net).replace(lambda part: part)
    assert made == net
    assert nw.digest(made) == nw.digest(net)
    same_memory(net, made)


@FEW
@given(nets(), st.data())
def test_an_edit_of_some_parts_leaves_the_arrays_of_the_others_in_the_same_memory(
    net: Net, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from([nw.Linear, nw.Elementwise, nw.LayerNorm]))
    found = nw.select(net, lambda part: isinstance(part, kind), count=None if _has(net, kind) else 0)
    made = found.replace(lambda part: nw.Chain(part, nw.relu))
    assert made.plan.outputs == {"output": (WIDTH,)}
    assert made.plan.arrays.keys() >= made.arrays.keys()
    assert len(made.arrays) == len(net.arrays)
    same_memory(net, made)
    others = found.others
    assert {*found.arrays} | {*others.arrays} == {*net.arrays}


@FEW
@given(nets())
def test_a_part_put_into_a_residual_keeps_its_arrays(net: Net) -> None:
    made = (
        nw.select(net, lambda part: isinstance(part, nw.Leaf) and bool(part.weights())).replace(nw.Residual)
        if (net.arrays)
        else net
    )
    assert sorted(map(tuple, (array.shape for array in made.arrays.values()))) == sorted(
        map(tuple, (array.shape for array in net.arrays.values()))
    )
    assert {array.data_ptr() for array in made.held.arrays.values()} == {
        array.data_ptr() for array in net.held.arrays.values()
    }


def _has(net: Net, kind: Any) -> bool:
    return any(isinstance(net[path], kind) for path in net.paths)


def test_parts_are_chosen_by_kind_part_path_pattern_position_and_question() -> None:
    wanted = {
        nw.Linear: ("linear1", "residual1/body/linear1", "linear2"),
        nw.relu: ("relu1", "residual1/body/relu1"),
        "linear*": ("linear1", "linear2"),
        "*linear1": ("linear1", "residual1/body/linear1"),
        "res*": ("residual1",),
        "residual1/body/dropout1": ("residual1/body/dropout1",),
        -2: ("linear2",),
        nw.Residual: ("residual1",),
        nw.Container: ("residual1/body", "residual1"),
        None: NET.paths,
    }
    assert {what: nw.select(NET, what).paths for what in wanted} == wanted
    small = nw.select(NET, lambda part: isinstance(part, nw.Dropout) and part.rate < 0.4)
    assert small.paths == ("residual1/body/dropout1",)


def test_a_selection_is_looked_at() -> None:
    net = nw.initialize(NET)
    found = nw.select(net, nw.Linear)
    assert len(found) == 3
    assert [part.bare() for part in found.parts] == [nw.Linear(4), nw.Linear(4), nw.Linear()]
    assert torch.equal(found.arrays["linear2/bias"], net.arrays["linear2/bias"])
    assert repr(nw.select(NET, "residual1*")) == "1 of 11 parts\n  residual1  Residual of 2 parts  20 numbers"
    assert found == nw.select(net, nw.Linear)
    many = nw.Chain(*[nw.relu] * 30)
    assert repr(nw.select(many)).splitlines()[-1] == "  and 10 more"


def test_the_others_are_the_outermost_parts_beside() -> None:
    found = nw.select(NET, "residual1/body/linear1")
    assert found.others.paths == (
        "linear1", "relu1", "residual1/body/relu1", "residual1/body/dropout1", "residual1/add", "dropout1", "linear2",
        "softmax1",
    )  # fmt: skip
    assert nw.select(NET, "residual1").others.paths == ("linear1", "relu1", "dropout1", "linear2", "softmax1")
    assert not nw.select(NET).others


def test_what_is_frozen_stays_as_it_is_in_a_training() -> None:
    net = nw.initialize(nw.Chain(body=[nw.Linear(4), nw.BatchNorm(), nw.relu], head=nw.Linear(2), input=3))
    xs = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    ys = np.random.default_rng(1).normal(size=(32, 2)).astype(np.float32)
    frozen = nw.select(net, "head").others.frozen
    assert {*frozen} == {path for path in net.arrays if path.startswith("body/")}
    run = nw.train(net, (xs, ys), learning_rate=frozen, epochs=1, progress=False)
    assert nw.diff(net, run.net.with_input(3)).of("changed") == ("head/weight", "head/bias")
    shared = nw.Shared("a", nw.Linear(3))
    assert [*nw.select(nw.Chain(shared, shared, input=3), nw.Linear).frozen] == ["@a/weight", "@a/bias"]


def test_a_shared_part_is_one_part_and_stays_one() -> None:
    layer = nw.Shared("layer", nw.Linear(4))
    net = nw.initialize(nw.Chain(layer, nw.relu, layer, input=4))
    found = nw.select(net, nw.Linear, count=1)
    made = nw.initialize(found.replace(nw.Linear(4, bias=False)))
    assert [*made.arrays] == ["@layer/weight"]
    assert [*found.replace(nw.Residual).arrays] == ["@layer/body/weight", "@layer/body/bias"]


def test_different_parts_that_share_their_arrays_are_edited_each_by_itself() -> None:
    net = nw.Chain(
        words=nw.Shared("words", nw.Embedding(4)),
        middle=nw.Linear(4),
        head=nw.Shared("words", nw.Linear(bias=False)),
        input="n <7>",
    )
    net = nw.initialize(net)
    assert nw.select(net, nw.Embedding).paths == ("words",)
    assert nw.select(net, nw.Linear).paths == ("middle", "head")
    made = nw.wrap(net, "head", lambda part: nw.Chain(nw.tanh, part))
    assert {*made.arrays} == {"@words/weight", "middle/weight", "middle/bias"}
    same_memory(net, made)
    assert nw.select(net, "head").replace(nw.Linear(3)).arrays.keys() == net.arrays.keys()
    assert nw.select(net, "head").remove().arrays.keys() == net.arrays.keys()


def test_removing_and_setting() -> None:
    net = nw.initialize(NET)
    drops = nw.select(net, nw.Dropout)
    assert not any("dropout" in path for path in drops.remove().paths)
    assert [part.rate for part in nw.select(drops.set(rate=0.1), nw.Dropout).parts] == [0.1, 0.1]  # pyright: ignore
    assert str(nw.diff(net, drops.set(rate=0.3))) == str(nw.diff(net, nw.set(net, {"dropout1.rate": 0.3})))
    assert nw.diff(net, nw.select(net, nw.relu).replace(nw.relu)).equal
    assert drops.remove().history[-1].text == "remove residual1/body/dropout1, dropout1"


def test_a_function_of_torch_stands_for_a_part() -> None:
    for function in (torch.tanh, torch.nn.functional.gelu):
        made = nw.select(NET, nw.relu).replace(function)
        assert made["relu1"] == nw.Elementwise(function)


WRONG: list[tuple[Any, str]] = [
    (
        lambda: nw.select(NET, nw.Conv),
        "no part of this net is of the kind Conv\n  where:    select\n  expected: at least one part",
    ),
    (
        lambda: nw.select(NET, "dropot*"),
        "no part of this net is like 'dropot*'\n  where:    select\n  expected: at least one part\n"
        "  mend:     did you mean 'dropout1'?",
    ),
    (
        lambda: nw.select(NET, nw.Dropout, count=3),
        "2 parts of this net are of the kind Dropout\n  where:    select\n  expected: 3 parts\n"
        "  got:      residual1/body/dropout1, dropout1",
    ),
    (
        lambda: nw.select(NET, nw.relu, count=1),
        "2 parts of this net are equal to relu\n  where:    select\n  expected: 1 part\n"
        "  got:      relu1, residual1/body/relu1",
    ),
    (
        lambda: nw.select(NET, 9),
        "no part stands at position 9\n  expected: -6 to 5: linear1, relu1, residual1, dropout1, linear2, softmax1",
    ),
    (
        lambda: nw.select(NET, torch.nn.Dropout2d),  # pyright: ignore
        "this does not choose parts of a net\n  where:    select\n"
        "  expected: a kind such as nw.Conv, a part, a path or pattern, a position, or a function of a part\n"
        "  got:      <class 'torch.nn.modules.dropout.Dropout2d'>\n  mend:     nw.Dropout(rate, unit=\"feature\")",
    ),
    (
        lambda: nw.select(NET, nw.Dropout).set(rate=2),
        "2 faults\n1. a rate is a share of the values, from 0 up to, not with, 1\n"
        "     where:    residual1/body/dropout1, Dropout\n     got:      2\n"
        "2. a rate is a share of the values, from 0 up to, not with, 1\n"
        "     where:    dropout1, Dropout\n     got:      2",
    ),
    (
        lambda: nw.select(NET, nw.relu).replace(lambda part: None),
        "this cannot be a part of a net\n"
        "  expected: a part, an integer (a Linear that wide), a function of torch, or a list of parts (a Chain)\n"
        "  got:      None",
    ),
    (
        lambda: nw.select(NET).remove(),
        "a net of no parts is no net\n  where:    linear1\n  mend:     net.replace('linear1', part)",
    ),
    (lambda: nw.select(nw.Linear(3)), "a Linear has no parts to select\n  where:    select"),
    (lambda: nw.select(5), "select takes a net\n  got:      5"),  # pyright: ignore
]


@pytest.mark.parametrize(("make", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_is_not_there_or_cannot_be_is_refused(make: Any, text: str) -> None:
    assert message(make) == text

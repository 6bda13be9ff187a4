"""The frozen front of a net: its values are computed once, and the run is the same to the last digits of floats."""

from typing import Any

import pytest
import torch
from tests.training.prepare.tools import options

import netwright as nw
from netwright.training.loop import Loop
from netwright.training.prepare.examples import split_data
from netwright.training.prepare.front import behind_front, frozen_front, whole_net
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import Prepared, prepare
from netwright.training.result import Run, result_of

XS = torch.randn(60, 3, generator=torch.Generator().manual_seed(0)).tolist()
DATA = (XS, ["yes" if sum(x) > 0 else "no" for x in XS])
BODY = nw.Chain(8, nw.tanh, 8, nw.tanh)
HEAD = nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), nw.softmax)
NET = nw.Chain(body=BODY, head=HEAD, input=3, output=nw.Category(["no", "yes"]))
FROZEN = {"body/*": 0, "head/linear1/*": 0.01}


def given(**more: Any) -> Options:
    return options(**{"validation": 20, "epochs": 3, "batch_size": 8, "threads": 1, "learning_rate": FROZEN, **more})


def both(net: nw.Net, own: Options, data: Any = DATA) -> tuple[Prepared, Prepared | None]:
    shared = split_data(net, data, [own])
    assert shared is not None
    whole = prepare(net, shared, own)
    front = frozen_front(whole, own)
    return whole, None if front is None else behind_front(whole, front, own)


def trained(prepared: Prepared) -> Run:
    return result_of(Loop(prepared))


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_run_behind_the_front_is_that_of_the_whole_net(precision: str) -> None:
    whole, behind = both(NET, given(precision=precision))
    assert behind is not None
    assert behind.choices[:-1] == whole.choices
    assert str(behind.choices[-1]) == (
        "frozen front: the first 1 parts (no step changes it, so its values for all examples are computed once)"
    )
    one, other = trained(whole), trained(behind)
    assert one.best == other.best
    close = {"rtol": 1e-5, "atol": 1e-6} if precision == "float32" else {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(torch.tensor(one.losses), torch.tensor(other.losses), **close)
    for a, b in ((one.net, other.net), (one.last, other.last)):
        assert a.plan.outputs == b.plan.outputs and a.held.arrays.keys() == b.held.arrays.keys()
        for path, array in a.arrays.items():
            torch.testing.assert_close(array, b.arrays[path], **close)
    assert torch.equal(one.net.arrays["body/linear1/weight"], other.net.arrays["body/linear1/weight"])


def test_the_front_is_not_computed_again_in_a_step() -> None:
    _, behind = both(NET, given())
    assert behind is not None
    assert [path for path in behind.net_with_loss.paths if "body" in path] == []
    assert {*behind.engine.paths} == {
        f"net/head/{name}" for name in ("linear1/weight", "linear1/bias", "linear2/weight", "linear2/bias")
    }


def test_the_front_ends_where_values_change_or_are_drawn() -> None:
    chain = nw.Chain(*BODY, nw.Dropout(0.1), nw.Linear(8), *HEAD[:1], nw.Linear(), nw.softmax, input=3)
    chain = chain.with_output(nw.Category(["no", "yes"]))
    rates = {"linear1/*": 0, "linear2/*": 0, "linear3/*": 0}
    shared = split_data(chain, DATA, [given(learning_rate=rates)])
    assert shared is not None
    front = frozen_front(prepare(chain, shared, given(learning_rate=rates)), given(learning_rate=rates))
    assert front is not None and front.net.paths == ("linear1", "tanh1", "linear2", "tanh2")


@pytest.mark.parametrize(
    ("net", "rates"),
    [
        (NET, {"head/*": 0}),
        (nw.Chain(nw.Linear(8), nw.BatchNorm(), nw.Linear(), nw.softmax, input=3).with_output(nw.Category()), 0.1),
        (nw.Chain(nw.BatchNorm(), nw.Linear(), nw.softmax, input=3).with_output(nw.Category()), {"batchnorm1/mean": 0}),
        (nw.Chain(nw.tanh, nw.Linear(), nw.softmax, input=3).with_output(nw.Category()), 0.1),
    ],
    ids=["behind", "nothing frozen", "half a batch norm", "no arrays"],
)
def test_there_is_none(net: nw.Net, rates: Any) -> None:
    assert both(net, given(learning_rate=rates))[1] is None


def test_a_frozen_batch_norm_is_a_part_of_the_front() -> None:
    net = nw.Chain(body=nw.Chain(8, nw.BatchNorm(), nw.tanh), head=HEAD, input=3, output=nw.Category(["no", "yes"]))
    net = nw.initialize(net, seed=0)
    far = {
        **net.arrays,
        "body/batchnorm1/mean": torch.full((8,), 0.5),
        "body/batchnorm1/variance": torch.full((8,), 4.0),
    }
    whole, behind = both(net.with_arrays(far), given())
    assert behind is not None
    one, other = trained(whole), trained(behind)
    torch.testing.assert_close(torch.tensor(one.losses), torch.tensor(other.losses), rtol=1e-5, atol=1e-6)


def test_a_dropout_inside_a_frozen_part_drops_nothing() -> None:
    body = nw.Chain(8, nw.tanh, nw.Dropout(0.5), 8, nw.tanh)
    net = nw.Chain(body=body, head=nw.Chain(nw.Linear(), nw.softmax), input=3, output=nw.Category(["no", "yes"]))
    net = nw.initialize(net, seed=0)
    whole, behind = both(net, given(learning_rate={"body/*": 0}))
    assert behind is not None
    one, other = trained(whole), trained(behind)
    torch.testing.assert_close(torch.tensor(one.losses), torch.tensor(other.losses), rtol=1e-5, atol=1e-6)


def test_another_front_is_not_left_out() -> None:
    shared = split_data(NET, DATA, [given()])
    assert shared is not None
    front = frozen_front(prepare(NET, shared, given()), given())
    assert front is not None
    wider = NET.replace("body/linear1", nw.Linear(9))
    assert behind_front(prepare(wider, shared, given()), front, given()) is None
    other = prepare(NET.replace("head/linear1", nw.Linear(9)), shared, given())
    assert behind_front(other, front, given()) is not None


@pytest.mark.parametrize(
    "more",
    [{"learning_rate": 0.1}, {"learning_rate": {"head/*": 0.1}}, {"mixup": 0.2}, {"precision": "float64"}],
    ids=["it learns", "it learns at the rate of all", "mixed examples", "float64"],
)
def test_the_same_front_is_not_left_out_where_a_run_has_other_settings(more: dict[str, Any]) -> None:
    shared = split_data(NET, DATA, [given()])
    assert shared is not None
    filled = nw.initialize(NET, seed=0)
    front = frozen_front(prepare(filled, shared, given()), given())
    assert front is not None
    assert behind_front(prepare(filled, shared, given()), front, given()) is not None
    assert behind_front(prepare(filled, shared, given(**more)), front, given(**more)) is None


def test_of_sequences_of_different_length_there_is_none() -> None:
    net = nw.Chain(nw.Embedding(4), nw.GRU(3), nw.Last(), nw.Linear(), nw.softmax, input=nw.Characters("ab"))
    net = net.with_output(nw.Category())
    data = (["ab", "b", "aab", "ba"] * 5, ["x", "y", "x", "y"] * 5)
    assert both(net, given(validation=4, learning_rate={"embedding1/*": 0}), data)[1] is None


def test_of_pictures_that_vary_there_is_none() -> None:
    pictures = torch.randint(0, 255, (30, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    data = (pictures, ["x", "y"] * 15)
    for vary, found in (((), True), ((nw.Shift(1),), False)):
        net = nw.Chain(nw.Flatten(), 5, nw.relu, nw.Linear(), nw.softmax, input=nw.Image(4, 4, "gray", vary=vary))
        net = net.with_output(nw.Category())
        assert (both(net, given(validation=10, learning_rate={"linear1/*": 0}), data)[1] is not None) == found


def test_of_examples_that_are_mixed_there_is_none() -> None:
    assert both(NET, given(mixup=0.2))[1] is None


def test_the_net_of_a_run_has_all_its_arrays() -> None:
    whole, _ = both(NET, given())
    assert whole_net(whole).held.arrays.keys() == NET.plan.arrays.keys()

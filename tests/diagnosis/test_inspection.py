"""What is seen of the nets of a run on its data: gradients as torch computes them, units, answers."""

import math
from typing import Any

import pytest
import torch
from torch import nn

import netwright as nw
from netwright.diagnosis.inspection import Gradients, Inspection, inspected
from netwright.training.prepare.prepare import prepare
from netwright.training.replay import options_again

XS = torch.randn(80, 3, generator=torch.Generator().manual_seed(0))
LABELS = ["yes" if float(x.sum()) > 0 else "no" for x in XS]
NET = nw.Chain(6, nw.relu, nw.Linear(), nw.softmax, input=3, output=nw.Category(["no", "yes"]))


def seen(net: nw.Net, data: Any, **settings: Any) -> tuple[nw.Run, Inspection]:
    run = nw.train(net, data, **{"epochs": 3, "threads": 1, "progress": False, **settings})
    assert run.start is not None
    return run, inspected(run, prepare(run.start.net, data, options_again(run, run.start, {})))


def test_gradients_are_those_of_torch() -> None:
    net = nw.initialize(NET)
    run, found = seen(net, (XS.tolist(), LABELS), learning_rate=1e-9)
    arrays = net.arrays
    first, second = nn.Linear(3, 6), nn.Linear(6, 2)
    for layer, name in ((first, "linear1"), (second, "linear2")):
        layer.weight.data, layer.bias.data = arrays[f"{name}/weight"], arrays[f"{name}/bias"]
    targets = torch.tensor([["no", "yes"].index(label) for label in LABELS])
    loss = nn.functional.cross_entropy(second(first(XS).relu()), targets)
    loss.backward()
    slopes = [parameter.grad for layer in (first, second) for parameter in layer.parameters()]
    length = math.sqrt(sum(float(slope.square().sum()) for slope in slopes if slope is not None))
    assert found.first.loss == pytest.approx(loss.item(), rel=1e-4)
    assert found.first.length == pytest.approx(length, rel=1e-4)
    assert first.weight.grad is not None
    relative = (first.weight.grad.norm() / first.weight.norm()).item()
    assert found.first.relative["linear1/weight"] == pytest.approx(relative, rel=1e-4)
    assert found.last.length == pytest.approx(found.first.length, rel=1e-3)
    assert run.epochs


def test_the_last_net_has_a_gradient_of_its_own() -> None:
    run, found = seen(NET, (XS.tolist(), LABELS), epochs=40)
    assert found.last.loss < found.first.loss / 2
    assert found.last.length < found.first.length
    assert [*found.first.relative] == ["linear1/weight", "linear2/weight"]
    assert run.net.held.arrays.keys() == NET.plan.arrays.keys()


def test_the_weakest_and_the_strongest() -> None:
    found = Gradients(1.0, 2.0, {"a": 0.1, "b": 0.4, "c": 0.2})
    assert (found.weakest, found.strongest) == (("a", 0.25), "b")
    assert Gradients(1.0, 0.0, {"a": 0.0, "b": 0.0}).weakest == ("a", 1.0)
    assert Gradients(1.0, 2.0, {"a": 0.1}).weakest == ("", 1.0)


def test_dead_units_are_counted() -> None:
    net = nw.initialize(NET).with_arrays({"linear1/bias": [-50.0, -50.0, -50.0, 5.0, 5.0, 5.0]})
    _, found = seen(net, (XS.tolist(), LABELS), learning_rate=1e-9)
    assert found.dead == {"relu1": 0.5}


def test_a_class_that_is_never_given() -> None:
    labels = [*LABELS[:74], *["odd"] * 6]
    net = NET.with_output(nw.Category(["no", "yes", "odd"]))
    _, found = seen(net, (XS.tolist(), labels), epochs=5)
    assert found.unpredicted == {"odd": 6}


def test_the_naive_answer_of_classes_is_their_shares() -> None:
    run, found = seen(NET, (XS.tolist(), LABELS), learning_rate=1e-9)
    share = (LABELS.count("yes") + 1) / (len(LABELS) + 2)
    own = LABELS.count("yes") / len(LABELS)
    naive = -own * math.log(share) - (1 - own) * math.log(1 - share)
    assert found.naive == pytest.approx(run.epochs[-1].loss / naive, rel=1e-4)


def test_the_classes_of_examples_that_are_mixed() -> None:
    plain, mixed = (
        seen(NET, (XS.tolist(), LABELS), validation=20, epochs=5, **more)[1] for more in ({}, {"mixup": 0.2})
    )
    assert plain.unpredicted == mixed.unpredicted == {}
    assert mixed.naive is not None and plain.naive is not None


def test_the_naive_answer_of_numbers_is_the_mean() -> None:
    net = nw.Chain(6, nw.tanh, nw.Linear(), input=3, output=nw.Number())
    run, found = seen(net, (XS.tolist(), [float(x.sum()) for x in XS]), validation=20, epochs=30)
    assert found.naive == pytest.approx(run.epochs[run.best - 1].validation["loss"], rel=0.7)  # targets have spread 1
    assert found.naive is not None and found.naive < 0.5


def test_of_a_loss_of_ones_own_nothing_is_naive() -> None:
    net = nw.Chain(6, nw.tanh, nw.Linear(), input=3, output=nw.Number())
    _, found = seen(net, (XS.tolist(), [float(x.sum()) for x in XS]), loss=nw.MAE())
    assert found.naive is None


OF_TEXT = nw.Chain(nw.Embedding(4), nw.GRU(3), nw.Linear(), nw.softmax)
OF_PICTURES = nw.Chain(nw.Conv(3, 2), nw.BatchNorm(), nw.relu, nw.Dropout(0.2), nw.Flatten(), nw.Linear())
PICTURES = (torch.randn(20, 3, 3, 1), torch.randn(20, 2))
OWN_LOSS = nw.with_loss(nw.Chain(6, nw.relu, nw.Linear(2), input=3), nw.MSE())
TEXT = {"objective": nw.NextElement()}


@pytest.mark.parametrize(
    ("net", "data", "more"),
    [
        (OF_TEXT, ["ab", "b", "aba"] * 5, TEXT),
        (OF_PICTURES.with_input((3, 3, 1)), PICTURES, {"ema": 0.9, "clip": 1.0}),
        (OWN_LOSS, (XS[:20], XS[:20, :2]), {}),
    ],
    ids=["sequences", "batch norm", "a loss of its own"],
)
def test_all_kinds_of_nets_are_seen(net: nw.Net, data: Any, more: dict[str, Any]) -> None:
    _, found = seen(net, data, **more)
    assert found.unpredicted == {}
    assert 0 < found.first.length < 200

"""What a run was made from: texts that are equal for equal runs, in every process, and differ where runs differ."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import TrainingError
from netwright.training.folder.made_from import made_from, refuse_other
from netwright.training.optimizers import optimizer_of
from netwright.training.prepare.options import Options
from netwright.training.prepare.prepare import prepare

XS = torch.arange(24.0).view(12, 2)


def absolute(output, target):
    return (output - target).abs().mean()


def found(net=None, data=None, **more):
    net = net or nw.initialize(nw.Chain(3, nw.Linear(), input=nw.Vector(2), output=nw.Number()))
    given = {"seed": 0, "choices": (), **more}
    options = Options(**{name: given.get(name) for name in Options.__dataclass_fields__})
    return made_from(net, options, prepare(net, data or (XS, XS.sum(1)), options))


def test_equal_runs_are_made_from_the_same() -> None:
    assert found() == found(data=(XS.tolist(), XS.sum(1).numpy().astype(np.float64)))


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("net", {"net": nw.initialize(nw.Chain(3, nw.Linear(), input=nw.Vector(2), output=nw.Number()), seed=1)}),
        ("data", {"data": (XS + 1, XS.sum(1))}),
        ("epochs", {"epochs": 3}),
        ("learning_rate", {"learning_rate": {"linear1": 0.1}}),
        ("optimizer", {"optimizer": optimizer_of(torch.optim.Adam)}),
        ("optimizer", {"optimizer": nw.SGD(momentum=0.5)}),
        ("weights", {"weights": [1.0] * 11 + [2.0]}),
        ("device", {"device": torch.device("cpu")}),
        ("loss", {"loss": nw.MSE()}),
        ("loss", {"loss": absolute}),
    ],
)
def test_what_differs_is_seen(name: str, more: dict[str, object]) -> None:
    one, other = found(), found(**more)
    assert [key for key in one if one[key] != other[key]] == [name]
    assert other == found(**more)
    with pytest.raises(TrainingError, match="the folder has a run of another " + name.replace("_", " ")):
        refuse_other(one, other, "runs/a")

"""What a run was made from: texts that are equal for equal runs, in every process, and differ where runs differ."""

from typing import Any

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
        ("loss", {"loss": nw.MSE()}),
        ("loss", {"loss": absolute}),
    ],
)
def test_what_differs_is_seen(name: str, more: dict[str, object]) -> None:
    one, other = found(), found(**more)
    assert one[name] != other[name]
    with pytest.raises(TrainingError) as caught:
        refuse_other(one, other, more, "runs/a")
    assert caught.value.what == "this call differs from the run in the folder in " + name.replace("_", " ")


def test_a_setting_that_is_not_given_is_not_compared() -> None:
    refuse_other(found(), found(epochs=3), (), "runs/a")


def test_what_is_chosen_and_what_is_given_are_the_same_setting() -> None:
    given: dict[str, Any] = {"optimizer": "adam", "epochs": 2000, "batch_size": 12, "schedule": "warmup-stable-decay"}
    given["device"] = torch.device("cpu")
    refuse_other(found(), found(**given), given, "runs/a")


def test_a_seed_is_named_and_not_the_data_that_follow_from_it() -> None:
    one, other = found(validation=4, seed=1), found(validation=4, seed=2)
    assert one["data"] != other["data"]
    with pytest.raises(TrainingError) as caught:
        refuse_other(one, other, {"seed"}, "runs/a")
    assert str(caught.value) == (
        "this call differs from the run in the folder in seed\n"
        "  where:    runs/a\n"
        "  expected: seed: 1\n"
        "  got:      seed: 2\n"
        "  mend:     another folder for this run\n"
        "  or:       nw.load_run('runs/a'), to look at the run that is there"
    )


def test_a_memory_map_that_changed_is_other_data(tmp_path) -> None:
    def run(xs: torch.Tensor) -> dict[str, str]:
        np.save(tmp_path / "x.npy", xs.numpy())
        return found(data=(np.load(tmp_path / "x.npy", mmap_mode="r"), XS.sum(1)))

    whole, other = run(XS), XS.clone()
    other[7], other[8] = XS[8], XS[7]  # what codecs learn stays the same
    assert run(XS) == whole and run(other)["data"] != whole["data"]

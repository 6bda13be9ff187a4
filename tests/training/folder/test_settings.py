"""Settings in a folder: a call that leaves one out has it, and one that no file holds must be given again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import FileError, TrainingError
from netwright.training.folder.settings import as_plain, choices_from, from_plain, plain_choices
from run_tools import XS, YS, Ends, assert_same, trained


@pytest.mark.parametrize(
    "value",
    [
        3, 0.25, "adam", nw.SGD(momentum=0.5), nw.Adam(beta2=0.9), nw.StepDecay(at=(0.1, 0.9)), nw.NextElement(),
        {"linear1": 0.0, "linear2": 0.01}, {"a": "mse"}, torch.device("cpu"), nw.MSE(),
        {"one": nw.MSE(), "two": nw.MAE()},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_comes_back(value: Any) -> None:
    assert from_plain(json.loads(json.dumps(as_plain(value))), "it") == value


@pytest.mark.parametrize("value", [lambda y, t: y, torch.optim.Adam, [1.0, 2.0], {"one": lambda y, t: y}])
def test_what_no_file_holds(value: Any) -> None:
    assert as_plain(value) is None


@pytest.mark.parametrize(
    "plain", [{"value": "Popen", "fields": {}}, {"net": 1}, {"device": "none"}, {"each": 1}, {"tuple": 1}, {}]
)
def test_a_setting_that_is_damaged(plain: Any) -> None:
    with pytest.raises(FileError, match="the settings of the run are damaged"):
        from_plain(plain, "optimizer")


def test_choices_come_back() -> None:
    settings: list[Any] = [
        (0.01, {"linear1": 0.0}), {True: 5.0, "rare": 2.0}, ["accuracy"], {"*/weight": nw.L2(0.1)}, nw.SGD(),
        {"rates": (0.1, 0.2)}, nw.Alternate({"a": "loss", "b": "loss"}),
    ]  # fmt: skip
    held = [nw.Choice(f"choice {i}", "shown", "why", setting) for i, setting in enumerate(settings)]
    others = [nw.Choice("other", "shown", "why", one) for one in (None, torch.device("cpu"), (0.1, torch.ones(2)))]
    read = choices_from(json.loads(json.dumps(plain_choices([*held, *others]))))
    assert read == tuple(held)
    assert [choice.setting for choice in read] == settings


def test_a_call_may_leave_out_what_the_folder_has(tmp_path: Path) -> None:
    more = {"optimizer": nw.SGD(momentum=0.5), "schedule": "cosine", "seed": 3, "clip": 1.0}
    whole = trained(None, **more)
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, **more, callbacks=[Ends(7, ValueError("no more"))])
    net = nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number())
    assert_same(nw.train(net, (XS, YS), folder=tmp_path, progress=False), whole)


def test_what_must_be_given_again(tmp_path: Path) -> None:
    def absolute(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (output - target).abs().mean()

    def run(**more: Any) -> nw.Run:
        net = nw.Chain(3, nw.relu, nw.Linear(1), input=nw.Vector(4), output=nw.Vector(1))
        return nw.train(net, (XS, YS[:, None]), folder=tmp_path, epochs=1, progress=False, **more)

    whole = run(loss=absolute)
    with pytest.raises(TrainingError) as caught:
        run()
    assert str(caught.value) == (
        "no file can hold the loss of the run in this folder, and this call does not give it\n"
        f"  where:    {tmp_path}\n"
        "  expected: loss=… as in the call that began the run\n"
        f"  mend:     nw.train(…, loss=…, folder={str(tmp_path)!r})"
    )
    assert_same(run(loss=absolute), whole)

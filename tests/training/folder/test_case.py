"""A run that stops for a number that is not finite leaves its batch, with which the same is found again."""

from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import FileError, TrainingError
from netwright.training.culprit import Culprit
from netwright.training.folder.case import Case
from not_finite import BAD, CASES, XS, logarithm


def absolute(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (output - target).abs().mean()


def case_of(folder: Path, net: nw.Net, data: Any, **more: Any) -> tuple[Case, TrainingError]:
    with pytest.raises(TrainingError) as caught:
        nw.train(net, data, folder=folder, epochs=3, batch_size=10, threads=1, progress=False, **more)
    return nw.load_case(folder), caught.value


@pytest.mark.parametrize("name", CASES)
def test_the_same_is_found_again(tmp_path: Path, name: str) -> None:
    net, data, more, (what, path) = CASES[name]
    case, error = case_of(tmp_path, net, data, **more)
    if what:
        assert (case.what, case.path) == (what, path)
    assert case.path in str(error)
    assert case.validating == (name == "validation")
    if case.example is not None:
        assert case.example in case.examples.tolist()
        assert f"example {case.example}" in str(error)
    assert case.replay() == Culprit(case.what, case.path, case.example)  # type: ignore[arg-type]
    assert error.__notes__ == [f"The batch is kept: nw.load_case({str(tmp_path)!r}).replay() computes it again."]


def test_what_it_says(tmp_path: Path) -> None:
    case, _ = case_of(tmp_path, *CASES["loss"][:2])
    (file,) = tmp_path.glob("*.case")
    assert repr(nw.load_case(file)) == repr(case)
    assert repr(case) == f"Case: step {case.step + 1}, the loss is not finite: log1, example 23 of the batch"
    row = case.examples.tolist().index(23)
    assert case.inputs["input"][row] == -1
    assert (case.seed, case.precision, case.weights) == (0, "float32", None)
    assert case.net.paths[-1] == "loss"


def test_what_is_mended_is_found_no_more(tmp_path: Path) -> None:
    case, _ = case_of(tmp_path, *CASES["loss"][:2])
    case.inputs["input"].abs_()
    assert case.replay() is None


def test_a_loss_that_no_file_can_name(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        nw.train(
            logarithm(output=nw.Vector(1, 0.0, 1.0)), (BAD, XS), folder=tmp_path, epochs=1, progress=False,
            loss=lambda output, target: (output - target).abs().mean(),
        )  # fmt: skip
    run = caught.value.run  # type: ignore[attr-defined]
    (said,) = [choice for choice in run.choices if choice.name == "case"]
    assert said.value == "not written"
    assert "a function that cannot be imported cannot be saved" in said.why


def test_a_loss_that_is_a_function(tmp_path: Path) -> None:
    net = logarithm(output=nw.Vector(1, 0.0, 1.0))
    with pytest.raises(TrainingError):
        nw.train(net, (BAD, XS), folder=tmp_path, epochs=1, progress=False, loss=absolute)
    name = f"{absolute.__module__}.absolute"
    case = nw.load_case(tmp_path, functions={name: absolute})
    assert case.replay() == Culprit("loss", "log1", 23)
    with pytest.raises(FileError, match=f"the net uses {name}, and a file never holds code"):
        nw.load_case(tmp_path)


def test_no_case(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        nw.load_case(tmp_path)
    assert str(caught.value) == (
        "no case is in this folder\n"
        f"  where:    {tmp_path}\n"
        "  expected: the folder of a run that stopped since a number was not finite"
    )
    nw.save(nw.Chain(2, input=1), tmp_path / "case-1.case")
    with pytest.raises(FileError, match="this is not the file of a case"):
        nw.load_case(tmp_path)
    (tmp_path / "case-1.case").write_bytes(b"x" * 100)
    with pytest.raises(FileError, match="this is not the file of a case"):
        nw.load_case(tmp_path)
    with pytest.raises(FileError, match="this is not the file of a case"):
        nw.load_case(tmp_path / "none.case")

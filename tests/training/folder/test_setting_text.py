"""The text of a setting: equal for an equal setting in every process, and another one for each other setting."""

import logging
import platform
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from netwright.errors import TrainingError
from netwright.training.folder.made_from import refuse_other
from netwright.training.folder.setting_text import CODE, same_text, setting_text


def absolute(output, target):
    return (output - target).abs().mean()


def code_of(text: str) -> Any:
    names: dict[str, Any] = {"__name__": "notebook", "torch": torch, "np": np}
    exec(text, names)
    return names["loss"]


BODY = "def loss(output, target):\n    return (output - target).abs().mean()\n"
OUTER = "def part(y, t):\n    return (y - t) ** 2\ndef loss(y, t):\n    return A * part(y, t).mean()\n"
OBJECT = (
    "class Loss:\n    def __init__(self, k):\n        self.k = k\n        self.me = self\n"
    "    def of(self, y, t):\n        return self.k * (y - t).abs().mean()\n"
    "    def __call__(self, y, t):\n        return self.of(y, t)\n"
)
INNER = "def made(k):\n    def loss(y, t):\n        return k * (y - t).abs().mean()\n    return loss\n"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (BODY, "\n\n" + BODY, True),  # a cell of a notebook that was run again, with a line before it
        (BODY, BODY.replace("abs", "square"), False),
        (BODY, BODY.replace("output - target", "output - 2 * target"), False),
        ("loss = lambda y, t: (y - t).abs()", "loss = lambda y, t: (y - t).abs()", True),
        ("loss = lambda y, t: (y - t).abs()", "loss = lambda y, t: (y + t).abs()", False),
        (f"{INNER}loss = made(2)", f"{INNER}loss = made(2)", True),
        (f"{INNER}loss = made(2)", f"{INNER}loss = made(3)", False),
        (f"{OUTER}A = 2", f"{OUTER}A = 2", True),
        (f"{OUTER}A = 2", f"{OUTER}A = 3", False),  # a value by name from its module
        (f"{OUTER}A = 2", f"{OUTER}A = 2\nunused = 3", True),
        (f"{OUTER}A = 2", f"{OUTER.replace('** 2', '** 4')}A = 2", False),  # a function that it calls
        (f"{OUTER}A = torch.ones(3)", f"{OUTER}A = torch.ones(3)", True),
        (f"{OUTER}A = torch.ones(3)", f"{OUTER}A = torch.zeros(3)", False),
        (f"{OUTER}A = np.ones(3)", f"{OUTER}A = np.zeros(3)", False),
        (f"{INNER}loss = made(torch.ones(3))", f"{INNER}loss = made(torch.zeros(3))", False),
        (f"{OBJECT}loss = Loss(2)", f"{OBJECT}loss = Loss(2)", True),
        (f"{OBJECT}loss = Loss(2)", f"{OBJECT}loss = Loss(3)", False),
        (f"{OBJECT}loss = Loss(2)", f"{OBJECT.replace('abs', 'square')}loss = Loss(2)", False),
        (f"{OBJECT}loss = Loss(2).of", f"{OBJECT}loss = Loss(2).of", True),
        (f"{OBJECT}loss = Loss(2).of", f"{OBJECT}loss = Loss(3).of", False),
        (f"{OBJECT}loss = torch.nn.HuberLoss(delta=1.0)", f"{OBJECT}loss = torch.nn.HuberLoss(delta=2.0)", False),
        (f"{OBJECT}loss = torch.nn.HuberLoss(delta=1.0)", f"{OBJECT}loss = torch.nn.HuberLoss(delta=1.0)", True),
        ("loss = [lambda y: y]", "loss = [lambda y: y]", True),
        ("loss = [lambda y: y]", "loss = [lambda y: -y]", False),
    ],
)
def test_a_loss_is_known_by_its_code(one: str, other: str, same: bool) -> None:
    assert (setting_text(code_of(one)) == setting_text(code_of(other))) == same


def test_a_partial_is_known_by_what_it_binds() -> None:
    texts = {setting_text(partial(absolute, target=target)) for target in (1, 1, 2)}
    assert len(texts) == 2


def test_code_is_not_compared_between_versions_of_python() -> None:
    text = setting_text(absolute)
    older = text.replace(platform.python_version(), "3.0.0").replace("code ", "code 0")
    refuse_other({"loss": older}, {"loss": text}, {"loss"}, "runs/a")
    with pytest.raises(TrainingError, match="differs from the run in the folder in loss"):
        refuse_other({"loss": older.replace("absolute", "other")}, {"loss": text}, {"loss"}, "runs/a")


def test_functions_that_call_each_other() -> None:
    text = "def loss(y, t):\n    return y if t else other(y)\ndef other(y):\n    return loss(y, 1) + K\nK = {}"
    assert setting_text(code_of(text.format(1))) == setting_text(code_of(text.format(1)))
    assert setting_text(code_of(text.format(1))) != setting_text(code_of(text.format(2)))


@pytest.mark.slow
def test_the_text_is_the_same_in_another_process() -> None:
    code = f"import torch\nfrom netwright.training.folder.setting_text import setting_text\n{OBJECT}A = torch.ones(3)\n"
    code += f"{OUTER}said = setting_text([loss, Loss(loss), {{'a': torch.nn.HuberLoss()}}, {{'b', 'c', 'd'}}])\n"
    there = subprocess.run([sys.executable, "-c", f"{code}print(said)"], capture_output=True, check=True, text=True)
    here: dict[str, Any] = {"__name__": "__main__"}
    exec(code, here)
    assert there.stdout.strip() == here["said"]


LOGGER = logging.getLogger(__name__)


def with_a_logger(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    LOGGER.info("computing")
    return F.mse_loss(output, target)


def test_what_python_and_packages_hold_is_not_compared() -> None:
    before = setting_text(with_a_logger)
    LOGGER.addHandler(logging.NullHandler())
    assert setting_text(with_a_logger) == before


def test_the_arrays_of_a_torch_module_are_compared() -> None:
    def criterion(weight: float) -> torch.nn.Module:
        return torch.nn.CrossEntropyLoss(torch.tensor([1.0, weight]))

    assert setting_text(criterion(2.0)) == setting_text(criterion(2.0)) != setting_text(criterion(3.0))
    assert setting_text(criterion(2.0).forward) != setting_text(criterion(3.0).forward)


def test_the_code_of_each_of_several_functions_is_compared() -> None:
    def text(first: str, second: str, version: str = "3.11.7") -> str:
        codes = (f"{name}: f{CODE}{code} in Python {version}" for name, code in (("a", first), ("b", second)))
        return ", ".join(codes)

    assert same_text(text("01", "02"), text("01", "02"))
    assert not same_text(text("01", "02"), text("01", "03"))
    assert not same_text(text("01", "02"), text("04", "02"))
    assert same_text(text("01", "02"), text("03", "04", "3.12.0rc1+"))
    assert not same_text(text("01", "02"), text("01", "02").replace("b:", "c:"))

"""The recipe of docs/sweeps.md for Optuna runs, where Optuna is installed."""

import re
from pathlib import Path

import pytest

import netwright as nw

PAGE = Path(__file__).parents[1] / "docs" / "sweeps.md"


def test_the_recipe_runs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    (code,) = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    digits = nw.dataset("digits")
    net = nw.Chain(nw.Flatten(), nw.Linear(50), nw.relu, nw.Linear(), nw.softmax)
    net = net.with_input(nw.Image(28, 28, "gray")).with_output(nw.Category(range(10)))
    space = {"nw": nw, "net": net, "digits": digits}
    exec(compile(code, str(PAGE), "exec"), space)
    assert sorted(space["study"].best_params) == ["learning_rate", "linear1.out"]
    states = [trial.state.name for trial in space["study"].trials]
    assert (states.count("COMPLETE"), states.count("PRUNED")) == (2, 6)
    assert "linear1.out" in capsys.readouterr().out

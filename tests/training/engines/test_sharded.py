"""A net of which each process holds a share trains as one process trains it, and its run goes on whichever way."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
import sharded_run
import together
from launch_tools import launched
from netwright.training.interrupts import EXIT
from run_tools import Ends

SCRIPT = Path(sharded_run.__file__)
HALF = "each process holds 1/2 of the net"


def assert_close(found: dict[str, Any], alone: dict[str, Any]) -> None:
    for path, array in alone["arrays"].items():
        assert torch.allclose(torch.tensor(found["arrays"][path]), torch.tensor(array), rtol=0, atol=1e-10), path
    assert found["losses"] == pytest.approx(alone["losses"], abs=1e-10)
    assert len(found["losses"]) >= 20
    for mine, other in zip(found["measured"], alone["measured"], strict=True):
        assert mine == pytest.approx(other, abs=1e-10)
    assert found["ended"] == alone["ended"]


@pytest.mark.slow
def test_two_processes_with_a_share_each_are_as_one(tmp_path: Path) -> None:
    for code, text in launched(2, SCRIPT, str(tmp_path)):
        assert code == 0, text
        assert "Warning" not in text
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    for name, (_, make) in sharded_run.EQUAL.items():
        assert first[name]["sharing"] == HALF
        assert_close(first[name], together.kept(make()))
        assert first[name] == second[name]
    assert first["too large"].startswith(
        "the run does not fit in memory, although each process would hold a share of the net\n"
        "  where:    device 'cpu', 2 processes\n"
    )
    assert first["whole arrays"] == (
        "the net does not fit whole, and this optimizer may need whole arrays\n  where:    optimizer\n"
        "  expected: one of sgd, adam, adamw, rmsprop, lion, which change each weight by itself\n"
        "  got:      Torch(<class 'torch.optim.adagrad.Adagrad'>, 0.01)\n"
        '  mend:     optimizer="adamw"\n  or:       devices with more memory'
    )
    for found in (first, second):
        whole, share = found["whole"], found["share"]
        assert (whole.pop("sharing"), share.pop("sharing")) == ("each process holds the whole net", HALF)
        for name in whole:
            assert share[name] < 0.55 * whole[name], name
            assert whole[name] > 2_000_000, name


def assert_as_never_interrupted(folder: Path) -> None:
    found, alone = nw.load_run(folder), sharded_run.trained_in(None)
    assert_close(together.kept(found), together.kept(alone))
    assert found.ended == "all epochs done"


@pytest.mark.slow
def test_a_run_that_begins_in_shares_goes_on_whole(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    ended = launched(2, SCRIPT, str(folder), "SIGTERM", "200")
    assert [code for code, _ in ended] == [EXIT] * 2, ended
    begun = nw.load_run(folder)
    assert 0 < len(begun.losses) < 24
    assert HALF in [choice.value for choice in begun.choices if choice.name == "sharing"]
    run = sharded_run.trained_in(folder)
    assert "sharing" not in [choice.name for choice in run.choices]
    assert "state of the optimizer" not in [choice.name for choice in run.choices]
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_a_run_that_begins_whole_goes_on_in_shares(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="ended here"):
        sharded_run.trained_in(folder, callbacks=[Ends(10, RuntimeError("ended here"))])
    for code, text in launched(2, SCRIPT, str(folder), "", "0"):
        assert code == 0, text
    assert HALF in [choice.value for choice in nw.load_run(folder).choices if choice.name == "sharing"]
    assert_as_never_interrupted(folder)

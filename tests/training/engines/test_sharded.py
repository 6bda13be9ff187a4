"""A net of which each process holds a share trains as one process trains it, and its run goes on whichever way."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
import sharded_run
import together
from launch_tools import by_torchrun, ended, launched
from netwright.training.interrupts import EXIT
from netwright.training.result import Run
from run_tools import Ends

SCRIPT = Path(sharded_run.__file__)
HALF = "each process holds 1/2 of the net"


def assert_close(found: dict[str, Any], alone: dict[str, Any], most: float = 1e-10) -> None:
    for path, array in alone["arrays"].items():
        assert torch.allclose(torch.tensor(found["arrays"][path]), torch.tensor(array), rtol=0, atol=most), path
    assert found["losses"] == pytest.approx(alone["losses"], abs=most)
    assert len(found["losses"]) >= 20
    for mine, other in zip(found["measured"], alone["measured"], strict=True):
        assert mine == pytest.approx(other, abs=most)
    assert found["ended"] == alone["ended"]


def apart(found: dict[str, Any], run: Run, one_epoch: Run) -> float:
    """How far the weights are from those of a run, against how far it moves them after its first epoch."""
    before, after = one_epoch.last.arrays, run.last.arrays
    learned = [path for path in after if not path.endswith(("mean", "variance", "count"))]
    far = [(torch.tensor(found["arrays"][p]) - after[p]).norm() for p in learned]
    moved = [(before[p] - after[p]).norm() for p in learned]
    return float(torch.stack(far).norm() / torch.stack(moved).norm())


def launched_in(folder: Path, count: int, *words: str) -> list[dict[str, Any]]:
    """What each process has written."""
    for code, text in launched(count, SCRIPT, words[0], str(folder), *words[1:]):
        assert code == 0, text
        assert "Warning" not in text
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]


def test_a_net_in_shares_is_trained_as_in_one_process(tmp_path: Path) -> None:
    first, second = launched_in(tmp_path, 2, "short")
    ((name, run),) = sharded_run.of_kinds(["float32"], ["unequal blocks, batch norm"]).items()
    assert first[name]["sharing"] == [HALF]
    assert_close(first[name], together.kept(run), 1e-5)
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_in_every_precision_shares_are_as_one_process(tmp_path: Path, count: int) -> None:
    first, *others = launched_in(tmp_path, count, "all kinds")
    assert all(other == first for other in others)
    for name, run in sharded_run.of_kinds(sharded_run.PRECISIONS).items():
        assert first[name]["sharing"] == [f"each process holds 1/{count} of the net"]
        if name.startswith("bf16"):
            one_epoch = sharded_run.KINDS[name.removeprefix("bf16, ")](precision="bf16", epochs=1)
            assert apart(first[name], run, one_epoch) < 0.2, name
            assert first[f"whole {name}"]["sharing"] == ["each process holds the whole net"]
            assert_close(first[name], first[f"whole {name}"], 1e-5)
        else:
            assert_close(first[name], together.kept(run), 1e-10 if name.startswith("float64") else 1e-5)


@pytest.mark.slow
def test_two_processes_with_a_share_each_are_as_one(tmp_path: Path) -> None:
    first, second = launched_in(tmp_path, 2, "main")
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
        "  expected: one of sgd, adam, adamw, rmsprop, lion, signsgd, which change each weight by itself\n"
        "  got:      Torch(<class 'torch.optim.adagrad.Adagrad'>, 0.01)\n"
        '  mend:     optimizer="adamw"\n  or:       devices with more memory'
    )
    for found in (first, second):
        whole, share = found["whole"], found["share"]
        padded = 2 * share["weights"]  # of both processes
        assert share.pop("sent") == {"gathered": 2 * padded, "scattered": padded}
        assert whole.pop("sent") == {"gathered": 0, "scattered": 0}
        assert (whole.pop("sharing"), share.pop("sharing")) == ("each process holds the whole net", HALF)
        for name in whole:
            assert share[name] < 0.55 * whole[name], name
            assert whole[name] > 2_000_000, name


def assert_as_never_interrupted(folder: Path) -> None:
    found, alone = nw.load_run(folder), sharded_run.trained_in(None)
    assert_close(together.kept(found), together.kept(alone))
    assert found.ended == "all epochs done"


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (2, 4), (4, 2)])
def test_a_run_in_shares_goes_on_with_another_number_of_processes(tmp_path: Path, before: int, after: int) -> None:
    folder = tmp_path / "run"
    codes = launched(before, SCRIPT, "run", str(folder), "SIGTERM", "200")
    assert [code for code, _ in codes] == [EXIT] * before, codes
    begun = nw.load_run(folder)
    assert 0 < len(begun.losses) < 24
    assert f"each process holds 1/{before} of the net" in [c.value for c in begun.choices if c.name == "sharing"]
    if after == 1:
        run = sharded_run.trained_in(folder)
        assert "sharing" not in [choice.name for choice in run.choices]
    else:
        for code, text in launched(after, SCRIPT, "run", str(folder), "", "0"):
            assert code == 0, text
        run = nw.load_run(folder)
        assert f"each process holds 1/{after} of the net" in [c.value for c in run.choices if c.name == "sharing"]
    assert "state of the optimizer" not in [choice.name for choice in run.choices]
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_torchrun_restarts_a_process_with_a_share_that_was_killed_and_the_run_goes_on(tmp_path: Path) -> None:
    code, text = ended(by_torchrun(SCRIPT, "run", str(tmp_path / "run"), "SIGKILL", "200", restarts=1))
    assert code == 0, text
    assert (tmp_path / "came").exists()  # the signal did come
    assert_as_never_interrupted(tmp_path / "run")


@pytest.mark.slow
def test_data_that_fail_in_a_process_with_a_share_end_all_and_the_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, text = ended(by_torchrun(SCRIPT, "run", str(folder), "raises", "200"))
    assert code == 1, text
    assert "the disk of the second process is gone" in text
    for code, text in launched(2, SCRIPT, "run", str(folder), "", "0"):
        assert code == 0, text
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_a_run_that_begins_whole_goes_on_in_shares(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="ended here"):
        sharded_run.trained_in(folder, callbacks=[Ends(10, RuntimeError("ended here"))])
    for code, text in launched(2, SCRIPT, "run", str(folder), "", "0"):
        assert code == 0, text
    assert HALF in [choice.value for choice in nw.load_run(folder).choices if choice.name == "sharing"]
    assert_as_never_interrupted(folder)

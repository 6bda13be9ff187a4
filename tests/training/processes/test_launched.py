"""Runs on several processes give what one process gives, to the last digits; what would not is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import failing_run
import in_folder
import netwright as nw
import not_finite
import together
from launch_tools import PATIENCE, free_port, launched
from netwright.training.culprit import Culprit
from netwright.training.interrupts import EXIT
from run_tools import Ends

SCRIPT = Path(together.__file__)


def assert_close(found: dict[str, Any], alone: dict[str, Any], most: float) -> None:
    for path, array in alone["arrays"].items():
        assert torch.allclose(torch.tensor(found["arrays"][path]), torch.tensor(array), rtol=0, atol=most), path
    assert found["losses"] == pytest.approx(alone["losses"], abs=most)
    for mine, other in zip(found["measured"], alone["measured"], strict=True):
        assert mine == pytest.approx(other, abs=most)
    assert found["ended"] == alone["ended"]


def assert_as_alone(folder: Path, count: int) -> list[dict[str, Any]]:
    """Run the script in so many processes; compare with this process, and each with the first."""
    said: list[bool] = []
    for code, text in launched(count, SCRIPT, str(folder)):
        assert code == 0, text
        said.append("epoch 1/9" in text)
    assert said == [True] + [False] * (count - 1)  # only the first process speaks
    found = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]
    for cases, most in ((together.EQUAL, 1e-10), (together.CLOSE, 1e-5)):
        for name, make in cases.items():
            assert_close(found[0][name], together.kept(make()), most)
    names = (*together.EQUAL, *together.CLOSE, "stopped", "other data", "small batch", "own statistics")
    assert all(other[name] == found[0][name] for other in found for name in names)
    return found


def test_two_processes_are_as_one_and_refuse_what_would_not_be(tmp_path: Path) -> None:
    first, second = assert_as_alone(tmp_path, 2)
    assert first["stopped"]["ended"] == "interrupted"
    assert 1 <= len(first["stopped"]["losses"]) < 45
    assert first["other data"].startswith("the processes of this run differ in: data\n  where:    process 1 of 2")
    assert first["small batch"] == (
        "a batch has fewer examples than there are processes\n  where:    batch_size\n"
        "  expected: at least 2, one for each process\n  got:      1\n  mend:     batch_size=2, or more\n"
        "  or:       torchrun --nproc-per-node 1 …"
    )
    assert first["own statistics"].startswith(
        "this part keeps statistics of each batch, and cannot compute them over several processes\n"
        "  where:    module1\n"
    )
    assert first["broken"].startswith(
        "another process of this run has ended or does not answer\n  where:    process 0 of 2, counted from 0\n"
    )
    assert "the disk of the second process is gone" in second["broken"]
    assert first["left as it was"]
    assert second["left as it was"]


@pytest.mark.slow
def test_four_processes_are_as_one(tmp_path: Path) -> None:
    assert_as_alone(tmp_path, 4)


def assert_as_never_interrupted(folder: Path) -> None:
    found, alone = nw.load_run(folder), in_folder.trained_in(None)
    assert_close(together.kept(found), together.kept(alone), 1e-10)
    assert found.ended == "all epochs done"


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 3), (2, 4)])
def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path, before: int, after: int) -> None:
    folder, script = tmp_path / "run", Path(in_folder.__file__)
    if before == 1:
        with pytest.raises(RuntimeError, match="ended here"):
            in_folder.trained_in(folder, callbacks=[Ends(20, RuntimeError("ended here"))])
    else:
        ended = launched(before, script, str(folder), "SIGTERM", "200")
        assert [code for code, _ in ended] == [EXIT] * before, ended
    assert 0 < len(nw.load_run(folder).losses) < 48
    ended = launched(after, script, str(folder), "", "0")
    assert [code for code, _ in ended] == [0] * after, ended
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_torchrun_restarts_a_killed_process_and_the_run_goes_on(tmp_path: Path) -> None:
    folder, script = tmp_path / "run", Path(in_folder.__file__)
    ended = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1",
            "--master-port", str(free_port()), str(script), str(folder), "SIGKILL", "200",
        ],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "came").exists()  # the signal did come
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_a_number_that_is_not_finite_is_named_as_on_one_process(tmp_path: Path) -> None:
    for code, text in launched(2, Path(failing_run.__file__), "numbers", str(tmp_path)):
        assert code == 0, text
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first == second
    for name in not_finite.CASES:
        alone = failing_run.said(name, tmp_path / "alone" / name)
        known = nw.load_case(tmp_path / "alone" / name)
        for held in ("whole", "shares"):
            assert first[f"{held}/{name}"] == alone, (held, name)
            case = nw.load_case(tmp_path / held / name)
            assert repr(case) == repr(known)
            assert case.replay() == Culprit(known.what, known.path, known.example)

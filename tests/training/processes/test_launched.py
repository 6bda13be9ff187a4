"""Runs on several processes give what one process gives, to the last digits; what would not is refused."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

import failing_run
import in_folder
import netwright as nw
import not_finite
import together
from kills import until
from launch_tools import by_torchrun, ended, launched
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
    names = (
        *together.EQUAL,
        *together.CLOSE,
        "stopped",
        "other data",
        "other setting",
        "small batch",
        "own statistics",
    )
    assert all(other[name] == found[0][name] for other in found for name in names)
    return found


def test_two_processes_are_as_one_and_refuse_what_would_not_be(tmp_path: Path) -> None:
    first, second = assert_as_alone(tmp_path, 2)
    assert first["stopped"]["ended"] == "interrupted"
    assert 1 <= len(first["stopped"]["losses"]) < 45
    assert first["other data"].startswith("the processes of this run differ in: data\n  where:    process 1 of 2")
    assert first["other setting"].startswith("the processes of this run differ in: batch size\n")
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
        codes = launched(before, script, str(folder), "SIGTERM", "200")
        assert [code for code, _ in codes] == [EXIT] * before, codes
    assert 0 < len(nw.load_run(folder).losses) < 48
    codes = launched(after, script, str(folder), "", "0")
    assert [code for code, _ in codes] == [0] * after, codes
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_torchrun_restarts_a_killed_process_and_the_run_goes_on(tmp_path: Path) -> None:
    code, text = ended(by_torchrun(Path(in_folder.__file__), str(tmp_path / "run"), "SIGKILL", "200", restarts=1))
    assert code == 0, text
    assert (tmp_path / "came").exists()  # the signal did come
    assert_as_never_interrupted(tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_torchrun_that_is_asked_to_end_leaves_a_run_that_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    folder, script = tmp_path / "run", Path(in_folder.__file__)
    process = by_torchrun(script, str(folder), "waits", "200")
    until(lambda: (tmp_path / "came").exists() or process.poll() is not None)
    process.send_signal(number)
    code, text = ended(process)
    assert code != 0, text
    assert 0 < len(nw.load_run(folder).losses) < 48
    for code, text in launched(2, script, str(folder), "", "0"):
        assert code == 0, text
    assert_as_never_interrupted(folder)


@pytest.mark.slow
@pytest.mark.parametrize("at", ["5", "200"])
def test_data_that_fail_in_one_process_end_all_and_the_run_goes_on(tmp_path: Path, at: str) -> None:
    folder, script = tmp_path / "run", Path(in_folder.__file__)
    code, text = ended(by_torchrun(script, str(folder), "raises", at))
    assert code == 1, text
    assert "the disk of the second process is gone" in text
    for code, text in launched(2, script, str(folder), "", "0"):
        assert code == 0, text
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_processes_of_other_versions_do_not_touch_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="ended here"):
        in_folder.trained_in(folder, callbacks=[Ends(20, RuntimeError("ended here"))])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, text = ended(by_torchrun(Path(failing_run.__file__), "versions", str(tmp_path)))
    assert code == 1, text
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    for rank in range(2):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == (
            "the processes of this run differ in: torch\n  where:    process 1 of 2, counted from 0\n"
            f"  expected: torch: {torch.__version__}, as in process 0\n  got:      torch: 1.0\n"
            "  mend:     the same in every process; each of them must see all data"
        )
    in_folder.trained_in(folder)
    assert_as_never_interrupted(folder)


@pytest.mark.slow
def test_processes_with_other_calls_are_refused(tmp_path: Path) -> None:
    for code, text in launched(2, Path(failing_run.__file__), "unequal", str(tmp_path)):
        assert code == 0, text
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    own = "data of another size"
    assert first.pop(own).startswith("another process of this run has ended or does not answer\n")
    assert second.pop(own).startswith("this is not a vector of the right size\n")
    assert first == second
    named = {
        "number of examples": "data",
        "classes": "data",
        "batch_size": "batch size",
        "learning_rate": "learning rate",
    }
    for name in {*failing_run.UNEQUAL} - {own}:
        what = f"the processes of this run differ in: {named.get(name, name)}"
        assert first[name].splitlines()[:2] == [what, "  where:    process 1 of 2, counted from 0"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.json", "1.json"]


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

"""Runs on several processes give what one process gives, to the last digits; what would not is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import together
from launch_tools import launched

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
    for code, text in launched(count, SCRIPT, str(folder)):
        assert code == 0, text
        assert text == ""
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

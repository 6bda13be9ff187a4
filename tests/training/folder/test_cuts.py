"""A run that fails, is interrupted or is killed at any call with which it writes goes on to the same result."""

import os
from pathlib import Path

import pytest

from kills import Children

if os.name == "nt":
    pytest.skip("fork is not there", allow_module_level=True)

EVERY = 7  # calls from one that is tried to the next: to try all 402 takes minutes
WAYS = ("fails", "is interrupted", "is killed")


@pytest.mark.parametrize("how", WAYS)
def test_some_calls(warm: Children, tmp_path: Path, how: str) -> None:
    assert int(warm.run(tmp_path, work="cuts", how=how, begun=False, every=59)) > 2


@pytest.mark.slow
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("how", WAYS)
def test_many_calls(warm: Children, tmp_path: Path, how: str, begun: bool) -> None:
    tried = int(warm.run(tmp_path, work="cuts", how=how, begun=begun, every=EVERY))
    print(f"{tried} calls, at each of which a run {how}")
    assert tried > 20

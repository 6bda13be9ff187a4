"""A run in a folder is never lost: real signals to real processes, at random moments, while it saves too."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from kills import EPOCHS, LONG, SAVING, STEP, WAITING, Children, Shared, fresh, result, until
from netwright.regular import TEMPORARY
from run_tools import trained

if os.name == "nt":
    pytest.skip("signals and fork are others there", allow_module_level=True)


@pytest.fixture(scope="module")
def whole() -> str:
    """What a run says that is never interrupted."""
    return result(trained(None, epochs=EPOCHS))


def heard(warm: Children, number: int, folder: Path, **job: object) -> int:
    """Begin a run, and send it a signal when it waits for one."""
    process = warm.start(folder, **job)
    until(lambda: warm.shared[WAITING] == 1)
    os.kill(process, number)
    return process


def test_a_signal_of_the_system_ends_the_program_and_the_run_goes_on_later(
    warm: Children, whole: str, tmp_path: Path
) -> None:
    for name in ("SIGTERM", "SIGHUP"):
        heard(warm, getattr(signal, name), tmp_path / name, saves=False, step=21)
        assert warm.end() == (143, "")
        assert [file.name for file in sorted((tmp_path / name).glob("checkpoint-*"))][-1:] == [
            "checkpoint-000000000021.run"
        ]
        assert warm.run(tmp_path / name) == whole


def test_ctrl_c_once_gives_the_run(warm: Children, whole: str, tmp_path: Path) -> None:
    heard(warm, signal.SIGINT, tmp_path / "run", saves=False, step=21)
    code, said = warm.end()
    assert (code, said.split()[0]) == (0, "interrupted"), said
    assert warm.run(tmp_path / "run") == whole


def test_ctrl_c_twice_raises_and_nothing_is_lost(warm: Children, whole: str, tmp_path: Path) -> None:
    process = heard(warm, signal.SIGINT, tmp_path / "run", saves=False, step=21, twice=True)
    until(lambda: warm.shared[WAITING] == 2)
    os.kill(process, signal.SIGINT)
    assert warm.end() == (1, "KeyboardInterrupt")
    assert warm.run(tmp_path / "run") == whole


def killed(warm: Children, whole: str, place: Path, count: int, seed: int) -> tuple[int, int]:
    """Kill so many runs, each at a random moment, and let each go on: how many were saving, and left half a file."""
    draw, saving, torn, kills = random.Random(seed), 0, 0, 0
    start = time.monotonic()
    assert warm.run(place / "first") == whole
    longest = time.monotonic() - start
    for number in range(10 * count):
        if kills == count:
            return saving, torn
        folder = place / f"run{number}"
        process = warm.start(folder)
        time.sleep(draw.uniform(0, longest))
        os.kill(process, signal.SIGKILL)
        if warm.end()[0] != -signal.SIGKILL:  # it had ended before
            longest *= 0.9
            continue
        kills += 1
        saving += warm.shared[SAVING] if warm.shared[STEP] else 0
        torn += any(path.name.endswith(TEMPORARY) for path in folder.iterdir()) if folder.exists() else 0
        assert warm.run(folder) == whole, f"kill {kills}, seed {seed}"
        assert not any(path.name.endswith(TEMPORARY) for path in folder.iterdir())
    raise AssertionError(f"only {kills} of {count} runs were killed before they ended")


def test_a_run_that_is_killed_goes_on(warm: Children, whole: str, tmp_path: Path) -> None:
    killed(warm, whole, tmp_path, count=5, seed=0)


@pytest.mark.slow
def test_no_run_of_a_hundred_is_lost(warm: Children, whole: str, tmp_path: Path) -> None:
    saving, torn = killed(warm, whole, tmp_path, count=100, seed=1)
    print(f"100 kills: {saving} while a checkpoint was saved, {torn} of these left half a file")
    assert saving > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_fresh_process_that_is_killed_goes_on(whole: str, tmp_path: Path, seed: int) -> None:
    shared = Shared(tmp_path / "shared")
    process = fresh(tmp_path, tmp_path / "run")
    until(lambda: shared[STEP] > 0)
    time.sleep(random.Random(seed).uniform(0, 0.2))
    process.kill()
    process.communicate(timeout=LONG)
    assert fresh(tmp_path, tmp_path / "run").communicate(timeout=LONG)[0].strip() == whole


@pytest.mark.slow
def test_a_fresh_process_has_the_exit_code_of_one_that_was_asked_to_end(whole: str, tmp_path: Path) -> None:
    shared = Shared(tmp_path / "shared")
    process = fresh(tmp_path, tmp_path / "run", saves=False, step=21)
    until(lambda: shared[WAITING] == 1)
    process.terminate()
    assert process.communicate(timeout=LONG)[1] == ""
    assert process.returncode == 143
    assert fresh(tmp_path, tmp_path / "run").communicate(timeout=LONG)[0].strip() == whole


CELL = """
from pathlib import Path
from kills import EPOCHS, Shared, Waits, result, trained

run = trained(Path({folder!r}), epochs=EPOCHS, callbacks=[Waits(Shared(Path({shared!r})), step=21, twice={twice})])
"""


@pytest.mark.slow
@pytest.mark.parametrize("twice", [False, True])
def test_the_interrupt_of_a_notebook(whole: str, tmp_path: Path, twice: bool) -> None:
    from jupyter_client import KernelManager

    shared, tests = Shared(tmp_path / "shared"), str(Path(__file__).parents[2])
    kernel = KernelManager(kernel_name="python3")
    kernel.start_kernel(env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])})
    client = kernel.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=LONG)
        cell = CELL.format(folder=str(tmp_path / "run"), shared=str(tmp_path / "shared"), twice=twice)
        asked = client.execute(cell)
        until(lambda: shared[WAITING] == 1)
        kernel.interrupt_kernel()
        if twice:
            until(lambda: shared[WAITING] == 2)
            kernel.interrupt_kernel()
        reply = client._recv_reply(asked, timeout=LONG)["content"]
        assert (reply["status"], reply.get("ename")) == (("error", "KeyboardInterrupt") if twice else ("ok", None))
        again = client.execute(
            cell.replace("step=21", "step=0") + "assert result(run) == " + repr(whole), store_history=False
        )
        assert client._recv_reply(again, timeout=LONG)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)

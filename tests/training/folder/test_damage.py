"""Files of a run that are damaged or cut off: an older checkpoint is used and named, or a plain error says so."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import netwright as nw
from netwright.errors import FileError, NetwrightError
from netwright.training.result import Run
from run_tools import Ends, assert_same, trained

FILES = ("checkpoint", "run.json", "log.jsonl", "start.net")


@pytest.fixture(scope="module")
def whole() -> Run:
    return trained(None)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that ended after 7 steps of 12; at least two checkpoints are in it."""
    folder = tmp_path_factory.mktemp("half") / "run"
    with pytest.MonkeyPatch.context() as patched, pytest.raises(ValueError, match="no more"):
        patched.setattr("netwright.training.folder.recorder.CHECKPOINT_SHARE", 1e9)  # a checkpoint after every step
        trained(folder, callbacks=[Ends(7, ValueError("no more"))])
    assert len(list(folder.glob("checkpoint-*"))) >= 2
    return folder


def damages(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """The content with one bit changed, and cut off, each at so many places; also at the first and the last."""
    draw = random.Random(seed)
    for place in [0, len(content) - 1, *(draw.randrange(len(content)) for _ in range(count - 2))]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << draw.randrange(8)
        yield bytes(flipped)
        yield content[:place]


def outcome(act: Callable[[], Run]) -> Run | FileError:
    """A run, or a plain error; any other error fails the test."""
    try:
        return act()
    except FileError as error:
        assert "Traceback" not in str(error)
        return error


def faults(name: str, half: Path, whole: Run, place: Path, count: int) -> dict[str, int]:
    """Damage a file of a run at so many places; how often it went on all the same, and how often an error said it."""
    found = {"went on": 0, "refused": 0}
    file = max(half.glob(f"{name}*"), key=lambda path: path.name)
    before = sorted(half.glob("checkpoint-*"))[-2]
    for number, damaged in enumerate(damages(file.read_bytes(), count, seed=len(name))):
        folder = place / str(number)
        shutil.copytree(half, folder)
        (folder / file.name).write_bytes(damaged)
        read, run = outcome(lambda folder=folder: nw.load_run(folder)), outcome(lambda folder=folder: trained(folder))
        if isinstance(run, FileError):
            found["refused"] += 1
            assert name == "run.json"
            assert isinstance(read, FileError)
        else:
            found["went on"] += 1
            named = [choice for choice in run.choices if choice.name == "checkpoint"]
            assert [choice.value for choice in named] == [f"of step {int(before.stem.split('-')[1])}"] * (
                name == "checkpoint"
            )
            assert all(file.name in choice.why for choice in named)
            assert (run.net, run.last, run.losses) == (whole.net, whole.last, whole.losses)
            if isinstance(read, FileError):
                assert name == "start.net"
            else:
                assert read.losses == whole.losses[: len(read.losses)]
        shutil.rmtree(folder)
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_few_places(half: Path, whole: Run, tmp_path: Path, name: str) -> None:
    faults(name, half, whole, tmp_path, count=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_two_hundred_places(half: Path, whole: Run, tmp_path: Path, name: str) -> None:
    found = faults(name, half, whole, tmp_path, count=200)
    print(f"{name}: 200 bits, 200 cuts; {found['went on']} went on, {found['refused']} were refused")
    assert sum(found.values()) == 400


def test_a_folder_without_a_sound_checkpoint(half: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(half, folder)
    for path in folder.glob("checkpoint-*"):
        path.write_bytes(b"")
    for act in (lambda: trained(folder), lambda: nw.load_run(folder)):
        with pytest.raises(NetwrightError, match=r"no checkpoint that is as it was|no checkpoint of the run is"):
            act()


def test_a_damaged_start_is_written_anew(half: Path, whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(half, folder)
    (folder / "start.net").write_bytes(b"")
    assert_same(trained(folder), whole)
    assert nw.load_run(folder).net == whole.net

"""The files of a run: another run, another program, damage and bad settings are plain errors, and nothing is lost."""

import json
import os
from pathlib import Path

import pytest

import netwright as nw
from netwright.errors import FileError, TrainingError
from netwright.regular import TEMPORARY
from netwright.training.events import Callback, Epoch, Status
from netwright.training.folder import run_folder
from netwright.training.folder.run_folder import _checksum, held_folder, kept_epochs
from run_tools import Ends, trained


def test_another_run_is_refused(tmp_path: Path) -> None:
    trained(tmp_path)
    with pytest.raises(TrainingError) as caught:
        trained(tmp_path, learning_rate=0.1, batch_size=10)
    assert str(caught.value) == (
        "this call differs from the run in the folder in batch size, learning rate\n"
        f"  where:    {tmp_path}\n"
        "  expected: batch_size: 9; learning_rate: 0.0037\n"
        "  got:      batch_size: 10; learning_rate: 0.1\n"
        f"  mend:     folder=nw.fork({str(tmp_path)!r}, batch_size=…, learning_rate=…), to go on from a kept epoch\n"
        "  or:       another folder for this run\n"
        f"  or:       nw.load_run({str(tmp_path)!r}), to look at the run that is there"
    )


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        trained(tmp_path / "file")
    assert str(caught.value) == (f"this is not a folder\n  where:    {tmp_path / 'file'}\n  mend:     another folder=")
    with pytest.raises(FileError, match="the folder is neither empty nor that of a run"):
        trained(tmp_path)


def test_two_programs_do_not_train_in_one_folder(tmp_path: Path) -> None:
    with held_folder(tmp_path), pytest.raises(FileError) as caught:
        trained(tmp_path)
    assert str(caught.value) == (
        "another program trains in this folder\n"
        f"  where:    {tmp_path}\n"
        "  mend:     wait until it has ended\n"
        "  or:       another folder="
    )
    trained(tmp_path)


def test_what_a_killed_program_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / f".checkpoint-000000000003.run.abc{TEMPORARY}"
    left.write_bytes(b"half")
    trained(tmp_path)
    assert not left.exists()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format": 2}, "the run was made by a newer Netwright"),
        ({"format": 2, "more": 1}, "the run was made by a newer Netwright"),
        ({"format": 0}, "the settings of the run are damaged"),
        ({"choices": [1]}, "the settings of the run are damaged"),
        ({"arrays": {"prefix": 1, "kind": "float32"}}, "the settings of the run are damaged"),
        ({"made from": None}, "the settings of the run are damaged"),
        ({"more": 1}, "this is not the folder of a run"),
    ],
)
def test_settings_that_are_none(tmp_path: Path, change: dict[str, object], what: str) -> None:
    trained(tmp_path)
    about = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    del about["checksum"]
    changed = {**about, **change}
    (tmp_path / "run.json").write_text(json.dumps({**changed, "checksum": _checksum(changed)}), encoding="utf-8")
    for act in (lambda: trained(tmp_path), lambda: nw.load_run(tmp_path)):
        with pytest.raises(FileError) as caught:
            act()
        assert caught.value.what == what
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileError, match="the settings of the run cannot be read"):
        trained(tmp_path)


@pytest.mark.parametrize("best", [1, 40, 99])
def test_the_epochs_that_are_kept_are_few_and_evenly_spread(best: int) -> None:
    kept: set[int] = set()
    for number in range(1, 100):
        kept = kept_epochs(sorted({*kept, number}), min(best, number)) & {*kept, number}  # as one file after another
        assert len(kept) <= 10
        assert {number, min(best, number)} <= kept
    assert kept == {1, 17, 33, 49, 65, 81, 97, 99, best}


def test_epochs_of_a_large_net_take_a_limited_room() -> None:
    assert kept_epochs(range(1, 20), best=7, spread=0) == {7, 19}
    assert kept_epochs((), best=0) == {0}


def refused_without_permission(folder: Path) -> None:
    with pytest.raises(FileError) as caught:
        trained(folder)
    assert str(caught.value) == (
        "the folder of the run cannot be made or written to\n"
        f"  where:    {folder}\n"
        "  got:      Permission denied\n"
        "  mend:     another folder="
    )


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refused_without_permission(tmp_path)
    refused_without_permission(tmp_path / "run")


def test_a_system_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_folder.os, "open", refuses)
    refused_without_permission(tmp_path)


def test_a_checkpoint_that_is_foreign_is_left_out_and_named(tmp_path: Path) -> None:
    whole = trained(None)
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path / "a", callbacks=[Ends(7, ValueError("no more"))])
    trained(tmp_path / "b", seed=1)
    foreign = max((tmp_path / "b").glob("checkpoint-*"))
    (tmp_path / "a" / "checkpoint-000000000009.run").write_bytes(foreign.read_bytes())
    nw.save(whole.net, tmp_path / "a" / "checkpoint-000000000010.run")
    run = trained(tmp_path / "a")
    assert (run.losses, run.net) == (whole.losses, whole.net)
    (named,) = [choice for choice in run.choices if choice.name == "checkpoint"]
    assert named.why == (
        "damaged: checkpoint-000000000010.run: this is no checkpoint of the run; "
        "checkpoint-000000000009.run: this is no checkpoint of the run"
    )


@pytest.mark.parametrize("count", [15_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_run_of_many_epochs_is_kept(tmp_path: Path, count: int) -> None:
    """The header of a checkpoint has a limit, which a run of 12,000 epochs would pass if it held them."""

    class Many(Callback):
        def on_step(self, status: Status) -> None:
            if status.step == 4:
                status.losses[:0] = [0.25] * count
                status.done[:0] = [Epoch(i, i / 3, {"loss": 1 / i}, 0.1, 0.5, 9.0, i) for i in range(1, count + 1)]

    run = trained(tmp_path, epochs=count + 2, callbacks=[Many()])
    read = nw.load_run(tmp_path)
    assert read.epochs == run.epochs
    assert read.losses == run.losses
    newest = max(tmp_path.glob("checkpoint-*")).read_bytes()
    assert int.from_bytes(newest[:8], "little") < 10_000


def test_checkpoints_without_the_settings_are_named(tmp_path: Path) -> None:
    trained(tmp_path)
    (tmp_path / "run.json").unlink()
    with pytest.raises(FileError) as caught:
        trained(tmp_path)
    assert str(caught.value) == (
        "the folder has checkpoints of a run, but not its run.json, which says what they are\n"
        f"  where:    {tmp_path}\n"
        "  expected: run.json beside the checkpoints\n"
        "  mend:     another folder="
    )

"""The files of a run in its folder: what it was made from, checkpoints, a log. Each is whole, or as it was before."""

import hashlib
import json
import math
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from netwright.around import around
from netwright.errors import FileError
from netwright.file.array_file import ArrayFile, read_arrays, read_header
from netwright.file.format import CHECKPOINT_FILE, DTYPES
from netwright.file.save import save
from netwright.net.part import Net
from netwright.regular import TEMPORARY, opened, text_of, write_all, write_file
from netwright.training.events import Choice
from netwright.training.folder.made_from import SETTINGS, refuse_other
from netwright.training.folder.settings import choices_from, plain_choices
from netwright.training.prepare.prepare import Prepared
from netwright.training.snapshot import Snapshot
from netwright.training.start import Start
from netwright.value import Value

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

FORMAT = 1  # raised when an older Netwright could not go on in the folder
ABOUT, LOG, START, LOCK = "run.json", "log.jsonl", "start.net", ".lock"
CHECKPOINT = re.compile(r"checkpoint-([0-9]+)(?:-epoch-([0-9]+))?\.run")  # the step, and the epoch that ended there
KEPT = 2  # checkpoints: the newest, and the one before in case the newest is damaged
SPREAD = 8  # epochs that are kept besides the best and the last
ROOM = 8 << 30  # bytes that these may take on the disk
WHY_KEPT = (
    "checkpoints, kept epochs and the page take at most 3% of the time of a run of a minute or more; "
    "the same call goes on from the newest checkpoint, and nw.fork from a kept epoch"
)
CHOICE = {"name", "value", "why", "setting"}
KINDS = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES.values() if dtype.is_floating_point}


class Checkpoint(Value):
    """A file with the state of a run after a step; `epoch` is the one that ended there, or 0."""

    path: Path
    step: int
    epoch: int


HELD: set[int] = set()  # the locks of the folders in which this program trains


def _free_in_child() -> None:
    """A process that reads data for a run does not hold the run's folder, if it lives a little longer than the run."""
    for lock in HELD:
        os.close(lock)
    HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_in_child)


class RunFolder:
    """The files of one run.

    Fields:
        path: the folder.
        about: what run.json says, read from the folder if it is not given; empty before the run begins.
    """

    def __init__(self, path: Path, about: dict[str, Any] | None = None) -> None:
        self.path = path
        self.about: dict[str, Any] = _about(path) if about is None else about

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the run chose when it began, so that it goes on with the same; without those that no file can hold."""
        return choices_from(self.about.get("choices", ()))

    @property
    def ended(self) -> str:
        """Why the run ended; empty while it can go on."""
        return self.about.get("ended", "")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that were given when the run began, as JSON; None for one that no file holds."""
        return self.about.get("settings", {})

    @property
    def choice(self) -> Choice:
        """Where the run is kept."""
        return Choice("folder", os.fspath(self.path), WHY_KEPT)

    def named(self, choices: Sequence[Choice]) -> tuple[Choice, ...]:
        """The choices of a checkpoint with the path that the folder has now, since it may have been moved."""
        return tuple(self.choice if one.name == "folder" and one.why == WHY_KEPT else one for one in choices)

    def started(self, start: Start) -> Start:
        """The same start as the call that began the run says it; of a fork, also where it begins."""
        forked = self.about["forked"]
        where = {"forked": f"from {forked['from']}"} if forked else {}
        return replace(start, made_from={**self.about["made from"], **where}, versions=self.about["versions"])

    def begin(self, start: Start, settings: Mapping[str, Any], prepared: Prepared) -> None:
        """Begin a run in an empty folder, or go on with the run that is there.

        Fields:
            start: what the run begins with.
            settings: those that this call gives; the others are as the run in the folder has them.

        Raises: TrainingError for the folder of another run; FileError where it cannot be written.
        """
        if self.about:
            refuse_other(self.about["made from"], start.made_from, settings, os.fspath(self.path))
            self._mend_start(prepared.net)
            return
        self.refuse_foreign()
        paths = {"prefix": prepared.prefix, "kind": str(prepared.kind).removeprefix("torch.")}
        self.about = {
            "format": FORMAT, "made from": dict(start.made_from), "settings": dict(settings), "arrays": paths,
            "choices": plain_choices(prepared.choices), "versions": dict(start.versions), "forked": {}, "ended": "",
        }  # fmt: skip
        save(prepared.net, self.path / START)
        self._write_about()

    def end(self, why: str) -> None:
        """Say that the run has ended, so that the next call gives it back."""
        self.about["ended"] = why
        self._write_about()

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints, the newest first."""
        names = ((path, CHECKPOINT.fullmatch(path.name)) for path in self.path.iterdir())
        found = [Checkpoint(path, int(name[1]), int(name[2] or 0)) for path, name in names if name is not None]
        return sorted(found, key=lambda one: (one.step, one.epoch), reverse=True)

    def epochs(self) -> dict[int, Path]:
        """The checkpoints of epochs that are kept, by their numbers."""
        return {one.epoch: one.path for one in reversed(self.checkpoints()) if one.epoch}

    def save(self, snapshot: Snapshot, step: int, epoch: int = 0) -> None:
        """Write a checkpoint, and remove those that are no longer needed; `epoch` is the one that ended there, if any.

        Raises: FileError where it cannot be written; those before stay as they were.
        """
        target = self.path / (f"checkpoint-{step:012d}" + (f"-epoch-{epoch:04d}" if epoch else "") + ".run")
        made = ArrayFile.of({"snapshot": dict(snapshot.plain), "run": self._name()}, snapshot.arrays)
        made.write(target, "the checkpoint", target)
        kept = kept_epochs([*self.epochs()], snapshot.plain["kept"]["epoch"], min(SPREAD, ROOM // made.size))
        for old in self.checkpoints()[KEPT:]:
            if old.epoch not in kept:
                old.path.unlink(missing_ok=True)

    def newest(self) -> tuple[Snapshot | None, list[str]]:
        """The newest checkpoint that is as it was written, and what is wrong with those that are not."""
        damaged: list[str] = []
        for one in self.checkpoints():
            try:
                return self.read(one.path), damaged
            except OSError as error:
                damaged.append(f"{one.path.name}: {error.what if isinstance(error, FileError) else error}")
        return None, damaged

    def read(self, path: Path) -> Snapshot:
        """The snapshot in a checkpoint.

        Raises: FileError where it is not as it was written, or of another run; OSError as `open` does.
        """
        with opened(path) as file:
            content, entries = read_header(cast(Any, file), CHECKPOINT_FILE)
            if content.get("run") != self._name():
                raise FileError(what="this is no checkpoint of the run", where=os.fspath(path))
            return Snapshot(read_arrays(cast(Any, file), content, entries), content["snapshot"])

    def _name(self) -> str:
        """What tells the checkpoints of this run from those of another."""
        return _checksum(self.about["made from"])

    def log(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Add lines to the log, or leave it as it was.

        Raises: FileError where it cannot be written.
        """
        content = "".join(json.dumps(_finite(line), allow_nan=False) + "\n" for line in lines).encode()
        try:
            with open(self.path / LOG, "ab", buffering=0) as file:
                before = os.fstat(file.fileno()).st_size
                try:
                    write_all(file, content)
                except BaseException:
                    with suppress(OSError):
                        file.truncate(before)  # else a part of the lines would stand there twice
                    raise
        except OSError as error:
            raise FileError(
                what="the log cannot be written", where=os.fspath(self.path / LOG), got=error.strerror or ""
            ) from None

    def cut_log(self, step: int) -> None:
        """Leave out the lines after a step, from which the run goes on.

        Raises: FileError where the log cannot be read or written.
        """
        path = self.path / LOG
        if not path.exists():
            return
        try:
            with opened(path) as file:
                text = file.read().decode("utf-8", "replace")  # a damaged line is left out
        except OSError as error:
            raise FileError(what="the log cannot be read", where=os.fspath(path), got=error.strerror or "") from None
        kept = [line for line in text.splitlines(keepends=True) if _step_of(line) <= step]
        write_file(path, "".join(kept), "the log")

    def copy_beginning(self, other: "RunFolder", step: int) -> None:
        """Copy from another folder the net before the run, and the log up to a step, as far as they are there.

        Without them the run is the same: the next call of `nw.train` has the net, and the log only says what was.
        """
        for name in (START, LOG):
            with suppress(FileNotFoundError), opened(other.path / name) as file:
                write_file(self.path / name, file.read(), name)
        self.cut_log(step)

    def _mend_start(self, net: Net) -> None:
        """Write the net before the run anew where its file is damaged: it is the net of this call."""
        if not self.start_is_whole():
            with suppress(OSError):
                save(net, self.path / START)

    def start_is_whole(self) -> bool:
        """Whether the file of the net before the run is as it was written."""
        try:
            with opened(self.path / START) as file:
                read_arrays(cast(Any, file), *read_header(cast(Any, file), CHECKPOINT_FILE))
            return True
        except OSError:
            return False

    def refuse_foreign(self, begun: bool = False) -> None:
        """Refuse a folder that has something else in it; `begun`: it may have a run whose first files were written.

        Raises: FileError.
        """
        if not begun and self.checkpoints():
            raise FileError(
                what=f"the folder has checkpoints of a run, but not its {ABOUT}, which says what they are",
                where=os.fspath(self.path),
                expected=f"{ABOUT} beside the checkpoints",
                mend="another folder=",
            )
        ours = {LOG, START, LOCK}  # of a run that was killed before it had begun
        for entry in self.path.iterdir():
            checkpoint = begun and CHECKPOINT.fullmatch(entry.name) is not None
            if entry.name not in ours and not checkpoint and not _is_temporary(entry):
                raise FileError(
                    what="the folder is neither empty nor that of a run" if not begun else "the folder is not empty",
                    where=os.fspath(self.path),
                    expected="an empty folder, or a name that does not exist",
                    mend="another folder=" if not begun else "into=, another folder",
                )

    def refuse_empty(self) -> None:
        """Refuse a folder without a run.

        Raises: FileError.
        """
        if not self.about:
            raise FileError(
                what="no run is in this folder",
                where=os.fspath(self.path),
                expected=f"a folder that nw.train(…, folder=…) wrote, with {ABOUT}",
            )

    def become(self, about: Mapping[str, Any], snapshot: Snapshot, step: int, epoch: int) -> None:
        """Make the folder that of a run with this checkpoint; what makes it one is written last."""
        self.about = dict(about)
        self.save(snapshot, step, epoch)
        self._write_about()

    def _write_about(self) -> None:
        content = {**self.about, "checksum": _checksum(self.about)}
        write_file(self.path / ABOUT, json.dumps(content, indent=1, allow_nan=False) + "\n", "the run's settings")


def kept_epochs(numbers: Sequence[int], best: int, spread: int = SPREAD) -> set[int]:
    """The epochs that are kept: the best, the last, and of all at most `spread`, evenly.

    They are the first in each stretch of 1, 2, 4, 8, … epochs, so those of a longer run are some of a shorter one's.
    """
    found, stretch = dict[int, int](), 1
    while True:
        found = {(number - 1) // stretch: number for number in sorted(numbers, reverse=True)}
        if len(found) <= spread:
            return {*found.values(), best, *sorted(numbers)[-1:]}
        if len(found) == 1:
            return {best, *sorted(numbers)[-1:]}
        stretch *= 2


@around
def held_folder(path: Path) -> Generator[RunFolder]:
    """The folder of a run, made if it is not there, into which no other program writes in the meantime.

    What a killed program left half written is removed. Systems without such locks keep nobody out.

    Raises: FileError where another program trains there, and where no folder can be made or written to.
    """
    if path.exists() and not path.is_dir():
        raise FileError(what="this is not a folder", where=os.fspath(path), mend="another folder=")
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise FileError(
            what="the folder of the run cannot be made or written to",
            where=os.fspath(path),
            got=error.strerror or "",
            mend="another folder=",
        ) from None
    try:
        _hold(lock, path)
        for entry in path.iterdir():
            if _is_temporary(entry):
                entry.unlink(missing_ok=True)
        yield RunFolder(path)
    finally:
        HELD.discard(lock)
        os.close(lock)  # which frees it


def _hold(lock: int, path: Path) -> None:
    """Hold a lock, which the system frees when this program ends, however it ends."""
    if fcntl is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        HELD.add(lock)
    except OSError:
        raise FileError(
            what="another program trains in this folder",
            where=os.fspath(path),
            mend=("wait until it has ended", "another folder="),
        ) from None


def _about(path: Path) -> dict[str, Any]:
    """What run.json says, or nothing where there is none.

    Raises: FileError for a file that is no run's, or of a newer Netwright.
    """
    try:
        found: Any = json.loads(text_of(path / ABOUT))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise FileError(what="this is not a folder", where=os.fspath(path), mend="another folder=") from None
    except (OSError, ValueError) as error:
        raise FileError(
            what="the settings of the run cannot be read", where=f"{path / ABOUT}", got=str(error)
        ) from None
    about = cast(dict[str, Any], found) if isinstance(found, dict) else {}
    number = about.get("format")
    if type(number) is int and number > FORMAT:  # its other entries may be others, too
        raise FileError(
            what="the run was made by a newer Netwright",
            where=f"{path / ABOUT}",
            expected=f"format {FORMAT}",
            got=f"format {number}",
            mend="pip install --upgrade netwright",
        )
    keys = {"format", "made from", "settings", "arrays", "choices", "versions", "forked", "ended", "checksum"}
    if set(about) != keys:
        raise FileError(
            what="this is not the folder of a run", where=f"{path / ABOUT}", expected=", ".join(sorted(keys))
        )
    if about.pop("checksum") != _checksum(about) or not _is_about(about):
        raise FileError(what="the settings of the run are damaged", where=f"{path / ABOUT}", mend="another folder=")
    return about


def _checksum(about: Mapping[str, Any]) -> str:
    """A digest of the settings: a bit that changed on the disk could else be another learning rate."""
    read = json.loads(json.dumps(about))  # in which the names in a dict are texts
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def _is_about(found: Mapping[str, Any]) -> bool:
    """Whether every value has the form in which it is written."""
    arrays, choices = found["arrays"], found["choices"]
    return (
        found["format"] == FORMAT
        and isinstance(found["ended"], str)
        and isinstance(found["forked"], dict)
        and all(isinstance(found[name], dict) for name in ("made from", "versions"))
        and all(isinstance(text, str) for name in ("made from", "versions") for text in found[name].values())
        and isinstance(found["settings"], dict)
        and {*cast(dict[str, Any], found["settings"])} <= {*SETTINGS}
        and isinstance(arrays, dict)
        and isinstance(arrays.get("prefix"), str)  # pyright: ignore[reportUnknownMemberType]
        and arrays.get("kind") in KINDS  # pyright: ignore[reportUnknownMemberType]
        and isinstance(choices, list)
        and all(isinstance(c, dict) and set(c) == CHOICE for c in choices)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    )


def _finite(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line as JSON can hold it: null for a figure that is infinite or no number, as a squared error may be."""
    return {
        name: _finite(cast(Mapping[str, Any], value))
        if isinstance(value, Mapping)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in line.items()
    }


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(TEMPORARY)


def _step_of(line: str) -> float:
    """The step of a line of the log; a line that was cut off when the program was killed is after every step."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")

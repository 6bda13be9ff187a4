"""Failures of the calls with which a run writes, and disks that refuse for a while; tried in children of `kills`."""

import builtins
import contextlib
import errno
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import netwright as nw
from kills import result
from netwright import regular
from netwright.errors import FileError
from netwright.file import array_file
from netwright.regular import TEMPORARY
from netwright.training.events import Callback, Status
from netwright.training.folder import recorder, run_folder
from run_tools import Ends, trained

CLOSED, OPEN = 6, 9  # after these of 12 steps the disk refuses, and takes again
SHARES = ("CHECKPOINT_SHARE", "EPOCH_SHARE", "VIEW_SHARE")
KILLED = 9
NOBODY = 65534  # a user without rights


class Calls:
    """Counts the calls with which a run writes into a folder, and fails at one of them.

    A call of `write` counts twice: it may fail before its first byte, and after half of them.
    """

    def __init__(self, folder: Path, at: int, fail: Callable[[], None]) -> None:
        self.folder, self.at, self.fail, self.count = str(folder), at, fail, 0

    def reached(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.fail()

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(first: Any, *more: Any, **named: Any) -> Any:
            if isinstance(first, int) or os.fspath(first).startswith(self.folder):
                self.reached()
            return call(first, *more, **named)

        return counts

    def write_all(self, file: Any, piece: bytes | memoryview) -> None:
        whole = memoryview(piece)
        self.reached()
        write_all(file, whole[: len(whole) // 2])
        self.reached()
        write_all(file, whole[len(whole) // 2 :])

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        with contextlib.ExitStack() as patched:
            for name in ("open", "mkdir", "fsync", "replace", "unlink"):
                patched.enter_context(mock.patch.object(os, name, self.counted(getattr(os, name))))
            patched.enter_context(mock.patch.object(builtins, "open", self.counted(open)))
            for module in (regular, array_file, run_folder):
                patched.enter_context(mock.patch.object(module, "write_all", self.write_all))
            yield


write_all = regular.write_all


def failed() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def interrupted() -> None:
    raise KeyboardInterrupt


def killed() -> None:
    os._exit(KILLED)


def small(folder: Path | None, **more: Any) -> str:
    """What a run of 4 steps in 2 epochs says."""
    return result(trained(folder, epochs=2, batch_size=18, **more))


def breaks_off(folder: Path, at: int, how: str) -> bool:
    """Whether a run had so many calls that it failed at this one."""
    calls = Calls(folder, at, {"fails": failed, "is interrupted": interrupted, "is killed": killed}[how])

    def run() -> None:
        with calls.heard(), contextlib.suppress(FileError, KeyboardInterrupt):
            small(folder)

    if how != "is killed":
        run()
        return calls.count >= at
    number = os.fork()
    if number == 0:
        code = 1
        try:
            run()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def cuts(folder: str, how: str, begun: bool, every: int) -> str:
    """Let a run fail at every call, or at some, and go on; how often. `begun`: the run goes on after step 3 then."""
    for share in SHARES:
        setattr(recorder, share, 1e9)  # all is written after every step and epoch
    whole, half = small(None), Path(folder) / "half"
    if begun:
        with contextlib.suppress(ValueError):
            small(half, callbacks=[Ends(3, ValueError("no more"))])
    for tried, at in enumerate(range(1, 10_000, every)):
        place = Path(folder) / str(at)
        if begun:
            shutil.copytree(half, place)
        if not breaks_off(place, at, how):
            return str(tried)
        assert small(place) == whole, f"{how} at call {at}"
        assert not [path for path in place.iterdir() if path.name.endswith(TEMPORARY)]
        shutil.rmtree(place)
    raise AssertionError("a run of 4 steps has fewer calls")


class Disk(Callback):
    """Lets a disk refuse from one step on until another; keeps what the checkpoints were in the meantime."""

    def __init__(self, folder: Path, close: Callable[[], None], open_again: Callable[[], None]) -> None:
        self.folder, self.acts = folder, {CLOSED: close, OPEN: open_again}
        self.seen: list[dict[str, bytes]] = []

    def on_step(self, status: Status) -> None:
        if CLOSED <= status.step <= OPEN:
            self.seen.append({path.name: path.read_bytes() for path in self.folder.glob("checkpoint-*")})
        self.acts.get(status.step, lambda: None)()


def refused_for_a_while(disk: Disk) -> str:
    """What a run says whose disk refuses for a while, if nothing of it is lost."""
    folder, whole = disk.folder, trained(None)
    with contextlib.ExitStack() as patched:
        for share in SHARES:
            patched.enter_context(mock.patch.object(recorder, share, 1e9))
        run = trained(folder, callbacks=[disk])
    assert (run.losses, run.net, run.last) == (whole.losses, whole.net, whole.last)
    (said,) = [choice for choice in run.choices if (choice.name, choice.value) == ("folder", "not written")]
    begin = f"from step {CLOSED} on: "
    assert said.why.startswith(begin)
    first, *others = disk.seen
    assert first
    assert all(other == first for other in others)
    read = nw.load_run(folder)  # the saves after it succeed
    assert (read.losses, read.net, read.last, read.ended) == (run.losses, run.net, run.last, "all epochs done")
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [line for line in map(json.loads, lines) if "number" not in line]
    assert [line["step"] for line in steps] == [*range(1, 13)]
    assert result(trained(folder)) == result(run)
    return said.why.removeprefix(begin)


def limited(folder: str) -> str:
    """A run whose files may have at most 1,000 bytes for a while."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

    return refused_for_a_while(Disk(Path(folder), lambda: limit(1000), lambda: limit(most)))


def forbidden(folder: str) -> str:
    """A run of another user than root, whose folder may not be written for a while."""
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    place = Path(folder)
    return refused_for_a_while(Disk(place, lambda: place.chmod(0o555), lambda: place.chmod(0o755)))

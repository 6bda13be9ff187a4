"""Runs in children that are killed: a warm process forks each one, so that a start takes milliseconds, not seconds."""

import contextlib
import hashlib
import importlib
import json
import mmap
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import netwright as nw
from netwright.training.events import Callback, Choice, Status
from netwright.training.folder import recorder
from netwright.training.folder.run_folder import RunFolder
from netwright.training.result import Run
from run_tools import trained, without_folder

LONG = 120.0  # seconds after which a test fails; far more than a busy machine needs
STEP, SAVING, WAITING = 0, 1, 2  # the bytes that a child shares with its test
EPOCHS = 8  # of 4 steps


class Shared:
    """A few bytes in a file that a child writes and its test reads, also after the child was killed."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(3))
        with open(path, "r+b") as file:
            self.bytes = mmap.mmap(file.fileno(), 3)

    def __getitem__(self, at: int) -> int:
        return self.bytes[at]

    def __setitem__(self, at: int, value: int) -> None:
        self.bytes[at] = value


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < LONG
        time.sleep(0.001)


def result(run: Run) -> str:
    """How a run ended, and a digest that differs where two runs differ."""
    numbers = [run.losses, [(epoch.loss, sorted(epoch.validation.items())) for epoch in run.epochs]]
    choices = [str(choice) for choice in without_folder(run) if not _of_disk(choice)]
    text = repr([nw.digest(run.net), nw.digest(run.last), numbers, choices, run.best])
    return f"{run.ended} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _of_disk(choice: Choice) -> bool:
    """Whether a choice says what was wrong with the disk."""
    return choice.name == "checkpoint" or choice.value == "not written"


class Children:
    """A process with everything imported, which runs one child at a time."""

    def __init__(self, place: Path) -> None:
        self.shared = Shared(place / "shared")
        command = [sys.executable, __file__, str(place / "shared")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, folder: Path, **job: Any) -> int:
        """Begin a run in a child, and give the number of its process."""
        for at in (STEP, SAVING, WAITING):
            self.shared[at] = 0
        return int(self._asked({"folder": str(folder), **job}))

    def end(self) -> tuple[int, str]:
        """How the child ended, as subprocess says it, and its last words."""
        code, said = json.loads(self._asked("end"))
        return code, said

    def run(self, folder: Path, **job: Any) -> str:
        """What a run says that comes to its end."""
        self.start(folder, **job)
        code, said = self.end()
        assert code == 0, said
        return said

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(LONG)
        self.process.stdout.close()

    def _asked(self, question: Any) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


def fresh(place: Path, folder: Path, **job: Any) -> "subprocess.Popen[str]":
    """The same in a process of its own, which imports everything anew."""
    command = [sys.executable, __file__, str(place / "shared"), json.dumps({"folder": str(folder), **job})]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def children(place: Path) -> Iterator[Children]:
    """The process, for as long as a test needs it."""
    found = Children(place)
    try:
        yield found
    finally:
        found.close()


class Waits(Callback):
    """Shares the step, and waits at one of them for a signal; `twice`: then for another, which ends the step."""

    def __init__(self, shared: Shared, step: int, twice: bool = False) -> None:
        self.shared, self.step, self.twice = shared, step, twice

    def on_step(self, status: Status) -> None:
        self.shared[STEP] = status.step
        if status.step == self.step:
            self.shared[WAITING] = 1
            until(lambda: status.stopping)
            self.shared[WAITING] = 2
            until(lambda: not self.twice)


def child(shared: Shared, folder: str, saves: bool = True, step: int = 0, twice: bool = False) -> str:
    """Train in a folder. `saves`: after every step; the others are those of `Waits`."""
    if saves:
        recorder.CHECKPOINT_SHARE = recorder.EPOCH_SHARE = 1e9
    save = RunFolder.save

    def shown(self: RunFolder, snapshot: Any, step: int, epoch: int) -> None:
        shared[SAVING] = 1
        save(self, snapshot, step, epoch)
        shared[SAVING] = 0

    RunFolder.save = shown  # type: ignore[method-assign]
    return result(trained(Path(folder), epochs=EPOCHS, callbacks=[Waits(shared, step, twice)]))


def forked(work: Callable[[], str]) -> tuple[int, str]:
    """Run something in a child; say its number at once, and how it ended when the test asks."""
    reading, writing = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(reading)
        code, said = 1, ""
        try:
            code, said = 0, work()
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException as error:
            said = type(error).__name__ if isinstance(error, KeyboardInterrupt) else traceback.format_exc()
        os.write(writing, said.encode())
        os._exit(code)
    os.close(writing)
    print(number, flush=True)
    with open(reading, encoding="utf-8") as words:
        said = words.read()
    sys.stdin.readline()  # until then the number stays that of the child, so that no signal reaches another process
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), said


def serve(path: str) -> None:
    """Fork a child for each line of the input."""
    shared = Shared(Path(path))
    trained(None)  # so that all that a run imports is there
    importlib.import_module("faults")
    while line := sys.stdin.readline():
        job = json.loads(line)
        name = job.pop("work", "")
        work = getattr(importlib.import_module("faults"), name) if name else partial(child, shared)
        print(json.dumps(forked(partial(work, **job))), flush=True)


if __name__ == "__main__":
    if sys.argv[2:]:
        print(child(Shared(Path(sys.argv[1])), **json.loads(sys.argv[2])))
    else:
        serve(sys.argv[1])

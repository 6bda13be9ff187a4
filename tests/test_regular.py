"""Pipes, devices and folders are opened nowhere; a new file is there whole or not at all, and nothing stays beside."""

import errno
import os
import stat
import time
from pathlib import Path

import pytest

from netwright import regular
from netwright.errors import FileError
from netwright.regular import opened, placed, text_of, write_all, write_file

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")


def said(path: str | Path) -> str:
    with pytest.raises(FileError) as caught:
        opened(path)
    return str(caught.value).replace(str(path), "PATH")


def test_a_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("a", "link"):
        with opened(tmp_path / name) as file:
            assert file.read() == b"abc"


@needs_pipes
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link"):
        assert said(tmp_path / name) == "this is not a file\n  where:    PATH\n  got:      a device or a pipe"
    assert said(tmp_path) == "this is not a file\n  where:    PATH\n  got:      a folder"


@needs_pipes
def test_a_pipe_that_takes_the_place_of_a_file_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    before = os.stat(tmp_path / "file")
    monkeypatch.setattr(regular.os, "stat", lambda path: before)
    handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert said(tmp_path / "pipe") == "this is not a file\n  where:    PATH\n  got:      a device or a pipe"
    assert not handles or len(os.listdir("/proc/self/fd")) == handles


def test_no_such_file_is_python_s_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "no")


@pytest.mark.parametrize(("name", "shown"), [("a\0b", r"a\x00b"), ("\ud800", r"\ud800")])
def test_names_of_no_file(name: str, shown: str) -> None:
    with pytest.raises(FileError) as caught:
        opened(name)
    assert str(caught.value) == (
        f"no file can have this name\n  where:    {shown}\n"
        "  expected: a text without NUL and without half a character (a surrogate)"
    )


def put(target: Path, content: bytes) -> None:
    with placed(target) as file:
        write_all(file, content)


def test_a_new_file_and_a_newer_one(tmp_path: Path) -> None:
    target = tmp_path / "a"
    put(target, b"old")
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    target.chmod(0o640)
    put(target, b"new")
    assert target.read_bytes() == b"new"
    assert os.name == "nt" or stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["a", "plain"]


def test_what_fails_leaves_the_older_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    put(target, b"old")
    with pytest.raises(KeyboardInterrupt), placed(target) as file:
        write_all(file, b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@needs_pipes
def test_a_pipe_or_a_folder_keeps_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FileError, match="this is not a file"):
            put(tmp_path / name, b"x")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def test_what_a_killed_program_left_is_removed(tmp_path: Path) -> None:
    """Of the same name, and not what another program writes just now."""
    long_ago = time.time() - regular.LEFT_SECONDS - 60
    for name, then in ((".a.1.part", long_ago), (".a.2.part", time.time()), (".b.3.part", long_ago)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (then, then))
    put(tmp_path / "a", b"whole")
    assert sorted(os.listdir(tmp_path)) == [".a.2.part", ".b.3.part", "a"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space") as caught:
        write_all(file, b"x" * 10)
    assert caught.value.errno == errno.ENOSPC


def test_short_writes_are_continued() -> None:
    class Slow:
        def __init__(self) -> None:
            self.got = b""

        def write(self, piece: memoryview) -> int:
            self.got += bytes(piece[:3])
            return min(3, len(piece))

    slow = Slow()
    write_all(slow, b"0123456789")
    assert slow.got == b"0123456789"


def test_a_text_is_written_whole_and_read_again(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "größer", "the text")
    write_file(tmp_path / "a.txt", "größer als\n", "the text")
    assert text_of(tmp_path / "a.txt") == "größer als\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    write_file(tmp_path / "b", b"\xff", "the bytes")
    with pytest.raises(UnicodeDecodeError):
        text_of(tmp_path / "b")


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = tmp_path / "no" / "a.txt"
    with pytest.raises(FileError) as caught:
        write_file(place, "", "the text")
    assert (
        str(caught.value) == f"the text cannot be written\n  where:    {place}\n  got:      No such file or directory"
    )
    with pytest.raises(FileError, match="this is not a file"):
        write_file(tmp_path, "", "the text")

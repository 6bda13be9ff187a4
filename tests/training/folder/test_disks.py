"""Disks that are full, read-only or forbidden while a run goes on: it goes on, says so once, and loses nothing."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import Disk, refused_for_a_while
from kills import Children

if os.name == "nt":
    pytest.skip("disks are others there", allow_module_level=True)


@contextlib.contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """Something mounted at a place; the test is left out where that is not permitted."""
    found = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"mount is not permitted: {found.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("free", [0, 1])  # pages that are left, so that a save fails at its beginning or within it
def test_a_disk_that_is_full_for_a_while(tmp_path: Path, free: int) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    with mounted(tmp_path, "-t", "tmpfs", "-o", "size=1m", "none"):

        def fill() -> None:
            with (tmp_path / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(page)) == page:
                    pass
            os.truncate(tmp_path / "filler", (tmp_path / "filler").stat().st_size - free * page)

        disk = Disk(tmp_path / "run", fill, (tmp_path / "filler").unlink)
        assert refused_for_a_while(disk) == "the checkpoint could not be saved: the disk is full"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_mounted_read_only_for_a_while(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with contextlib.ExitStack() as mount:

        def close() -> None:
            mount.enter_context(mounted(folder, "--bind", str(folder)))
            subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)

        disk = Disk(folder, close, mount.close)
        assert refused_for_a_while(disk) == "the log cannot be written"


def test_a_limit_of_the_size_of_files_for_a_while(warm: Children, tmp_path: Path) -> None:
    assert warm.run(tmp_path / "run", work="limited") == (
        "the checkpoint could not be saved: the file is larger than this process may write"
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become another user")
def test_a_folder_that_is_forbidden_for_a_while(warm: Children) -> None:
    with tempfile.TemporaryDirectory() as place:  # one that the other user may reach
        os.chmod(place, 0o777)
        assert warm.run(Path(place) / "run", work="forbidden") == (
            "the checkpoint could not be saved: the folder may not be written"
        )

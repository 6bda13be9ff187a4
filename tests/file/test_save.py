"""Saving: equal bytes for equal nets, whole or not at all, and plain refusals of what a file cannot hold."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

import netwright as nw
from net_files import small_net
from netwright.errors import DataError, FileError
from netwright.file import array_file
from netwright.net.part import Net


@pytest.fixture
def net() -> Net:
    return small_net()


def test_equal_nets_give_equal_bytes(net: Net, tmp_path: Path) -> None:
    twin = net.with_arrays(dict(reversed(net.arrays.items())))
    nw.save(net.with_arrays(net.arrays), tmp_path / "a.net")
    nw.save(twin, tmp_path / "b.net")
    nw.save(nw.load(tmp_path / "a.net"), tmp_path / "c.net")
    first = (tmp_path / "a.net").read_bytes()
    assert first == (tmp_path / "b.net").read_bytes() == (tmp_path / "c.net").read_bytes()
    changed = net.with_arrays({"linear1/bias": torch.ones(3)})
    nw.save(changed, tmp_path / "d.net")
    assert first != (tmp_path / "d.net").read_bytes()


def test_other_tools_read_the_arrays(net: Net, tmp_path: Path) -> None:
    nw.save(net, tmp_path / "a.net")
    found = safetensors.torch.load_file(tmp_path / "a.net")
    assert found.keys() == net.arrays.keys()
    assert all(torch.equal(found[path], array) for path, array in net.arrays.items())
    with safetensors.safe_open(tmp_path / "a.net", "pt") as file:
        assert file.metadata()["format"] == "netwright 1"


def test_data_is_aligned(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(3), nw.Linear(1), input=2)
    net = nw.initialize(net).with_arrays({"linear1/bias": torch.ones(3, dtype=torch.float16)})
    nw.save(net, tmp_path / "a.net")
    whole = (tmp_path / "a.net").read_bytes()
    assert int.from_bytes(whole[:8], "little") % 8 == 0
    assert nw.load(tmp_path / "a.net") == net


def test_suffix_is_free_and_only_the_file_is_left(net: Net, tmp_path: Path) -> None:
    nw.save(net, str(tmp_path / "mine"))
    nw.save(net, tmp_path / "mine")
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    assert nw.load(tmp_path / "mine") == net


def test_permissions_follow_the_umask(net: Net, tmp_path: Path) -> None:
    nw.save(net, tmp_path / "a.net")
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE(os.stat(tmp_path / "a.net").st_mode) == stat.S_IMODE(os.stat(tmp_path / "plain").st_mode)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link(net: Net, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "link.net").symlink_to(tmp_path / "to" / "a.net")
    nw.save(net, tmp_path / "link.net")
    assert (tmp_path / "link.net").is_symlink()
    assert nw.load(tmp_path / "to" / "a.net") == net


def test_full_disk(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.net"
    nw.save(net, path)
    before = path.read_bytes()
    written = 0

    def full(file: object, piece: bytes) -> None:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(piece)  # type: ignore[attr-defined]

    monkeypatch.setattr(array_file, "write_all", full)
    with pytest.raises(FileError) as caught:
        nw.save(net.with_arrays({"linear1/bias": torch.ones(3)}), path)
    assert str(caught.value) == (
        "the net could not be saved: the disk is full\n"
        f"  where:    {path}\n"
        "  got:      the older file is as it was\n"
        "  mend:     free some space, or save to another disk"
    )
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    written = 0
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / "new.net")
    assert caught.value.got == "nothing was written"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_nothing(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        nw.save(net, tmp_path / "a.net")
    assert list(tmp_path.iterdir()) == []


def test_no_such_folder(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "no" / "a.net"
    with pytest.raises(FileError) as caught:
        nw.save(net, path)
    assert str(caught.value) == (
        "the net could not be saved: there is no such folder\n"
        f"  where:    {path}\n"
        "  got:      nothing was written\n"
        "  mend:     make the folder first"
    )


def test_a_folder_in_the_place_of_the_file(net: Net, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path)
    assert str(caught.value) == (
        "the net could not be saved: this is a folder\n"
        f"  where:    {tmp_path}\n"
        "  got:      nothing was written\n"
        "  mend:     give the name of a file in it"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_unwritable_folder(net: Net, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileError, match="the folder may not be written"):
            nw.save(net, tmp_path / "a.net")
    finally:
        tmp_path.chmod(0o700)


def test_unwritable_folder_said(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / "a.net")
    assert str(caught.value) == (
        "the net could not be saved: the folder may not be written\n"
        f"  where:    {tmp_path / 'a.net'}\n"
        "  got:      nothing was written\n"
        "  mend:     save to another folder"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_type_no_file_has(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(2), input=2).with_arrays({"linear1/bias": torch.ones(2, dtype=torch.complex64)})
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / "a.net")
    assert caught.value.what == "an array of this type cannot be saved"
    assert caught.value.where == f"{tmp_path / 'a.net'}, array linear1/bias"
    assert caught.value.got == "complex64"
    assert list(tmp_path.iterdir()) == []


def test_a_lambda_is_refused(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(2), nw.Function(lambda x: 2 * x, "... -> ..."), input=2)
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / "a.net")
    assert str(caught.value) == (
        "a function that cannot be imported cannot be saved: nothing would find it again\n"
        f"  where:    {tmp_path / 'a.net'}, net/function1\n"
        "  expected: a function defined at the top of a module\n"
        "  got:      'test_a_lambda_is_refused.<locals>.<lambda>'\n"
        "  mend:     define it with def at the top of a module, and give it to nw.load(file, functions={…})"
    )
    assert list(tmp_path.iterdir()) == []


def test_examples_need_encoders_and_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    unsaid = nw.Chain(nw.Linear(2)).with_arrays({"linear1/weight": torch.ones(2, 2), "linear1/bias": torch.ones(2)})
    with pytest.raises(DataError) as caught:
        nw.save(unsaid, path, examples=[[1.0, 2.0]])
    assert caught.value.where == "input 'input'"
    with pytest.raises(nw.errors.MissingArraysError):
        nw.save(nw.Chain(nw.Linear(2), input=2), path, examples=[np.zeros(2)])
    two = nw.Graph(sum=(nw.Add(), "a", "b"), input={"a": 2, "b": 2})
    with pytest.raises(DataError) as caught:
        nw.save(two, path, examples=[[1.0, 2.0]])
    assert str(caught.value) == (
        "this net has 2 inputs, and each needs a value\n  where:    example 0\n  expected: {'a': …, 'b': …}"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_path():
    with pytest.raises(FileError, match="a file is named by a path"):
        nw.save(small_net(), 3)


def test_names_that_no_file_can_have(net: Net) -> None:
    for name, shown in (("a\0.net", r"a\x00.net"), ("\ud800.net", r"\ud800.net")):
        for call in (lambda name=name: nw.save(net, name), lambda name=name: nw.load(name)):
            with pytest.raises(FileError) as caught:
                call()
            assert str(caught.value) == (
                "no file can have this name\n"
                f"  where:    {shown}\n"
                "  expected: a text without NUL and without half a character (a surrogate)"
            )


def test_a_name_that_is_too_long(net: Net, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / ("x" * 5000))
    assert caught.value.what == "the net could not be saved: the name is too long"
    with pytest.raises(FileError, match="the file cannot be read"):
        nw.load(tmp_path / ("x" * 5000))


@pytest.mark.skipif(os.name == "nt", reason="folders have no such permissions there")
def test_the_older_file_is_never_said_to_be_there_when_it_is_not(net: Net, tmp_path: Path) -> None:
    """A folder into which names can be put, but which cannot be read."""
    nw.save(nw.Chain(nw.relu, input=2), tmp_path / "a.net")
    (tmp_path / "a.net").chmod(0o600)
    tmp_path.chmod(0o300)
    try:
        nw.save(net, tmp_path / "a.net")
    finally:
        tmp_path.chmod(0o700)
    assert nw.load(tmp_path / "a.net") == net
    assert stat.S_IMODE(os.stat(tmp_path / "a.net").st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_pipe_is_not_replaced(net: Net, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError) as caught:
        nw.save(net, tmp_path / "pipe")
    assert str(caught.value) == f"this is not a file\n  where:    {tmp_path / 'pipe'}\n  got:      a device or a pipe"
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


def test_a_net_without_values_is_refused(tmp_path: Path) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(2), input=3)).to("meta")
    with pytest.raises(FileError, match="an array without values cannot be saved"):
        nw.save(net, tmp_path / "a.net")
    assert not list(tmp_path.iterdir())

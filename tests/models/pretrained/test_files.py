"""Files of published nets: what is no regular file or no JSON object gives an error of ours, which can be shown."""

from pathlib import Path

import pytest

from netwright.errors import FileError
from netwright.models.pretrained.files import check_regular, json_of, shown_text


def refusal(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        json_of(path)
    return str(caught.value)


def test_what_is_shown() -> None:
    assert shown_text("a" * 100) == "a" * 79 + "…"
    assert shown_text("\x1b[2J\ud800") == "\\x1b[2J\\ud800"
    assert (shown_text(5), shown_text([1]), shown_text(None)) == ("5", "a list", "nothing")


def test_what_is_no_json_object(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1}')
    assert json_of(path) == {"a": 1}
    path.write_text("[" * 100_000)
    assert refusal(path) == f"this file cannot be read\n  where:    {path}\n  got:      JSON that is nested too deeply"
    path.write_text("5")
    assert refusal(path) == f"this file is no JSON object\n  where:    {path}\n  got:      int"
    path.write_bytes(b"\xff")
    assert refusal(path).startswith(f"this file cannot be read\n  where:    {path}\n  got:      'utf-8' codec")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        check_regular(tmp_path)
    assert str(caught.value) == f"this is not a file\n  where:    {tmp_path}\n  got:      a folder"
    for name in ("none", "a" * 5000):
        with pytest.raises(FileError, match="this file cannot be read"):
            check_regular(tmp_path / name)
    for name in ("a\0b", "\ud800"):
        with pytest.raises(FileError, match="no file can have this name"):
            check_regular(tmp_path / name)

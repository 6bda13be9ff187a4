"""Opens the files of published nets: regular files alone, and JSON of any depth and text without raw errors."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from netwright.errors import FileError, shortened

SHOWN = 80  # characters of what a file says that an error shows
PATH = 500  # characters of a path


def shown_text(value: object, most: int = SHOWN) -> str:
    """What a file says as an error shows it: short, and without control characters or halves of characters."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else ""
    if not isinstance(value, str | int | float):
        text = f"a {type(value).__name__}" if value is not None else "nothing"
    text = text if text.isprintable() else ascii(text)[1:-1]
    return shortened(text, most)


def check_regular(path: Path) -> None:
    """Refuse what is no regular file, such as a pipe, which would be waited for.

    Raises: FileError.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise FileError(
            what="this file cannot be read", where=shown_text(str(path), PATH), got=shown_text(str(error))
        ) from None
    if not stat.S_ISREG(mode):
        got = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise FileError(what="this is not a file", where=shown_text(str(path), PATH), got=got)


def json_of(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file.

    Raises: FileError for what is no regular file, no JSON, nested too deeply, or no object.
    """
    check_regular(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise FileError(
            what="this file cannot be read", where=str(path), got="JSON that is nested too deeply"
        ) from None
    except (OSError, ValueError) as error:
        raise FileError(what="this file cannot be read", where=str(path), got=shown_text(str(error))) from None
    if not isinstance(found, dict):
        raise FileError(what="this file is no JSON object", where=str(path), got=type(found).__name__)
    return cast(dict[str, Any], found)

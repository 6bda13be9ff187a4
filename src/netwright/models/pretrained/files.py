"""Opens the files of published nets: only regular files, and bad JSON or text gives a plain error."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from netwright.errors import FileError, shortened, with_article
from netwright.regular import opened, text_of

SHOWN = 80  # characters of what a file says that an error shows
PATH = 500  # characters of a path


def shown_text(value: object, most: int = SHOWN) -> str:
    """What a file says as an error shows it: short, and without control characters or halves of characters."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, int | float) else ""
    if not isinstance(value, str | int | float):
        text = with_article(type(value).__name__) if value is not None else "nothing"
    text = text if text.isprintable() else ascii(text)[1:-1]
    return shortened(text, most)


def check_regular(path: Path) -> None:
    """Refuse anything but a regular file: a reader that opens a pipe itself would wait for ever.

    Raises: FileError.
    """
    try:
        opened(path).close()
    except FileError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from None


def json_of(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file.

    Raises: FileError for what is no regular file, no JSON, nested too deeply, or no object.
    """
    try:
        found = json.loads(text_of(path))
    except RecursionError:
        raise FileError(
            what="this file cannot be read", where=str(path), got="JSON that is nested too deeply"
        ) from None
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not isinstance(found, dict):
        raise FileError(what="this file is no JSON object", where=str(path), got=type(found).__name__)
    return cast(dict[str, Any], found)


def _unreadable(path: Path, error: Exception) -> FileError:
    return FileError(what="this file cannot be read", where=shown_text(str(path), PATH), got=shown_text(str(error)))

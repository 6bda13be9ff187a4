"""Reads numpy's arrays from a pickle, and nothing else: a pickle can call any function that Python can import."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from netwright.errors import FileError
from netwright.models.pretrained.files import PATH, shown_text
from netwright.regular import opened


def arrays_in_pickle(path: Path) -> Any:
    """Lists, mappings and numpy arrays in a pickle.

    Raises: FileError for a pickle that asks for anything else, and for what is no pickle.
    """
    try:
        with opened(path) as file:
            return _ArraysOnly(file).load()
    except FileError:
        raise
    except Exception as error:  # a damaged pickle makes its reader raise anything
        raise _unreadable(path, str(error)) from None


class _ArraysOnly(pickle.Unpickler):
    """Knows numpy's arrays as pickles of the protocols 3 and 4 have them, from all versions of numpy."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The few things that make an array."""
        if module_name in ("numpy.core.multiarray", "numpy._core.multiarray") and global_name == "_reconstruct":
            return _empty
        if module_name == "numpy" and global_name in ("ndarray", "dtype"):
            return getattr(np, global_name)
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, and only arrays are read")


def _empty(kind: type, shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """The array without content with which numpy's pickles begin; its content follows."""
    if kind is not np.ndarray:
        raise pickle.UnpicklingError("it asks for an array of another class")
    return np.empty(shape, dtype)


def _unreadable(path: Path, got: str) -> FileError:
    return FileError(
        what="this file cannot be read as a pickle of arrays", where=shown_text(str(path), PATH), got=shown_text(got)
    )

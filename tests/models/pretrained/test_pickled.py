"""A pickle of arrays is read as such, and what asks for anything else is refused before it runs."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netwright.errors import FileError
from netwright.models.pretrained.pickled import arrays_in_pickle


class Harmful:
    """What runs a command when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(Path(__file__).parent / "made_by_a_pickle"),)


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_come_back(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "arrays.pkl"
    arrays = {"conv1": [np.arange(6, dtype=np.float32).reshape(1, 2, 3), np.array([1.5, 2.5])], "empty": []}
    path.write_bytes(pickle.dumps(arrays, protocol))
    found = arrays_in_pickle(path)
    assert found.keys() == arrays.keys()
    for got, expected in zip(found["conv1"], arrays["conv1"], strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_a_function_is_refused_and_not_called(tmp_path: Path) -> None:
    path = tmp_path / "harmful.pkl"
    path.write_bytes(pickle.dumps({"conv1": Harmful()}))
    with pytest.raises(FileError) as caught:
        arrays_in_pickle(path)
    assert str(caught.value) == (
        "this file cannot be read as a pickle of arrays\n"
        f"  where:    {path}\n"
        "  got:      it asks for posix.mkdir, and only arrays are read"
    )
    assert not (Path(__file__).parent / "made_by_a_pickle").exists()


def test_what_is_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "text.pkl"
    path.write_text("no pickle")
    with pytest.raises(FileError) as caught:
        arrays_in_pickle(path)
    assert caught.value.what == "this file cannot be read as a pickle of arrays"

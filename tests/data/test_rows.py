"""Rows and columns are told apart by their ports alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from netwright.codecs.numeric import plain_number
from netwright.data.rows import RowPorts, row_kind, row_to_ports, same_value

ONE = RowPorts(("text",), ())
PAIR = RowPorts(("input",), ("target",))


@pytest.mark.parametrize(
    ("row", "ports", "expected"),
    [
        ((1, 2), PAIR, {"input": 1, "target": 2}),
        ({"target": 2, "input": 1}, PAIR, {"input": 1, "target": 2}),
        ((1, 2), ONE, {"text": (1, 2)}),
        ({"text": "a"}, ONE, {"text": "a"}),
        ({"other": "a"}, ONE, {"text": {"other": "a"}}),  # with one port, a raw thing may be a dict
    ],
)
def test_a_row_by_port(row: Any, ports: RowPorts, expected: dict[str, Any]) -> None:
    found = row_to_ports(row, ports, "row 0")
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.int64(3), int), (np.float32(3), float), (torch.tensor(3), int), (np.str_("a"), str), (True, bool)],
)
def test_numbers_out_of_arrays_become_pythons_own(value: Any, expected: type) -> None:
    assert type(plain_number(value)) is expected


def test_arrays_stay_arrays() -> None:
    array = np.zeros(1)
    assert plain_number(array) is array


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((2, 3), np.uint8), "array (2, 3) uint8"),
        (torch.zeros(2), "tensor (2,) float32"),
        ((1, 2), "tuple of 2"),
        (None, "NoneType"),
    ],
)
def test_what_a_message_calls_a_value(value: Any, text: str) -> None:
    assert row_kind(value) == text


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: 1.5, lambda: 2.5),
        (lambda: NAN, lambda: 1.0),
        (lambda: "a", lambda: "b"),
        (lambda: [1.0, NAN], lambda: [1.0, 2.0]),
        (lambda: (1, 2), lambda: [1, 2]),
        (lambda: [1, 2], lambda: [1, 2, 3]),
        (lambda: {"a": [1]}, lambda: {"a": [2]}),
        (lambda: {"a": 1}, lambda: {"b": 1}),
        (lambda: np.array([1.0, NAN]), lambda: np.array([1.0, 3.0])),
        (lambda: np.array([1.0]), lambda: np.array([1.0], np.float32)),
        (lambda: np.array(["a"]), lambda: np.array(["b"])),
        (lambda: torch.tensor([1.0, NAN]), lambda: torch.tensor([1.0, 2.0])),
        (lambda: torch.zeros(2), lambda: torch.zeros(3)),
        (lambda: Image.new("L", (2, 2)), lambda: Image.new("L", (2, 2), 7)),
        (lambda: 1, lambda: 1.0),
    ],
)
def test_values_of_rows_are_compared_by_content(one: Callable[[], Any], other: Callable[[], Any]) -> None:
    assert same_value(one(), one())
    assert not same_value(one(), other())

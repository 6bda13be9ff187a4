"""Nullable: zeros and a 1 for a missing value, what the codec gives and a 0 for any other."""

import numpy as np
import torch

from messages import message
from netwright.codecs.array import Array
from netwright.codecs.category import Category
from netwright.codecs.number import Number
from netwright.codecs.table.nullable import Nullable


def test_numbers():
    codec = Nullable(Number()).fit([1.0, None, 3.0, float("nan")])
    assert codec == Nullable(Number(2.0, 1.0))
    assert codec.encoded == "2"
    expected = [[-1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]
    assert codec.encode_all([1, None, 4]).tolist() == expected
    assert codec.encode_all(np.array([1.0, np.nan, 4.0])).tolist() == expected
    assert torch.stack([codec.encode(raw) for raw in (1, None, 4)]).tolist() == expected
    assert codec.encode_all([None, None]).tolist() == [[0.0, 1.0]] * 2


def test_labels():
    codec = Nullable(Category()).fit(["b", None, "a"])
    assert codec.encoded == "3"
    assert codec.encode_all(["a", None, "new"]).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    assert Nullable(Category()).encoded == "?"


def test_takes():
    assert all(map(Nullable(Number()).takes, (None, 3.0)))
    assert not Nullable(Number()).takes([1, 2])


def test_errors():
    codec = Nullable(Number(0, 1))
    assert message(codec.encode_all, [None, 1, "x"]) == (
        "this is not a number\n  where:    row 2\n  expected: int or float\n  got:      'x' of type str"
    )
    assert message(Nullable, codec) == (
        "Nullable of Nullable is Nullable\n"
        "  got:      Nullable(Nullable(Number(0.0, 1.0)))\n"
        "  mend:     Nullable(Number(0.0, 1.0))"
    )
    assert message(Nullable(Number()).fit, [None]) == (
        "every value of the column is missing\n  mend:     leave the column out"
    )
    assert message(codec.decode, torch.zeros(2)) == (
        "a value that may be missing is an input, and no answer of a net\n"
        "  got:      Nullable(Number(0.0, 1.0))\n"
        "  mend:     the codec of a value that is there: Number(0.0, 1.0)"
    )
    assert message(Nullable, Array("2 2")).startswith("the codec of a column gives a number")

"""A range goes from a finite number to a larger one."""

import numpy as np
import pytest

from netwright.errors import DataError, NetError
from netwright.show.plot.ranges import expect_few, expect_range


def test_a_range():
    assert expect_range([np.float32(-1), 2], "span") == (-1.0, 2.0)


@pytest.mark.parametrize("given", [(3, 1), (0, float("nan")), (0, float("inf")), 5, ("a", "b"), (1,), None])
def test_what_is_no_range(given):
    with pytest.raises(DataError) as error:
        expect_range(given, "span")
    assert str(error.value) == (
        "a range goes from a finite number to a larger one\n"
        f"  where:    span\n  expected: such as (-1, 1)\n  got:      {given!r}"
    )


def test_few():
    expect_few(9, 9, "steps", "plot.unrolled")
    with pytest.raises(NetError) as error:
        expect_few(3000, 9, "steps", "plot.unrolled")
    assert str(error.value) == (
        "so many steps would cover each other\n  where:    plot.unrolled\n  expected: at most 9\n  got:      3,000"
    )

"""Counts the work of a call as a clock cannot: how many functions are called, which is the same on every machine."""

import sys
from collections.abc import Callable
from typing import Any


def steps(act: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C."""
    count = 0

    def counted(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count

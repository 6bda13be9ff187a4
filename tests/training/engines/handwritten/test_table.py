"""The tables of kernels: patterns of leaves, the longer ones first."""

import netwright as nw
from netwright.training.engines.handwritten.table import JOINS, KERNELS, RAMP, RELU, fits_pattern


def test_longer_patterns_come_first() -> None:
    for table in (KERNELS, JOINS):
        patterns = [pattern for pattern, _ in table]
        for i, pattern in enumerate(patterns):
            assert not any(later[: len(pattern)] == pattern for later in patterns[i + 1 :]), pattern


def test_what_matches() -> None:
    assert fits_pattern(nw.relu, RELU)
    assert fits_pattern(nw.relu6, RAMP)
    assert not fits_pattern(nw.relu6, RELU)
    assert not fits_pattern(nw.Linear(3), RAMP)

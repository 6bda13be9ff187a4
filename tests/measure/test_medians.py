"""Medians and mean distances from them: exact while numbers are held, nearly so when groups of them stand for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.measure import medians
from netwright.measure.medians import Medians


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_few_numbers_are_exact_in_any_chunks(n: int, columns: int, seed: int, cut: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, columns)).round(1)
    seen = Medians(columns)
    seen.add(rows[:cut])
    seen.add(rows[cut:])
    assert seen.known and seen.median == pytest.approx(np.median(rows, axis=0))
    assert seen.deviation == pytest.approx(np.abs(rows - np.median(rows, axis=0)).mean(axis=0))


def test_many_numbers_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medians, "HELD", 1500)
    draw = np.random.default_rng(0)
    rows = np.stack([draw.exponential(size=20_000), draw.integers(0, 3, 20_000), np.sort(draw.normal(size=20_000))], 1)
    seen = Medians(3)
    for start in range(0, len(rows), 700):
        seen.add(rows[start : start + 700])
    assert seen.deviation == pytest.approx(np.abs(rows - np.median(rows, axis=0)).mean(axis=0), rel=2e-3)
    assert seen.median[[0, 2]] == pytest.approx(np.median(rows, axis=0)[[0, 2]], abs=0.02)
    assert sum(len(values) for values, _ in seen._parts) <= 500


def test_of_very_many_columns_there_are_none() -> None:
    seen = Medians(medians.MOST_COLUMNS + 1)
    seen.add(np.zeros((2, medians.MOST_COLUMNS + 1)))
    assert not seen.known and not Medians(2).known

"""Holds the formulas of costs: which size is the largest, what a formula is for given lengths, how it is written."""

import pytest

from netwright.sizes.formula import Largest, formula_text, largest, names_in, value_of
from netwright.sizes.size import named

N, M = named("n"), named("m")


def test_a_size_that_is_never_larger_is_left_out() -> None:
    assert largest([3 * N, N + 2, N]) == 3 * N  # at n = 1 both are 3
    assert largest([N - 1, N]) == N
    assert largest([5, 7, 6]) == 7
    assert largest([N, N]) == N
    assert largest([]) == 0


def test_sizes_of_which_none_is_the_largest_stay_together() -> None:
    found = largest([3 * N, N * N, 2 * N])
    assert found == Largest((3 * N, N * N))
    assert [value_of(found, {"n": n}) for n in (1, 2, 3, 4)] == [3, 6, 9, 16]
    assert names_in(largest([N, M])) == {"n", "m"}
    assert str(found) == "max(3*n, n*n)"


def test_a_number_is_a_formula_too() -> None:
    assert (value_of(4, {}), names_in(4), formula_text(1234567)) == (4, frozenset(), "1,234,567")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (N, "n"),
        (-1 * N, "-n"),
        (12 * N * N + 1440 * N - 1, "12·n² + 1,440·n - 1"),
        (2 * M * N * N + M, "2·m·n² + m"),
        (N * N * N * N * N * N * N * N * N * N * N * N, "n¹²"),
        ((N + 1) // 2 * 96 + 4 * N, "4·n + 96·⌊(n + 1)/2⌋"),
        (N // 2 * (N // 2), "⌊n/2⌋²"),
        (largest([3 * N, N * N]), "max(3·n, n²)"),
    ],
)
def test_formulas_are_written_as_in_mathematics(formula: object, text: str) -> None:
    assert formula_text(formula) == text  # pyright: ignore[reportArgumentType]

"""Formulas of what a net costs: sizes, and the largest of several sizes where their lengths decide which it is."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TypeAlias

from netwright.sizes.size import Expression, Floor, Name, Size, Unknown, evaluate, names, of, substitute
from netwright.value import Value


class Largest(Value):
    """The largest of several sizes, none of which is the largest whatever the lengths are."""

    sizes: tuple[Size, ...]

    def __str__(self) -> str:
        return f"max({', '.join(map(str, self.sizes))})"


Formula: TypeAlias = Size | Largest


def largest(sizes: Iterable[Size]) -> Formula:
    """The largest of sizes; 0 of none. Sizes that are never larger than another one are left out.

    Example:
        >>> from netwright.sizes.size import named
        >>> n = named("n")
        >>> largest([3 * n, n * n])
        Largest(sizes=(3*n, n*n))
        >>> largest([3 * n, n + 2, n])
        3*n
    """
    kept: list[Size] = []
    for size in sizes:
        if any(_never_less(other, size) for other in kept):
            continue
        kept = [other for other in kept if not _never_less(size, other)] + [size]
    return Largest(tuple(kept)) if len(kept) > 1 else kept[0] if kept else 0


def value_of(formula: Formula, lengths: Mapping[str, int]) -> int:
    """The number that a formula is, given the length of every name."""
    if isinstance(formula, Largest):
        return max(evaluate(size, lengths) for size in formula.sizes)
    return evaluate(formula, lengths)


def names_in(formula: Formula) -> frozenset[str]:
    """The named lengths in a formula."""
    if isinstance(formula, Largest):
        return frozenset[str]().union(*map(names, formula.sizes))
    return names(formula)


def formula_text(formula: Formula) -> str:
    """A formula as mathematics writes it, the highest powers first.

    Example:
        >>> from netwright.sizes.size import named
        >>> n = named("n")
        >>> formula_text(12 * n * n + 1440 * n - 1)
        '12·n² + 1,440·n - 1'
        >>> formula_text(largest([3 * n, n * n]))
        'max(3·n, n²)'
    """
    if isinstance(formula, Largest):
        return f"max({', '.join(map(formula_text, formula.sizes))})"
    if isinstance(formula, int):
        return f"{formula:,}"
    text = ""
    for atoms, factor in formula.terms:
        powers = [_power(str(atom) if isinstance(atom, Name | Unknown) else _floor(atom), len([*same]))
                  for atom, same in groupby(atoms)]  # fmt: skip
        count = [f"{abs(factor):,}"] if abs(factor) != 1 or not atoms else []
        sign = ("-" if factor < 0 else "") if not text else " - " if factor < 0 else " + "
        text += sign + "·".join([*count, *powers])
    return text


def _floor(atom: Floor) -> str:
    inner = formula_text(atom.numerator)
    return f"⌊{inner}/{atom.divisor}⌋" if atom.numerator.single else f"⌊({inner})/{atom.divisor}⌋"


def _power(atom: str, exponent: int) -> str:
    return atom if exponent == 1 else atom + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(exponent))


def _never_less(size: Size, other: Size) -> bool:
    """Whether a size is at least another one for all lengths from 1 on: no term of their difference is negative there.

    A length is written as one more than a number from 0 on.
    """
    difference = substitute(size - other, lambda atom: of(atom) + 1 if isinstance(atom, Name) else None)
    factors = [factor for _, factor in difference.terms] if isinstance(difference, Expression) else [difference]
    return all(factor >= 0 for factor in factors)

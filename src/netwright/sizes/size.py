"""Arithmetic on sizes that may not be numbers yet: integers, named lengths, unknowns, sums, products, floors.

A size is a Python `int`, or an `Expression` when it holds a name. Every operation gives an `int` back as soon as
nothing but numbers is left, so a net whose input is known has plain integers everywhere.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import TypeAlias

from torch import Tensor

from netwright.errors import NetError
from netwright.value import Value

GRID = 4096  # more points than this and two expressions of several names are compared by their form alone

MOST_TERMS = 1000  # of one size: a product of n sums of two has 2ⁿ


class Name(Value):
    """A length that differs from example to example, such as `n`; equal names are equal lengths."""

    text: str

    def __str__(self) -> str:
        return self.text


class Unknown(Value, eq=False):
    """A size still to be found. Two unknowns are the same only if they are one object.

    Fields: `owner` and `text` say whose size it is, such as `linear1` and `in`, for messages.
    """

    owner: str
    text: str
    serial: int = field(default_factory=itertools.count().__next__)

    def __str__(self) -> str:
        return "?"


class Floor(Value):
    """The whole part of a quotient that does not simplify: `(n - 1)//2`."""

    numerator: "Expression"
    divisor: int

    def __str__(self) -> str:
        inner = str(self.numerator)
        plain = self.numerator.single is not None
        return f"{inner}//{self.divisor}" if plain else f"({inner})//{self.divisor}"


Atom: TypeAlias = Name | Unknown | Floor
Monomial: TypeAlias = tuple[Atom, ...]  # a product, in a fixed order; empty for the constant


class Expression(Value):
    """A polynomial of atoms with integer coefficients; `terms` holds no zero and is in a fixed order."""

    terms: tuple[tuple[Monomial, int], ...]

    def __add__(self, other: "Size") -> "Size":
        terms = dict(self.terms)
        for monomial, factor in _terms(other):
            terms[monomial] = terms.get(monomial, 0) + factor
        return _collect(terms)

    __radd__ = __add__

    def __neg__(self) -> "Size":
        return self * -1

    def __sub__(self, other: "Size") -> "Size":
        return self + -other

    def __rsub__(self, other: "Size") -> "Size":
        return -self + other

    def __mul__(self, other: "Size") -> "Size":
        if isinstance(other, int):  # the order of the terms stays
            return self if other == 1 else Expression(tuple((m, f * other) for m, f in self.terms)) if other else 0
        terms: dict[Monomial, int] = {}
        if len(self.terms) * len(_terms(other)) > MOST_TERMS:
            raise NetError(
                what="a size of this net is a product of too many sums",
                expected=f"at most {MOST_TERMS} terms, multiplied out",
                got=f"{len(self.terms)} terms times {len(_terms(other))}",
                mend="fewer axes of one value that differ from example to example",
            )
        for (left, a), (right, b) in itertools.product(self.terms, _terms(other)):
            monomial = tuple(sorted((*left, *right), key=_order))
            terms[monomial] = terms.get(monomial, 0) + a * b
        return _collect(terms)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> "Size":
        """Whole multiples of the divisor are taken out of the floor; the rest stays in it."""
        if divisor == 1:
            return self
        whole = {m: f // divisor for m, f in self.terms if not m or f % divisor == 0}
        rest = _collect({m: f % divisor if not m else f for m, f in self.terms if not m or f % divisor})
        if isinstance(rest, int):  # it is below the divisor: nothing is left
            return _collect(whole)
        if len(rest.terms) == 1 and rest.terms[0][1] == 1 and len(rest.terms[0][0]) == 1:
            atom = rest.terms[0][0][0]
            if isinstance(atom, Floor):
                return _collect(whole) + (atom.numerator // (atom.divisor * divisor))
        return _collect(whole) + Expression((((Floor(rest, divisor),), 1),))

    def __str__(self) -> str:
        text = ""
        for monomial, factor in self.terms:
            sign, size = ("-", -factor) if factor < 0 else ("+", factor)
            body = "*".join(([str(size)] if size != 1 or not monomial else []) + [str(atom) for atom in monomial])
            text += f" {sign} {body}" if text else ("-" if sign == "-" else "") + body
        return text

    __repr__ = __str__

    @cached_property
    def atoms(self) -> frozenset[Name | Unknown]:
        """The names and unknowns in it, those under floors too."""
        return frozenset(_leaves(self))

    @property
    def single(self) -> Atom | None:
        """The atom this expression is, if it is nothing more."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and len(self.terms[0][0]) == 1:
            return self.terms[0][0][0]
        return None


Size: TypeAlias = int | Expression


def of(atom: Atom) -> Expression:
    """The size that is this atom and nothing more."""
    return Expression((((atom,), 1),))


def named(text: str) -> Expression:
    """A length with a name.

    Example:
        >>> (named("n") - 4) // 2 + 1
        n//2 - 1
    """
    return of(Name(text))


def ceil(size: Size, divisor: int) -> Size:
    """The quotient rounded up."""
    return (size + (divisor - 1)) // divisor


def atoms(size: Size) -> frozenset[Name | Unknown]:
    """The names and unknowns in a size; none in a number."""
    return size.atoms if isinstance(size, Expression) else frozenset()


def unknowns(size: Size) -> frozenset[Unknown]:
    """The unknowns in a size."""
    if isinstance(size, int):
        return frozenset()
    return frozenset(atom for atom in atoms(size) if isinstance(atom, Unknown))


def names(size: Size) -> frozenset[str]:
    """The named lengths in a size."""
    return frozenset(atom.text for atom in atoms(size) if isinstance(atom, Name))


def substitute(size: Size, value: Callable[[Name | Unknown], "Size | None"]) -> Size:
    """The size with every atom replaced by its value, where it has one."""
    if isinstance(size, int) or all(value(atom) is None for atom in size.atoms):
        return size
    total: Size = 0
    for monomial, factor in size.terms:
        product: Size = factor
        for atom in monomial:
            if isinstance(atom, Floor):
                product = product * (substitute(atom.numerator, value) // atom.divisor)
            else:
                known = value(atom)
                product = product * (of(atom) if known is None else known)
        total = total + product
    return total


def evaluate(size: Size, lengths: Mapping[str, int]) -> int:
    """The number a size is, given the length of every name."""
    result = substitute(size, lambda atom: lengths.get(atom.text) if isinstance(atom, Name) else None)
    if isinstance(result, Expression):
        raise KeyError(f"the lengths of {result} are not all given")
    return result


def measured(size: Size, lengths: Mapping[str, Tensor | int]) -> Tensor | int:
    """The lengths that a size is, given those of every name: a number, or one for each example.

    Example:
        >>> import torch
        >>> measured((named("n") - 4) // 2 + 1, {"n": torch.tensor([6, 9])})
        tensor([2, 3])
    """
    total: Tensor | int = 0
    for monomial, factor in _terms(size):
        product: Tensor | int = factor
        for atom in monomial:
            if isinstance(atom, Floor):
                product = product * (measured(atom.numerator, lengths) // atom.divisor)
            else:
                product = product * lengths[atom.text]
        total = total + product
    return total


def same(left: Size, right: Size) -> bool:
    """Whether two sizes are equal for every length.

    A size is a polynomial on each residue class of its lengths, so finitely many points decide: for every name,
    (degree + 1) · period of them.

    Example:
        >>> n = named("n")
        >>> same(n // 2 + (n + 1) // 2, n), same(2 * (n // 2), n)
        (True, False)
    """
    difference = left - right
    if isinstance(difference, int):
        return difference == 0
    if any(isinstance(atom, Unknown) for atom in difference.atoms):
        return False
    texts = sorted(names(difference))
    points = (_degree(difference) + 1) * _period(difference)
    if points ** len(texts) > GRID:
        return False
    grid = itertools.product(range(1, points + 1), repeat=len(texts))
    return all(evaluate(difference, dict(zip(texts, point, strict=True))) == 0 for point in grid)


def _terms(size: Size) -> tuple[tuple[Monomial, int], ...]:
    return size.terms if isinstance(size, Expression) else (((), size),)


def _collect(terms: Mapping[Monomial, int]) -> Size:
    kept = {monomial: factor for monomial, factor in terms.items() if factor}
    if not kept:
        return 0
    if len(kept) == 1:
        ((monomial, factor),) = kept.items()
        return Expression(((monomial, factor),)) if monomial else factor
    return Expression(tuple(sorted(kept.items(), key=lambda term: (-len(term[0]), [_order(a) for a in term[0]]))))


def _order(atom: Atom) -> tuple[int, str, int]:
    if isinstance(atom, Name):
        return (0, atom.text, 0)
    if isinstance(atom, Unknown):
        return (1, "", atom.serial)
    return (2, str(atom), 0)


def _leaves(size: Size) -> Iterator[Name | Unknown]:
    for monomial, _ in _terms(size):
        for atom in monomial:
            if isinstance(atom, Floor):
                yield from _leaves(atom.numerator)
            else:
                yield atom


def _degree(size: Size) -> int:
    def of_atom(atom: Atom) -> int:
        return _degree(atom.numerator) if isinstance(atom, Floor) else 1

    return max((sum(of_atom(atom) for atom in monomial) for monomial, _ in _terms(size)), default=0)


def _period(size: Size) -> int:
    floors = (atom for monomial, _ in _terms(size) for atom in monomial if isinstance(atom, Floor))
    return math.lcm(1, *(_period(floor.numerator) * floor.divisor for floor in floors))

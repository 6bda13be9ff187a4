"""Sizes are arithmetic: an expression means what evaluating it at every length means."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import NetError
from netwright.sizes.size import (
    Expression,
    Floor,
    Name,
    Size,
    Unknown,
    atoms,
    ceil,
    evaluate,
    named,
    names,
    of,
    same,
    substitute,
    unknowns,
)

N, M = named("n"), named("m")

Tree = Any  # an integer, a name, or (operation, tree, tree)

trees = st.recursive(
    st.integers(-6, 6) | st.sampled_from(["n", "m"]),
    lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner) | st.tuples(st.just("/"), inner, st.integers(1, 5)),
    max_leaves=6,
)
lengths = st.fixed_dictionaries({"n": st.integers(1, 40), "m": st.integers(1, 40)})


def built(tree: Tree) -> Size:
    if isinstance(tree, int):
        return tree
    if isinstance(tree, str):
        return named(tree)
    operation, left, right = tree
    a, b = built(left), built(right)
    if operation == "/":
        assert isinstance(b, int)
        return a // b
    return a + b if operation == "+" else a - b if operation == "-" else a * b


def meant(tree: Tree, at: Mapping[str, int]) -> int:
    if isinstance(tree, int):
        return tree
    if isinstance(tree, str):
        return at[tree]
    operation, left, right = tree
    a, b = meant(left, at), meant(right, at)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a // b if operation == "/" else 0}[operation]


@given(trees, lengths)
def test_an_expression_evaluates_to_what_its_operations_give(tree: Tree, at: dict[str, int]) -> None:
    assert evaluate(built(tree), at) == meant(tree, at)


@given(trees, trees)
def test_addition_and_multiplication_are_commutative_in_form(left: Tree, right: Tree) -> None:
    a, b = built(left), built(right)
    assert a + b == b + a
    assert a * b == b * a
    assert a - b == -(b - a)


small = st.recursive(
    st.integers(-3, 3) | st.just("n"),
    lambda inner: st.tuples(st.sampled_from("+-"), inner, inner) | st.tuples(st.just("/"), inner, st.integers(1, 4)),
    max_leaves=4,
)


@given(small, small)
def test_same_is_equality_at_every_length(left: Tree, right: Tree) -> None:
    everywhere = all(meant(left, {"n": n}) == meant(right, {"n": n}) for n in range(1, 300))
    assert same(built(left), built(right)) == everywhere


def test_same_sees_two_names_exactly() -> None:
    grid = itertools.product(range(1, 30), repeat=2)
    left, right = (N + M) // 2 + (N + M + 1) // 2, N + M
    assert all(evaluate(left, {"n": n, "m": m}) == evaluate(right, {"n": n, "m": m}) for n, m in grid)
    assert same(left, right)
    assert not same((N + M) // 2, N // 2 + M // 2)


def test_the_halves_of_a_length_are_the_length() -> None:
    assert same(N // 2 + (N + 1) // 2, N)
    assert not same(2 * (N // 2), N)


def test_whole_multiples_leave_the_floor() -> None:
    assert (4 * N + 2) // 2 == 2 * N + 1
    assert str((N - 4) // 2 + 1) == "n//2 - 1"
    assert N // 2 // 3 == N // 6
    assert N // 1 == N


def test_numbers_are_plain_integers() -> None:
    assert type(N - N) is int
    assert type((N + 3) - N) is int
    assert (N + 3) - N == 3
    assert substitute(2 * N + 1, lambda atom: 5) == 11


def test_texts() -> None:
    assert [str(size) for size in (N, 2 * N, N * M - 3, -N, (N - 1) // 2, N // 3 * 2, 7 - N)] == [
        "n", "2*n", "m*n - 3", "-n", "(n + 1)//2 - 1", "2*n//3", "-n + 7",
    ]  # fmt: skip


def test_atoms_under_floors_are_found() -> None:
    x = Unknown("linear1", "in")
    size = (N + of(x)) // 2 + M
    assert atoms(size) == {Name("n"), Name("m"), x}
    assert unknowns(size) == {x}
    assert names(size) == {"n", "m"}
    assert names(3) == set()
    assert str(of(x)) == "?"


def test_an_unknown_is_the_same_as_nothing_but_itself() -> None:
    x, y = of(Unknown("a", "in")), of(Unknown("a", "in"))
    assert same(x, x)
    assert not same(x, y)
    assert not same(x, N)


@given(st.integers(0, 100), st.integers(1, 9))
def test_ceil_rounds_up(size: int, divisor: int) -> None:
    assert ceil(size, divisor) == -(-size // divisor)
    assert evaluate(ceil(N, divisor), {"n": size}) == -(-size // divisor)


def test_a_length_that_is_not_given_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"the lengths of n \+ 2 are not all given"):
        evaluate(N + M, {"m": 2})


def test_single_is_an_atom_alone() -> None:
    assert isinstance(N, Expression)
    assert N.single == Name("n")
    floor = N // 2
    assert isinstance(floor, Expression)
    assert isinstance(floor.single, Floor)
    twice = 2 * N
    assert isinstance(twice, Expression)
    assert twice.single is None


def test_a_product_of_many_sums_is_not_multiplied_out():
    product = named("a0") - 1
    for i in range(1, 9):
        product = product * (named(f"a{i}") - 1)
    assert len(product.terms) == 2**9
    with pytest.raises(NetError) as caught:
        product * (named("b") - 1)
    assert str(caught.value) == (
        "a size of this net is a product of too many sums\n"
        "  expected: at most 1000 terms, multiplied out\n"
        "  got:      512 terms times 2\n"
        "  mend:     fewer axes of one value that differ from example to example"
    )

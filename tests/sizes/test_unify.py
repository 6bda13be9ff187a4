"""Equations between sizes and between shapes are solved in both directions, and a false one leaves no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.sizes.size import Size, Unknown, evaluate, named, of
from netwright.sizes.unify import Clash, Row, Shape, Solver

N = named("n")


def unknown(text: str = "in") -> Size:
    return of(Unknown("leaf", text))


def test_a_size_is_found_from_either_side() -> None:
    for flipped in (False, True):
        solver, x = Solver(), unknown()
        solver.equate(*((5, x) if flipped else (x, 5)), cause="leaf")
        assert solver.size(x) == 5


def test_unknowns_that_are_equal_learn_together() -> None:
    solver, x, y, z = Solver(), unknown(), unknown(), unknown()
    solver.equate(x, y, "a")
    solver.equate(y, z, "b")
    solver.equate(z, N, "c")
    assert [solver.size(size) for size in (x, y, z)] == [N, N, N]
    assert solver.cause(x) == "c"


@given(st.integers(1, 50), st.integers(-20, 20), st.integers(1, 50))
def test_a_linear_equation_is_solved_where_it_has_a_solution(factor: int, offset: int, value: int) -> None:
    solver, x = Solver(), unknown()
    solver.equate(factor * x + offset, factor * value + offset, "leaf")
    assert solver.size(x) == value


def test_a_multiple_that_divides_nothing_clashes() -> None:
    for wrong in (40, N, N // 2):
        solver = Solver()
        with pytest.raises(Clash):
            solver.equate(16 * unknown("k"), wrong, "leaf")
        assert not solver.values


def test_a_multiple_is_found_in_expressions_too() -> None:
    solver, k = Solver(), unknown("k")
    solver.equate(16 * k, 32 * N, "leaf")
    assert solver.size(k) == 2 * N


def test_a_multiple_is_found_where_only_the_value_shows_it() -> None:
    solver, k = Solver(), unknown("k")
    solver.equate(2 * k, N // 2 + (N + 1) // 2 + N, "leaf")  # it is 2n for every n
    assert all(evaluate(solver.size(k), {"n": n}) == n for n in range(1, 20))


def test_sizes_are_at_least_one() -> None:
    for value in (0, -3):
        with pytest.raises(Clash):
            Solver().equate(unknown(), value, "leaf")
    with pytest.raises(Clash):
        Solver().equate(unknown() + 5, 5, "leaf")


def test_lengths_are_equal_only_when_they_are_for_every_length() -> None:
    solver = Solver()
    solver.equate(N // 2 + (N + 1) // 2, N, "leaf")
    with pytest.raises(Clash):
        solver.equate(N, named("m"), "leaf")
    with pytest.raises(Clash):
        solver.equate(N, 5, "leaf")


def test_what_waits_is_settled_when_the_other_size_comes() -> None:
    solver, x, y = Solver(), unknown("x"), unknown("y")
    solver.equate(x * y, 12, "product")
    assert solver.settle() == []
    solver.equate(x, 3, "x")
    assert solver.settle() == []
    assert solver.size(y) == 4


def test_what_waited_and_is_false_is_named() -> None:
    solver, x, y = Solver(), unknown("x"), unknown("y")
    solver.equate(x * y, 12, "product")
    solver.equate(x, 5, "x")
    assert solver.settle() == ["product"]
    assert solver.settle() == []  # once


def test_runs_take_what_is_left() -> None:
    solver, lead, x = Solver(), Row("leaf", "..."), unknown()
    solver.match((lead, x), (12, 12, 50), "leaf")
    assert solver.shape((lead,)) == (12, 12)
    assert solver.size(x) == 50


def test_a_run_may_be_empty() -> None:
    solver, lead, x = Solver(), Row("leaf", "..."), unknown()
    solver.match((lead, x), (7,), "leaf")
    assert solver.shape((lead,)) == ()


def test_runs_in_the_middle_and_on_both_sides() -> None:
    solver, s, t = Solver(), Row("a", "s"), Row("b", "t")
    solver.match((3, s), (t, 4), "leaf")  # s ends with 4, t begins with 3, and between them is a run of their own
    solver.match((s,), (5, 4), "later")
    assert solver.shape((t, 4)) == (3, 5, 4)


def test_two_runs_that_are_one() -> None:
    solver, s, t = Solver(), Row("a", "s"), Row("b", "t")
    solver.match((s, 2), (t, 2), "leaf")
    solver.match((t,), (8, 8), "later")
    assert solver.shape((s,)) == (8, 8)


def test_ranks_that_differ_clash() -> None:
    for left, right in (((1, 2), (1, 2, 3)), ((Row("a", "s"), 2, 3), (3,)), ((), (4,))):
        with pytest.raises(Clash):
            Solver().match(left, right, "leaf")


def test_a_run_is_not_a_part_of_itself() -> None:
    run = Row("a", "s")
    with pytest.raises(Clash):
        Solver().match((run, 3), (3, run, 3), "leaf")


def test_a_clash_undoes_all_that_its_equation_brought() -> None:
    solver, lead, x, y = Solver(), Row("leaf", "..."), unknown("x"), unknown("y")
    solver.equate(y, 9, "before")
    with pytest.raises(Clash):
        solver.match((lead, x, y, x * y), (2, 3, 8, 24), "leaf")
    assert solver.shape((lead, x)) == (lead, x)
    assert solver.size(y) == 9
    assert solver.settle() == []
    solver.match((lead, x), (2, 3), "again")
    assert solver.shape((lead, x)) == (2, 3)


shapes = st.lists(st.integers(1, 9) | st.sampled_from([N, named("m")]), min_size=0, max_size=6).map(tuple)


@given(shapes, st.integers(0, 6), st.integers(0, 6), st.data())
def test_any_shape_matches_itself_with_holes(shape: Shape, start: int, length: int, data: st.DataObject) -> None:
    start = min(start, len(shape))
    hidden = data.draw(st.sets(st.integers(0, 5)))
    run = Row("leaf", "s")
    holes = {i: unknown() for i in hidden if i < len(shape)}
    pattern = [holes.get(i, size) for i, size in enumerate(shape)]
    pattern[start : start + length] = [run]
    for left, right in ((tuple(pattern), shape), (shape, tuple(pattern))):
        solver = Solver()
        solver.match(left, right, "leaf")
        assert solver.shape(tuple(pattern)) == shape


@given(shapes, st.integers(0, 5))
def test_a_shape_with_one_other_size_clashes_and_leaves_nothing(shape: Shape, at: int) -> None:
    if not shape:
        return
    other = list(shape)
    other[at % len(shape)] = 11
    solver, hole = Solver(), unknown()
    with pytest.raises(Clash):
        solver.match((hole, *shape), (5, *other), "leaf")
    assert not solver.values
    assert not solver.rows

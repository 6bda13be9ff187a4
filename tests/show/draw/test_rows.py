"""Rows are of like length, within the width, and none is left half empty."""

from hypothesis import given
from hypothesis import strategies as st

from netwright.show.draw.rows import RowParts, broken, turn


def parts(lengths, gap=30.0, cuts=None, glued=()):
    return RowParts(lengths, [gap] * len(lengths), cuts or [1] * len(lengths), frozenset(glued))


@given(st.lists(st.floats(20, 300), min_size=1, max_size=25), st.floats(400, 1200))
def test_rows_fit_and_are_at_least_half_full(lengths, width) -> None:
    rows = broken(parts(lengths), width)
    assert [start for start, _ in rows] == [0, *(end for _, end in rows)][:-1] and rows[-1][1] == len(lengths)
    for number, (start, end) in enumerate(rows):
        used = sum(lengths[start:end]) + 30 * (end - start - 1)
        room = width - turn(1) * ((number > 0) + (end < len(lengths)))
        assert used <= room
        if end < len(lengths):
            after = turn(1) if end + 1 < len(lengths) else 0
            fuller = used + 30 + lengths[end] <= width - turn(1) * (number > 0) - after
            assert used >= room / 2 or not fuller


def test_the_last_row_is_no_lone_box() -> None:
    assert broken(parts([100.0] * 5), 530) == [(0, 3), (3, 5)]


def test_rows_end_where_few_edges_pass() -> None:
    assert broken(parts([100.0] * 8, cuts=[1, 1, 1, 3, 1, 1, 1, 1]), 700)[0] in ((0, 3), (0, 5))


def test_the_ends_of_edges_stay_with_their_boxes() -> None:
    assert broken(parts([0.0, 500.0, 0.0], glued={0, 1}), 510) == [(0, 3)]
    assert broken(parts([100.0, 900.0, 100.0]), 500) == [(0, 1), (1, 2), (2, 3)]

"""Lines are straight, curved or round at their corners, and end in an arrow where they should."""

from netwright.show.draw.lines import line, path


def test_straight_lines_curves_and_round_corners() -> None:
    assert path([(0, 0), (10, 0)], down=False) == "M0.0 0.0L10.0 0.0"
    assert path([(0, 0), (10, 20)], down=False) == "M0.0 0.0C5.0 0.0 5.0 20.0 10.0 20.0"
    assert path([(0, 0), (10, 20)], down=True) == "M0.0 0.0C0.0 10.0 10.0 10.0 10.0 20.0"
    assert path([(0, 0), (40, 0), (40, 40)], down=False) == "M0.0 0.0L32.0 0.0Q40.0 0.0 40.0 8.0L40.0 40.0"


def test_an_arrow_points_where_values_flow() -> None:
    assert line([(0, 0), (9, 0)], down=False, tip=True)[1] == '<path class="tip" d="M9 0l-7 -4v8z"/>'
    assert line([(0, 0), (0, 9)], down=True, tip=True)[1] == '<path class="tip" d="M0 9l-4 -7h8z"/>'
    assert len(line([(0, 0), (9, 0)], down=False, tip=False)) == 1

"""The curves of functions in the reference."""

import re

import netwright as nw


def test_a_curve_goes_through_the_values_of_its_function(site):
    curves = site("curves")
    found = list(curves.points(nw.relu))
    assert len(found) == 161
    assert found[0] == (0, 64) and found[80] == (64, 64) and found[-1] == (128, 0)


def test_a_curve_is_interrupted_where_there_is_no_value(site):
    curves = site("curves")
    assert list(curves.points(nw.log))[:81] == [None] * 81
    drawn = curves.curve(nw.square, "square")
    assert 'aria-label="The curve of square from -4 to 4"' in drawn
    line = re.findall(r'<path d="([^"]*)"', drawn)[1]
    assert line.count("M") == 1 and line.startswith("M32 0L")

"""Which fields of a part are options, and a part with other ones."""

import math

import pytest

import netwright as nw
from netwright.changes.fields import (
    calls_of_parts,
    other_options,
    plain_fields,
    same_leaf,
    same_option,
    with_changed_fields,
)
from netwright.errors import NetError
from netwright.net.node import Held


def test_options_are_the_fields_that_hold_no_parts() -> None:
    assert plain_fields(nw.Linear(3)) == {"out": 3, "bias": True}
    assert plain_fields(nw.Repeat(2, nw.relu)) == {"count": 2}
    assert plain_fields(nw.Chain(nw.relu)) == {}
    graph = nw.Graph(act=(nw.relu, "input"))
    assert "calls" not in plain_fields(graph)


def test_both_values_of_an_option_that_differs() -> None:
    assert other_options(nw.Dropout(0.5), nw.Dropout(0.2)) == {"rate": (0.5, 0.2)}
    assert other_options(nw.Repeat(2, nw.relu), nw.Repeat(3, nw.tanh)) == {"count": (2, 3)}


def test_values_of_one_type_are_compared() -> None:
    assert same_option(math.nan, math.nan)
    assert same_option((1, 2.0), (1, 2.0))
    assert not same_option(1, True)
    assert not same_option(1, 1.0)


class Thrice(nw.Container):
    """A part that its container calls under three other names."""

    body: nw.Net

    def flow(self, call, x):  # type: ignore[no-untyped-def]
        return call("c", self.body, call("b", self.body, call("a", self.body, x)))


def test_the_names_under_which_parts_are_called() -> None:
    assert calls_of_parts(Thrice(nw.relu)) == {"body": ["a", "b", "c"]}
    assert calls_of_parts(nw.Repeat(2, nw.relu)) == {"1": ["1"], "2": ["2"]}
    assert calls_of_parts(nw.Residual(nw.relu)) == {"body": ["body"]}


def test_a_part_that_its_container_calls_by_other_names() -> None:
    before, after = (nw.Chain(x=Thrice(nw.Chain(nw.Linear(3), nw.Dropout(rate))), input=3) for rate in (0.1, 0.2))
    filled = nw.initialize(before)
    difference = nw.diff(before, after)
    assert [change.place for change in difference.places] == [f"x/{name}/dropout1.rate" for name in "abc"]
    assert repr(nw.patch(before, difference)) == repr(after)
    assert nw.patch(filled, difference) == nw.merge(before, filled, after)
    assert nw.patch(filled, nw.diff(filled, filled.replace("x/b", nw.relu)))["x/b"] == nw.relu


def test_a_part_with_other_options_is_checked() -> None:
    made = with_changed_fields(nw.Dropout(0.5), {"rate": 0.2}, Held(shared="name"))
    assert made == nw.Shared("name", nw.Dropout(0.2)) and made.held.shared == "name"
    assert same_leaf(nw.Linear(3), nw.Linear(3)) and not same_leaf(nw.Linear(3), nw.Linear(4))
    with pytest.raises(NetError) as caught:
        with_changed_fields(nw.Dropout(0.5), {"rate": "high"}, Held())
    assert str(caught.value) == (
        "rate of Dropout cannot be this\n  where:    Dropout\n  expected: a number\n  got:      'high', of type str"
    )
    with pytest.raises(NetError):
        with_changed_fields(nw.Dropout(0.5), {"rate": 1.5}, Held())

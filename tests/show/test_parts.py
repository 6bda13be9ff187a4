"""The walk is the order in which tables and drawings read a net."""

import netwright as nw
from netwright.show.parts import drawn_places, kind_text, part_text, sizes_text

NESTED = nw.Chain(4, [nw.relu, nw.Linear(3)], input=("n", 2))


def test_containers_come_before_what_they_hold():
    found = [(place.path, place.depth, place.name) for place in drawn_places(NESTED)]
    assert found == [
        ("linear1", 0, "linear1"),
        ("chain1", 0, "chain1"),
        ("chain1/relu1", 1, "relu1"),
        ("chain1/linear1", 1, "linear1"),
    ]


def test_a_single_leaf_is_one_place():
    (place,) = drawn_places(nw.Linear(3))
    assert (place.depth, place.name, place.slots) == (0, "linear", nw.Linear(3).plan.wiring.outputs)


def test_sizes_keep_their_names():
    assert [sizes_text(NESTED.plan, place.slots) for place in drawn_places(NESTED)] == [
        "(n, 4)",
        "(n, 3)",
        "(n, 4)",
        "(n, 3)",
    ]


def test_kinds_are_as_a_user_writes_them():
    parts = (nw.Conv(3, 2), nw.relu, nw.softmax, nw.Shared("w", nw.Linear(3)), NESTED)
    assert [kind_text(part) for part in parts] == ["Conv", "relu", "softmax", "Linear", "Chain"]


def test_parts_on_one_short_line():
    long = nw.Linear(10**60)
    assert part_text(NESTED) == "Chain of 2 parts"
    assert part_text(nw.Chain(3)) == "Chain of 1 part"
    assert part_text(long) == "Linear(" + "1" + "0" * 35 + "…"

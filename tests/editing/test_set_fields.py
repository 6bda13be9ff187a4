"""Fields by path: patterns, all changes at once, arrays kept, all faults in one error."""

from typing import Any

import pytest

import netwright as nw
from messages import message
from netwright.editing.set_fields import fields_of, with_fields
from netwright.net.part import Net

NET = nw.Chain(
    body=nw.Repeat(2, nw.Residual([nw.Linear(4), nw.relu, nw.Dropout(0.5)])),
    dropout1=nw.Dropout(0.5),
    head=nw.Linear(3),
    input=4,
)


def rates(net: Net) -> list[float]:
    return [net[path].rate for path in net.paths if "dropout" in path]  # pyright: ignore


def test_a_path_a_pattern_and_the_later_one_counts() -> None:
    assert rates(nw.set(NET, {"dropout1.rate": 0.1})) == [0.5, 0.5, 0.1]
    assert rates(nw.set(NET, {"body/*.rate": 0.1})) == [0.1, 0.1, 0.5]
    assert rates(nw.set(NET, {"*.rate": 0.1, "dropout1.rate": 0.2})) == [0.1, 0.1, 0.2]
    assert nw.set(NET, {"*.rate": 0.1})["body"].count == 2  # pyright: ignore  # the copies stay one part


def test_sizes_have_to_fit_at_the_end_only_and_what_fits_is_kept() -> None:
    net = nw.initialize(NET)
    made = nw.set(net, {"body.count": 3, "head.bias": False})
    assert nw.diff(net, made).of("removed") == ("head/bias",)
    assert len(nw.diff(net, made).of("kept")) == 5
    assert made.held.arrays["head/weight"].data_ptr() == net.held.arrays["head/weight"].data_ptr()
    pair = nw.Chain(nw.Linear(4), nw.Residual(nw.Linear(4)), input=3)
    assert nw.set(pair, {"linear1.out": 6, "residual1/body.out": 6}).plan.outputs == {"output": (6,)}


def test_a_shared_part_has_its_fields_once() -> None:
    layer = nw.Shared("layer", nw.Linear(4))
    net = nw.initialize(nw.Chain(layer, nw.relu, layer, input=4))
    made = nw.set(net, {"linear2.bias": False})
    assert [*made.arrays] == ["@layer/weight"]
    assert made["linear1"].bare() == made["linear2"].bare()


def test_the_history_says_it() -> None:
    assert str(nw.set(NET, {"head.out": 5}).history[-1]).endswith("set head.out=5")


WRONG: list[tuple[Any, str]] = [
    (
        {"hed.out": 5},
        "no part of this Chain has the name 'hed'\n  where:    hed.out=5\n"
        "  expected: one of body, dropout1, head\n  mend:     did you mean 'head'?",
    ),
    (
        {"*.rte": 0.1},
        "none of the 15 parts like '*' has a field 'rte' that can be changed\n  where:    *.rte=0.1\n"
        "  expected: one of out, bias, function, slope, rate, unit, count\n  mend:     did you mean 'rate'?",
    ),
    (
        {"drop?.rate": 0.1},
        "no part of this net has a path like 'drop?'\n  where:    drop?.rate=0.1\n"
        '  expected: a path or pattern, a point and a field, such as "linear1.out"\n'
        "  mend:     did you mean 'dropout1.rate'?",
    ),
    (
        {"rate": 0.1},
        "'rate' names no field of a part\n  where:    rate=0.1\n"
        '  expected: a path or pattern, a point and a field, such as "linear1.out"',
    ),
    (
        {"head.out": "wide", "dropout1.rate": 2},
        "2 faults\n1. out of Linear cannot be this\n     where:    head.out='wide', Linear\n"
        "     expected: a whole number or FREE\n     got:      'wide', of type str\n"
        "2. a rate is a share of the values, from 0 up to, not with, 1\n"
        "     where:    dropout1.rate=2, Dropout\n     got:      2",
    ),
    (
        {},
        "set takes a mapping from paths with a field to values\n  where:    set\n"
        '  expected: {"linear1.out": 50}\n  got:      {}',
    ),
]


@pytest.mark.parametrize(("changes", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_all_faults_are_told_together_and_nothing_changes(changes: Any, text: str) -> None:
    before = nw.digest(NET)
    assert message(nw.set, NET, changes) == text
    assert nw.digest(NET) == before


def test_sizes_that_do_not_fit_are_told_with_the_change() -> None:
    assert message(nw.set, NET, {"body/1/body/linear1.out": 7}).startswith(
        "body/1/add's inputs do not have the same sizes\n  where:    body/1/body/linear1.out=7, "
    )


def test_fields_are_those_that_are_no_parts() -> None:
    assert fields_of(nw.Linear(3)) == ["out", "bias"]
    assert fields_of(nw.Repeat(2, 4)) == ["count"]
    assert fields_of(nw.Chain(3)) == []
    assert with_fields(nw.Repeat(2, 4), {"count": 3}, "") == nw.Repeat(3, 4)

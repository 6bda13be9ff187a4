"""Drawing with symbols: what a part may read, what stands for a part, and how parts are written."""

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.net.plan.symbol import as_part, named_parts, named_repr


def test_too_many_values_and_unknown_ports() -> None:
    x = nw.Input()
    with pytest.raises(NetError) as caught:
        nw.relu(x, x)
    assert str(caught.value) == (
        "relu is given more values than it has input ports\n"
        "  where:    relu\n  expected: 1: input\n  got:      2\n"
        "  mend:     read 1 of them, or join them first, with nw.Concatenate() or nw.Add()"
    )
    with pytest.raises(NetError) as caught:
        nw.where(x, x, c=x)
    assert str(caught.value) == (
        "where has no free input port 'c'\n  where:    where\n  expected: condition, a, b\n  got:      c"
    )
    with pytest.raises(NetError) as caught:
        x["hidden"]
    assert str(caught.value) == "there is no output port 'hidden'\n  expected: input\n  got:      'hidden'"


def test_a_shorthand_is_a_part() -> None:
    assert as_part(3) == nw.Linear(3)
    assert as_part([3, nw.relu]) == nw.Chain(3, nw.relu)
    assert list(named_parts([3, nw.relu, 4], {"head": 2})) == ["linear1", "relu1", "linear2", "head"]


def test_a_name_that_python_cannot_write_stands_in_a_mapping() -> None:
    assert named_repr("head", "Linear(2)") == "head=Linear(2)"
    assert named_repr("1x1", "Linear(2)") == "**{'1x1': Linear(2)}"

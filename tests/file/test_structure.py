"""Parts as plain data and back: every declared field, exact types, nothing that the tables do not name."""

import json
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch

import netwright as nw
from netwright.codecs.codec import CODECS
from netwright.errors import FileError
from netwright.fields import suits
from netwright.file import structure
from netwright.file.structure import MOST_USES, Reader, check_uses, described_value, function_name
from netwright.net.node import PARTS, Node
from netwright.net.plan.container import leaf_uses
from netwright.net.plan.level import Call
from netwright.sizes.free import FREE, Free


def there_and_back(value: Node) -> Node:
    """A part through JSON."""
    return Reader().part(json.loads(json.dumps(described_value(value, "net"), allow_nan=False)), "net")


def test_every_field_is_written() -> None:
    assert described_value(nw.Conv(4, (3, 1), padding="same"), "net") == {
        "part": "Conv",
        "fields": {
            "out": 4,
            "kernel": [3, 1],
            "stride": 1,
            "padding": "same",
            "dilation": 1,
            "groups": 1,
            "bias": True,
        },
    }
    assert described_value(nw.Linear(), "net") == {"part": "Linear", "fields": {"out": {"mark": "FREE"}, "bias": True}}
    assert described_value(nw.Shared("a", nw.relu), "net")["shared"] == "a"


@pytest.mark.parametrize(
    "net",
    [
        nw.Residual([3, nw.relu], shortcut=3),
        nw.Residual(nw.relu),
        nw.Parallel(nw.relu, three=3),
        nw.Repeat(3, [4, nw.relu]),
        nw.Graph(a=(nw.Linear(3), "input"), b=(nw.relu, "a"), input=3),
    ],
    ids=repr,
)
def test_containers(net: nw.Net) -> None:
    found = there_and_back(net)
    assert type(found) is type(net)
    assert found.bare() == net.bare()


@pytest.mark.parametrize("value", [0.1, -0.0, 1.0, 1, True, None, "ü", 10**30, float("inf"), float("-inf"), 5e-324])
def test_plain_values_keep_their_type(value: Any) -> None:
    plain = json.loads(json.dumps(described_value(value, "x"), allow_nan=False))
    found = Reader()._value(plain, "x", 0)
    assert (type(found), repr(found)) == (type(value), repr(value))
    assert Reader()._value(described_value((value, (value,)), "x"), "x", 0) == (value, (value,))
    nan = Reader()._value(described_value(float("nan"), "x"), "x", 0)
    assert nan != nan


@pytest.mark.parametrize("value", [[1], {1: 2}, {3}, torch.ones(2), b"x", 2**5000, object()])
def test_values_without_a_place(value: Any) -> None:
    with pytest.raises(FileError) as caught:
        described_value((value,), "net/part")
    assert caught.value.what == "this value has no place in a file"
    assert caught.value.where == "net/part"


def test_functions_without_a_source() -> None:
    with pytest.raises(FileError) as caught:
        function_name(len, "net/a")
    assert str(caught.value) == (
        "builtins.len has no source, so a file could not say which function it is\n"
        "  where:    net/a\n"
        "  mend:     wrap it in a function of your own, at the top of a module"
    )


def test_two_kinds_of_one_name() -> None:
    class Twin(nw.Leaf):
        ports = "... -> ..."

    first = Twin

    class Twin(nw.Leaf):  # type: ignore[no-redef]
        ports = "... -> ..."

    try:
        assert described_value(Twin(), "net") == {"part": "Twin", "fields": {}}
        with pytest.raises(FileError) as caught:
            described_value(first(), "net")
        assert caught.value.what == "two kinds have the name Twin: a file could not tell them apart"
    finally:
        del PARTS["Twin"]


def test_a_kind_of_your_own_comes_back() -> None:
    class Raised(nw.Leaf):
        power: float = 2.0
        ports = "... -> ..."

        def forward(self, w: Any, x: torch.Tensor) -> torch.Tensor:
            return x**self.power

    try:
        found = there_and_back(nw.Chain(Raised(3.0)))
        assert found == nw.Chain(Raised(3.0))
    finally:
        del PARTS["Raised"]
    with pytest.raises(FileError, match="there is no part of the name 'Raised'"):
        Reader().part({"part": "Raised", "fields": {}}, "net")


def test_uses_are_counted_level_by_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MOST_USES", 1000)

    class Twice(nw.Container):
        body: nw.Net

        def flow(self, call: Callable[..., Any], x: Any) -> Any:
            return call("b", self.body, call("a", self.body, x))

    try:
        net: nw.Net = nw.relu
        plain: Any = described_value(nw.relu, "net")
        for _ in range(5):
            net = Twice(net)
        assert leaf_uses(net) == 32
        for _ in range(50):
            plain = {"part": "Twice", "fields": {"body": plain}}
        with pytest.raises(FileError, match="the net expands to too many parts"):
            Reader().part(plain, "net")
    finally:
        del PARTS["Twice"]


def test_too_many_uses() -> None:
    check_uses(MOST_USES, "net")
    with pytest.raises(FileError) as caught:
        check_uses(MOST_USES + 1, "net")
    assert str(caught.value) == (
        "the net expands to too many parts\n"
        "  where:    net\n"
        "  expected: at most 10,000, each counted in every part that holds it, in a file of 0 bytes\n"
        "  got:      10,001"
    )
    check_uses(MOST_USES + 50, "net", 5000)
    with pytest.raises(FileError, match=r"at most 10,050, .* in a file of 5,000 bytes"):
        check_uses(MOST_USES + 51, "net", 5000)
    with pytest.raises(FileError, match="more than a quadrillion"):
        check_uses(10**5000, "net")


def test_uses_are_planned_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every container that holds them, for each is planned when it is built."""
    for net, leaves, planned in (
        (nw.relu, 1, 1),
        (nw.Repeat(3, nw.relu), 3, 4),
        (nw.Repeat(3, [nw.relu, nw.softmax]), 6, 2 + 2 + 6),
        (nw.Repeat(4, nw.Repeat(5, nw.relu)), 20, 1 + 5 + 20),
        (nw.Graph(a=(nw.Residual(nw.relu), "input"), b=(nw.relu, "a"), input=3), 2, 1 + 1 + 1 + 2),
    ):
        plain = described_value(net, "net")
        assert structure._counted(plain, 0) == (leaves, planned), net
    plain = described_value(nw.relu, "net")
    for _ in range(20):
        plain = {"part": "Repeat", "fields": {"count": 10, "body": plain}}
    monkeypatch.setattr(structure, "_built", None)  # nothing is
    with pytest.raises(FileError) as caught:
        Reader().part(plain, "net")
    assert caught.value.got == "more than a quadrillion"
    deep = {"part": "Repeat", "fields": {"count": 1000, "body": described_value(nw.relu, "net")}}
    for _ in range(11):
        deep = {"part": "Chain", "fields": {"parts": [["a", deep]]}}
    with pytest.raises(FileError) as caught:
        Reader().part(deep, "net")
    assert caught.value.got == "12,001"


@pytest.mark.parametrize(
    ("value", "hint", "yes"),
    [
        (1, int, True),
        (True, int, False),
        (True, bool, True),
        (1, bool, False),
        (1, float, True),
        (True, float, False),
        ("1", float, False),
        (None, int | None, True),
        (1.5, int | None, False),
        (FREE, int | Free, True),
        ("same", Literal["same", 1], True),
        (True, Literal["same", 1], False),
        ((1, 2), tuple[int, ...], True),
        ((1, "2"), tuple[int, ...], False),
        ((1, "2"), tuple[int, str], True),
        ((1,), tuple[int, str], False),
        ([1], tuple[int, ...], False),
        ((1, [2]), tuple, True),
        (len, Callable[..., Any], True),
        (3, Callable[..., Any], False),
        (3, Any, True),
        (3, "Forward", True),
        (nw.relu, Node, True),
        (Call("a", nw.relu, (), "a"), Node, False),
    ],
)
def test_suits(value: Any, hint: Any, yes: bool) -> None:
    assert suits(value, hint) is yes


def test_the_table_of_codecs() -> None:
    assert {"Image", "Category", "Boolean", "Array", "Each", "Labels", "Number", "Vector"} <= CODECS.keys()
    assert all(CODECS[name].__name__ == name for name in CODECS)

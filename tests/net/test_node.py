"""What every net is made of: names, paths, the arguments that give a value back."""

import timeit

import pytest
import torch

import netwright as nw
from netwright.errors import NetError
from netwright.net.leaf import keyword_arguments
from netwright.net.names import Numbers, check_name, join_path, numbered
from netwright.net.node import PARTS, arguments


def test_paths_join_and_a_shared_place_starts_anew() -> None:
    assert join_path("a", "", "b") == "a/b"
    assert join_path("a", "@shared", "b") == "@shared/b"


def test_names_by_kind() -> None:
    assert (nw.MaxPool(2).kind_name, nw.relu.kind_name) == ("maxpool", "relu")
    assert numbered(["relu1", "relu3"], "relu") == "relu2"
    check_name("12", "a place")
    with pytest.raises(NetError) as caught:
        check_name("a b", "a place")
    assert str(caught.value) == (
        "a part's name is a Python name\n  where:    a place\n  got:      'a b'\n"
        "  mend:     letters, digits and underscores"
    )


def test_names_with_numbers_go_on_where_the_last_one_ended() -> None:
    numbers = Numbers(["conv2", "dense"])
    assert [numbers.new("conv") for _ in range(3)] == ["conv1", "conv3", "conv4"]
    assert [numbers.again("dense"), numbers.again("dense")] == ["dense_2", "dense_3"]
    assert [numbers.again("gate"), numbers.again("gate")] == ["gate", "gate_2"]
    assert [numbers.kept("relu1", "relu"), numbers.kept("conv1", "conv")] == ["relu1", "conv5"]
    assert numbers.new("relu") == "relu2"


def test_arguments_leave_defaults_out() -> None:
    assert arguments(nw.Linear(3)) == "3"
    assert arguments(nw.Linear(bias=False)) == "bias=False"


def test_the_table_of_parts_holds_finished_classes() -> None:
    assert PARTS["Linear"] is nw.Linear
    assert "Leaf" not in PARTS


def test_keyword_arguments_of_a_forward() -> None:
    assert keyword_arguments(nw.Dropout().forward) >= {"training", "random"}
    assert keyword_arguments(nw.Linear().forward) == frozenset()


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("diff", lambda x: nw.diff(nw.relu, x)),
        ("diff", lambda x: nw.diff(x, nw.relu)),
        ("alike", lambda x: nw.alike(nw.relu, x)),
        ("digest", nw.digest),
        ("initialize", nw.initialize),
        ("save", lambda x: nw.save(x, "never.net")),
        ("summary", nw.summary),
        ("draw", nw.draw),
        ("measure", lambda x: nw.measure(x, [])),
        ("with_loss", lambda x: nw.with_loss(x, nw.MSE())),
        ("apply", lambda x: nw.apply(x, {}, torch.zeros(1))),
        ("to_torch", nw.to_torch),
    ],
)
def test_what_is_no_net_is_refused_at_the_entrance(name, use):
    for wrong, more in ((3, ""), (nw.Linear, "\n  mend:     nw.Linear(…): this is the kind, not a part")):
        with pytest.raises(NetError) as error:
            use(wrong)
        assert str(error.value) == f"{name} takes a net\n  got:      {wrong!r}{more}"


def test_a_leaf_is_made_fast():
    best = min(timeit.repeat(lambda: nw.Linear(3), number=100, repeat=20)) / 100
    assert best < 20e-6


@pytest.mark.parametrize(
    "part",
    [
        nw.Pad((1, 1), value=float("-inf")),
        nw.Huber(float("inf")),
        nw.Constant(float("nan")),
        nw.Constant([[1.0, float("-inf")], [float("inf"), 2.0]]),
        nw.Chain(nw.Pad((1, 0), value=float("inf")), nw.MaxPool(2), input=("n", 3)),
    ],
)
def test_numbers_that_are_not_finite_are_written_as_python(part: nw.Net) -> None:
    again = eval(repr(part), vars(nw))
    assert repr(again) == repr(part)
    assert again == part or "nan" in repr(part)

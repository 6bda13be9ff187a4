"""What every net is made of: names, paths, the arguments that give a value back."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError
from netwright.net.node import PARTS, arguments


def test_a_part_is_called_by_its_kind() -> None:
    assert (nw.MaxPool(2).kind_name, nw.relu.kind_name, nw.log_softmax.kind_name) == ("maxpool", "relu", "log_softmax")


def test_arguments_leave_defaults_out() -> None:
    assert arguments(nw.Linear(3)) == "3"
    assert arguments(nw.Linear(bias=False)) == "bias=False"


def test_the_table_of_parts_holds_finished_classes() -> None:
    assert PARTS["Linear"] is nw.Linear
    assert "Leaf" not in PARTS


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

"""An axis is followed back through the leaves that hand it on to the one that made it."""

import netwright as nw
from netwright.net.faults.origin import Origin, ancestors, between, differ, maker_of, origin
from netwright.net.plan.plan import plan_of
from netwright.net.plan.wiring import Op
from netwright.sizes.size import Unknown, named, of

LENET = nw.Chain(nw.Conv(20, 5), nw.relu, nw.MaxPool(2), 500, nw.relu, 10, nw.softmax, input=nw.Image(28, 28, "gray"))
SOLVED = plan_of(LENET).solution


def text(found: Origin) -> tuple[str, str, int]:
    return found.text, found.name, found.axis


def test_axes_that_leaves_hand_on_are_followed() -> None:
    end = ("softmax1", "output")
    assert [text(origin(SOLVED, end, axis)) for axis in range(3)] == [
        ("maxpool1", "t", 0),
        ("maxpool1", "t", 1),
        ("linear2", "out", 0),
    ]
    assert text(origin(SOLVED, end, -1)) == ("linear2", "out", 0)
    assert text(origin(SOLVED, ("maxpool1", "output"), 2)) == ("conv1", "out", 0)


def test_an_axis_of_the_input() -> None:
    net = nw.Graph(a=(nw.relu, "x"), b=(nw.Linear(4), "a"), input={"x": ("n", 3)})
    assert text(origin(plan_of(net).solution, ("b", "output"), 0)) == ("the input x", "x", 0)
    chain = plan_of(nw.Chain(nw.relu, input=3)).solution
    assert origin(chain, ("relu1", "output"), 0).text == "the input"


def test_a_field_fixes_its_axis() -> None:
    assert origin(SOLVED, ("softmax1", "output"), 2).fixes
    assert not origin(SOLVED, ("softmax1", "output"), 0).fixes


def test_what_leads_to_a_value() -> None:
    assert [op.path for op in ancestors(SOLVED, ("maxpool1", "output"))] == ["conv1", "relu1", "maxpool1"]
    pool: Op = next(op for op in SOLVED.wiring.ops if op.path == "maxpool1")
    assert [op.path for op in between(SOLVED, pool, ("relu2", "output"))] == ["linear1", "relu2"]
    assert len(between(SOLVED, None, ("relu1", "output"))) == 2


def test_who_made_a_value() -> None:
    assert [maker_of(slot) for slot in (("relu1", "output"), ("", "x"))] == ["relu1", "x"]


def test_sizes_differ_only_when_both_are_known() -> None:
    unknown = of(Unknown("a", "in"))
    assert differ(3, 4)
    assert differ(named("n"), 4)
    assert not differ(4, 4)
    assert not differ(unknown, 4)

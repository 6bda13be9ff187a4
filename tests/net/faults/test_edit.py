"""An edit as data does to the flat wiring what it does to the net."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError, SizeError
from netwright.net.faults.edit import Edit, checked_line, edited, open_arrays, tried
from netwright.net.node import Node

NET = nw.initialize(
    nw.Chain(stem=[nw.Conv(4, 3), nw.relu], flat=nw.Flatten(), head=3, input=(6, 6, 1), output=3), seed=0
)
EDITS = {
    "insert": Edit("", inserts={("head", "input"): (nw.Linear(7), nw.tanh)}),
    "insert deep": Edit("", inserts={("stem/relu1", "input"): (nw.Conv(5, 3),)}),
    "insert at the end": Edit("", inserts={("", "output"): (nw.softmax,)}),
    "replace": Edit("", leaves={"stem/conv1": nw.Conv(9, 2)}),
    "leave out": Edit("", leaves={"stem/relu1": None}),
    "codecs": Edit("", inputs={"input": nw.Array("8 8 1")}),
    "head": Edit("", leaves={"head": nw.Linear()}, outputs={"output": nw.Category(range(5))}),
}


def array_shapes(net: Node) -> list[tuple[int | None, ...]]:
    assert isinstance(net, nw.Net)
    return sorted(tuple(spec.known or ()) for spec in net.plan.arrays.values())


@pytest.mark.parametrize("name", EDITS)
def test_trying_and_building_agree(name: str) -> None:
    solution = tried(NET, EDITS[name], strict=False)
    net = edited(NET, EDITS[name], strict=False)
    assert not solution.mismatches
    assert not open_arrays(solution)
    flat = [solution.array_shape(s.op, name) for s in solution.scopes.values() for name in s.weights]
    assert sorted(flat) == array_shapes(net)  # type: ignore[type-var]  # all are numbers by now


def test_paths_and_arrays_survive() -> None:
    net = edited(NET, EDITS["insert"], strict=False)
    assert isinstance(net, nw.Chain)
    assert net.paths == ("stem/conv1", "stem/relu1", "stem", "flat", "linear1", "tanh1", "head")
    assert net.held.arrays["stem/conv1/weight"] is NET.held.arrays["stem/conv1/weight"]
    assert "head/weight" not in net.held.arrays  # it was 64 wide, and is 7 now
    assert "head/bias" in net.held.arrays


def test_a_replaced_leaf_starts_anew() -> None:
    net = edited(NET, Edit("", leaves={"head": nw.Linear(3)}), strict=True)
    assert sorted(net.held.arrays) == ["stem/conv1/bias", "stem/conv1/weight"]


def test_a_strict_edit_refuses_arrays_that_become_unfit() -> None:
    with pytest.raises(SizeError):
        edited(NET, EDITS["insert"], strict=True)
    assert tried(NET, EDITS["insert"], strict=True).mismatches


def test_both_edits_at_once() -> None:
    net = edited(NET, EDITS["insert"] | EDITS["leave out"], strict=False)
    assert isinstance(net, nw.Net)
    assert net.paths == ("stem/conv1", "stem", "flat", "linear1", "tanh1", "head")


def test_nothing_left_is_no_net() -> None:
    with pytest.raises(NetError):
        edited(nw.Chain(nw.relu), Edit("", leaves={"relu1": None}), strict=False)


def test_parts_of_other_containers_stay_in_them() -> None:
    net = nw.Chain(nw.Residual([nw.Linear(4), nw.relu]), input=4)
    changed = edited(net, Edit("", leaves={"residual1/body/linear1": nw.Linear()}), strict=False)
    assert isinstance(changed, nw.Net)
    assert isinstance(changed["residual1"], nw.Residual)


def test_the_line_of_a_mend() -> None:
    assert (
        checked_line(Edit("nw.Flatten() before head"), NET)
        == "nw.Flatten() before head             (checked: 235 parameters)"
    )
    assert checked_line(Edit("this", note="for that"), NET) == "this, for that"
    assert checked_line(Edit("this"), nw.Chain(nw.Linear())).endswith(" (checked)")
    assert checked_line(Edit("this"), nw.Chain(nw.Linear(1, bias=False), input=1)).endswith(" (checked: 1 parameter)")


def test_the_net_itself_is_untouched() -> None:
    before = {path: array.clone() for path, array in NET.held.arrays.items()}
    for edit in EDITS.values():
        edited(NET, edit, strict=False)
    assert all(torch.equal(NET.held.arrays[path], array) for path, array in before.items())


def test_a_mend_that_reads_less_is_no_mend() -> None:
    with pytest.raises(SizeError):
        nw.Graph(nw.CrossEntropy()(nw.Input("x", nw.Array("n")), nw.Input("y", nw.Array("<3>"))))

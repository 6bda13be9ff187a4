"""An inverted residual block has the parts that its sizes ask for."""

import netwright as nw
from netwright.models.vision.inverted import Inverted

GATE = (nw.silu, nw.sigmoid)


def test_a_block_adds_its_input_where_the_sizes_stay() -> None:
    same = Inverted(8, 48, 8, 3, 1, 2).net(nw.silu, GATE, nw.BatchNorm())
    assert isinstance(same, nw.Residual)
    assert list(same["body"].children()) == ["expand", "depthwise", "squeeze_excite", "project"]
    assert same.with_input((9, 9, 8)).plan.outputs == {"output": (9, 9, 8)}
    for block in (Inverted(8, 48, 8, 3, 2), Inverted(8, 48, 16, 3, 1)):
        assert isinstance(block.net(nw.silu, GATE, nw.BatchNorm()), nw.Chain)


def test_an_example_may_pass_a_block_by() -> None:
    block = Inverted(8, 48, 8, 3, 1, drop=0.2).net(nw.silu, GATE, nw.BatchNorm())
    assert block["body/drop"] == nw.Dropout(0.2, unit="example")
    assert list(Inverted(8, 48, 16, 3, 1, drop=0.2).net(nw.silu, GATE, nw.BatchNorm()).children())[-1] == "project"


def test_a_block_that_does_not_widen_has_no_first_convolution() -> None:
    block = Inverted(8, 8, 16, 5, 2).net(nw.relu, GATE, nw.BatchNorm())
    assert list(block.children()) == ["depthwise", "project"]
    assert block.with_input((8, 8, 8)).plan.outputs == {"output": (4, 4, 16)}


def test_the_table_reads_an_array_for_each() -> None:
    for block in (Inverted(8, 48, 8, 3, 1, 2), Inverted(8, 8, 16, 5, 2)):
        net = block.net(nw.silu, GATE, nw.BatchNorm()).with_input((8, 8, 8))
        table = block.entries("4b", "features.4.1.block")
        assert {f"4b/{path}" for path in net.plan.arrays} == table.keys()

"""The program behind a value: only what depends on it, and at the end only the last position where that is enough."""

import torch

import netwright as nw
from inside.nets import language
from netwright.causality.proof import Visibility
from netwright.inside.behind import behind
from netwright.net.plan.wiring import Slot
from netwright.net.run.call import slots_at
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound


def slot_of(net: nw.Net, path: str) -> Slot:
    return slots_at(net.plan, path)[0][1]


def paths(bound: Bound | None) -> list[str]:
    return [] if bound is None else [instruction.path for instruction in bound.program.instructions]


def test_only_what_depends_on_the_value_is_computed() -> None:
    net = language()
    slot, output = slot_of(net, "blocks/2"), net.plan.wiring.outputs[0][1]
    program = behind(net.plan, net.held.arrays, slot, [output])
    found = paths(program.whole)
    assert all(path.startswith(("blocks/3/", "head", "softmax")) for path in found)
    assert program.takes == ()
    value = net("abc def", at="blocks/2").unsqueeze(0)
    values, context = program.run({slot: 2 * value}, RunContext(batch=1))
    assert context.batch == 1
    wanted = net("abc def", nw.raw, set={"blocks/2": lambda x: 2 * x})  # pyright: ignore[reportUnknownLambdaType]
    torch.testing.assert_close(values[output][0], wanted)


def test_behind_the_last_part_that_mixes_positions_the_last_one_is_enough() -> None:
    net = language()
    slot, output = slot_of(net, "blocks/2"), net.plan.wiring.outputs[0][1]
    sight = Visibility(net.plan, net.plan.varying[0], training=False)
    program = behind(net.plan, net.held.arrays, slot, [output], sight)
    assert paths(program.last)[-2:] == ["head", "softmax"]
    assert any("attention" in path for path in paths(program.whole))
    value = net("abc def", at="blocks/2").unsqueeze(0)
    values, context = program.run({slot: 2 * value}, RunContext(batch=1, lengths={net.plan.varying[0]: 7}))
    assert dict(context.lengths) == {}
    assert values[output].shape[:2] == (1, 1)
    wanted = net("abc def", nw.raw, set={"blocks/2": lambda x: 2 * x})  # pyright: ignore[reportUnknownLambdaType]
    torch.testing.assert_close(values[output][0, 0], wanted[-1])


def test_a_value_behind_all_mixing_is_an_end_itself() -> None:
    net = language()
    slot, output = slot_of(net, "head"), net.plan.wiring.outputs[0][1]
    program = behind(net.plan, net.held.arrays, slot, [output], Visibility(net.plan, net.plan.varying[0], False))
    assert (paths(program.whole), paths(program.last)) == ([], ["softmax"])

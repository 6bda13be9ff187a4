"""A program cut apart gives what it gives whole, and does no more than it must."""

import torch

import netwright as nw
from netwright.net.plan.plan import PlanStep, plan_of
from netwright.net.plan.wiring import Slot
from netwright.net.run.execute import Program
from netwright.stepping.split import StepPrograms, step_programs


def paths(part: Program) -> list[str]:
    return [instruction.path for instruction in part.instructions]


def net() -> nw.Net:
    """A source and what moves; a state beside the output."""
    return nw.Graph(
        memory=(nw.Linear(4), "source"), low=(nw.Linear(4), "x"), gru=(nw.GRU(4), "low"),
        both=(nw.Add(), "gru", "memory", "x"), head=(nw.Chain(nw.tanh, nw.Linear(2)), "both"),
        input={"x": ("n", 4), "source": 3}, outputs={"output": "head", "state": "gru.hidden"},
    )  # fmt: skip


def halves(apart: set[str]) -> StepPrograms:
    plan = plan_of(net())
    output, state = (slot for _, slot in plan.wiring.outputs)
    return step_programs(plan, [output], [state], {"x"}, lambda step: step.path in apart)


def test_what_moves_nothing_is_done_once() -> None:
    parts = halves(set())
    assert paths(parts.once) == ["memory"]
    assert parts.kept == (("memory", "output"),)
    assert paths(parts.each) == paths(parts.whole) == ["low", "gru", "both", "head/tanh1", "head/linear1"]
    assert paths(parts.last) == []
    assert parts.ends == (("head/linear1", "output"),)


def test_what_is_apart_behind_all_that_is_not_is_done_last() -> None:
    parts = halves({"low", "both", "head/tanh1", "head/linear1"})
    assert paths(parts.whole) == ["low", "gru"]  # what stands before is done for all
    assert paths(parts.last) == ["both", "head/tanh1", "head/linear1"]
    assert parts.ends == (("", "x"), ("gru", "output"))


def test_the_parts_give_what_the_whole_gives() -> None:
    made, x, source = nw.initialize(net(), seed=0), torch.randn(2, 5, 4), torch.randn(2, 3)
    arrays, parts = made.held.arrays, halves({"both", "head/tanh1", "head/linear1"})
    expected = nw.apply(made, {}, {"x": x, "source": source})
    kept: dict[Slot, torch.Tensor] = dict(zip(parts.kept, parts.once.bind(arrays)({"source": source}), strict=True))
    output, state = parts.each.bind(arrays)({"x": x, **kept})
    torch.testing.assert_close(output, expected["output"])
    torch.testing.assert_close(state, expected["state"])
    *ends, same = parts.whole.bind(arrays)({"x": x, **kept})
    torch.testing.assert_close(same, state)
    lasts = {slot: end[:, -1:] for slot, end in zip(parts.ends, ends, strict=True)}
    (last,) = parts.last.bind(arrays)({**kept, **lasts})
    torch.testing.assert_close(last, output[:, -1:])


def test_a_group_is_done_for_all() -> None:
    plan = plan_of(nw.Chain(nw.Map(nw.Linear(2)), nw.tanh, input=("n", 3, 4)))

    def apart(step: PlanStep) -> bool:
        return True

    parts = step_programs(plan, [slot for _, slot in plan.wiring.outputs], [], {"input"}, apart)
    assert (paths(parts.whole), paths(parts.last)) == (["map1"], ["tanh1"])

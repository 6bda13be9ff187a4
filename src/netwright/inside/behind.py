"""The program of what comes behind a value: it runs again when the value is another one, and nothing else does."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from netwright.causality.proof import Visibility
from netwright.net.plan.plan import Plan
from netwright.net.plan.wiring import Slot
from netwright.net.run.assemble import assemble
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.groups import Unit, lifted, made_by, read_by, unit_reads, unit_writes, units_of
from netwright.stepping.split import mixing_and_rest
from netwright.stepping.step_net import last_of
from netwright.value import Value


class Behind(Value, eq=False):
    """What is computed from a value.

    Fields:
        takes: the other values that it reads.
        wanted: the values that it gives.
        whole: the program, or its first part.
        ends: the values between the parts, each with the axis of its positions.
        last: the second part, which treats each position by itself and runs for the last one; None where all of the
            wanted values are asked for.
    """

    takes: tuple[Slot, ...]
    wanted: tuple[Slot, ...]
    whole: Bound
    ends: tuple[tuple[Slot, int | None], ...] = ()
    last: Bound | None = None

    def run(self, values: Mapping[Slot, Tensor], context: RunContext) -> tuple[dict[Slot, Tensor], RunContext]:
        """The wanted values of a batch, and the context in which they stand: at the last position nothing is padded."""
        made = self.whole(values, context)
        if self.last is None:
            return dict(zip(self.wanted, made, strict=True)), context
        ends = {slot: last_of(x, axis) for (slot, axis), x in zip(self.ends, made, strict=True)}
        alone = RunContext(batch=context.batch)
        return dict(zip(self.wanted, self.last(ends, alone), strict=True)), alone


def behind(
    plan: Plan, arrays: Mapping[str, Tensor], slot: Slot, wanted: Sequence[Slot], sight: Visibility | None = None
) -> Behind:
    """The program from a value to wanted ones; with `sight` these are wanted at the last position alone."""
    changing, units = {slot}, list[Unit]()
    for unit in lifted(units_of(plan.steps, wanted, {*wanted, slot}), wanted):
        if unit_reads(unit) & changing:
            changing |= unit_writes(unit)
            units.append(unit)
    takes = tuple(sorted((read_by(units) | {*wanted}) - made_by(units) - {slot}))
    inputs = [(one, one) for one in sorted({*takes, slot})]
    if sight is None:
        return Behind(takes, tuple(wanted), assemble(plan, units, inputs, wanted).bind(arrays))
    mixing, rest = mixing_and_rest(units, (), sight.is_positionwise)
    ends = sorted((read_by(rest) | {*wanted}) - made_by(rest))
    return Behind(
        takes,
        tuple(wanted),
        assemble(plan, mixing, inputs, ends).bind(arrays),
        tuple((one, sight.axis(one)) for one in ends),
        assemble(plan, rest, [(one, one) for one in ends], wanted).bind(arrays),
    )

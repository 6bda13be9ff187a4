"""Forecasts the memory of one example: what training keeps for the backward pass, and the most that lives at once.

It is that of a processor with numbers in float32: each value and its gradient take 4 bytes a number, indices 8.
"""

from collections.abc import Iterable, Mapping, Sequence

from netwright.net.cost import ANY_LENGTHS, FLOAT32_BYTES
from netwright.net.plan.each import EachEntry, EachExit
from netwright.net.plan.plan import Plan, PlanStep, ranked
from netwright.net.plan.symbol import input_ports, output_names
from netwright.net.plan.wiring import Slot
from netwright.net.run.groups import exit_ports, lifted, unit_steps, units_of
from netwright.once import once
from netwright.sizes.formula import Formula, largest, names_in, value_of
from netwright.sizes.size import Size, unknowns
from netwright.sizes.unify import Row, Shape
from netwright.value import Value

INDEX_BYTES = 8


class Memory(Value):
    """Bytes of one example, each None while a size is not known.

    Fields:
        kept: what the backward pass reads again, each value in memory counted once; without the arrays of the net.
        kept_by: the same by part, each value at the first part that keeps it.
        training: the most that lives at once in a step of training: what autograd still keeps, gradients, inputs; or,
            where it is more, each value and its gradient in memory of its own, as kernels without autograd hold them.
        use: the most that lives at once in use: inputs, values that are still read, and what a part makes besides.
    """

    kept: Size | None
    kept_by: Mapping[str, Size]
    training: Formula | None
    use: Formula | None


UNKNOWN = Memory(None, {}, None, None)


def memory_of(plan: Plan) -> Memory:
    """The memory that one example takes in a net, found once for each plan."""
    return once(plan, "memory", lambda: _memory(plan))


def training_bytes(plan: Plan, lengths: Mapping[str, int] = ANY_LENGTHS) -> int:
    """The bytes that training takes for one example of these lengths; 0 where they do not say it."""
    found = memory_of(plan).training
    return 0 if found is None or not names_in(found) <= lengths.keys() else value_of(found, lengths)


def _memory(plan: Plan) -> Memory:
    outputs = [slot for _, slot in plan.wiring.outputs]
    units = lifted(units_of(plan.steps, outputs, {*outputs}), outputs)
    steps = [step for unit in units for step in unit_steps(unit)]
    if not all(_known(plan, step) for step in steps):
        return UNKNOWN
    trained, used = Storages(plan, steps, outputs, training=True), Storages(plan, steps, outputs, training=False)
    kept_at, kept_by, kept = trained.kept()
    training = largest([*trained.going_back(kept_at), trained.buffers()])
    return Memory(kept, kept_by, training, largest(used.going_forward()))


class Storages:
    """Where the values of a net lie: views share the memory of what they show, and each memory has a time of life."""

    def __init__(self, plan: Plan, steps: Sequence[PlanStep], outputs: Sequence[Slot], training: bool) -> None:
        self.plan, self.steps, self.training = plan, steps, training
        self.read = {*outputs, *(slot for step in steps for slot in step.reads)}
        self.root: dict[Slot, Slot | None] = {("", name): ("", name) for name in plan.wiring.inputs}  # None: an array's
        self.born: dict[Slot, int] = dict.fromkeys((("", name) for name in plan.wiring.inputs), -1)
        self.learns: set[Slot] = set()
        self.order: dict[Slot, tuple[int, ...]] = {}  # of values whose axes lie in memory in another order, that order
        self.swapped = _swapped(plan, steps)
        self.states = _states(steps)
        for at, step in enumerate(steps):
            self._place(at, step)
        last: dict[Slot, int] = {}
        for at, step in enumerate(steps):
            last |= dict.fromkeys(self._roots((*step.reads, *step.writes)), at)
        self.last = last | dict.fromkeys(self._roots(outputs), len(steps) - 1)

    def kept(self) -> tuple[list[Size], dict[str, Size], Size]:
        """What each step is the first to keep, without inputs of the net; the same by path, and in all, with them."""
        seen: set[Slot] = set()
        besides: list[Size] = []
        by_path: dict[str, Size] = {}
        for step in self.steps:
            new: Size = 0
            given: Size = 0
            if self.learns & {*step.writes}:
                new, ports = self._asked(step)
                first = self._roots(ports) - seen
                seen |= first
                new = new + sum((self._bytes(root) for root in first if root[0]), 0)
                given = sum((self._bytes(root) for root in first if not root[0]), 0)
            besides.append(new)
            by_path[step.path] = by_path.get(step.path, 0) + new + given
        return besides, by_path, sum(by_path.values(), 0)

    def going_back(self, kept: Sequence[Size]) -> list[Size]:
        """What lives at each step of the backward pass: what the steps up to it keep, gradients, and the inputs."""
        gradients = [slot for slot in self.born if slot in self.learns]
        starts = _by_time((self.born[slot], self._bytes(slot)) for slot in gradients)
        ends = _by_time((self.last[slot], self._bytes(slot)) for slot in gradients)
        found: list[Size] = []
        total = self._inputs()
        for at, new in enumerate(kept):
            total = total + new + starts.get(at, 0)
            found.append(total)
            total = total - ends.get(at, 0)
        return found

    def buffers(self) -> Size:
        """The inputs, and each value beside its gradient."""
        return self._inputs() + 2 * sum((self._bytes(slot) for slot in self.born if slot[0]), 0)

    def going_forward(self) -> list[Size]:
        """What lives at each step in use: the inputs, values that are read later, and what the step makes besides."""
        values = [slot for slot in self.born if slot[0]]
        starts = _by_time((self.born[slot], self._bytes(slot)) for slot in values)
        ends = _by_time((self.last[slot], self._bytes(slot)) for slot in values)
        found: list[Size] = []
        total = self._inputs()
        for at, step in enumerate(self.steps):
            total = total + starts.get(at, 0)
            found.append(total + self._asked(step)[0])
            total = total - ends.get(at, 0)
        return found

    def _place(self, at: int, step: PlanStep) -> None:
        plan, reads = self.plan, step.reads[-len(step.writes) :]
        view = step.leaf.is_view(self.training)
        learned = any(plan.arrays[path].weight.kind == "learned" for path in step.arrays.values())
        learns = learned or any(slot in self.learns for slot in step.reads)
        made = {*self._asked(step)[1], *self.read}
        view = view and not self._copies(step)
        for i, slot in enumerate(step.writes):
            self._turn(step, reads[i] if i < len(reads) else None, slot)
            if slot not in made:  # it is not made, or dropped at once
                continue
            shown = reads[i] if i < len(reads) else None
            if slot in self.states:
                self.root[slot] = self.states[slot]
            elif view and (shown is not None or not step.reads):
                self.root[slot] = None if shown is None else self.root[shown]
            else:
                self.root[slot], self.born[slot] = slot, at
            if learns and plan.below(slot) is None:
                self.learns |= {slot, *self._roots([slot])}

    def _copies(self, step: PlanStep) -> bool:
        """Whether a view is none here: axes become one only where they lie beside each other in memory."""
        orders = [self.order[slot] for slot in step.reads if slot in self.order]
        if isinstance(step.leaf, EachEntry):  # the first axis becomes one with the batch
            return any(order[0] != 0 for order in orders)
        return step.leaf.only_reshapes and bool(orders)

    def _turn(self, step: PlanStep, shown: Slot | None, slot: Slot) -> None:
        """Note in which order the axes of a value lie in memory, where it is not their own."""
        before, turned = self.order.get(shown) if shown is not None else None, step.leaf.turned
        if turned is not None:
            order = turned if before is None else tuple(before[axis] for axis in turned)
        elif isinstance(step.leaf, EachEntry) and before is not None and before[0] == 0:
            order = tuple(axis - 1 for axis in before[1:])
        elif isinstance(step.leaf, EachExit) and before is not None:
            order = (0, *(axis + 1 for axis in before))
        elif step.leaf.family == "pointwise" and len(step.reads) == 1 and before is not None:
            order = before  # torch gives its result in the order of what it read
        else:
            return
        if order != tuple(range(len(order))):
            self.order[slot] = order

    def _asked(self, step: PlanStep) -> tuple[Size, list[Slot]]:
        """What a step keeps besides, of all elements that it is done for; and the values that it keeps."""
        inputs = [port.name for port in input_ports(step.leaf, len(step.reads))]
        outputs = output_names(step.leaf, len(step.reads))
        wanted = {name for name, slot in zip(outputs, step.writes, strict=True) if slot in self.read}
        kept = step.leaf.keeps(step.sizes, wanted)
        sides = ((kept.inputs, inputs, step.reads), (kept.outputs, outputs, step.writes))
        found = [
            slot
            for asked, names, slots in sides
            for name, slot in zip(names, slots, strict=True)
            if slot is not None and not {name, "*"}.isdisjoint(asked)
        ]
        if kept.factors and self.training:
            found = [slot for slot in found if self._is_factor_of_learned(slot, step.reads)]
        besides = kept.bytes if self.training else kept.in_use
        if self.training:
            further = zip(kept.between, step.reads[2:], strict=False)
            besides = besides + sum((size for size, slot in further if slot in self.learns), 0)
        return _product((besides, *_around(self.plan, step))), found

    def _is_factor_of_learned(self, slot: Slot, reads: Sequence[Slot | None]) -> bool:
        """Whether another value of a product learns: its gradient reads this one."""
        others = [*reads]
        others.remove(slot)
        return any(other in self.learns for other in others)

    def _roots(self, slots: Iterable[Slot | None]) -> set[Slot]:
        """The memories in which values lie."""
        found: set[Slot] = set()
        for slot in slots:
            root = None if slot is None else self.root.get(slot)
            root = self.root.get(root, root) if root is not None else None
            found |= {root} if root is not None else set()
        return found

    def _inputs(self) -> Size:
        return sum((self._bytes(("", name)) for name in self.plan.wiring.inputs), 0)

    def _bytes(self, slot: Slot) -> Size:
        each = FLOAT32_BYTES if self.plan.below(slot) is None else INDEX_BYTES
        return _product((each, *self.plan.whole_shape(self.swapped.get(slot, slot))))


def _states(steps: Sequence[PlanStep]) -> dict[Slot, Slot]:
    """The states of loops, each with its next value: this is the state of the next element, in the same memory."""
    found: dict[Slot, Slot] = {}
    for step in steps:
        if isinstance(step.leaf, EachExit):
            ends = dict(zip(exit_ports(step), step.reads, strict=True))
            nexts = {(step.path[:-1], name): ends[f"next_{name}"] for name, _ in step.leaf.each.carry}
            found |= {state: slot for state, slot in nexts.items() if slot is not None}
    return found


def _swapped(plan: Plan, steps: Sequence[PlanStep]) -> dict[Slot, Slot]:
    """The values between two leaves that were swapped, each with the value behind both, whose sizes it has."""
    planned = {step.path: step.leaf for step in plan.steps}
    makers = {slot: step for step in steps for slot in step.writes}
    found: dict[Slot, Slot] = {}
    for step in steps:
        before = makers.get(step.reads[0]) if step.reads and step.reads[0] is not None else None
        if before is not None and step.leaf is planned.get(before.path) and before.leaf is planned.get(step.path):
            found[before.writes[0]] = step.writes[0]
    return found


def _known(plan: Plan, step: PlanStep) -> bool:
    """Whether every size of a step is a number or a name."""
    shapes = [plan.whole_shape(slot) for slot in (*step.reads, *step.writes) if slot is not None and slot[1]]
    sizes = [value if isinstance(value, tuple) else (value,) for value in step.sizes.values()]
    return all(ranked(shape) and not any(unknowns(size) for size in shape if not isinstance(size, Row))
               for shape in (*shapes, *sizes))  # fmt: skip


def _around(plan: Plan, step: PlanStep) -> Shape:
    """The sizes of the axes of the `Map`s and `Fold`s around a step."""
    slot = next(slot for slot in step.writes if slot[1])
    whole = plan.whole_shape(slot)
    return whole[: len(whole) - len(plan.shape(slot))]


def _product(sizes: Iterable[Size | Row]) -> Size:
    total: Size = 1
    for size in sizes:
        assert not isinstance(size, Row)
        total = total * size
    return total


def _by_time(amounts: Iterable[tuple[int, Size]]) -> dict[int, Size]:
    found: dict[int, Size] = {}
    for at, size in amounts:
        found[at] = found.get(at, 0) + size
    return found

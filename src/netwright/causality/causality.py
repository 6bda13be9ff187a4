"""The public report of what a net sees: for every output and input, which positions, and how this is known."""

from math import inf
from typing import Literal, TypeAlias

from netwright.causality.probe import Offsets, Pairs, probe, seen_at
from netwright.causality.proof import SeenThrough, Visibility
from netwright.errors import NetError, did_you_mean
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.each import EachBoundary, user_path
from netwright.net.plan.wiring import Slot
from netwright.value import Value, few_lines

Verdict: TypeAlias = Literal["proved", "shown", "not shown", "open", "whole"]
VERDICT_TEXTS: dict[Verdict, str] = {
    "proved": "proved",
    "shown": "{} looks ahead, shown by perturbation",
    "not shown": "{} may look ahead, but perturbation showed nothing",
    "open": "{} may look ahead, and perturbation could not decide it",
    "whole": "it has no positions of its own",
}


class Dependency(Value):
    """What one output sees of one input.

    Fields:
        output, input: the ports.
        low, high: position i of the output may see positions i + low to i + high of the input, and no others; −∞ and ∞
            reach to the beginning and the end.
        path: the parts between them along which it sees farthest ahead, each by its path.
        ahead: the first of these that looks ahead; empty where none does.
        verdict: `"proved"`: it cannot see ahead; else perturbation decides: `"shown"`, `"not shown"`, or `"open"`
            where the net cannot be run yet, or two axes of the output have the same size; `"whole"` for an output
            without positions, such as a state at the end, which sees everything and is not ahead of anything.
    """

    output: str
    input: str
    low: float
    high: float
    path: tuple[str, ...]
    ahead: str
    verdict: Verdict

    @property
    def looks_ahead(self) -> bool:
        """Whether an output position sees later ones, as far as is known."""
        return self.verdict in ("shown", "open")

    def __str__(self) -> str:
        seen = seen_text(self.input, self.low, self.high)
        if self.verdict == "whole":
            return f"{self.output} sees {seen}: {VERDICT_TEXTS[self.verdict]}"
        return f"{self.output} i sees {seen}: {VERDICT_TEXTS[self.verdict].format(self.ahead)}"


class Causality(Value):
    """What every output of a net sees of every input along a size, in training or in use."""

    along: str
    training: bool
    dependencies: tuple[Dependency, ...]

    @property
    def causal(self) -> bool:
        """Whether no output looks ahead."""
        return not any(one.looks_ahead for one in self.dependencies)

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        head = f"along {self.along}, in {'training' if self.training else 'use'}"
        return "\n".join([f"{head}: {'causal' if self.causal else 'not causal'}", *map(str, self.dependencies)])


def causality(net: Net, along: str = "n", *, training: bool = False) -> Causality:
    """Which positions of its inputs every output of a net sees along a size with a name.

    A net is causal when output position i sees input positions up to i and none later. A net that predicts the next
    element, or runs step by step, must be causal. It is proved from the wiring and from the declared reach of the
    leaves; a leaf without a declared reach may see everything. Where the proof fails, perturbation decides: with
    arrays drawn anew, small and large, every position of the input is changed in turn, and an output position that
    changes before it looks ahead.

    Fields:
        along: the size, as the inputs name it.
        training: as in training, where a norm may take its statistics over positions.

    Raises: NetError for a name that no input has.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Conv(4, 3, padding="same"), nw.relu, nw.Conv(4, 3, padding="causal"), input=("n", 2))
        >>> print(nw.causality(net))
        along n, in use: not causal
        output i sees input from i - 3 to i + 1: conv1 looks ahead, shown by perturbation
    """
    expect_net(net, "causality")
    sight = sight_of(net, along, training)
    outputs = [(name, source, slot) for name, slot in net.plan.wiring.outputs for source in sight.of(slot)]
    found = tuple(_dependency(net, sight, name, source, slot) for name, source, slot in outputs)
    return Causality(along, training, found)


def sight_of(net: Net, along: str, training: bool) -> Visibility:
    """What every value of a net may see along a size that some input has."""
    known = net.plan.varying
    if along not in known:
        raise NetError(
            what=f"no input of the net has a size {along!r}",
            where="causality",
            expected=", ".join(known) or "an input such as input=('n', 3)",
            mend=did_you_mean(along, known),
        )
    return Visibility(net.plan, along, training)


def offsets_of(net: Net, sight: Visibility, source: Slot, *slots: Slot) -> dict[Slot, Offsets] | None:
    """What perturbation shows for values with exactly one axis of the size; None if the net cannot be run."""
    axes: dict[Slot, int] = {}
    for slot in slots:
        axis = sight.axis(slot)
        if axis is None:
            return None
        axes[slot] = axis
    given = sight.carriers(source)
    if given is None or len(given) != 1:
        return None
    return probe(net, sight.along, source[1], axes, sight.training, sight.lookahead)


def pairs_of(net: Net, sight: Visibility, source: Slot, slot: Slot, length: int) -> Pairs | None:
    """What perturbation shows for so many positions, pair by pair; None if the net cannot be run so."""
    axis, given = sight.axis(slot), sight.carriers(source)
    if axis is None or given is None or len(given) != 1:
        return None
    return seen_at(net, sight.along, source[1], slot, axis, length)


def _dependency(net: Net, sight: Visibility, output: str, source: Slot, slot: Slot) -> Dependency:
    low, high = sight.of(slot)[source]
    edges = sight.path(source, slot)
    verdict: Verdict = "proved"
    if sight.carriers(slot) == ():
        verdict = "whole"
    elif high > 0:
        found = offsets_of(net, sight, source, slot)
        verdict = "open" if found is None else "shown" if max(found[slot], default=0) > 0 else "not shown"
    return Dependency(output, source[1], low, high, parts(sight, edges), ahead_of(edges), verdict)


def parts(sight: Visibility, edges: tuple[SeenThrough, ...]) -> tuple[str, ...]:
    """The leaves between two ports, each by its path, without the ends of `Map`s and `Fold`s."""
    ends = {op.path for op in sight.plan.wiring.ops if isinstance(op.leaf, EachBoundary)}
    return tuple(edge.made[0] for edge in edges if edge.made[0] not in ends)


def ahead_of(edges: tuple[SeenThrough, ...]) -> str:
    """The path of the first of these leaves that looks ahead; empty where none does."""
    return next((user_path(edge.made[0]) for edge in edges if edge.span[1] > 0), "")


def seen_text(name: str, low: float, high: float) -> str:
    """The positions of an input in words, as seen from position i."""
    if low == -inf:
        return f"all of {name}" if high == inf else f"{name} up to {place_text(high)}"
    if high == inf:
        return f"{name} from {place_text(low)} on"
    return f"{name} from {place_text(low)} to {place_text(high)}" if low < high else f"{name} at {place_text(low)}"


def place_text(offset: float) -> str:
    """The position that is so far from position i."""
    sign = "+" if offset > 0 else "-"
    return f"i {sign} {abs(int(offset))}" if offset else "i"

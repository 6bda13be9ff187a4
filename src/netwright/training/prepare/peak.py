"""The peak learning rate where none is given: from the layers of the net, the batch and the kind of answer.

The rules are those with which bench/recipe.py finds runs nearly as good as the best of a grid.
"""

import math
from collections.abc import Mapping

from netwright.inits import fans
from netwright.net.plan.plan import Plan, PlanStep, Slot
from netwright.sizes.size import evaluate, names, unknowns
from netwright.sizes.unify import Row

PART_OF_SPREAD = 0.14  # the peak step of Adam, relative to 1/√fan-in, the spread of new weights; the best for LeNet
PART_FOR_NUMBERS = 2.5  # relative to 1/fan-in: a curve through numbers is found best by steps that are large for it
LEAST, MOST = 1e-4, 1e-2
MOST_OF_TWO, MOST_FOR_NUMBERS = 3e-2, 4e-2  # in nets of at most two layers in a row, and for answers of one number
STEADYING = ("norm", "sequence")  # families of leaves behind which values have a size that no weight before decides
ROW = 4  # layers that follow each other, as in LeNet; more of them change the output together, so each changes less
FULL = 64  # examples of a batch whose gradient is exact enough for the whole rate; noise falls with the root


def peak_rate(plan: Plan, batch: int, numbers: bool, lengths: Mapping[str, int]) -> tuple[float, str]:
    """The peak rate of Adam for a net, with its reason.

    Fields: `batch`, examples in a step; `numbers`, whether all answers are numbers; `lengths`, how long an example
        typically is, by the names of sizes that vary.
    """
    shapes = [spec.known for spec in plan.arrays.values() if spec.known is not None]
    wide = max((fans(shape).into for shape in shapes if len(shape) > 1), default=1)
    row, steady = longest_row(plan), any(step.leaf.family in STEADYING for step in plan.steps)
    asked = numbers_asked(plan, lengths)
    curve = numbers and asked == 1 and not steady
    if curve:
        part, root, of, most = PART_FOR_NUMBERS / wide, "", " and the answer is a number", MOST_FOR_NUMBERS
    else:
        part, root, of = PART_OF_SPREAD / math.sqrt(wide), "√", ""
        most = MOST_OF_TWO if row <= 2 and not steady else MOST
    rate = min(max(part, LEAST), most)
    first = PART_FOR_NUMBERS if curve else PART_OF_SPREAD
    whys = [f"{first} / {root}{wide}, because a neuron has up to {wide} inputs{of}; kept between {LEAST} and {most}"]
    if row > ROW:
        rate *= ROW / row
        whys.append(f"times {ROW} / {row}, because {row} layers follow each other without a norm")
    seen = batch * max([1 if numbers else asked, *lengths.values()])
    if seen < FULL and not curve and not _over_batch(plan):
        rate *= math.sqrt(seen / FULL)
        whys.append(f"times √({seen} / {FULL}), because the gradient of a small batch is noisy")
    return float(f"{rate:.2g}"), "; ".join(whys)


def numbers_asked(plan: Plan, lengths: Mapping[str, int]) -> int:
    """How many numbers or indices a target of a typical example has, at the loss that reads the most."""
    found = [1]
    for step in plan.steps:
        target = step.reads[1] if step.leaf.is_loss and len(step.reads) > 1 else None
        shape = () if target is None else plan.whole_shape(target)
        sizes = [size for size in shape if not isinstance(size, Row) and not unknowns(size)]
        found.append(math.prod(evaluate(size, lengths) for size in sizes if names(size) <= lengths.keys()))
    return max(found)


def longest_row(plan: Plan) -> int:
    """How many leaves with weights follow each other at most, none of them behind a leaf that steadies values."""
    rows: dict[Slot, int] = {}
    most = 0
    for step in plan.steps:
        before = max((rows.get(slot, 0) for slot in step.reads if slot is not None), default=0)
        row = 0 if step.leaf.family in STEADYING else before + _has_weights(plan, step)
        rows |= dict.fromkeys(step.writes, row)
        most = max(most, row)
    return most


def _over_batch(plan: Plan) -> bool:
    """Whether a leaf takes statistics over a batch, which make the size of a step depend on the weights alone."""
    return any(spec.weight.kind == "running" for spec in plan.arrays.values())


def _has_weights(plan: Plan, step: PlanStep) -> bool:
    """Whether a leaf has a learned array of two axes or more."""
    specs = [plan.arrays[path] for path in step.arrays.values()]
    return any(spec.weight.kind == "learned" and len(spec.shape) > 1 for spec in specs)

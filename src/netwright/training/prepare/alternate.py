"""Trains parts of a net in turn, each by a loss of its own: the objective of a GAN, and what it asks of a net."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from netwright.errors import TrainingError, did_you_mean, shortened
from netwright.net.names import matches
from netwright.net.plan.plan import Plan
from netwright.training.engines.engine import Turn
from netwright.training.prepare.goal import Goal
from netwright.training.prepare.rates import paths_like
from netwright.value import Value


class Alternate(Value):
    """An objective of training: parts of a net learn in turn, each from a loss of its own.

    Step 1 trains the first part by its loss, step 2 the second, and so on, again and again. In a step the other parts
    are constants: the derivative passes through them, and they do not change. Each part has an optimizer of its own.
    `run.losses` has the loss of each step, so with two parts `run.losses[::2]` are those of the first. The validation
    loss is the sum of all losses; since parts may work against each other, it says little of a GAN.

    Fields:
        parts: the output that is the loss of each part, by path patterns, as those of `learning_rate`. An array that
            is trained is in exactly one part; `learning_rate={"body": 0}` keeps arrays as they are.

    Raises: TrainingError for fewer than two parts; before the first step for a part or a loss that the net does not
        have, for parts that overlap, for arrays that are in none, and for a loss that does not depend on its part.

    Example:
        >>> import netwright as nw
        >>> generator = nw.Chain(8, nw.relu, 1, input=2)
        >>> judge = nw.Chain(8, nw.relu, 1, nw.sigmoid, input=nw.Vector(1))
        >>> objective = nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})
        >>> samples = [[x / 10] for x in range(40)]
        >>> run = nw.train(nw.gan(generator, judge), samples, objective=objective, epochs=2, progress=False)
        >>> run.net["generator"](nw.batch([[0.5, -1.0]])).shape
        torch.Size([1, 1])

    Source: Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661, algorithm 1
    """

    parts: Mapping[str, str]

    def __post_init__(self) -> None:
        given = cast(Any, self.parts)
        texts = isinstance(given, Mapping) and all(
            isinstance(text, str) for pair in cast(Mapping[Any, Any], given).items() for text in pair
        )
        if not texts or len(self.parts) < 2:
            raise TrainingError(
                what="parts that learn in turn are given as a mapping from at least two path patterns to losses",
                where="Alternate",
                expected='{"discriminator": "discriminator_loss", "generator": "generator_loss"}',
                got=repr(given),
            )
        object.__setattr__(self, "parts", dict(self.parts))

    def __repr__(self) -> str:
        return f"Alternate({self.parts!r})"


def turns_of(objective: object, plan: Plan, goal: Goal, trained: list[str]) -> tuple[Turn, ...]:
    """The turns of a run; none for another objective.

    Raises: PathError and TrainingError for what does not fit the net.
    """
    if not isinstance(objective, Alternate):
        return ()
    slots = dict(plan.wiring.outputs)
    known = {name: slots[loss] for name, loss in goal.losses.items()}
    turns: list[Turn] = []
    of: dict[str, str] = {}
    for pattern, loss in objective.parts.items():
        if loss not in known:
            raise TrainingError(
                what=f"no loss belongs to an output {loss!r}",
                where="objective",
                expected=f"one of {', '.join(map(repr, known))}",
                mend=did_you_mean(loss, known),
            )
        if frozen := _frozen(pattern, plan, goal, trained):
            raise TrainingError(
                what=f"the part {pattern!r} learns in turn, and the learning rate of all its arrays is 0",
                where="objective",
                got=f"a learning rate of 0 for {shortened(', '.join(frozen), 120)}",
                mend=(
                    f"leave the rate of {pattern!r} out of learning_rate",
                    "train the other part alone: a net that ends in its loss, without nw.Alternate",
                ),
            )
        paths = paths_like(pattern, trained, goal.prefix, "objective")
        if twice := [path for path in paths if path in of]:
            raise TrainingError(
                what=f"the parts {of[twice[0]]!r} and {pattern!r} overlap",
                where="objective",
                expected="parts of which no two have an array in common",
                got=shortened(", ".join(path.removeprefix(goal.prefix) for path in twice), 120),
            )
        of |= dict.fromkeys(paths, pattern)
        turns.append(Turn(pattern, loss, known[loss], tuple(paths)))
    if left := [path.removeprefix(goal.prefix) for path in trained if path not in of]:
        raise TrainingError(
            what="some arrays are in no part that learns",
            where="objective",
            got=shortened(", ".join(left), 120),
            mend=(
                f'learning_rate={{"{left[0].rpartition("/")[0] or left[0]}": 0}}, which keeps arrays as they are',
                "a pattern for them in nw.Alternate",
            ),
        )
    if idle := [loss for loss in known if loss not in objective.parts.values()]:
        raise TrainingError(
            what=f"no part learns from the loss {idle[0]!r}",
            where="objective",
            got=repr(objective),
            mend=f"a pattern for the part that learns from {idle[0]!r}, or a net without this output",
        )
    return tuple(turns)


def _frozen(pattern: str, plan: Plan, goal: Goal, trained: Collection[str]) -> list[str]:
    """The arrays that a pattern names, where none of them is trained."""
    learned = [path for path, spec in plan.arrays.items() if spec.weight.kind == "learned"]
    named = [path for path in learned if matches(path.removeprefix(goal.prefix), pattern)]
    return [] if {*named} & {*trained} else [path.removeprefix(goal.prefix) for path in named]

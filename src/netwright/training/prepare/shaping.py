"""What is done to the gradient of a step before an optimizer reads it: penalties by path, then bounds."""

from collections.abc import Collection, Mapping

from netwright.errors import TrainingError, shortened
from netwright.net.plan.plan import Plan
from netwright.training.engines.engine import Engine
from netwright.training.penalties import Penalties, Penalty
from netwright.training.prepare.choices import Chooser
from netwright.training.prepare.options import Options
from netwright.training.prepare.rates import paths_like
from netwright.value import Value


class Shaping(Value, eq=False):
    """Penalties of weights, whose derivatives are added to the gradient, and bounds of the sum.

    Fields:
        clip, clip_value: the greatest length of the gradient, and the greatest size of its numbers; None is any.
    """

    penalties: Penalties
    clip: float | None
    clip_value: float | None

    def __call__(self, engine: Engine) -> float:
        """Shape the gradient that an engine has left, in place, and give what the penalties add to the loss."""
        added = self.penalties(engine.turn)
        if self.clip_value is not None:
            engine.clip_value(self.clip_value)
        if self.clip is not None:
            engine.clip(self.clip)
        return added


def shaping_of(
    choose: Chooser, options: Options, plan: Plan, engine: Engine, trained: Collection[str], prefix: str
) -> Shaping:
    """What the keywords of a call, or the choices of an earlier run, do to the gradient."""
    clip, clip_value = choose.optional("clip", options.clip), choose.optional("clip value", options.clip_value)
    given = choose.optional("penalties", options.penalties)
    return Shaping(penalties_of(plan, engine, trained, given, prefix), clip, clip_value)


def penalties_of(
    plan: Plan, engine: Engine, trained: Collection[str], given: Mapping[str, Penalty] | None, prefix: str
) -> Penalties:
    """The penalties of a run. An array that several patterns name has the penalty of each.

    Raises: PathError for a pattern that names no array; TrainingError for one that names only arrays that are not
        trained.
    """
    named = [(penalty, _named(plan, trained, pattern, prefix)) for pattern, penalty in (given or {}).items()]
    parts = [
        [
            (penalty, engine.flat.master[piece], engine.flat.gradient[piece])
            for penalty, paths in named
            for piece in engine.places([path for path in paths if path in learning])
        ]
        for learning in [turn.paths for turn in engine.turns] or [trained]
    ]
    return Penalties(parts, engine.group, engine.shared)


def _named(plan: Plan, trained: Collection[str], pattern: str, prefix: str) -> list[str]:
    """The trained arrays that a pattern names."""
    named = paths_like(pattern, plan.arrays, prefix, "penalties")
    found = [path for path in named if path in trained]
    if not found:
        raise TrainingError(
            what=f"{pattern!r} names only arrays that are not trained, so that a penalty would change nothing",
            where="penalties",
            got=shortened(", ".join(path.removeprefix(prefix) for path in named), 120),
            mend=(f"leave {pattern!r} out", "learning_rate=…, which may freeze these arrays"),
        )
    return found

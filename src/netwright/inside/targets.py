"""Says what is derived: the values of a net that are meant, and the one number that is made of each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.codecs.numeric import described
from netwright.errors import DataError, NetError
from netwright.inside.locations import Location, find_locations, output_locations, part_locations
from netwright.net.part import Net
from netwright.net.plan.plan import Plan, shape_text
from netwright.net.run.examples import Own
from netwright.training.prepare.goal import ends_in_losses
from netwright.value import Value

Score: TypeAlias = Callable[[Any], Any]  # of the value of one example; it gives one number
Of: TypeAlias = str | Score | Mapping[str, Score] | None


class Target(Value, eq=False):
    """A value that is derived.

    Fields:
        location: where it is.
        score: makes one number of the value of an example; None, its sum.
        mean: whether the number counts by the examples that there are, as a loss does.
    """

    location: Location
    score: Score | None = None
    mean: bool = False

    def total(self, values: Tensor | Sequence[Own], count: int) -> Tensor:
        """The number of all examples of a batch, of so many in all."""
        whole = torch.stack([self.number(value) for value in values]).sum()
        return whole / count if self.mean else whole

    def number(self, value: Own) -> Tensor:
        """The number of one example.

        Raises: DataError where the function gives something else.
        """
        if self.score is None:
            return value.sum() if isinstance(value, Tensor) else torch.stack([*map(self.number, value)]).sum()
        made = self.score(value)
        if not isinstance(made, Tensor) or made.numel() != 1:
            raise DataError(
                what="the function does not make one number of a value",
                where=self.location.name,
                expected="a tensor with one number, such as y[7] or y.sum()",
                got=f"a tensor {shape_text(tuple(made.shape))}" if isinstance(made, Tensor) else described(made),
            )
        return made.sum()  # () from (1,)


def targets_of(net: Net, plan: Plan, of: Of, where: str) -> list[Target]:
    """What `of=` means.

    Raises: PathError for what names nothing; NetError for None or a function where there are several outputs.
    """
    if isinstance(of, str):
        location = _one(plan, of, where)
        _check_sum(plan, location, f"of={{{of!r}: lambda y: %s}}", where)
        return [Target(location, mean=_is_loss(net, plan, of))]
    if isinstance(of, Mapping):
        if not of or not all(callable(score) for score in of.values()):
            wrong = next((score for score in of.values() if not callable(score)), of)
            raise NetError(
                what="of= takes a mapping from paths to functions of the value there",
                where=where,
                got=described(wrong),
                mend="of={'linear2': lambda y: y[7]}",
            )
        return [Target(_one(plan, path, where), score) for path, score in of.items()]
    outputs = output_locations(plan)
    if of is None and ends_in_losses(net):
        return [Target(location, mean=True) for location in outputs]
    if of is not None and not callable(of):
        raise NetError(
            what="of= takes a path, a function of the output, or a mapping from paths to functions",
            where=where,
            got=described(of),
            mend=f"of=lambda y: y[{of}]" if type(of) is int else "of='linear2'",
        )
    if len(outputs) > 1:
        raise NetError(
            what=f"this net has {len(outputs)} outputs, and of= does not say which of them is meant",
            where=where,
            expected=" or ".join(repr(location.name) for location in outputs),
            mend=f"of={outputs[0].name!r}" if of is None else f"of={{{outputs[0].name!r}: function}}",
        )
    if of is None:
        _check_sum(plan, outputs[0], "of=lambda y: %s", where)
    return [Target(outputs[0], of)]


def _one(plan: Plan, text: str, where: str) -> Location:
    """The one value that a text names: an output, or the value of a part."""
    locations = [*find_locations(text, [*output_locations(plan), *part_locations(plan)], where).found]
    if len(locations) > 1:
        raise NetError(
            what=f"{text} names {len(locations)} values, and one is derived",
            where=where,
            expected=" or ".join(repr(location.name) for location in locations[:2]),
            got=repr(text),
        )
    return locations[0]


def _check_sum(plan: Plan, location: Location, mend: str, where: str) -> None:
    """Refuse the sum of probabilities of classes: it is 1, whatever the input is."""
    slot = plan.solution.origin(location.slot or ("", ""))
    step = next((step for step in plan.steps if slot in step.writes), None)
    if step is None or step.leaf.gives() != "class probabilities":
        return
    item = "y[0]" if len(plan.whole_shape(slot)) == 1 else "y[-1, 0]"
    before = [part.name for part in part_locations(plan) if part.slot == step.reads[0]]
    raise NetError(
        what=f"the values of {location.name} are probabilities whose sum is always 1, so it has no gradient",
        where=where,
        expected="a function that says which of them is meant",
        mend=(mend % item, *(f"of={{{path!r}: lambda y: {item}}}, the score before it" for path in before[:1])),
    )


def _is_loss(net: Net, plan: Plan, name: str) -> bool:
    return name in dict(plan.wiring.outputs) and ends_in_losses(net)
